"""Events together: a page of them, all as points, statistics."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response

from zilzal.app.display.statistics import describe
from zilzal.core.event import EventType
from zilzal.core.pick import EvaluationMode
from zilzal.core.time import NS_PER_S
from zilzal.core.units import METRES_PER_KM
from zilzal.io.store import EventColumns, Order
from zilzal.web.api.event_filter import EventFilter, EventPage
from zilzal.web.api.event_values import EventLine
from zilzal.web.api.values import Answer, Held, Instant

router = APIRouter(prefix="/events", tags=["events"])

Filter = Annotated[EventFilter, Query()]


class EventList(Answer):
    """A page of events; `total` counts all pages."""

    total: int
    items: list[EventLine]


class EventPoints(Answer):
    """All events column by column, in order of time; times are seconds since 1970, UTC."""

    total: int
    id: list[str]
    time_unix_s: list[float]
    latitude: list[float | None]
    longitude: list[float | None]
    depth_km: list[float | None]
    magnitude: list[float | None]
    event_type: list[EventType]
    evaluation_mode: list[EvaluationMode]
    quality: list[str | None]


class MagnitudeBin(Answer):
    """Events whose magnitude rounds to the bin's centre, and those of at least that."""

    magnitude: float
    count: int
    cumulative: int


class Completeness(Answer):
    """log10 N(>= M) = a - b M for magnitudes at and above `mc`, of `count` events."""

    mc: float
    a: float
    b: float
    b_uncertainty: float
    count: int


class DayCount(Answer):
    """Events of a stretch of time, and all until its end."""

    start: Instant
    count: int
    cumulative: int


class EventStatistics(Answer):
    """Counts along time and magnitude; `completeness` is null where too few events tell it."""

    total: int
    bin_s: float
    counts: list[DayCount]
    bin_width: float
    magnitudes: list[MagnitudeBin]
    completeness: Completeness | None
    completeness_reason: str
    by_type: dict[str, int]
    by_evaluation_mode: dict[str, int]


@router.get("")
def list_events(held: Held, page: Annotated[EventPage, Query()]) -> EventList:
    """A page of events, the newest first if not asked otherwise."""
    query = page.query(order=page.order, limit=page.limit, offset=page.offset)
    lines = held.store.summaries(query)
    return EventList(total=held.store.count(query), items=[EventLine.of(line) for line in lines])


@router.get("/points", response_model=EventPoints)
def event_points(held: Held, wanted: Filter) -> Response:
    """All events of a selection at once, for maps and plots."""
    columns = held.store.columns(wanted.query(order=Order.OLDEST))
    # Checking a hundred thousand rows of our own store would take longer than all the rest.
    return Response(_points(columns), media_type="application/json")


def _points(columns: EventColumns) -> bytes:
    def rounded(values: object, decimals: int) -> list[float | None]:
        found = np.round(np.array(values, float), decimals)
        return [None if value != value else value for value in found.tolist()]

    depths_km = np.array(columns.depth_m, float) / METRES_PER_KM
    content = {
        "total": len(columns.id),
        "id": columns.id,
        "time_unix_s": np.round(np.array(columns.time_ns, float) / NS_PER_S, 3).tolist(),
        "latitude": rounded(columns.latitude, 5),
        "longitude": rounded(columns.longitude, 5),
        "depth_km": rounded(depths_km, 3),
        "magnitude": rounded(columns.magnitude, 3),
        "event_type": columns.event_type,
        "evaluation_mode": columns.evaluation_mode,
        "quality": columns.quality,
    }
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


@router.get("/statistics")
def event_statistics(held: Held, wanted: Filter) -> EventStatistics:
    """Counts along time and magnitude, magnitude of completeness and b-value of a selection."""
    found = describe(held.store.columns(wanted.query()))
    fit = found.fit
    return EventStatistics(
        total=found.total,
        bin_s=found.bin_s,
        counts=[DayCount(start=s, count=n, cumulative=c) for s, n, c in found.counts],
        bin_width=found.bin_width,
        magnitudes=[MagnitudeBin(magnitude=m, count=n, cumulative=c)
                    for m, n, c in found.magnitudes],
        completeness=fit and Completeness(
            mc=fit.completeness, a=fit.a, b=fit.b, b_uncertainty=fit.b_uncertainty,
            count=fit.count,
        ),
        completeness_reason=found.reason,
        by_type=found.by_type,
        by_evaluation_mode=found.by_evaluation_mode,
    )  # fmt: skip
