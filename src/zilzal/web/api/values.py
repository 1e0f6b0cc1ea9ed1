"""Values as JSON has them: times as ISO 8601, names with their units, numbers never NaN."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from zilzal.app.display.holdings import Holdings
from zilzal.core.errors import FormatError
from zilzal.core.ids import SensorId
from zilzal.core.time import Time


class Answer(BaseModel):
    """What a route gives."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)


class Asked(BaseModel):
    """What a route takes; a name that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


LATEST = Time.parse("2200-01-01T00:00:00Z")
EARLIEST = Time.parse("1900-01-01T00:00:00Z")
"""Times outside are mistakes; nanoseconds in 64 bits reach to 2262."""


def parse_time(value: object) -> Time:
    """Read an ISO 8601 time, UTC; a day alone is its midnight.

    Raises:
        ValueError: it is none, or none of these centuries.
    """
    if isinstance(value, Time):
        return value
    try:
        time = Time.parse(str(value))
    except (FormatError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if not EARLIEST <= time <= LATEST:
        raise ValueError(f"{value} lies outside of 1900 to 2200")
    return time


_TIME_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "examples": ["2024-03-05T12:00:00.000000Z"],
}

Instant = Annotated[
    Time,
    BeforeValidator(parse_time),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(_TIME_SCHEMA),
]
"""A time in an answer, or in a body."""


def _checked(text: str) -> str:
    return str(parse_time(text))


InstantText = Annotated[str, AfterValidator(_checked), WithJsonSchema(_TIME_SCHEMA)]
"""A time in a query: a checked text, of which `time_of` makes the time."""


def time_of(text: str | None) -> Time | None:
    """The time that an `InstantText` says."""
    return None if text is None else Time.parse(text)


def finite(value: float | None) -> float | None:
    """None for what JSON cannot say: NaN and infinities."""
    return None if value is None or not math.isfinite(value) else float(value)


def sensor_of(text: str) -> SensorId:
    """Read network.station.location.band.

    Raises:
        FormatError: it is none.
    """
    return SensorId.parse(text)


def holdings_of(request: Request) -> Holdings:
    """What the server was started on."""
    return request.app.state.holdings


Held = Annotated[Holdings, Depends(holdings_of)]
