"""Windows of fixed length on a grid anchored at the epoch: window k covers [k*hop, k*hop + length).

Where a record begins or is cut does not move the windows. Edges of a gap-free segment are padded
with zeros, with the mask telling so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameGrid:
    """The grid.

    Args:
        window_samples: length of a window.
        hop_samples: from window to window.
        margin_samples: a window must hold more samples of the segment than this; what holds
            fewer would be blind anyway.

    Raises:
        ValueError: the hop is not in [1, window - margin].
    """

    window_samples: int
    hop_samples: int
    margin_samples: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.hop_samples <= self.window_samples - max(self.margin_samples, 0):
            raise ValueError(
                f"hop {self.hop_samples} must be at least 1 and at most the window of "
                f"{self.window_samples} less the margin of {self.margin_samples} samples"
            )

    def first_window(self, number: int) -> int:
        """The first window that a segment beginning at a sample has its share in."""
        return (number + self.margin_samples - self.window_samples) // self.hop_samples + 1

    def start_of(self, window: int) -> int:
        """Number of a window's first sample."""
        return window * self.hop_samples


class Frames(NamedTuple):
    """Consecutive windows; views of one buffer, not copies.

    `first_window` is the index on the grid of the first.
    """

    first_window: int
    samples: Float32[Array, "window component sample"]
    present: Bool[Array, "window component sample"]


class FrameState(NamedTuple):
    """What later windows of a segment still need.

    Args:
        segment_start: number of the segment's first sample.
        next_window: index of the next window to hand out.
        samples: from the start of that window on.
        present: their mask.
    """

    segment_start: int
    next_window: int
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]


def start_frames(grid: FrameGrid, first_number: int, n_components: int) -> FrameState:
    """Begin a segment at a sample, counted from the epoch."""
    window = grid.first_window(first_number)
    padding = np.zeros((n_components, first_number - grid.start_of(window)), np.float32)
    return FrameState(first_number, window, padding, padding.astype(bool))


def step_frames(
    grid: FrameGrid,
    state: FrameState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[FrameState, Frames]:
    """Take more samples of the segment; hand out the windows that are complete."""
    state = state._replace(
        samples=np.concatenate((state.samples, samples), axis=1),
        present=np.concatenate((state.present, present), axis=1),
    )
    n_windows = (state.samples.shape[1] - grid.window_samples) // grid.hop_samples + 1
    return _hand_out(grid, state, max(n_windows, 0))


def finish_frames(grid: FrameGrid, state: FrameState) -> Frames:
    """The segment ends: hand out the windows that are not full but hold more than the margin."""
    end = grid.start_of(state.next_window) + state.samples.shape[1]
    n_windows = 0
    if end - state.segment_start > grid.margin_samples:
        n_samples = state.samples.shape[1] - grid.margin_samples
        n_windows = max(-(-n_samples // grid.hop_samples), 0)
    length = (n_windows - 1) * grid.hop_samples + grid.window_samples if n_windows else 0
    padding = ((0, 0), (0, max(length - state.samples.shape[1], 0)))
    padded = state._replace(
        samples=np.pad(state.samples, padding), present=np.pad(state.present, padding)
    )
    return _hand_out(grid, padded, n_windows)[1]


def _hand_out(grid: FrameGrid, state: FrameState, n_windows: int) -> tuple[FrameState, Frames]:
    frames = Frames(
        state.next_window,
        _windows(grid, state.samples, n_windows),
        _windows(grid, state.present, n_windows),
    )
    used = n_windows * grid.hop_samples
    rest = FrameState(
        state.segment_start,
        state.next_window + n_windows,
        state.samples[:, used:].copy(),
        state.present[:, used:].copy(),
    )
    return rest, frames


def _windows(grid: FrameGrid, samples: Array, n_windows: int) -> Array:
    if n_windows == 0:
        return np.zeros((0, len(samples), grid.window_samples), samples.dtype)
    view = np.lib.stride_tricks.sliding_window_view(samples, grid.window_samples, axis=1)
    return view[:, : n_windows * grid.hop_samples : grid.hop_samples].transpose(1, 0, 2)
