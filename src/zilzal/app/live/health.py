"""How it goes, as the monitor sees it: per station, per stage, and for the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zilzal.app.live.latency import Histogram
from zilzal.app.live.performance import MINUTES_KEPT_S, Chronicle
from zilzal.app.live.station_health import StationHealth
from zilzal.core.alert import Message
from zilzal.core.coverage import CoverageSpan
from zilzal.core.event import Event, Origin
from zilzal.core.ids import SensorId, StationId
from zilzal.core.packet import Link, Packet
from zilzal.core.pick import Pick
from zilzal.core.stage import Clock
from zilzal.core.time import Time
from zilzal.io.store import Store

MONITOR, STATION = "live/monitor", "live/station/"
"""Keys of the notes in the store; a station's code comes behind the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the engine stands.

    Args:
        passed: how far each sensor has been worked on.
        shed: stations that are left out.
        waiting: packets to be worked on.
        links: with the sources.
    """

    passed: Mapping[SensorId, Time]
    shed: frozenset[StationId]
    waiting: int
    links: tuple[Link, ...] = ()

    @property
    def worked_until(self) -> dict[StationId, Time]:
        """How far each station has been worked on."""
        return {sensor.station_id: time for sensor, time in self.passed.items()}


@dataclass(slots=True, eq=False)
class Health:
    """Counts since the monitor was started.

    Args:
        clock: of the monitor.
        stations: that were heard, or are expected.
        to_arrival: from a record's last sample on.
        to_pick: from an onset on.
        to_told: from the last sample that a pick was seen with on.
        to_event: from an event's last pick on.
        to_alert: from an event's origin on.
        refusals: times the store or disk refused.
        last_refusal: what it said.
        events_trouble: why events are not worked out as they should be; empty where they are.
        events: first versions stored.
        revisions: versions stored.
    """

    clock: Clock
    stations: dict[StationId, StationHealth] = field(default_factory=dict[StationId, StationHealth])
    to_arrival: Histogram = field(default_factory=Histogram)
    to_pick: Histogram = field(default_factory=Histogram)
    to_told: Histogram = field(default_factory=Histogram)
    to_event: Histogram = field(default_factory=Histogram)
    to_alert: Histogram = field(default_factory=Histogram)
    refusals: int = 0
    last_refusal: str = ""
    events_trouble: str = ""
    events: int = 0
    revisions: int = 0
    _seen: dict[str, Time] = field(default_factory=dict[str, Time])
    _chronicle: Chronicle = field(default_factory=Chronicle)

    def expect(self, station_ids: Iterable[StationId], notes: Mapping[str, Any]) -> None:
        """Stations that should be heard, and what is known of their past from the store."""
        for station_id in station_ids:
            self._station(station_id)
        for station_id, station in self.stations.items():
            station.recall(notes.get(f"{STATION}{station_id}", {}))

    def hear(self, packet: Packet) -> None:
        """A packet came."""
        for trace in packet.traces:
            self._station(trace.channel_id.station_id).hear(packet, trace)
            self.to_arrival.add(packet.arrived - trace.next_start)

    def note_work(
        self,
        picks: Iterable[Pick],
        spans: Iterable[CoverageSpan],
        passed: Mapping[SensorId, Time],
    ) -> None:
        """What a round gave: final picks, the ledger, and how far each sensor has come."""
        counts = Counter(pick.channel_id.station_id for pick in picks)
        told: dict[StationId, list[CoverageSpan]] = {}
        for span in spans:
            told.setdefault(span.channel_id.station_id, []).append(span)
        until = {sensor.station_id: time for sensor, time in passed.items()}
        for station_id in counts.keys() | told.keys() | until.keys():
            station = self._station(station_id)
            station.note_work(counts[station_id], told.get(station_id, ()), until.get(station_id))

    def note_told(self, messages: Iterable[Message]) -> None:
        """Sinks have taken messages."""
        now = self.clock.now()
        for message in messages:
            if not message.content["is_update"]:
                self.to_alert.add(now - Time.parse(message.content["time"]))

    def note_preliminary(self, picks: Iterable[Pick], newest: Mapping[StationId, Time]) -> None:
        """Picks were seen for the first time, or again.

        Args:
            picks: of all stations.
            newest: where the data end that they were seen with, by station.
        """
        now = self.clock.now()
        for pick in picks:
            if pick.id not in self._seen:
                self.to_pick.add(now - pick.time)
                self.to_told.add(now - newest[pick.channel_id.station_id])
            self._seen[pick.id] = now
        if len(self._seen) > 20_000:
            self._seen = dict(list(self._seen.items())[-10_000:])

    def note_events(self, events: Iterable[Event]) -> None:
        """Events were stored, new or revised."""
        now = self.clock.now()
        for event in events:
            self.revisions += 1
            for pick in event.picks:
                self._station(pick.channel_id.station_id).used += 1
            if event.version == 1 and isinstance(event.origin, Origin):
                self.events += 1
                self.to_event.add(now - max(pick.time for pick in event.picks))

    def usefulness(self) -> dict[StationId, float]:
        """How many of a station's picks were of use, by station that is heard."""
        return {i: s.used / (s.picks + 1) for i, s in self.stations.items() if s.packets}

    def note_refusal(self, why: str) -> None:
        """The disk, the database or a stage refused."""
        self.refusals += 1
        self.last_refusal = why

    def latencies(self) -> dict[str, tuple[str, Histogram]]:
        """By name for machines: what is measured, and the histogram."""
        return {
            "arrival_seconds": ("From a record's last sample to its arrival", self.to_arrival),
            "pick_seconds": ("From an onset to its first pick", self.to_pick),
            "told_seconds": ("From a station's last sample to a pick seen with it", self.to_told),
            "event_seconds": ("From an event's last pick to its first version", self.to_event),
            "alert_seconds": ("From an event's origin to its first alert", self.to_alert),
        }

    def notes(self, pulse: Pulse) -> dict[str, dict[str, Any]]:
        """For the store: one of the monitor, one of each station."""
        notes: dict[str, dict[str, Any]] = {
            MONITOR: {
                "waiting_packets": pulse.waiting,
                "stations": len(pulse.worked_until),
                "shed": sorted(map(str, pulse.shed)),
                "refusals": self.refusals,
                "last_refusal": self.last_refusal,
                "events_trouble": self.events_trouble,
                "events": self.events,
                "revisions": self.revisions,
                "latency": {text: h.note() for text, h in self.latencies().values()},
            }
        }
        links, until = {link.source: link for link in pulse.links}, pulse.worked_until
        for station_id, station in self.stations.items():
            notes[f"{STATION}{station_id}"] = station.note(until.get(station_id), links)
        return notes

    def report(self, pulse: Pulse, store: Store) -> Callable[[], None]:
        """How it stands now, and once a minute how each station did; stored when it is called."""
        notes, now = self.notes(pulse), self.clock.now()
        performance = self._chronicle.take(self.stations, pulse.worked_until, self.clock)

        def write() -> None:
            with store.transaction():
                store.put_notes(notes)
                if performance:
                    store.put_performance(performance)
                    store.sum_up_performance(now - MINUTES_KEPT_S)

        return write

    def _station(self, station_id: StationId) -> StationHealth:
        return self.stations.setdefault(station_id, StationHealth())
