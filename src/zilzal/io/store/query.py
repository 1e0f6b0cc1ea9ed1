"""Which events are wanted, and what a list of them shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import eq, ge, le, lt
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from zilzal.core.event import EventType
from zilzal.core.pick import EvaluationMode
from zilzal.core.time import Time
from zilzal.io.store.schema import EVENT, EVENT_VERSION


class Order(StrEnum):
    """Which events come first on a page."""

    OLDEST = "oldest"
    NEWEST = "newest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    WRITTEN = "written"
    """Written or revised last."""


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
        latitude: centre of a circle; with `longitude` and `max_radius_deg`, or none of them.
        longitude: centre of the circle.
        min_radius_deg: of the circle, along the sphere.
        max_radius_deg: of the circle, along the sphere.
        event_types: any of these; empty does not limit.
        qualities: letters of the location, any of these; empty does not limit.
        magnitude_types: scales, any of these in any case; empty does not limit.
        evaluation_mode: automatic ones only, or those that a person has judged.
        text: a part of the id or the comment, in any case.
        catalogue_only: leave out what is not located, and noise that was taken for an event.
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
    latitude: float | None = None
    longitude: float | None = None
    min_radius_deg: float | None = None
    max_radius_deg: float | None = None
    event_types: tuple[EventType, ...] = ()
    qualities: tuple[str, ...] = ()
    magnitude_types: tuple[str, ...] = ()
    evaluation_mode: EvaluationMode | None = None
    text: str = ""
    catalogue_only: bool = False
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumns:
    """The same of many events, column by column: for maps and plots."""

    id: Sequence[str]
    time_ns: Sequence[int]
    latitude: Sequence[float | None]
    longitude: Sequence[float | None]
    depth_m: Sequence[float | None]
    magnitude: Sequence[float | None]
    event_type: Sequence[str]
    evaluation_mode: Sequence[str]
    quality: Sequence[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStamp:
    """When a version of an event came, and from whom.

    Args:
        version: its number.
        written: when.
        author: who judged; empty for the machine.
        content: two versions with the same say the same.
    """

    version: int
    written: Time
    author: str
    content: int


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
        (column.quality, _is_one_of, query.qualities or None),
        (func.lower(column.magnitude_type), _is_one_of, _lower(query.magnitude_types)),
        (column.evaluation_mode, eq, query.evaluation_mode and query.evaluation_mode.value),
        (column.written, ge, query.written_since and query.written_since.ns),
    ]
    limits = [compare(place, bound) for place, compare, bound in bounds if bound is not None]
    return [*limits, *_longitudes(query), *_circle(query), *_words(query)]


def _lower(values: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(value.lower() for value in values) or None


def _is_one_of(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column.in_([str(value) for value in values])


def _longitudes(query: EventQuery) -> list[ColumnElement[bool]]:
    east, west = query.east, query.west
    within = [] if west is None else [EVENT.c.longitude >= west]
    within += [] if east is None else [EVENT.c.longitude <= east]
    if west is not None and east is not None and west > east:
        return [or_(*within)]
    return within


def _circle(query: EventQuery) -> list[ColumnElement[bool]]:
    """Haversines of the distance and of the radii, which rise with them."""
    if query.latitude is None or query.longitude is None:
        return []
    per_degree = math.pi / 180
    north = (EVENT.c.latitude - query.latitude) * per_degree
    east = (EVENT.c.longitude - query.longitude) * per_degree
    cosines = math.cos(query.latitude * per_degree) * func.cos(EVENT.c.latitude * per_degree)
    haversine = _squared(func.sin(north / 2)) + cosines * _squared(func.sin(east / 2))
    bounds = (query.min_radius_deg, ge), (query.max_radius_deg, le)
    return [
        compare(haversine, math.sin(radius_deg * per_degree / 2) ** 2)
        for radius_deg, compare in bounds
        if radius_deg is not None
    ]


def _squared(value: ColumnElement[float]) -> ColumnElement[float]:
    return value * value


def _words(query: EventQuery) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    if query.text:
        said = EVENT_VERSION.c.comment.icontains(query.text, autoescape=True)
        spoken = select(EVENT_VERSION.c.key).where(said)
        named = EVENT.c.id.icontains(query.text, autoescape=True)
        limits.append(or_(named, EVENT.c.current.in_(spoken)))
    if query.catalogue_only:
        noise = EventType.NOT_EXISTING.value
        limits += [EVENT.c.latitude.is_not(None), EVENT.c.event_type != noise]
    return limits


def paged(statement: Select[Any], query: EventQuery) -> Select[Any]:
    """The page that the query asks for; ties are in order of id, so that pages never overlap."""
    time, magnitude, id_ = EVENT.c.time, EVENT.c.magnitude, EVENT.c.id
    keys = {
        Order.OLDEST: (time, id_),
        Order.NEWEST: (time.desc(), id_.desc()),
        Order.LARGEST: (magnitude.desc().nulls_last(), time.desc(), id_.desc()),
        Order.SMALLEST: (magnitude.asc().nulls_last(), time.desc(), id_.desc()),
        Order.WRITTEN: (EVENT.c.written.desc(), id_.desc()),
    }[query.order]
    statement = statement.where(*conditions(query)).order_by(*keys)
    return statement.limit(query.limit).offset(query.offset or None)
