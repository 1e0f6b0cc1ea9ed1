"""From the clean traces of a sensor's components to windows of the sensor.

Windows come in order of time. One that starts where the last one ended continues it; a new start
means that no component had data in between, or that the vertical's clock or rate changed. The
grid of a stretch is the vertical's if it is there when the stretch begins or comes later with
another clock; the other components are put to the nearest sample, which moves them by at most
half a sample. Samples of a component that has no data are 0 and not `present`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Shaped

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import SensorId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import COMPONENTS, Trace, Window
from zilzal.signal.arrivals import SLACK_SAMPLES, Fragment
from zilzal.signal.orientation import Orientation

RATE_TOLERANCE = 1e-7
"""Relative difference of sampling rates that is rounding. Components at rates that really differ
have no common grid; the vertical's is taken and the others are told in `AlignState.skipped`."""
PHASE_SAMPLES = 0.05
"""A vertical whose samples lie further than this from the grid gets a grid of its own."""
LEAK = 0.1
"""A component of the ground counts as present if the channels that make up all but this share of
it are: a sensor turned by 3 degrees still has an N when its E is dead."""

_FAR_NS = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The instants of samples: whole sample intervals from a start."""

    start_ns: int
    sampling_rate: float

    def time_ns(self, number: int) -> int:
        """Instant of a sample."""
        return self.start_ns + round(number * NS_PER_S / self.sampling_rate)

    def place(self, time_ns: int) -> float:
        """Number of the sample at an instant, with decimals."""
        return (time_ns - self.start_ns) * self.sampling_rate / NS_PER_S

    def nearest(self, time_ns: int) -> int:
        """Number of the nearest sample; of two as near the later."""
        return int(np.floor(self.place(time_ns) + 0.5 + SLACK_SAMPLES))

    def fits(self, sampling_rate: float) -> bool:
        """Whether a rate is the grid's."""
        return abs(sampling_rate / self.sampling_rate - 1) <= RATE_TOLERANCE


@dataclass(frozen=True, slots=True, eq=False)
class AlignState:
    """A sensor between two steps; can be pickled.

    Args:
        sensor_id: whose.
        orientation: its components and how ZNE are made of them.
        waiting: each component's samples that have not been handed out.
        grid: of the stretch that is going on; None between stretches.
        number: of the next sample on the grid.
        skipped: what the last step dropped: components of another rate than the vertical's, or
            that came too late.
    """

    sensor_id: SensorId
    orientation: Orientation
    waiting: tuple[tuple[Fragment, ...], ...]
    grid: Grid | None = None
    number: int = 0
    skipped: tuple[CoverageSpan, ...] = ()

    def span(self, column: int, start_ns: int, end_ns: int, reason: Reason) -> CoverageSpan:
        """Tell of a component's time."""
        channel_id = self.sensor_id.channel_id(self.orientation.components[column])
        return CoverageSpan(channel_id, Time(start_ns), Time(end_ns), reason)


def start(sensor_id: SensorId, orientation: Orientation) -> AlignState:
    """The state before any data."""
    return AlignState(sensor_id, orientation, ((),) * len(orientation.components))


def step(
    state: AlignState, traces: Sequence[Trace], until: Time
) -> tuple[AlignState, list[Window]]:
    """Take clean traces in; hand out windows of all that lies before `until`.

    Args:
        state: as of the last step; not changed.
        traces: of the sensor's channels; each channel's in order of time, without overlaps.
        until: no more data before it will come, of any component. With the gap policy before,
            that is the earliest `ContinuityState.settled` of the components.

    Returns:
        The new state, and windows that end up to one sample before `until`.
    """
    waiting = [list(fragments) for fragments in state.waiting]
    skipped: list[CoverageSpan] = []
    for trace in traces:
        component = trace.channel_id.component
        if trace.channel_id.sensor_id != state.sensor_id:
            raise ValueError(f"trace of {trace.channel_id} given to sensor {state.sensor_id}")
        if component in state.orientation.components:
            fragment = Fragment(trace.start.ns, trace.sampling_rate, trace.samples)
            waiting[state.orientation.components.index(component)].append(fragment)
        else:
            ends = trace.start, trace.next_start
            skipped.append(CoverageSpan(trace.channel_id, *ends, Reason.NOT_CHOSEN))
    state = replace(state, waiting=tuple(map(tuple, waiting)), skipped=tuple(skipped))
    return _hand_out(state, until.ns)


def finish(state: AlignState) -> list[Window]:
    """No more data will come; hand out the rest."""
    return _hand_out(replace(state, skipped=()), _FAR_NS)[1]


def _hand_out(state: AlignState, until_ns: int) -> tuple[AlignState, list[Window]]:
    windows: list[Window] = []
    while True:
        if state.grid is None:
            grid = _next_grid(state, until_ns)
            if grid is None:
                return state, windows
            heads = [f[0] for f in state.waiting if f and grid.fits(f[0].sampling_rate)]
            state = replace(
                state, grid=grid, number=min(grid.nearest(head.start_ns) for head in heads)
            )
        assert state.grid is not None
        limit = int(np.ceil(state.grid.place(until_ns - _sample_ns(state.grid)) - SLACK_SAMPLES))
        reach = _reach(state)
        stop = min(reach, limit)
        if stop > state.number:
            state, window = _window(state, stop)
            windows.append(window)
        if reach >= limit:
            return state, windows
        state = replace(state, grid=None)


