"""The gap policy: from traces as they come to gap-free traces, and a ledger of the rest.

One channel at a time. Out come two things:

* gap-free traces whose concatenation does not depend on how the input was cut or stepped;
* spans that *tile* the channel's time, one reason each: analysed, clipped (analysed as well),
  gap, zero-filled, dead, corrupt, too short, rate change. They add up to the time between
  the channel's first and last sample. On top of them come the spans of `REPEATS`: samples for a
  time that was told already, which were dropped.

What happens to what:

==========================  =====================================================================
records out of order        put in order, as far as the promise of the caller (`until`) allows;
                            what comes later than that is dropped as out_of_order
overlap                     the sample that came first is kept; the other is dropped as overlap
                            (the same), contradiction (another), or clock_step (another, and the
                            time stamps had just jumped back by no more than `clock_step_s`)
jitter of time stamps       up to half a sample: joined, the first record's clock counts on
drift, gap                  beyond: a new piece with its own clock; the time between is a gap
exact zeros                 `zero_run_s` of them are a filler and are cut out
constant value              what goes on after `dead_s` of it is cut out as dead
values that are not finite  cut out as corrupt
clipping                    analysed and flagged, with `clip_hold_s` after it
rate change                 a new piece; its first sample is booked on rate_change
pieces of little use        shorter than `shortest_s`: dropped as too_short
==========================  =====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace
from zilzal.signal.arrivals import SLACK_SAMPLES, Arrivals, Door, Fragment, admit
from zilzal.signal.division import divide, shade
from zilzal.signal.flaws import SHORTEST_RUN, FlawLimits, Run, find_flaws, last_run

REPEATS = frozenset({Reason.OVERLAP, Reason.CONTRADICTION, Reason.CLOCK_STEP, Reason.OUT_OF_ORDER})
"""Reasons of dropped samples whose time is told by another span as well."""

_FEWEST_ZEROS = 16
"""Four in a row was the most in 89 real channels, but for one glitch of ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch on one clock, up to where it has been processed.

    Args:
        clock: the instant and rate that all its samples are counted from; holds the samples
            that wait for a verdict.
        number: of the first of those, counted from the clock's start.
        run: equal samples before that one.
        is_open: whether samples right before that one were handed out.
        clipped_until: number before which samples count as clipped.
        changed_rate: whether the rate was another before.
    """

    clock: Fragment
    number: int = 0
    run: Run = field(default_factory=Run)
    is_open: bool = False
    clipped_until: int = 0
    changed_rate: bool = False

    def end_ns_after(self, count: int) -> int:
        """Where the next sample is expected when `count` more have been joined."""
        return self.clock.time_ns(self.number + len(self.clock.samples) + count)

    @property
    def held_ns(self) -> int:
        """Instant of the first sample that waits for a verdict, or where the next is expected."""
        return self.clock.time_ns(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class ContinuityState:
    """A channel between two steps; can be pickled.

    Args:
        channel_id: whose.
        arrivals: what came and waits for the promise.
        piece: the open one, if any.
        frontier_ns: all before it has been promised to have come.
        told_ns: the tiling reaches to here.
        sampling_rate: the last one seen.
        corrupt: stretches that were lost (not decoded, shed), to name gaps after.
    """

    channel_id: ChannelId
    arrivals: Arrivals = field(default_factory=Arrivals)
    piece: Piece | None = None
    frontier_ns: int | None = None
    told_ns: int | None = None
    sampling_rate: float | None = None
    corrupt: tuple[CoverageSpan, ...] = ()

    @property
    def settled(self) -> Time | None:
        """All before it has been handed out or told; None before any promise.

        It lags the promise by the samples that wait for a verdict: the first `shortest_s` of a
        piece, and zeros at the end that may become a filler.
        """
        if self.piece is not None and len(self.piece.clock.samples):
            return Time(min(self.piece.held_ns, self.frontier_ns or self.piece.held_ns))
        return None if self.frontier_ns is None else Time(self.frontier_ns)


@dataclass(slots=True)
class _Output:
    """What a step hands out, while it is being put together."""

    channel_id: ChannelId
    traces: list[Trace] = field(default_factory=list)
    spans: list[CoverageSpan] = field(default_factory=list)

    def tell(self, start_ns: int, end_ns: int, reason: Reason, note: str = "") -> None:
        """Add a span unless it is empty."""
        if end_ns > start_ns:
            span = CoverageSpan(self.channel_id, Time(start_ns), Time(end_ns), reason, note)
            self.spans.append(span)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapPolicy:
    """What to do with a channel's gaps, overlaps and flaws; see the module's table.

    Args:
        jitter_samples: how far a record's time may be off and still continue the record before.
            Half a sample is the most at which the nearest place is still the right one.
        rate_tolerance: relative difference of sampling rates that is no change, until the clocks
            have drifted apart by more than the jitter. Libmseed's value.
        zero_run_s: shortest run of exact zeros that is a filler; never under 16 samples. Real
            noise has runs of up to four samples, and a filler of under half a second is left in.
        dead_s: a constant value is analysed this long, then it is dead. No live sensor is that
            quiet; a quiet one of low gain may be for some seconds.
        clip_run: number of equal samples at a flat top that makes it clipped.
        clip_floor_counts: a flat top below this is not clipped: half of a 16-bit converter's range.
        clip_step: least step into a flat top, as a share of its value: it tells the flank of a
            clipped swing from noise on an offset.
        clip_level_counts: the digitiser's limit if known; samples at or beyond it are clipped.
            The ends of 24-bit converters are always looked for.
        clip_hold_s: this long after a clipped sample the record still counts as clipped.
        clock_step_s: the longest jump backwards that is called a step of the clock.
        shortest_s: pieces shorter than this are dropped: filters do not settle in them.
    """

    jitter_samples: float = 0.5
    rate_tolerance: float = 1e-4
    zero_run_s: float = 0.5
    dead_s: float = 30.0
    clip_run: int = SHORTEST_RUN
    clip_floor_counts: float = 2.0**14
    clip_step: float = 0.005
    clip_level_counts: float | None = None
    clip_hold_s: float = 1.0
    clock_step_s: float = 60.0
    shortest_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.jitter_samples <= 0.5:
            raise ValueError(
                f"jitter_samples is {self.jitter_samples}; give more than 0, up to 0.5"
            )
        if self.clip_run < SHORTEST_RUN:
            raise ValueError(f"clip_run is {self.clip_run}; give {SHORTEST_RUN} or more")

    def start(self, channel_id: ChannelId, *, since: Time | None = None) -> ContinuityState:
        """The state before any data; the tiling begins at `since`, or at the first sample."""
        since_ns = None if since is None else since.ns
        return ContinuityState(channel_id, frontier_ns=since_ns, told_ns=since_ns)

    def step(
        self,
        state: ContinuityState,
        traces: Sequence[Trace],
        until: Time,
        *,
        corrupt: Iterable[CoverageSpan] = (),
    ) -> tuple[ContinuityState, list[Trace], list[CoverageSpan]]:
        """Take traces in, in the order in which they came; process all before `until`.

        Args:
            state: as of the last step; not changed.
            traces: of the state's channel, with samples for any time.
            until: no more data before it is expected. What comes for it all the same, later,
                is dropped and told as out_of_order.
            corrupt: stretches that could not be decoded, to name gaps after.

        Returns:
            The new state, gap-free traces in order of time, and spans.
        """
        until_ns = max(until.ns, state.frontier_ns or until.ns)
        output = _Output(state.channel_id)
        state = self._admit(state, traces, corrupt, output)
        state = self._process(state, until_ns, output)
        state = self._tell_silence(state, until_ns, output)
        return replace(state, frontier_ns=until_ns), output.traces, output.spans

    def finish(
        self, state: ContinuityState, *, end: Time | None = None
    ) -> tuple[list[Trace], list[CoverageSpan]]:
        """No more data will come: process what waits; the tiling goes on to `end`, if given."""
        output = _Output(state.channel_id)
        last_ns = max((f.end_ns for f in state.arrivals.waiting), default=state.frontier_ns or 0)
        state = self._process(state, last_ns + 1, output)
        if state.piece is not None:
            state = self._advance(state, [], output, final=True)
        if end is not None and state.told_ns is not None:
            _tell_gap(state, end.ns, output)
        return output.traces, output.spans

    def _admit(
        self,
        state: ContinuityState,
        traces: Sequence[Trace],
        corrupt: Iterable[CoverageSpan],
        output: _Output,
    ) -> ContinuityState:
        door = Door(
            channel_id=state.channel_id,
            promised_ns=state.frontier_ns,
            jitter_samples=self.jitter_samples,
            clock_step_ns=round(self.clock_step_s * NS_PER_S),
        )
        arrivals, repeats = admit(state.arrivals, traces, door)
        output.spans.extend(repeats)
        kept = (s for s in state.corrupt if state.told_ns is None or s.end.ns > state.told_ns)
        mine = (s for s in corrupt if s.channel_id == state.channel_id)
        return replace(state, arrivals=arrivals, corrupt=(*kept, *mine))

    def _process(self, state: ContinuityState, until_ns: int, output: _Output) -> ContinuityState:
        """Join what has come into pieces."""
        arrivals, ready = state.arrivals.take(until_ns)
        state = replace(state, arrivals=arrivals)
        group: list[Shaped[Array, " sample"]] = []
        count = 0
        for fragment in ready:
            rest = fragment
            while len(rest.samples):
                if state.piece is None:
                    state = self._begin(state, rest, output)
                    group, count = [], 0
                assert state.piece is not None
                end_ns, rate = state.piece.end_ns_after(count), state.piece.clock.sampling_rate
                rest = _cut_surplus(rest, end_ns, rate, output)
                joined = self._count_joined(rest, end_ns, rate)
                if joined:
                    group.append(rest.samples[:joined])
                    count += joined
                    if joined == len(rest.samples):
                        break
                    rest = rest.part(joined)
                elif len(rest.samples):
                    state = self._advance(state, group, output, final=True)
        return self._advance(state, group, output, final=False) if group else state

    def _count_joined(self, fragment: Fragment, end_ns: int, sampling_rate: float) -> int:
        """How many samples of a fragment continue a clock that has come to `end_ns`.

        A clock whose rate differs by less than the tolerance is followed until it has drifted
        away, as it would be if each sample came by itself.
        """
        drift = sampling_rate / fragment.sampling_rate - 1  # samples per sample
        off_samples = (fragment.start_ns - end_ns) * sampling_rate / NS_PER_S
        reach_samples = self.jitter_samples + SLACK_SAMPLES
        if abs(drift) > self.rate_tolerance or abs(off_samples) > reach_samples:
            return 0
        if drift == 0:
            return len(fragment.samples)
        left_samples = reach_samples - off_samples * math.copysign(1, drift)
        return min(int(left_samples / abs(drift)) + 1, len(fragment.samples))

    def _begin(
        self, state: ContinuityState, fragment: Fragment, output: _Output
    ) -> ContinuityState:
        """Start a piece where a fragment starts; before it is a gap."""
        start_ns, rate = fragment.start_ns, fragment.sampling_rate
        if state.told_ns is not None:
            _tell_gap(state, start_ns, output)
        last = state.sampling_rate
        return replace(
            state,
            piece=Piece(
                fragment.part(0, 0),
                changed_rate=last is not None and abs(rate / last - 1) > self.rate_tolerance,
            ),
            told_ns=max(start_ns, state.told_ns or start_ns),
            sampling_rate=rate,
        )

    def _tell_silence(
        self, state: ContinuityState, until_ns: int, output: _Output
    ) -> ContinuityState:
        """Close a piece that nothing can continue any more; tell a gap while it lasts."""
        rate = state.sampling_rate or 1.0
        sample_ns = round(NS_PER_S / rate)
        if state.piece is not None:
            if until_ns - state.piece.end_ns_after(0) <= 1.5 * sample_ns:
                return state
            state = self._advance(state, [], output, final=True)
        if state.told_ns is not None and until_ns - sample_ns > state.told_ns:
            _tell_gap(state, until_ns - sample_ns, output)
            state = replace(state, told_ns=until_ns - sample_ns)
        return state

    def _limits(self, sampling_rate: float) -> FlawLimits:
        def samples(seconds: float, least: int) -> int:
            return max(round(seconds * sampling_rate), least)

        return FlawLimits(
            zero_run=samples(self.zero_run_s, _FEWEST_ZEROS),
            dead_run=samples(self.dead_s, 2 * SHORTEST_RUN),
            clip_run=self.clip_run,
            clip_floor_counts=self.clip_floor_counts,
            clip_step=self.clip_step,
            clip_level_counts=self.clip_level_counts,
        )

    def _advance(
        self,
        state: ContinuityState,
        more: Sequence[Shaped[Array, " sample"]],
        output: _Output,
        *,
        final: bool,
    ) -> ContinuityState:
        """Judge the samples that wait and those that follow them; hand out what is decided."""
        piece = state.piece
        assert piece is not None
        arrays = [a for a in (piece.clock.samples, *more) if len(a)]
        samples = arrays[0] if len(arrays) == 1 else np.concatenate(arrays or [np.empty(0, "i4")])
        limits = self._limits(piece.clock.sampling_rate)
        flaws = find_flaws(samples, piece.run, limits, final=final)
        shortest = math.ceil(self.shortest_s * piece.clock.sampling_rate - SLACK_SAMPLES)
        shares = divide(len(samples), flaws, piece.is_open, shortest, final=final)
        decided = shares.decided
        hold = round(self.clip_hold_s * piece.clock.sampling_rate)
        clipped = [(0, piece.clipped_until - piece.number)]
        clipped += [(a, min(b, decided) + hold) for a, b in flaws.clipped if a < decided]
        tiles = shares.left_out + [t for part in shares.good for t in shade(part, clipped)]
        for tile in sorted(tiles):
            _tell_tile(state, tile, output)
        output.traces += [_cut_trace(state, samples, part) for part in shares.good]
        piece = replace(
            piece,
            clock=replace(piece.clock, samples=samples[decided:].copy()),
            number=piece.number + decided,
            run=last_run(samples[:decided], piece.run, limits),
            is_open=shares.is_open,
            clipped_until=piece.number + max(end for _, end in clipped),
        )
        told_ns = max(piece.held_ns, state.told_ns or piece.held_ns)
        return replace(state, piece=None if final else piece, told_ns=told_ns)


def _cut_surplus(
    fragment: Fragment, end_ns: int, sampling_rate: float, output: _Output
) -> Fragment:
    """Cut off and tell samples for places that a clock which has come to `end_ns` has passed.

    By their time stamps they follow the last sample; the clock that it counts on runs late.
    """
    if fragment.start_ns >= end_ns:
        return fragment
    early = fragment.count_before_end(end_ns, sampling_rate)
    output.tell(fragment.start_ns, fragment.time_ns(early), Reason.CLOCK_STEP)
    return fragment.part(early)


def _cut_trace(
    state: ContinuityState, samples: Shaped[Array, " sample"], part: tuple[int, int]
) -> Trace:
    """The trace of a stretch, on the clock of the state's piece."""
    assert state.piece is not None
    clock, first = state.piece.clock, state.piece.number + part[0]
    return Trace(
        channel_id=state.channel_id,
        start=Time(clock.time_ns(first)),
        sampling_rate=clock.sampling_rate,
        samples=samples[slice(*part)],
    )


