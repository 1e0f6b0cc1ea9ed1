"""Putting a channel's traces into order of time; what comes twice is told and dropped.

The sample that came first is kept. That rule gives the same result however the input is cut,
as long as the pieces come in the same order.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace

SLACK_SAMPLES = 1e-3
"""Instants are whole nanoseconds, so that a number of samples is not exact; ties within this
go one way. A nanosecond is 1e-3 samples at 1 MHz."""


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """Samples that no other waiting fragment has, in order of time."""

    start_ns: int
    sampling_rate: float
    samples: Shaped[Array, " sample"]

    @property
    def end_ns(self) -> int:
        """Where the next sample would be."""
        return self.time_ns(len(self.samples))

    def time_ns(self, number: int) -> int:
        """Instant of a sample."""
        return self.start_ns + round(number * NS_PER_S / self.sampling_rate)

    def count_before(self, time_ns: int) -> int:
        """How many of the samples lie before an instant."""
        number = (time_ns - self.start_ns) * self.sampling_rate / NS_PER_S
        return min(max(math.ceil(number - SLACK_SAMPLES), 0), len(self.samples))

    def count_before_slot(self, time_ns: int) -> int:
        """How many lie more than half a sample before an instant: not at its place."""
        return self.count_before(time_ns - round(NS_PER_S / self.sampling_rate / 2))

    def part(self, first: int, end: int) -> Fragment:
        """The samples from `first` to `end`, exclusive."""
        return replace(self, start_ns=self.time_ns(first), samples=self.samples[first:end])


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Fragments that wait to be processed, in order of time, and what the last trace was.

    Args:
        waiting: without overlaps, in order of time.
        last_end_ns: where the trace that came last ended; None before the first.
        stepped: whether the traces that came last follow a step of the clock backwards.
        taken_ns: where the last fragment that was taken ended, by its own time stamp.
    """

    waiting: tuple[Fragment, ...] = ()
    last_end_ns: int | None = None
    stepped: bool = False
    taken_ns: int | None = None

    def take(self, until_ns: int) -> tuple[Arrivals, list[Fragment]]:
        """Split off, in order of time, all samples before an instant."""
        ready: list[Fragment] = []
        rest: list[Fragment] = []
        for fragment in self.waiting:
            count = fragment.count_before(until_ns)
            if count:
                ready.append(fragment.part(0, count) if count < len(fragment.samples) else fragment)
            if count < len(fragment.samples):
                rest.append(fragment.part(count, len(fragment.samples)) if count else fragment)
        taken_ns = ready[-1].end_ns if ready else self.taken_ns
        return replace(self, waiting=tuple(rest), taken_ns=taken_ns), ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What decides on admission.

    Args:
        channel_id: whose samples.
        floor_ns: samples before it come too late; None lets all in.
        jitter_samples: by so much may a record be off and still follow the one before.
        clock_step_ns: the longest jump backwards that is taken for a step of the clock.
    """

    channel_id: ChannelId
    floor_ns: int | None
    jitter_samples: float
    clock_step_ns: int

    def span(self, fragment: Fragment, ends: tuple[int, int], reason: Reason) -> CoverageSpan:
        """Tell of some of a fragment's samples."""
        first, end = (Time(fragment.time_ns(number)) for number in ends)
        return CoverageSpan(self.channel_id, first, end, reason)


def admit(
    arrivals: Arrivals, traces: Sequence[Trace], door: Door
) -> tuple[Arrivals, list[CoverageSpan]]:
    """Let traces in, in the order of their coming; tell what of them was late or came twice."""
    waiting = list(arrivals.waiting)
    last_end_ns, stepped = arrivals.last_end_ns, arrivals.stepped
    repeats: list[CoverageSpan] = []
    for trace in traces:
        if not len(trace.samples):
            continue
        fragment = Fragment(trace.start.ns, trace.sampling_rate, trace.samples)
        back_ns = 0 if last_end_ns is None else last_end_ns - fragment.start_ns
        if abs(back_ns) * fragment.sampling_rate > (door.jitter_samples * NS_PER_S):
            stepped = 0 < back_ns <= door.clock_step_ns
        last_end_ns = fragment.end_ns
        late = 0 if door.floor_ns is None else fragment.count_before_slot(door.floor_ns)
        if late:
            repeats.append(door.span(fragment, (0, late), Reason.OUT_OF_ORDER))
            fragment = fragment.part(late, len(fragment.samples))
        if len(fragment.samples):
            reason = Reason.CLOCK_STEP if stepped else Reason.CONTRADICTION
            repeats += _insert(waiting, fragment, door, reason)
    arrivals = replace(arrivals, waiting=tuple(waiting), last_end_ns=last_end_ns, stepped=stepped)
    return arrivals, repeats


def _insert(
    waiting: list[Fragment], fragment: Fragment, door: Door, reason: Reason
) -> list[CoverageSpan]:
    """Add to `waiting` what it does not have yet; tell the rest."""
    if not waiting or fragment.start_ns >= waiting[-1].end_ns:
        waiting.append(fragment)
        return []
    repeats: list[CoverageSpan] = []
    number = bisect_right(waiting, fragment.start_ns, key=lambda f: f.start_ns)
    number = max(number - 1, 0)
    free_from, parts = 0, []
    while number < len(waiting) and waiting[number].start_ns < fragment.end_ns:
        other = waiting[number]
        number += 1
        first = fragment.count_before_slot(other.start_ns)
        end = fragment.count_before_slot(other.end_ns)
        if end > first:
            repeats += _compare(fragment, other, (first, end), door, reason)
            parts.append((free_from, first))
            free_from = end
    parts.append((free_from, len(fragment.samples)))
    for first, end in parts:
        if end > first:
            part = fragment if end - first == len(fragment.samples) else fragment.part(first, end)
            insort(waiting, part, key=lambda f: f.start_ns)
    return repeats


def _compare(
    fragment: Fragment, other: Fragment, ends: tuple[int, int], door: Door, reason: Reason
) -> list[CoverageSpan]:
    """Tell what came twice: the same samples, or others (for `reason`)."""
    first, end = ends
    shift = (fragment.start_ns - other.start_ns) * other.sampling_rate / NS_PER_S
    offset = math.floor(shift + 0.5 + SLACK_SAMPLES)
    if fragment.sampling_rate != other.sampling_rate or offset + first < 0:
        return [door.span(fragment, ends, reason)]
    theirs = other.samples[offset + first : offset + end]
    ours = fragment.samples[first : first + len(theirs)]
    differing = np.flatnonzero(ours != theirs)
    if not len(differing):
        return [door.span(fragment, ends, Reason.OVERLAP)]
    inner = (first + int(differing[0]), first + int(differing[-1]) + 1)
    told = [((first, inner[0]), Reason.OVERLAP), (inner, reason), ((inner[1], end), Reason.OVERLAP)]
    return [door.span(fragment, part, why) for part, why in told if part[1] > part[0]]
