"""Putting a channel's traces into order of time; what comes twice is told and dropped.

The sample that came first is kept, and one that shares more than half of the shorter of their
two sample intervals with it is dropped. That rule is about single samples, so that it gives the
same result however the input is cut, as long as the pieces come in the same order. What is kept
never stands before a sample that stands earlier, whatever the rates, so that it can be processed
up to any instant.
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
        if time_ns <= self.start_ns:  # as nearly always: records come in order
            return 0
        number = (time_ns - self.start_ns) * self.sampling_rate / NS_PER_S
        return min(max(math.ceil(number - SLACK_SAMPLES), 0), len(self.samples))

    def count_before_end(self, end_ns: int, sampling_rate: float) -> int:
        """How many share more than half a sample with a record that ends there, or are earlier.

        Half a sample is that of the record or of this fragment, whichever is shorter.
        """
        if end_ns <= self.start_ns:
            return 0
        return self.count_before(end_ns - self._half_ns(sampling_rate))

    def count_until_start(self, start_ns: int, sampling_rate: float) -> int:
        """How many share no more than half a sample with a record that begins there."""
        sample_ns = round(NS_PER_S / self.sampling_rate)
        return self.count_before(start_ns + self._half_ns(sampling_rate) - sample_ns)

    def _half_ns(self, sampling_rate: float) -> int:
        return round(NS_PER_S / max(self.sampling_rate, sampling_rate) / 2)

    def part(self, first: int, end: int | None = None) -> Fragment:
        """The samples from `first` to `end`, exclusive, or to the last."""
        return Fragment(self.time_ns(first), self.sampling_rate, self.samples[first:end])


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Fragments that wait to be processed, in order of time, and what the last trace was.

    Args:
        waiting: without overlaps, in order of time.
        last_end_ns: where the trace that came last ended; None before the first.
        stepped: whether the traces that came last follow a step of the clock backwards.
        taken: the place after the last sample that was taken, by its own time stamp; empty.
    """

    waiting: tuple[Fragment, ...] = ()
    last_end_ns: int | None = None
    stepped: bool = False
    taken: Fragment | None = None

    def take(self, until_ns: int) -> tuple[Arrivals, list[Fragment]]:
        """Split off, in order of time, all samples before an instant."""
        ready: list[Fragment] = []
        rest: list[Fragment] = []
        for fragment in self.waiting:
            count = fragment.count_before(until_ns)
            if count:
                ready.append(fragment.part(0, count) if count < len(fragment.samples) else fragment)
            if count < len(fragment.samples):
                rest.append(fragment.part(count) if count else fragment)
        taken = ready[-1].part(len(ready[-1].samples)) if ready else self.taken
        return replace(self, waiting=tuple(rest), taken=taken), ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What decides on admission.

    Args:
        channel_id: whose samples.
        promised_ns: samples before it come too late; None lets all in.
        jitter_samples: by so much may a record be off and still follow the one before.
        clock_step_ns: the longest jump backwards that is taken for a step of the clock.
    """

    channel_id: ChannelId
    promised_ns: int | None
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
    reach_samples = door.jitter_samples + SLACK_SAMPLES
    repeats: list[CoverageSpan] = []
    for trace in traces:
        if not len(trace.samples):
            continue
        fragment = Fragment(trace.start.ns, trace.sampling_rate, trace.samples)
        back_ns = 0 if last_end_ns is None else last_end_ns - fragment.start_ns
        if abs(back_ns) * fragment.sampling_rate > reach_samples * NS_PER_S:
            stepped = 0 < back_ns <= door.clock_step_ns
        last_end_ns = fragment.end_ns
        late = _count_late(fragment, arrivals.taken, door)
        if late:
            repeats.append(door.span(fragment, (0, late), Reason.OUT_OF_ORDER))
            fragment = fragment.part(late)
        if len(fragment.samples):
            reason = Reason.CLOCK_STEP if stepped else Reason.CONTRADICTION
            repeats += _insert(waiting, fragment, door, reason)
    arrivals = replace(arrivals, waiting=tuple(waiting), last_end_ns=last_end_ns, stepped=stepped)
    return arrivals, repeats


def _count_late(fragment: Fragment, taken: Fragment | None, door: Door) -> int:
    """How many samples stand before the promise, or where one that was taken stands."""
    late = 0
    if door.promised_ns is not None:
        late = fragment.count_before_end(door.promised_ns, fragment.sampling_rate)
    if taken is not None:
        late = max(late, fragment.count_before_end(taken.start_ns, taken.sampling_rate))
    return late


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
        # A sample may share time with two that were kept: it is told once, with the earlier.
        first = max(fragment.count_until_start(other.start_ns, other.sampling_rate), free_from)
        end = fragment.count_before_end(other.end_ns, other.sampling_rate)
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
