"""What goes wrong between sensor and archive.

Kinds: **gap**, no samples come; **dead**, the sensor gives a constant; **zero**, a gap filler
writes zeros; **clock**, time stamps are `value` seconds late; **spike**, one sample is off by
`value` counts; **glitch**, the sensor jumps by `value` counts and comes back over a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Int32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.time import Time, sample_number
from zilzal.synth.scenario import FaultRates, PlannedFault, Scenario
from zilzal.synth.seed import generator

GLITCH_DECAY_S = 15.0
GLITCH_LENGTH_S = 8 * GLITCH_DECAY_S


class FaultKind(StrEnum):
    """What goes wrong; see the module."""

    GAP = "gap"
    DEAD = "dead"
    ZERO = "zero"
    CLOCK = "clock"
    SPIKE = "spike"
    GLITCH = "glitch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Args:
        kind: what goes wrong.
        station_id: where.
        components: of which channels, as "Z"; empty means all.
        start: first instant.
        end: exclusive.
        value: seconds for clock, counts for spike and glitch.
    """

    kind: FaultKind
    station_id: StationId
    components: str
    start: Time
    end: Time
    value: float

    def concerns(self, channel_id: ChannelId) -> bool:
        """Whether a channel has it."""
        return self.station_id == channel_id.station_id and (
            not self.components or channel_id.component in self.components
        )

    def numbers(self, sampling_rate: float) -> tuple[int, int]:
        """First sample and the one after the last, on the epoch grid."""
        return sample_number(self.start, sampling_rate), sample_number(self.end, sampling_rate)


def plan_faults(scenario: Scenario, station_ids: Sequence[StationId]) -> tuple[Fault, ...]:
    """The scenario's faults, set and drawn, in order of time.

    Raises:
        ConfigError: a fault's kind or station is not known.
    """
    known = {s.station: s for s in station_ids}
    faults = [_planned(plan, scenario, known) for plan in scenario.faults]
    for station_id in station_ids:
        faults.extend(_drawn(scenario, scenario.fault_rates, station_id))
    return tuple(sorted(faults, key=lambda f: (f.start, f.station_id, f.kind)))


def _planned(plan: PlannedFault, scenario: Scenario, known: dict[str, StationId]) -> Fault:
    if plan.kind not in list(FaultKind):
        raise ConfigError(f"no fault of kind {plan.kind!r}; known are {[*map(str, FaultKind)]}")
    if plan.station not in known:
        raise ConfigError(f"fault at unknown station {plan.station!r}; known are {sorted(known)}")
    start = scenario.start + plan.after_s
    return Fault(
        kind=FaultKind(plan.kind),
        station_id=known[plan.station],
        components=plan.components,
        start=start,
        end=start + plan.duration_s,
        value=plan.value,
    )


def _drawn(scenario: Scenario, rates: FaultRates, station_id: StationId) -> Iterable[Fault]:
    rng = generator(scenario.seed, "faults", station_id)
    hours = scenario.duration_s / 3_600
    for kind, rate in (
        (FaultKind.GAP, rates.gaps),
        (FaultKind.SPIKE, rates.spikes),
        (FaultKind.GLITCH, rates.glitches),
    ):
        for _ in range(rng.poisson(rate * hours)):
            start = scenario.start + rng.uniform(0, scenario.duration_s)
            component = "" if kind is FaultKind.GAP else str(rng.choice(list("ZNE")))
            duration_s = float(rng.uniform(1, 30)) if kind is FaultKind.GAP else 0.0
            value = float(rng.choice([-1, 1]) * 10 ** rng.uniform(4, 6))
            yield Fault(
                kind=kind,
                station_id=station_id,
                components=component,
                start=start,
                end=start + duration_s,
                value=0.0 if kind is FaultKind.GAP else value,
            )


def sensor_offsets(
    faults: Iterable[Fault], sampling_rate: float, first: int, length: int
) -> np.ndarray:
    """Counts that spikes and glitches add to samples; before the digitiser clips."""
    added = np.zeros(length)
    for fault in faults:
        number = sample_number(fault.start, sampling_rate)
        if fault.kind is FaultKind.SPIKE and first <= number < first + length:
            added[number - first] += fault.value
        elif fault.kind is FaultKind.GLITCH:
            late_s = (np.arange(length) + first - number) / sampling_rate
            live = (late_s >= 0) & (late_s < GLITCH_LENGTH_S)
            # A step of acceleration in a velocity sensor: up within a second, back in a minute.
            shape = np.exp(-late_s[live] / GLITCH_DECAY_S) - np.exp(-late_s[live] / 0.2)
            added[live] += fault.value * shape
    return added


def overwrite(
    samples: Int32[Array, " sample"],
    faults: Iterable[Fault],
    sampling_rate: float,
    first: int,
    constant: int,
) -> Int32[Array, " sample"]:
    """Samples with the stretches that are dead (`constant`) or zero-filled."""
    out = samples.copy()
    for fault in faults:
        if fault.kind in (FaultKind.DEAD, FaultKind.ZERO):
            low, high = (max(n - first, 0) for n in fault.numbers(sampling_rate))
            out[low:high] = 0 if fault.kind is FaultKind.ZERO else constant
    return out


def is_received(
    faults: Iterable[Fault], sampling_rate: float, first: int, length: int
) -> Bool[Array, " sample"]:
    """Which samples no gap has taken."""
    received = np.ones(length, bool)
    for fault in faults:
        if fault.kind is FaultKind.GAP:
            low, high = (max(n - first, 0) for n in fault.numbers(sampling_rate))
            received[low:high] = False
    return received


def clock_error_s(faults: Iterable[Fault], time: Time) -> float:
    """How late the time stamps are at an instant."""
    return sum(f.value for f in faults if f.kind is FaultKind.CLOCK and f.start <= time < f.end)
