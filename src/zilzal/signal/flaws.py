"""Samples that are not ground motion: fillers, dead stretches, clipped tops.

Each rule looks at a sample and those before it, so that the verdict on a sample does not depend
on how the record was cut. Zeros alone need the samples after them; `Flaws.settled` says from
where on the verdict has to wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int, Shaped

from zilzal.core.arrays import Array
from zilzal.core.coverage import Reason

SHORTEST_RUN = 5
"""Runs of equal samples shorter than this are never a flaw: noise of a few counts makes them."""
LIMITS_24_BIT = (-(2**23), 2**23 - 1)
"""What a 24-bit converter gives at its ends. Converters of 26 bits go beyond, so only the very
values are a sign of clipping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawLimits:
    """How long a run must be, in samples; see `GapPolicy`, which makes it from seconds."""

    zero_run: int
    dead_run: int
    clip_run: int
    clip_floor_counts: float
    clip_step: float
    clip_level_counts: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """The run of equal samples that a record ends with: what the next samples may continue."""

    value: float = float("nan")
    length: int = 0
    steep: bool = False
    """Whether the step into it went away from zero, and by much: the flank of a clipped top."""


@dataclass(frozen=True, slots=True, eq=False)
class Flaws:
    """What was found; sample numbers count from the first sample that was looked at.

    Args:
        cuts: stretches to leave out, in order, apart from each other: first, end, reason.
        clipped: stretches of clipped samples, in order: first, end.
        settled: verdicts hold before this sample; after it are zeros that may become a filler.
    """

    cuts: list[tuple[int, int, Reason]] = field(default_factory=list)
    clipped: list[tuple[int, int]] = field(default_factory=list)
    settled: int = 0


def _full_stretches(flags: Bool[Array, " n"], length: int) -> Bool[Array, " m"]:
    """Where `length` flags in a row are set, by their first; the AND doubles its reach."""
    reach = 1
    while reach < length and len(flags):
        step = min(reach, length - reach)
        flags = flags[:-step] & flags[step:]
        reach += step
    return flags


def true_ranges(flags: Bool[Array, " n"]) -> Int[Array, "range 2"]:
    """First and end (exclusive) of each stretch of set flags."""
    places = np.flatnonzero(flags)
    if not len(places):
        return np.zeros((0, 2), np.int64)
    lasts = np.flatnonzero(np.diff(places) > 1)
    firsts = np.concatenate(([0], lasts + 1))
    lasts = np.append(lasts, len(places) - 1)
    return np.stack((places[firsts], places[lasts] + 1), axis=1)


def _runs(samples: Shaped[Array, " n"], before: Run) -> tuple[Int[Array, "run 2"], int]:
    """Runs of at least `SHORTEST_RUN` equal samples, and how many samples continue `before`."""
    equal = _full_stretches(samples[1:] == samples[:-1], SHORTEST_RUN - 1)
    runs = true_ranges(equal) + np.array([0, SHORTEST_RUN - 1])
    if before.length == 0 or samples[0] != before.value:
        return runs, 0
    other = samples != before.value
    lead = int(np.argmax(other)) if other.any() else len(samples)
    if not len(runs) or runs[0, 0] > 0:
        runs = np.vstack([[(0, lead)], runs])
    return runs, lead


def _is_steep(
    value: Shaped[Array, "*n"], previous: Shaped[Array, "*n"], limits: FlawLimits
) -> Bool[Array, "*n"]:
    """Whether the step from `previous` to `value` may be the flank of a clipped top."""
    value, previous = np.asarray(value, float), np.asarray(previous, float)
    high = np.abs(value) >= limits.clip_floor_counts
    return high & ((value - previous) * np.sign(value) >= limits.clip_step * np.abs(value))


def last_run(samples: Shaped[Array, " n"], before: Run, limits: FlawLimits) -> Run:
    """The run that the samples end with, when `before` was the one they began after."""
    if not len(samples):
        return before
    value = samples[-1]
    reach = 16
    while reach < len(samples) and (samples[-reach:] == value).all():
        reach *= 16
    other = np.flatnonzero(samples[-reach:] != value)
    if len(other):
        first = max(len(samples) - reach, 0) + int(other[-1]) + 1
        steep = bool(_is_steep(value, samples[first - 1], limits))
        return Run(float(value), len(samples) - first, steep)
    if value == before.value:
        return Run(before.value, before.length + len(samples), before.steep)
    steep = before.length > 0 and bool(_is_steep(value, np.asarray(before.value), limits))
    return Run(float(value), len(samples), steep)


def find_flaws(
    samples: Shaped[Array, " n"], before: Run, limits: FlawLimits, *, final: bool
) -> Flaws:
    """Judge samples that follow `before` without a gap.

    Args:
        samples: in order of time.
        before: `last_run` of all that came before since the last gap.
        limits: the rules' numbers.
        final: True when a gap follows, so that zeros at the end are judged as they are.
    """
    if not len(samples):
        return Flaws()
    runs, lead = _runs(samples, before)
    first, end = runs[:, 0], runs[:, 1]
    value = samples[np.minimum(first, len(samples) - 1)].astype(float)
    carried = np.where((first == 0) & (lead > 0), before.length, 0)
    zero = (value == 0) & (carried + end - first >= limits.zero_run)
    dead_first = np.maximum(first, first + limits.dead_run - carried)
    dead = (value != 0) & (dead_first < end)
    cuts = [(int(a), int(b), Reason.ZERO_FILLED) for a, b in runs[zero]]
    cuts += [
        (int(a), int(b), Reason.DEAD) for a, b in zip(dead_first[dead], end[dead], strict=True)
    ]
    if samples.dtype.kind == "f":
        bad = true_ranges(~np.isfinite(samples))
        cuts += [(int(a), int(b), Reason.CORRUPT) for a, b in bad]
    settled = len(samples)
    tail = last_run(samples, before, limits)
    if not final and tail.value == 0 and tail.length < limits.zero_run:
        settled -= tail.length
    clipped = _clipped(samples, runs, carried, before, limits)
    return Flaws(sorted(cuts), clipped, settled)


def _clipped(
    samples: Shaped[Array, " n"],
    runs: Int[Array, "run 2"],
    carried: Int[Array, " run"],
    before: Run,
    limits: FlawLimits,
) -> list[tuple[int, int]]:
    """Flat tops away from zero, and samples at the digitiser's limits."""
    first, end = runs[:, 0], runs[:, 1]
    previous = samples[np.maximum(first - 1, 0)].astype(float)
    previous[first == 0] = before.value  # NaN at the start of a record: not steep
    steep = _is_steep(samples[first], previous, limits)
    steep |= (carried > 0) & before.steep
    flat_first = np.maximum(first, first + limits.clip_run - 1 - carried)
    flat = steep & (flat_first < end)
    found = list(zip(flat_first[flat].tolist(), end[flat].tolist(), strict=True))
    low, high = np.fmin.reduce(samples), np.fmax.reduce(samples)  # these pass over NaN
    if low <= LIMITS_24_BIT[0] or high >= LIMITS_24_BIT[1]:
        at_limit = (samples == LIMITS_24_BIT[0]) | (samples == LIMITS_24_BIT[1])
        found += true_ranges(at_limit).tolist()
    level = limits.clip_level_counts
    if level is not None and (low <= -level or high >= level):
        found += true_ranges(np.abs(samples.astype(float)) >= level).tolist()
    return sorted((int(a), int(b)) for a, b in found)