def _tell_tile(state: ContinuityState, tile: tuple[int, int, Reason], output: _Output) -> None:
    """Tell a stretch of the open piece, numbered from where that was processed to."""
    piece, told_ns = state.piece, state.told_ns
    assert piece is not None
    assert told_ns is not None
    first, end, reason = piece.number + tile[0], piece.number + tile[1], tile[2]
    start_ns = max(piece.clock.time_ns(first), told_ns)
    if piece.changed_rate and first == 0:
        second_ns = piece.clock.time_ns(1)
        note = f"to {piece.clock.sampling_rate:g} Hz"
        output.tell(start_ns, second_ns, Reason.RATE_CHANGE, note)
        start_ns = second_ns
    output.tell(start_ns, piece.clock.time_ns(end), reason)


def _tell_gap(state: ContinuityState, end_ns: int, output: _Output) -> None:
    """Tell the time from where the tiling has come to as a gap, or as corrupt where that is why."""
    assert state.told_ns is not None
    position = state.told_ns
    for span in sorted(state.corrupt):
        first, stop = max(span.start.ns, position), min(span.end.ns, end_ns)
        if stop > first:
            output.tell(position, first, Reason.GAP)
            output.tell(first, stop, span.reason, span.note)
            position = stop
    output.tell(position, end_ns, Reason.GAP)


def merge_spans(spans: Iterable[CoverageSpan]) -> list[CoverageSpan]:
    """Spans in order of channel, start and end, with neighbours of one reason made one."""
    merged: list[CoverageSpan] = []

    def order(span: CoverageSpan) -> tuple[Any, ...]:
        return (span.channel_id, span.reason in REPEATS, span.start, span.end)

    for span in sorted(spans, key=order):
        last = merged[-1] if merged else None
        if last is not None and (last.channel_id, last.reason, last.note, last.end) == (
            span.channel_id,
            span.reason,
            span.note,
            span.start,
        ):
            merged[-1] = replace(last, end=span.end)
        else:
            merged.append(span)
    return sorted(merged)
