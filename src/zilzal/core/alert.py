"""What is told of an event to those who want to know at once, and of which events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from zilzal.core.event import Event, EventType, Origin
from zilzal.core.geo import distance_m
from zilzal.core.units import km


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent.

    Args:
        key: the same whenever it is sent again: of the event, and of which of its versions.
        subject: one line.
        text: for people.
        content: for machines; what JSON can hold.
    """

    key: str
    subject: str
    text: str
    content: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Which events are told, and when again.

    Args:
        least_magnitude: None also takes events without one.
        south: of the region, degrees.
        north: of the region.
        west: of the region; greater than `east` where it spans the date line.
        east: of the region.
        least_stations: with an arrival that was used.
        types: of events, in QuakeML's words; empty for all but "not existing".
        qualities: of locations; empty for all.
        least_version: earlier versions are not told.
        again_magnitude: a change by so much is told.
        again_km: a shift of the epicentre by so much is told.
    """

    least_magnitude: float | None = None
    south: float = -90.0
    north: float = 90.0
    west: float = -180.0
    east: float = 180.0
    least_stations: int = 4
    types: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    least_version: int = 1
    again_magnitude: float = 0.3
    again_km: float = 20.0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  pydantic's word

    def __post_init__(self) -> None:
        if not -90 <= self.south < self.north <= 90:
            raise ValueError(f"south {self.south} and north {self.north} are no region")
        known = {kind.value for kind in EventType}
        if wrong := set(self.types) - known:
            raise ValueError(f"no type of event: {sorted(wrong)}; known are {sorted(known)}")

    def wants(self, event: Event) -> bool:
        """Whether an event is to be told."""
        origin, magnitude = event.origin, event.magnitude
        if not isinstance(origin, Origin) or event.version < self.least_version:
            return False
        size = None if magnitude is None else magnitude.magnitude
        if self.least_magnitude is not None and (size is None or size < self.least_magnitude):
            return False
        return (
            self._is_inside(origin)
            and len(origin.used_stations) >= self.least_stations
            and (event.event_type in self.types if self.types else not event.is_noise)
            and (not self.qualities or origin.quality in self.qualities)
        )

    def is_news(self, event: Event, told: dict[str, Any]) -> bool:
        """Whether an event has changed enough since it was told, or dissolved."""
        origin = event.origin
        if not isinstance(origin, Origin):
            return not told["is_retracted"]
        if told["is_retracted"]:
            return True
        size = event.magnitude.magnitude if event.magnitude else None
        before = told["magnitude"]
        if (size is None) != (before is None):
            return size is not None
        if size is not None and abs(size - before) >= self.again_magnitude:
            return True
        place = told["latitude"], told["longitude"]
        moved_m = float(distance_m(*place, origin.latitude, origin.longitude))
        return km(moved_m) >= self.again_km

    def _is_inside(self, origin: Origin) -> bool:
        if not self.south <= origin.latitude <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= origin.longitude <= self.east
        return origin.longitude >= self.west or origin.longitude <= self.east


@runtime_checkable
class AlertSink(Protocol):
    """Where messages go."""

    @property
    def rule(self) -> AlertRule:
        """Which events it wants."""
        ...

    @property
    def name(self) -> str:
        """Of the sink, as the queue has it."""
        ...

    def send(self, message: Message) -> None:
        """Hand a message over.

        Raises:
            OSError: it could not be; it will be tried again.
        """
        ...
