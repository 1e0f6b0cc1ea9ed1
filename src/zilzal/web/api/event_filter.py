"""Which events are asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from zilzal.core.event import EventType
from zilzal.core.pick import EvaluationMode
from zilzal.core.units import arc_degrees, metres
from zilzal.io.store import EventQuery, Order
from zilzal.web.api.values import Asked, InstantText, time_of

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Quality = Annotated[str, Field(pattern="^[A-D]$")]
LARGEST_PAGE = 1_000


class EventFilter(Asked):
    """Limits that all must hold; one that is not given does not limit.

    Bounds include their ends, but `end`. A box whose `min_longitude` is above `max_longitude`
    crosses the date line. A circle has its centre at `latitude`, `longitude`. Without
    `catalogue=false`, events that are not located, were retracted or are noise stay away.
    """

    start: InstantText | None = None
    end: InstantText | None = None
    min_latitude: Latitude | None = None
    max_latitude: Latitude | None = None
    min_longitude: Longitude | None = None
    max_longitude: Longitude | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    max_radius_km: Annotated[float, Field(ge=0, le=20_040)] | None = None
    min_depth_km: float | None = None
    max_depth_km: float | None = None
    min_magnitude: float | None = None
    max_magnitude: float | None = None
    type: list[EventType] = Field(default_factory=list[EventType], max_length=20)
    quality: list[Quality] = Field(default_factory=list[Quality], max_length=4)
    status: EvaluationMode | None = None
    text: Annotated[str, Field(max_length=200)] = ""
    catalogue: bool = True

    @model_validator(mode="after")
    def _circle_is_whole(self) -> EventFilter:
        circle = (self.latitude, self.longitude, self.max_radius_km)
        if any(v is not None for v in circle) and any(v is None for v in circle):
            raise ValueError("a circle needs latitude, longitude and max_radius_km")
        return self

    def query(
        self, *, order: Order = Order.OLDEST, limit: int | None = None, offset: int = 0
    ) -> EventQuery:
        """As the store takes it."""
        radius_km = self.max_radius_km
        return EventQuery(
            start=time_of(self.start),
            end=time_of(self.end),
            south=self.min_latitude,
            north=self.max_latitude,
            west=self.min_longitude,
            east=self.max_longitude,
            latitude=self.latitude,
            longitude=self.longitude,
            max_radius_deg=None if radius_km is None else arc_degrees(metres(radius_km)),
            min_depth_m=None if self.min_depth_km is None else metres(self.min_depth_km),
            max_depth_m=None if self.max_depth_km is None else metres(self.max_depth_km),
            min_magnitude=self.min_magnitude,
            max_magnitude=self.max_magnitude,
            event_types=tuple(self.type),
            qualities=tuple(self.quality),
            evaluation_mode=self.status,
            text=self.text.replace("\0", ""),
            catalogue_only=self.catalogue,
            order=order,
            limit=limit,
            offset=offset,
        )


class EventPage(EventFilter):
    """The same, a page of it."""

    order: Order = Order.NEWEST
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
