"""How it goes, as the monitor sees it: per station, per stage, and for the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zilzal.app.live.latency import Histogram
from zilzal.core.event import Event, Origin
from zilzal.core.ids import SensorId, StationId
from zilzal.core.packet import Packet
from zilzal.core.pick import Pick
from zilzal.core.stage import Clock
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the engine stands.

    Args:
        passed: how far each sensor has been worked on.
        shed: stations that are left out.
        waiting: packets to be worked on.
    """

    passed: Mapping[SensorId, Time]
    shed: frozenset[StationId]
    waiting: int


@dataclass(slots=True, eq=False)
class StationHealth:
    """What has been seen of a station.

    Args:
        packets: taken in.
        arrived: when the last one came.
        data_end: where the newest data end.
        picks: final ones.
        used: times that a pick of it was in an event's version.
        arrival: from a record's last sample to when it came.
    """

    packets: int = 0
    arrived: Time | None = None
    data_end: Time | None = None
    picks: int = 0
    used: int = 0
    arrival: Histogram = field(default_factory=Histogram)


@dataclass(slots=True, eq=False)
class Health:
    """Counts since the monitor was started.

    Args:
        clock: of the monitor.
    """

    clock: Clock
    stations: dict[StationId, StationHealth] = field(default_factory=dict[StationId, StationHealth])
    to_arrival: Histogram = field(default_factory=Histogram)
    to_pick: Histogram = field(default_factory=Histogram)
    to_event: Histogram = field(default_factory=Histogram)
    refusals: int = 0
    last_refusal: str = ""
    events: int = 0
    revisions: int = 0
    _seen: dict[str, Time] = field(default_factory=dict[str, Time])

    def hear(self, packet: Packet) -> None:
        """A packet came."""
        for trace in packet.traces:
            station = self.stations.setdefault(trace.channel_id.station_id, StationHealth())
            station.packets += 1
            station.arrived = packet.arrived
            end = trace.next_start
            station.data_end = end if station.data_end is None else max(station.data_end, end)
            station.arrival.add(packet.arrived - end)
            self.to_arrival.add(packet.arrived - end)

    def note_picks(self, picks: Iterable[Pick]) -> None:
        """Picks became final."""
        for pick in picks:
            station = self.stations.setdefault(pick.channel_id.station_id, StationHealth())
            station.picks += 1

    def note_preliminary(self, picks: Iterable[Pick]) -> None:
        """Picks were seen for the first time, or again."""
        now = self.clock.now()
        for pick in picks:
            if pick.id not in self._seen:
                self.to_pick.add(now - pick.time)
            self._seen[pick.id] = now
        if len(self._seen) > 20_000:
            self._seen = dict(list(self._seen.items())[-10_000:])

    def note_events(self, events: Iterable[Event]) -> None:
        """Events were stored, new or revised."""
        now = self.clock.now()
        for event in events:
            self.revisions += 1
            for pick in event.picks:
                station = self.stations.setdefault(pick.channel_id.station_id, StationHealth())
                station.used += 1
            if event.version == 1 and isinstance(event.origin, Origin):
                self.events += 1
                self.to_event.add(now - max(pick.time for pick in event.picks))

    def usefulness(self) -> dict[StationId, float]:
        """How many of a station's picks were of use, by station."""
        return {i: station.used / (station.picks + 1) for i, station in self.stations.items()}

    def note_refusal(self, why: str) -> None:
        """The disk, the database or a stage refused."""
        self.refusals += 1
        self.last_refusal = why

    def latencies(self) -> dict[str, tuple[str, Histogram]]:
        """By name for machines: what is measured, and the histogram."""
        return {
            "arrival_seconds": ("From a record's last sample to its arrival", self.to_arrival),
            "pick_seconds": ("From an onset to its first pick", self.to_pick),
            "event_seconds": ("From an event's last pick to its first version", self.to_event),
        }

    def notes(self, pulse: Pulse) -> dict[str, dict[str, Any]]:
        """For the store: one of the monitor, one of each station."""
        passed = {sensor.station_id: time for sensor, time in pulse.passed.items()}
        notes: dict[str, dict[str, Any]] = {
            "live/monitor": {
                "waiting_packets": pulse.waiting,
                "stations": len(passed),
                "shed": sorted(map(str, pulse.shed)),
                "refusals": self.refusals,
                "last_refusal": self.last_refusal,
                "events": self.events,
                "revisions": self.revisions,
                "latency": {text: h.note() for text, h in self.latencies().values()},
            }
        }
        for station_id, station in self.stations.items():
            worked = passed.get(station_id)
            notes[f"live/station/{station_id}"] = {
                "packets": station.packets,
                "arrived": str(station.arrived or ""),
                "data_end": str(station.data_end or ""),
                "worked_until": str(worked or ""),
                "picks": station.picks,
                "arrival_s": station.arrival.quantile_s(0.5),
            }
        return notes
