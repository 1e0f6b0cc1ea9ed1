"""Station metadata as fdsnws-station gives it: all that the files say, through ObsPy."""

from __future__ import annotations

import copy
import io
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from zilzal.core.geo import distance_m
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.units import arc_degrees
from zilzal.io.fdsn_text import station_text
from zilzal.io.inventory import read_inventory
from zilzal.io.stationxml import obspy_inventory

_FIRST, _LAST = Time(-(2**62)), Time(2**62)


class Level(StrEnum):
    """How much is told of stations."""

    NETWORK = "network"
    STATION = "station"
    CHANNEL = "channel"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSelector:
    """Channels by code and time; patterns may have `*` and `?`, and an empty location is "".

    Args:
        network: patterns, any of which.
        station: patterns.
        location: patterns.
        channel: patterns.
        start: channels that operated then or later.
        end: channels that operated then or earlier.
    """

    network: tuple[str, ...] = ("*",)
    station: tuple[str, ...] = ("*",)
    location: tuple[str, ...] = ("*",)
    channel: tuple[str, ...] = ("*",)
    start: Time | None = None
    end: Time | None = None

    def names(self, channel_id: ChannelId) -> bool:
        """Whether a channel's code is among those that are wanted."""
        pairs = (
            (channel_id.network, self.network), (channel_id.station, self.station),
            (channel_id.location, self.location), (channel_id.channel, self.channel),
        )  # fmt: skip
        return all(any(fnmatchcase(code, p) for p in patterns) for code, patterns in pairs)

    def takes(self, channel_id: ChannelId, start: Time, end: Time) -> bool:
        """Whether a channel that operates from one instant to another is wanted."""
        in_time = (self.start is None or end >= self.start) and (
            self.end is None or start <= self.end
        )
        return in_time and self.names(channel_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationQuery:
    """Which channels are told of.

    Args:
        selectors: any of which must take a channel.
        start_before: of the channel's epoch.
        start_after: of the channel's epoch.
        end_before: of the channel's epoch.
        end_after: of the channel's epoch.
        south: latitude of the station.
        north: latitude.
        west: longitude.
        east: longitude.
        latitude: centre of a circle; None for no circle.
        longitude: centre of the circle.
        min_radius_deg: of the circle.
        max_radius_deg: of the circle.
    """

    selectors: tuple[ChannelSelector, ...]
    start_before: Time | None = None
    start_after: Time | None = None
    end_before: Time | None = None
    end_after: Time | None = None
    south: float = -90.0
    north: float = 90.0
    west: float = -180.0
    east: float = 180.0
    latitude: float | None = None
    longitude: float | None = None
    min_radius_deg: float = 0.0
    max_radius_deg: float = 180.0

    def is_there(self, latitude: float, longitude: float) -> bool:
        """Whether a place is inside the box and the ring; the box may cross the date line."""
        if not self.south <= latitude <= self.north:
            return False
        inside = (self.west <= longitude, longitude <= self.east)
        if not (all(inside) if self.west <= self.east else any(inside)):
            return False
        if self.latitude is None or self.longitude is None:
            return True
        away_m = float(distance_m(self.latitude, self.longitude, latitude, longitude))
        return self.min_radius_deg <= arc_degrees(away_m) <= self.max_radius_deg

    def takes(self, channel_id: ChannelId, start: Time, end: Time) -> bool:
        """Whether an epoch of a channel is wanted."""
        bounds = (
            self.start_before is None or start < self.start_before,
            self.start_after is None or start > self.start_after,
            self.end_before is None or end < self.end_before,
            self.end_after is None or end > self.end_after,
        )
        return all(bounds) and any(s.takes(channel_id, start, end) for s in self.selectors)


@dataclass(slots=True, eq=False)
class StationMetadata:
    """What files say of stations, read when first asked for; safe to share by threads.

    Args:
        paths: StationXML with all stages of the responses, or CSV without.
    """

    paths: Sequence[Path]
    _found: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self, query: StationQuery, level: Level) -> str | None:
        """The text format; None where nothing is selected."""
        chosen = _select(self._all(), query)
        return station_text(chosen, level.value) if len(chosen) else None

    def xml(self, query: StationQuery, level: Level) -> bytes | None:
        """StationXML; None where nothing is selected."""
        chosen = _select(self._all(), query)
        if not len(chosen):
            return None
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen.write(buffer, format="STATIONXML", level=level.value)
        return buffer.getvalue()

    def _all(self) -> Any:
        with self._lock:
            if self._found is None:
                self._found = _read(self.paths)
            return self._found


def _read(paths: Iterable[Path]) -> Any:
    """All that the files say; of tables what our own inventory knows."""
    from obspy import Inventory as ObspyInventory
    from obspy import read_inventory as read_any

    whole = ObspyInventory(networks=[], source="zilzal")
    for path in paths:
        if path.is_file() and path.suffix.lower() != ".csv":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                whole += read_any(str(path.resolve()))
        else:
            whole += obspy_inventory(read_inventory(path))
    return whole


def _select(inventory: Any, query: StationQuery) -> Any:
    """The networks, stations and channels of which a channel is wanted."""
    chosen = copy.copy(inventory)
    chosen.networks = []
    for network in inventory:
        stations = [s for s in (_station(network, each, query) for each in network) if s.channels]
        if stations:
            kept = copy.copy(network)
            kept.stations = stations
            chosen.networks.append(kept)
    return chosen


def _station(network: Any, station: Any, query: StationQuery) -> Any:
    kept = copy.copy(station)
    kept.channels = []
    if query.is_there(float(station.latitude), float(station.longitude)):
        kept.channels = list(_channels(network.code, station, query))
    return kept


def _channels(network: str, station: Any, query: StationQuery) -> Iterator[Any]:
    for channel in station:
        code = ChannelId(network, station.code, channel.location_code or "", channel.code)
        start = _FIRST if channel.start_date is None else Time(int(channel.start_date.ns))
        end = _LAST if channel.end_date is None else Time(int(channel.end_date.ns))
        if query.takes(code, start, end):
            yield channel