def _sample_ns(grid: Grid) -> int:
    return round(NS_PER_S / grid.sampling_rate)


def _next_grid(state: AlignState, until_ns: int) -> Grid | None:
    """The grid of the next stretch: the vertical's if it begins with the others.

    Whether it does is known one sample after they have begun; None before that.
    """
    heads = [fragments[0] for fragments in state.waiting if fragments]
    if not heads:
        return None
    anchor = min(heads, key=lambda f: f.start_ns)
    sample_ns = NS_PER_S / anchor.sampling_rate
    if anchor.start_ns >= until_ns - sample_ns:
        return None
    vertical = state.orientation.vertical
    if vertical is not None and state.waiting[vertical]:
        head = state.waiting[vertical][0]
        if head.start_ns - anchor.start_ns <= sample_ns:
            anchor = head
    return Grid(anchor.start_ns, anchor.sampling_rate)


def _reach(state: AlignState) -> int:
    """Up to which sample the stretch goes on without a hole, as far as is known."""
    grid, reach, cut = state.grid, state.number, _FAR_NS
    assert grid is not None
    ranges: list[tuple[int, int]] = []
    for column, fragments in enumerate(state.waiting):
        for fragment in fragments:
            first = grid.nearest(fragment.start_ns)
            off = abs(grid.place(fragment.start_ns) - first)
            fits = grid.fits(fragment.sampling_rate)
            if column == state.orientation.vertical and not (fits and off <= PHASE_SAMPLES):
                cut = min(cut, first)
                break
            if fits:
                ranges.append((first, first + len(fragment.samples)))
    for first, end in sorted(ranges):
        if first > reach:
            break
        reach = max(reach, end)
    return min(reach, max(cut, state.number))


def _window(state: AlignState, stop: int) -> tuple[AlignState, Window]:
    """Hand out the samples of the stretch up to a number, exclusive."""
    grid = state.grid
    assert grid is not None
    shape = (len(state.waiting), stop - state.number)
    samples, present = np.empty(shape, np.float32), np.zeros(shape, bool)
    waiting: list[tuple[Fragment, ...]] = []
    skipped: list[CoverageSpan] = []
    for column, fragments in enumerate(state.waiting):
        filled = state.number
        rest: list[Fragment] = []
        for fragment in fragments:
            if not grid.fits(fragment.sampling_rate):
                count = fragment.count_before(grid.time_ns(stop))
                skipped += _told(state, column, fragment.part(0, count), Reason.RATE_CHANGE)
            else:
                first = grid.nearest(fragment.start_ns)
                late = min(max(filled - first, 0), len(fragment.samples))
                count = min(max(stop - first, 0), len(fragment.samples))
                if count > late:
                    place = slice(first + late - state.number, first + count - state.number)
                    samples[column, filled - state.number : place.start] = 0
                    samples[column, place] = fragment.samples[late:count]
                    present[column, place] = True
                    filled = first + count
                skipped += _told(state, column, fragment.part(0, late), Reason.OUT_OF_ORDER)
                count = max(count, late)
            if count < len(fragment.samples):
                rest.append(fragment.part(count, len(fragment.samples)) if count else fragment)
        samples[column, filled - state.number :] = 0
        waiting.append(tuple(rest))
    turned, is_there = rotate(samples, present, state.orientation)
    window = Window(
        sensor_id=state.sensor_id,
        start=Time(grid.time_ns(state.number)),
        sampling_rate=grid.sampling_rate,
        samples=turned,
        present=is_there,
    )
    told = (*state.skipped, *skipped)
    return replace(state, waiting=tuple(waiting), number=stop, skipped=told), window


def _told(state: AlignState, column: int, fragment: Fragment, reason: Reason) -> list[CoverageSpan]:
    if not len(fragment.samples):
        return []
    return [state.span(column, fragment.start_ns, fragment.end_ns, reason)]


def rotate(
    samples: Shaped[Array, "component sample"],
    present: Bool[Array, "component sample"],
    orientation: Orientation,
) -> tuple[Shaped[Array, "3 sample"], Bool[Array, "3 sample"]]:
    """ZNE of a sensor's components, and which samples of them are there.

    A sample is there if all components are that contribute more than `LEAK` to it. The type of
    the samples is kept; whole numbers only where nothing is mixed (`Orientation.is_exchange`).
    """
    if np.array_equal(orientation.matrix, np.eye(len(COMPONENTS))):
        return samples, present
    shape = (len(COMPONENTS), samples.shape[1])
    turned, is_there = np.zeros(shape, samples.dtype), np.zeros(shape, bool)
    for row, weights in enumerate(orientation.matrix):
        columns = np.flatnonzero(weights)
        needed = np.flatnonzero(np.abs(weights) > LEAK)
        if len(columns) == 1 and weights[columns[0]] == 1:
            turned[row], is_there[row] = samples[columns[0]], present[columns[0]]
        elif len(columns):
            np.matmul(weights[columns].astype(samples.dtype), samples[columns], out=turned[row])
            is_there[row] = present[needed].all(axis=0)
            turned[row, ~is_there[row]] = 0
    return turned, is_there
