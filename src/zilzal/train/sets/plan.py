"""Which windows are cut out of an archive: around arrivals, at random places, and of noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zilzal.core.ids import SensorId, StationId
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.signal.choice import PREFERENCE, choose_sensors
from zilzal.synth.seed import generator
from zilzal.train.sets.arrivals import Label, StationArrivals, merged
from zilzal.train.sets.tally import Tally

UNIT = 200
"""Windows that are cut and stored together: what an interruption may cost."""

SPARE = 3
"""As many places of noise are drawn as are wanted, times this: some lie in gaps."""

Span = tuple[Time, Time]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """How windows are cut.

    Args:
        length_s: of a window.
        edge_s: an arrival that a window is cut for is no nearer to the window's ends. Where it
            lies between them is drawn at random, evenly: a network that always saw it at one
            place would learn the place.
        noise: share of the windows that are noise.
        noise_below: noise whose loudest half second has that many times the energy of its median
            one is left out; None takes all.
        least_present: share of a window that at least one component must have.
        every_sensor: all sensors of a station, not the one that was picked on or is preferred.
        seed: of all that is drawn. What is drawn for an event and a sensor depends on them and
            the seed, not on what else is in the catalogue.
    """

    length_s: float = 60.0
    edge_s: float = 3.0
    noise: float = 0.2
    noise_below: float | None = None
    least_present: float = 0.5
    every_sensor: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.edge_s < self.length_s:
            raise ValueError(
                f"length {self.length_s} s and edge {self.edge_s} s; the edge must be below half "
                "the length"
            )
        if not 0 <= self.noise < 1:
            raise ValueError(f"the share of noise is {self.noise}; give 0 to below 1")
        if not 0 < self.least_present <= 1:
            raise ValueError(f"least_present is {self.least_present}; give above 0, up to 1")


@dataclass(frozen=True, slots=True)
class Cut:
    """A window to be cut; the event is "" for noise."""

    sensor_id: SensorId
    start: Time
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """Cuts of one sensor that are made together.

    Args:
        cuts: in the order in which they are tried.
        wanted: how many of them are enough.
    """

    cuts: tuple[Cut, ...]
    wanted: int

    @property
    def sensor_id(self) -> SensorId:
        """Whose."""
        return self.cuts[0].sensor_id


def recorded_spans(archive: Archive) -> dict[StationId, dict[SensorId, list[Span]]]:
    """When each sensor has files, by station."""
    spans: dict[SensorId, list[Span]] = {}
    for file in archive.files:
        spans.setdefault(file.channel_id.sensor_id, []).append((file.start, file.end))
    found: dict[StationId, dict[SensorId, list[Span]]] = {}
    for sensor_id in sorted(spans):
        found.setdefault(sensor_id.station_id, {})[sensor_id] = merged(spans[sensor_id])
    return found


def plan_events(
    arrivals: Mapping[StationId, StationArrivals],
    recorded: Mapping[StationId, Mapping[SensorId, Sequence[Span]]],
    cutting: Cutting,
    tally: Tally,
) -> list[Unit]:
    """Windows for each event at each sensor chosen."""
    cuts: list[Cut] = []
    for station_id, here in arrivals.items():
        for event_id, labels in here.by_event().items():
            trusted = [label for label in labels if label.pick.weight != 0]
            if not trusted:
                tally.add("event whose picks at a station all have weight 0", event_id)
                continue
            sensors = _choose(trusted, recorded.get(station_id, {}), cutting)
            if not sensors:
                tally.add("event at a station without samples then", f"{station_id} {event_id}")
            cuts += [
                Cut(sensor_id, start, event_id)
                for sensor_id in sensors
                for start in place_windows(trusted, sensor_id, cutting)
            ]
    return _units(cuts)


def _units(cuts: Iterable[Cut]) -> list[Unit]:
    """In order of sensor and time, so many together."""
    by_sensor: dict[SensorId, list[Cut]] = {}
    for cut in sorted(cuts, key=lambda c: (c.sensor_id, c.start, c.event_id)):
        by_sensor.setdefault(cut.sensor_id, []).append(cut)
    return [
        Unit(tuple(some[first : first + UNIT]), len(some[first : first + UNIT]))
        for some in by_sensor.values()
        for first in range(0, len(some), UNIT)
    ]


def _choose(
    labels: Sequence[Label], recorded: Mapping[SensorId, Sequence[Span]], cutting: Cutting
) -> list[SensorId]:
    """The sensors to cut: the one picked on, else the preferred one, of those with files then."""
    time = labels[0].pick.time
    there = [s for s, spans in recorded.items() if any(a <= time < b for a, b in spans)]
    if cutting.every_sensor or not there:
        return there
    picked = {(label.pick.location, label.pick.channel[:-1]) for label in labels}
    named = [sensor for sensor in there if (sensor.location, sensor.band) in picked]
    return [preferred(named or there)]


def preferred(sensors: Sequence[SensorId]) -> SensorId:
    """The sensor that operation would choose; of bands that it never does, the first."""
    return (*choose_sensors(sensors, PREFERENCE).chosen, *sorted(sensors))[0]


def place_windows(labels: Sequence[Label], sensor_id: SensorId, cutting: Cutting) -> list[Time]:
    """Where windows start that hold an event's arrivals at random places.

    One window if all have room between its edges; else as many as it takes: of a P and S far
    apart each has its own, and a long row of loose picks is covered from first to last.
    """
    room_s = cutting.length_s - 2 * cutting.edge_s
    groups: list[list[Time]] = []
    for time in sorted(label.pick.time for label in labels):
        if not groups or time - groups[-1][0] > room_s:
            groups.append([])
        groups[-1].append(time)
    starts: list[Time] = []
    for number, times in enumerate(groups):
        chance = generator(cutting.seed, "place", sensor_id, labels[0].event_id, number)
        slack_s = room_s - (times[-1] - times[0])
        starts.append(times[0] - (cutting.edge_s + slack_s * chance.random()))
    return starts


def plan_noise(
    arrivals: Mapping[StationId, StationArrivals],
    recorded: Mapping[StationId, Mapping[SensorId, Sequence[Span]]],
    cutting: Cutting,
    around: Sequence[Unit],
    tally: Tally,
) -> list[Unit]:
    """Windows in time without any waves, of sensors in proportion to the time they have of it.

    None overlaps a window around arrivals, so that a split may divide the two.

    Args:
        arrivals: with the busy time of each station that noise may be cut of.
        recorded: when each sensor has files.
        cutting: the length, and the share.
        around: the windows around arrivals.
        tally: counts what cannot be had.
    """
    n_events = sum(len(unit.cuts) for unit in around)
    wanted = round(n_events * cutting.noise / (1 - cutting.noise))
    taken: dict[StationId, list[Span]] = {}
    for cut in (cut for unit in around for cut in unit.cuts):
        span = cut.start - 1.0, cut.start + (cutting.length_s + 1.0)
        taken.setdefault(cut.sensor_id.station_id, []).append(span)
    quiet = {
        preferred(list(recorded[station_id])): merged([*here.busy, *taken.get(station_id, ())])
        for station_id, here in arrivals.items()
        if recorded.get(station_id)
    }
    free = {
        sensor_id: [
            span
            for span in without(recorded[sensor_id.station_id][sensor_id], busy)
            if span[1] - span[0] >= cutting.length_s
        ]
        for sensor_id, busy in quiet.items()
    }
    slots = {s: sum(int((b - a) / cutting.length_s) for a, b in spans) for s, spans in free.items()}
    total = sum(slots.values())
    if total < wanted:
        tally.add("noise window without a quiet place", "", count=wanted - total)
    units: list[Unit] = []
    share = min(1.0, wanted / total) if total else 0.0
    for sensor_id in sorted(free):
        chance = generator(cutting.seed, "noise", sensor_id)
        count = int(slots[sensor_id] * share + chance.random())
        n_tried = min(SPARE * count, slots[sensor_id])
        starts = _draw(free[sensor_id], cutting.length_s, n_tried, chance)
        cuts = [Cut(sensor_id, start) for start in starts]
        for first in range(0, count, UNIT):
            mine = cuts[SPARE * first : SPARE * (first + UNIT)]
            if mine:
                units.append(Unit(tuple(mine), min(UNIT, count - first)))
    return units


def without(spans: Iterable[Span], busy: Sequence[Span]) -> list[Span]:
    """What is left of spans when others, merged, are taken out."""
    left: list[Span] = []
    for start, end in spans:
        position = start
        for busy_start, busy_end in busy:
            if busy_end > position and busy_start < end:
                if busy_start > position:
                    left.append((position, busy_start))
                position = busy_end
        if position < end:
            left.append((position, end))
    return left


def _draw(
    spans: Sequence[Span], length_s: float, count: int, chance: np.random.Generator
) -> list[Time]:
    """Starts of windows that do not overlap, each equally likely, in random order."""
    if not count:
        return []
    numbers = np.array([int((end - start) / length_s) for start, end in spans])
    offsets_s = [
        (end - start - number * length_s) * chance.random()
        for (start, end), number in zip(spans, numbers, strict=True)
    ]
    ends = np.cumsum(numbers)
    places = chance.choice(int(ends[-1]), count, replace=False)
    within = np.searchsorted(ends, places, side="right")
    return [
        spans[span][0] + (offsets_s[span] + int(place - ends[span] + numbers[span]) * length_s)
        for place, span in zip(places.tolist(), within.tolist(), strict=True)
    ]
