"""Which sensors of an archive are worked through when, and what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.geo import distance_m
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.station import Channel, Inventory, Station
from zilzal.core.time import Time
from zilzal.core.units import km
from zilzal.io.archive import Archive
from zilzal.signal.choice import choose_sensors
from zilzal.signal.orientation import orient

MOVED_M = 500.0
"""A station that is moved so far is told of: a tenth of a second of travel time."""
HOLE_S = 3_600.0
"""Where a sensor's files have nothing for so long, another one may stand in for it; filters and
the network begin anew after it, which takes them a minute."""


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A sensor's time from its first to its last sample, or a part of it.

    Args:
        sensor_id: whose.
        start: first instant.
        end: last instant, exclusive.
        channel_ids: of its components.
    """

    sensor_id: SensorId
    start: Time
    end: Time
    channel_ids: tuple[ChannelId, ...]

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end - self.start

    def spans(self, reason: Reason, note: str = "") -> list[CoverageSpan]:
        """The same for the ledger."""
        return [CoverageSpan(c, self.start, self.end, reason, note) for c in self.channel_ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is worked through, in order of sensor and time, and what is not."""

    stretches: tuple[Stretch, ...]
    left_out: tuple[CoverageSpan, ...]

    @property
    def span(self) -> tuple[Time, Time]:
        """From the first sample to the end of the last; empty where there is nothing to do."""
        start = min((stretch.start for stretch in self.stretches), default=Time(0))
        return start, max((stretch.end for stretch in self.stretches), default=start)

    def unused(self) -> list[str]:
        """Sensors that the inventory lacks, and those of stations without any other; with why."""
        used = {stretch.sensor_id.station_id for stretch in self.stretches}
        reasons: dict[SensorId, str] = {}
        for span in self.left_out:
            sensor_id = span.channel_id.sensor_id
            is_alone = sensor_id.station_id not in used and span.reason is Reason.NOT_CHOSEN
            if span.reason is Reason.NO_METADATA or is_alone:
                reasons[sensor_id] = span.note
        return [f"{sensor_id}: {note}" for sensor_id, note in sorted(reasons.items())]


def make_plan(archive: Archive, inventory: Inventory | None, preference: Sequence[str]) -> Plan:
    """Choose one sensor of each station at each time.

    A station whose sensors were changed is followed from one to the next. Sensors that the
    inventory does not know are left out: their picks could not be used.

    Args:
        archive: what there is.
        inventory: None takes every sensor as known.
        preference: bands, the best first.
    """
    left_out: list[CoverageSpan] = []
    stations: dict[StationId, list[Stretch]] = {}
    stretches = _stretches(archive)
    left_out += _holes(stretches)
    for stretch in stretches:
        known = () if inventory is None else tuple(_epochs(stretch, inventory))
        components = [channel_id.component for channel_id in stretch.channel_ids]
        if inventory is not None and not known:
            left_out += stretch.spans(Reason.NO_METADATA, _why_unknown(stretch, inventory))
        elif not orient(components, known).components:
            note = f"nothing says where its components {', '.join(components)} point"
            left_out += stretch.spans(Reason.NOT_CHOSEN, note)
        else:
            stations.setdefault(stretch.sensor_id.station_id, []).append(stretch)
    chosen: list[Stretch] = []
    for candidates in stations.values():
        taken, others = _choose(candidates, preference)
        chosen += taken
        left_out += others
    return Plan(stretches=tuple(sorted(chosen)), left_out=tuple(sorted(left_out)))


def stations_of(plan: Plan, inventory: Inventory) -> tuple[Station, ...]:
    """The stations that are worked through, in order, each where its sensor stood first.

    An inventory may hold more: whole networks, and stations long gone. They would only widen
    the volume in which events are looked for.
    """
    found: dict[StationId, Station] = {}
    for stretch in sorted(plan.stretches, key=lambda s: (s.sensor_id.station_id, s.start)):
        station_id = stretch.sensor_id.station_id
        channel = next(_epochs(stretch, inventory), None)
        if channel is not None and station_id not in found:
            place = channel.latitude, channel.longitude, channel.sensor_elevation_m
            found[station_id] = Station(station_id, *place)
    return tuple(found.values())


def moves_of(plan: Plan, inventory: Inventory) -> list[str]:
    """Stations that stood in two places while they were worked through, for people.

    Travel times are those from the first (`stations_of`).
    """
    first: dict[StationId, Channel] = {}
    farthest_m: dict[StationId, float] = {}
    for stretch in sorted(plan.stretches, key=lambda s: (s.sensor_id.station_id, s.start)):
        for channel in sorted(_epochs(stretch, inventory), key=lambda c: c.start or Time(0)):
            station_id = channel.channel_id.station_id
            one = first.setdefault(station_id, channel)
            ends = one.latitude, one.longitude, channel.latitude, channel.longitude
            away_m = float(distance_m(*ends))
            if away_m >= MOVED_M:
                farthest_m[station_id] = max(away_m, farthest_m.get(station_id, 0.0))
    return [
        f"{station_id} stood {km(away_m):.1f} km elsewhere later; all its picks are located where "
        "it stood first: run its times apart, each with an output of its own"
        for station_id, away_m in sorted(farthest_m.items())
    ]


def _epochs(stretch: Stretch, inventory: Inventory) -> Iterator[Channel]:
    """What an inventory says of a stretch's channels at any of its time."""
    wanted = set(stretch.channel_ids)
    for channel in inventory.channels:
        if (
            channel.channel_id in wanted
            and (channel.start is None or channel.start < stretch.end)
            and (channel.end is None or stretch.start <= channel.end)
        ):
            yield channel


def _why_unknown(stretch: Stretch, inventory: Inventory) -> str:
    """What the inventory has in the place of a sensor, for people."""
    station_id = stretch.sensor_id.station_id
    here = [c for c in inventory.channels if c.channel_id.station_id == station_id]
    if any(c.channel_id in stretch.channel_ids for c in here):
        return "in the inventory at other times only"
    others = ", ".join(sorted({str(c.channel_id.sensor_id) for c in here}))
    return f"not in the inventory, which has {others}" if others else "not in the inventory"


def _stretches(archive: Archive) -> list[Stretch]:
    """Each sensor's time, in pieces where no file has anything of it for `HOLE_S` and more."""
    channels: dict[SensorId, list[ChannelId]] = {}
    for channel in archive.channel_ids():
        channels.setdefault(channel.sensor_id, []).append(channel)
    found: list[Stretch] = []
    for sensor, channel_ids in channels.items():
        pieces: list[Stretch] = []
        for start, end in sorted((f.start, f.end) for f in archive.files_of(channel_ids)):
            if pieces and start - pieces[-1].end < HOLE_S:
                pieces[-1] = replace(pieces[-1], end=max(pieces[-1].end, end))
            else:
                pieces.append(Stretch(sensor, start, end, tuple(channel_ids)))
        found += pieces
    return found


def _holes(stretches: Sequence[Stretch]) -> Iterator[CoverageSpan]:
    """The time between a sensor's pieces, which follow each other."""
    for before, after in pairwise(stretches):
        if before.sensor_id == after.sensor_id:
            yield from replace(before, start=before.end, end=after.start).spans(Reason.GAP)


def _choose(
    candidates: Sequence[Stretch], preference: Sequence[str]
) -> tuple[list[Stretch], list[CoverageSpan]]:
    """Of one station's sensors the best at each time; pieces that touch are joined."""
    bounds = sorted({t for stretch in candidates for t in (stretch.start, stretch.end)})
    taken: list[Stretch] = []
    others: list[CoverageSpan] = []
    for start, end in pairwise(bounds):
        here = {c.sensor_id: c for c in candidates if c.start <= start and end <= c.end}
        choice = choose_sensors(here, preference)
        for sensor in choice.chosen:
            piece = Stretch(sensor, start, end, here[sensor].channel_ids)
            if taken and taken[-1].sensor_id == sensor and taken[-1].end == start:
                piece = Stretch(sensor, taken.pop().start, end, piece.channel_ids)
            taken.append(piece)
        for left in choice.not_chosen:
            piece = Stretch(left.sensor_id, start, end, here[left.sensor_id].channel_ids)
            others += piece.spans(Reason.NOT_CHOSEN, left.note)
    return taken, others
