"""What happens to records between digitiser and server: delay, loss, disorder, outages, damage.

All times of a plan are seconds after the first record. A station's records come in order, as a
connection keeps them, but for those that are held back on purpose.
"""

from __future__ import annotations

import heapq
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count, pairwise
from typing import Any

import numpy as np

from zilzal.core.errors import ConfigError
from zilzal.core.time import NS_PER_S, Time
from zilzal.io.playback import Delivery
from zilzal.io.record import Record, shift_record
from zilzal.io.seedlink.selector import station_pattern
from zilzal.io.seedlink.words import station_code
from zilzal.synth.scenario import build_table
from zilzal.synth.seed import generator

_HEAD_BYTES = 64
"""Damage begins behind them, so that a record still says whose it is."""
_DAMAGE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """How records of some stations travel; the first plan that matches a station holds.

    Args:
        stations: pattern, as "CI_*" or "CI_CCC".
        delay_s: of every record.
        jitter_s: mean of a further delay, exponentially distributed.
        loss: share of records that never arrive.
        duplication: share that arrive twice, the second time within `disorder_s`.
        disorder: share that are held back behind later ones.
        disorder_s: longest time for which they are.
        corruption: share whose samples are damaged.
        records_per_s: what the link carries, so that it takes time to catch up; 0 is without limit.
    """

    stations: str = "*"
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    disorder: float = 0.0
    disorder_s: float = 10.0
    corruption: float = 0.0
    records_per_s: float = 0.0

    def __post_init__(self) -> None:
        shares = ("loss", "duplication", "disorder", "corruption")
        spans = ("delay_s", "jitter_s", "disorder_s", "records_per_s")
        _require(self, dict.fromkeys(shares, (0, 1)))
        _require(self, dict.fromkeys(spans, (0, math.inf)))
        station_pattern(self.stations)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutagePlan:
    """A time in which nothing of some stations arrives.

    Args:
        stations: pattern, as "CI_*".
        after_s: when it begins.
        duration_s: how long; infinite for a station that is dead from then on.
        is_lost: the records never come; otherwise all come in a burst when it ends.
    """

    stations: str = "*"
    after_s: float = 0.0
    duration_s: float = math.inf
    is_lost: bool = False

    def __post_init__(self) -> None:
        _require(self, {"after_s": (0, math.inf), "duration_s": (0, math.inf)})
        station_pattern(self.stations)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepPlan:
    """A time in which the clocks of some stations are wrong.

    Args:
        stations: pattern, as "CI_*".
        after_s: when it begins.
        duration_s: how long.
        step_s: what is added to the time stamps.
    """

    stations: str = "*"
    after_s: float = 0.0
    duration_s: float = math.inf
    step_s: float = 1.0

    def __post_init__(self) -> None:
        _require(self, {"after_s": (0, math.inf), "duration_s": (0, math.inf)})
        station_pattern(self.stations)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePlan:
    """The server dies: all connections are cut, and nobody can come for a while.

    Args:
        after_s: when.
        duration_s: how long it is away.
        is_forgetful: it comes back with an empty memory, and numbers anew.
    """

    after_s: float = 0.0
    duration_s: float = 0.0
    is_forgetful: bool = False

    def __post_init__(self) -> None:
        _require(self, {"after_s": (0, math.inf), "duration_s": (0, math.inf)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryPlan:
    """All that goes wrong on the way.

    Args:
        seed: of everything that is drawn.
        links: how records travel.
        outages: times without records.
        clock_steps: times with wrong clocks.
        failures: of the server, in order of time.
    """

    seed: int = 0
    links: tuple[LinkPlan, ...] = ()
    outages: tuple[OutagePlan, ...] = ()
    clock_steps: tuple[ClockStepPlan, ...] = ()
    failures: tuple[FailurePlan, ...] = ()

    def __post_init__(self) -> None:
        ends = ((a.after_s + a.duration_s, b.after_s) for a, b in pairwise(self.failures))
        if any(end_s > next_s for end_s, next_s in ends):
            raise ConfigError("[[failures]] overlap, or are not in order of time")


LISTS = {
    "links": LinkPlan,
    "outages": OutagePlan,
    "clock_steps": ClockStepPlan,
    "failures": FailurePlan,
}
"""Tables of a file of faults that may come many times."""


def parse_telemetry(text: str) -> TelemetryPlan:
    """Read a plan from TOML; tables and keys are named as the dataclasses' fields.

    Raises:
        ConfigError: TOML that cannot be read, or keys that are unknown or out of range: all at
            once.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the telemetry is not TOML: {error}") from error
    problems: list[str] = []
    values: dict[str, Any] = dict(document)
    for key in LISTS.keys() & document.keys():
        rows = document[key] if isinstance(document[key], list) else [document[key]]
        values[key] = tuple(
            build_table(LISTS[key], row, f"[[{key}]] {number}", problems)
            for number, row in enumerate(rows, 1)
        )
    if problems:
        raise ConfigError("; ".join(problems))
    plan = build_table(TelemetryPlan, values, "the telemetry", problems)
    if problems or plan is None:
        raise ConfigError("; ".join(problems))
    return plan


def travel(coming: Iterable[Delivery], plan: TelemetryPlan) -> Iterator[Delivery]:
    """What arrives, and when, of records that are sent in order of time.

    Records draw their fate from the seed, their channel and their time, so that it does not depend
    on which others are sent. Records that wait are held in memory.

    Args:
        coming: records when they are sent, in order of time; the first one begins the plan.
        plan: what goes wrong.
    """
    waiting: list[tuple[Time, int, Record]] = []
    number = count()
    road: _Road | None = None
    for delivery in coming:
        road = road or _Road(plan, delivery.time)
        while waiting and waiting[0][0] <= delivery.time:
            time, _, record = heapq.heappop(waiting)
            yield Delivery(time, record)
        for arrival in road.arrivals(delivery):
            heapq.heappush(waiting, (arrival.time, next(number), arrival.record))
    while waiting:
        time, _, record = heapq.heappop(waiting)
        yield Delivery(time, record)


@dataclass(slots=True, eq=False)
class _Road:
    """Where each station's records are on their way.

    Args:
        plan: what goes wrong.
        begin: instant from which its times count.
    """

    plan: TelemetryPlan
    begin: Time
    _latest: dict[str, Time] = field(default_factory=dict)
    _links: dict[str, LinkPlan] = field(default_factory=dict)

    def arrivals(self, delivery: Delivery) -> Iterator[Delivery]:
        """A record's arrivals: none where it is lost, two where it is doubled."""
        record, plan = delivery.record, self.plan
        station = station_code(record.channel_id)
        link = self._link(station)
        rng = generator(plan.seed, "telemetry", record.channel_id, record.start.ns)
        lost, doubled, held, damaged, wait, again = rng.random(6)
        jitter_s = float(rng.exponential(link.jitter_s))
        time = self._after_outages(station, delivery.time + link.delay_s + jitter_s)
        if lost < link.loss or time is None:
            return
        latest = self._latest.get(station)
        if latest is not None:
            gap_s = 1 / link.records_per_s if link.records_per_s else 0.0
            time = max(time, latest + gap_s)
        self._latest[station] = time
        record = self._stamped(station, record, delivery.time)
        record = damage(record, rng) if damaged < link.corruption else record
        if held < link.disorder:
            time += wait * link.disorder_s
        yield Delivery(time, record)
        if doubled < link.duplication:
            yield Delivery(time + again * link.disorder_s, record)

    def _link(self, station: str) -> LinkPlan:
        if station not in self._links:
            plans = (p for p in self.plan.links if _matches(p.stations, station))
            self._links[station] = next(plans, LinkPlan())
        return self._links[station]

    def _after_outages(self, station: str, time: Time) -> Time | None:
        """When a record can arrive at the earliest; None for never."""
        for outage in sorted(self.plan.outages, key=lambda o: o.after_s):
            late_s = time - self.begin - outage.after_s
            if 0 <= late_s < outage.duration_s and _matches(outage.stations, station):
                if outage.is_lost or math.isinf(outage.duration_s):
                    return None
                time = self.begin + outage.after_s + outage.duration_s
        return time

    def _stamped(self, station: str, record: Record, time: Time) -> Record:
        """The record with the time stamp that the station's clock gives it."""
        after_s = time - self.begin
        step_s = sum(
            step.step_s
            for step in self.plan.clock_steps
            if 0 <= after_s - step.after_s < step.duration_s and _matches(step.stations, station)
        )
        return shift_record(record, round(step_s * NS_PER_S)) if step_s else record


def damage(record: Record, rng: np.random.Generator) -> Record:
    """The record with a few bytes of its samples overwritten."""
    content = bytearray(record.content)
    first = int(rng.integers(_HEAD_BYTES, max(len(content) - _DAMAGE_BYTES, _HEAD_BYTES + 1)))
    piece = content[first : first + _DAMAGE_BYTES]
    # Each byte becomes another one.
    flips = rng.integers(1, 256, len(piece), dtype=np.uint8)
    content[first : first + len(piece)] = bytes(np.frombuffer(bytes(piece), np.uint8) ^ flips)
    return replace(record, content=bytes(content))


@lru_cache(maxsize=100_000)
def _matches(pattern: str, station: str) -> bool:
    return station_pattern(pattern).fullmatch(station) is not None


def _require(plan: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    for name, (lowest, highest) in ranges.items():
        value = getattr(plan, name)
        if not lowest <= value <= highest:
            raise ConfigError(
                f"{type(plan).__name__}: {name} is {value}; give {lowest:g} to {highest:g}"
            )
