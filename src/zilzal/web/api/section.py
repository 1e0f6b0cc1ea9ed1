"""The record section of an event."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from zilzal.app.display.section import SectionLine, SectionRequest, record_section
from zilzal.app.display.traces import View
from zilzal.core.event import Event
from zilzal.core.pick import Phase
from zilzal.core.units import km
from zilzal.web.api.event import EventId
from zilzal.web.api.origin_values import PickAnswer
from zilzal.web.api.trace_values import SegmentAnswer
from zilzal.web.api.values import Answer, Asked, Held, Instant
from zilzal.web.refusal import not_found

router = APIRouter(prefix="/events", tags=["events"])


class SectionFilter(Asked):
    """Which traces, and how they are looked at; a corner of 0 does without it."""

    component: Annotated[str, Field(pattern="^[A-Z0-9]$")] = "Z"
    low_hz: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    high_hz: Annotated[float, Field(ge=0, le=1_000)] = 20.0
    points: Annotated[int, Field(ge=100, le=10_000)] = 1_500
    stations: Annotated[int, Field(ge=0, le=500)] = 40


class SectionStation(Answer):
    """A station of the section; `predicted` has the computed arrivals by phase.

    `residuals_s` has those of the located arrivals by pick id.
    """

    station: str
    channel: str | None
    sensor: str | None
    distance_km: float | None
    azimuth_deg: float | None
    segments: list[SegmentAnswer]
    picks: list[PickAnswer]
    predicted: dict[Phase, Instant]
    residuals_s: dict[str, float]


class Section(Answer):
    """Stations in order of distance, from `start` to `end`."""

    event_id: str
    version: int
    start: Instant
    end: Instant
    total: int
    items: list[SectionStation]


@router.get("/{event_id}/section")
def event_section(
    held: Held, event_id: EventId, wanted: Annotated[SectionFilter, Query()]
) -> Section:
    """Traces of the stations around an event, with picks and predicted P and S."""
    event = held.store.event(event_id)
    if event is None:
        raise not_found(f"event {event_id}")
    view = View(low_hz=wanted.low_hz or None, high_hz=wanted.high_hz or None, points=wanted.points)
    request = SectionRequest(component=wanted.component, n_stations=wanted.stations, view=view)
    (start, end), lines = record_section(event, held, request)
    return Section(
        event_id=event.id,
        version=event.version,
        start=start,
        end=end,
        total=len(lines),
        items=[_station(line, event) for line in lines],
    )


def _station(line: SectionLine, event: Event) -> SectionStation:
    channel_id = line.channel_id
    return SectionStation(
        station=str(line.station_id),
        channel=channel_id and str(channel_id),
        sensor=channel_id and str(channel_id.sensor_id),
        distance_km=None if line.distance_m is None else km(line.distance_m),
        azimuth_deg=line.azimuth_deg,
        segments=[SegmentAnswer.of(segment) for segment in line.segments],
        picks=[PickAnswer.of(pick) for pick in line.picks],
        predicted=dict(line.predicted),
        residuals_s={
            a.pick_id: a.residual_s for a in event.arrivals if a.station_id == line.station_id
        },
    )
