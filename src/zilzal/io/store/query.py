"""Which events are wanted, and what a list of them shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, le, lt
from typing import Any

from sqlalchemy import ColumnElement, Select, or_

from zilzal.core.event import EventType
from zilzal.core.pick import EvaluationMode
from zilzal.core.time import Time
from zilzal.io.store.schema import EVENT


class Order(StrEnum):
    """Which events come first on a page."""

    OLDEST = "oldest"
    NEWEST = "newest"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Limits that all must hold; None does not limit.

    Bounds include their ends, but `end`. A limit of place or magnitude leaves out events that
    have none.

    Args:
        start: of the origin time.
        end: of the origin time, exclusive.
        south: latitude.
        north: latitude.
        west: longitude; a box with `west` above `east` crosses the date line.
        east: longitude.
        min_depth_m: below sea level.
        max_depth_m: below sea level.
        min_magnitude: of the preferred magnitude.
        max_magnitude: of the preferred magnitude.
        event_types: any of these; empty does not limit.
        written_since: only what was written or revised then or later.
        order: what comes first.
        limit: at most so many.
        offset: after so many.
    """

    start: Time | None = None
    end: Time | None = None
    south: float | None = None
    north: float | None = None
    west: float | None = None
    east: float | None = None
    min_depth_m: float | None = None
    max_depth_m: float | None = None
    min_magnitude: float | None = None
    max_magnitude: float | None = None
    event_types: tuple[EventType, ...] = ()
    written_since: Time | None = None
    order: Order = Order.OLDEST
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """A line of a list of events: the current version at a glance.

    Args:
        id: of the event.
        version: the current one.
        time: of the origin, or its first guess.
        latitude: None where not located.
        longitude: None where not located.
        depth_m: None where not located.
        magnitude: the preferred one, None where there is none.
        magnitude_type: its scale.
        event_type: "not reported" where nobody spoke.
        evaluation_mode: manual once reviewed.
        quality: letter of the location, None where not located.
        written: when this version came.
    """

    id: str
    version: int
    time: Time
    latitude: float | None
    longitude: float | None
    depth_m: float | None
    magnitude: float | None
    magnitude_type: str | None
    event_type: EventType
    evaluation_mode: EvaluationMode
    quality: str | None
    written: Time


def conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    """The limits in SQL, on the table `event`."""
    column = EVENT.c
    bounds: list[tuple[ColumnElement[Any], Callable[[Any, Any], Any], Any]] = [
        (column.time, ge, query.start and query.start.ns),
        (column.time, lt, query.end and query.end.ns),
        (column.latitude, ge, query.south),
        (column.latitude, le, query.north),
        (column.depth_m, ge, query.min_depth_m),
        (column.depth_m, le, query.max_depth_m),
        (column.magnitude, ge, query.min_magnitude),
        (column.magnitude, le, query.max_magnitude),
        (column.event_type, _is_one_of, query.event_types or None),
        (column.written, ge, query.written_since and query.written_since.ns),
    ]
    limits = [compare(place, bound) for place, compare, bound in bounds if bound is not None]
    return limits + _longitudes(query)


def _is_one_of(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column.in_([str(value) for value in values])


def _longitudes(query: EventQuery) -> list[ColumnElement[bool]]:
    east, west = query.east, query.west
    within = [] if west is None else [EVENT.c.longitude >= west]
    within += [] if east is None else [EVENT.c.longitude <= east]
    if west is not None and east is not None and west > east:
        return [or_(*within)]
    return within


def paged(statement: Select[Any], query: EventQuery) -> Select[Any]:
    """The page that the query asks for; ties are in order of id, so that pages never overlap."""
    time, magnitude, id_ = EVENT.c.time, EVENT.c.magnitude, EVENT.c.id
    keys = {
        Order.OLDEST: (time, id_),
        Order.NEWEST: (time.desc(), id_.desc()),
        Order.LARGEST: (magnitude.desc().nulls_last(), time.desc(), id_.desc()),
    }[query.order]
    statement = statement.where(*conditions(query)).order_by(*keys)
    return statement.limit(query.limit).offset(query.offset or None)
