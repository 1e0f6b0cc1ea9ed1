"""The two windows that are flush with the ends of a gap-free segment.

Networks that normalise each window, or never met zeros in their training, are not to see padding.
Where only whole windows of the grid are made, two further ones see to what those leave: one that
begins with the segment, one that ends with it. They decide nothing that a window of the grid sees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.signal.frame import FrameGrid


class EdgeWindow(NamedTuple):
    """A window off the grid.

    Args:
        start: number of its first sample, counted from the epoch.
        first: number of the first sample that it decides.
        end: number of the first sample after those.
        samples: of the window.
        present: their mask; a segment shorter than a window is padded at its end.
    """

    start: int
    first: int
    end: int
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]


class EdgeState(NamedTuple):
    """What is carried along a segment.

    Args:
        segment_start: number of the segment's first sample.
        next_number: of the sample to come.
        is_open: whether the window at the segment's start is still to come.
        samples: the last ones, as many as a window has.
        present: their mask.
    """

    segment_start: int
    next_number: int
    is_open: bool
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]


def start_edges(grid: FrameGrid, first_number: int, n_components: int) -> EdgeState:
    """Begin a segment at a sample, counted from the epoch."""
    nothing = np.zeros((n_components, 0), np.float32)
    is_open = first_number % grid.hop_samples != 0
    return EdgeState(first_number, first_number, is_open, nothing, nothing.astype(bool))


def step_edges(
    grid: FrameGrid,
    state: EdgeState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
    *,
    blinding: tuple[int, int],
) -> tuple[EdgeState, EdgeWindow | None]:
    """Take more samples; hand out the window at the segment's start once it is complete.

    Args:
        grid: of the other windows.
        state: from the step before.
        samples: that follow.
        present: their mask.
        blinding: samples at a window's start and end that it does not decide.
    """
    length, start = grid.window_samples, state.segment_start
    samples = np.concatenate((state.samples, samples), axis=1)
    present = np.concatenate((state.present, present), axis=1)
    first = state.next_number - state.samples.shape[1]
    end = first + samples.shape[1]
    opening = None
    is_open = state.is_open and end - start < length
    if state.is_open and not is_open:
        on_grid = grid.start_of(-(-start // grid.hop_samples))
        opening = EdgeWindow(
            start, start + blinding[0], on_grid + blinding[0],
            samples[:, :length], present[:, :length],
        )  # fmt: skip
    kept = max(samples.shape[1] - length, 0)
    last = samples[:, kept:].copy(), present[:, kept:].copy()
    return EdgeState(start, end, is_open, *last), opening


def finish_edges(
    grid: FrameGrid, state: EdgeState, *, blinding: tuple[int, int]
) -> EdgeWindow | None:
    """The segment ends: the window that ends with it, if one of the grid does not.

    It decides what comes after the last window of the grid, or after the one at the start.
    """
    length, end, (before, after) = grid.window_samples, state.next_number, blinding
    on_grid = -(-state.segment_start // grid.hop_samples)
    last = (end - length) // grid.hop_samples
    if last >= on_grid:
        decided = grid.start_of(last) + length - after
    elif end - state.segment_start >= length:
        decided = grid.start_of(on_grid) + before
    else:
        decided = state.segment_start + before
    if decided >= end - after:
        return None
    padding = ((0, 0), (0, length - state.samples.shape[1]))
    samples, present = np.pad(state.samples, padding), np.pad(state.present, padding)
    return EdgeWindow(
        max(end - length, state.segment_start), decided, end - after, samples, present
    )
