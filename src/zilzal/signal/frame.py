"""Windows of fixed length on a grid anchored at the epoch: window k covers [k*hop, k*hop + length).

Where a record begins or is cut does not move the windows. Edges of a gap-free segment are padded
with zeros, with the mask telling so; or only the windows are made that lie within it, and `edge`
has the two that are flush with its ends. Neighbours that come together may be handed out as one
long window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.signal.stretches import Stretch, Stretches


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameGrid:
    """The grid.

    Args:
        window_samples: length of a window.
        hop_samples: from window to window.
        margin_samples: a window must hold more samples of the segment than this; what holds
            fewer would be blind anyway.
        whole: only windows that lie within the segment.
        context_samples: of a window's start and end, beyond the margin, that are there for the
            others: a window that holds nothing but these of the segment is not made.
        joined: at most so many neighbours are handed out as one window.

    Raises:
        ValueError: the hop is not in [1, window - margin - context].
    """

    window_samples: int
    hop_samples: int
    margin_samples: int = 0
    whole: bool = False
    context_samples: tuple[int, int] = (0, 0)
    joined: int = 1

    def __post_init__(self) -> None:
        spare = max(self.margin_samples, 0) + sum(self.context_samples)
        if not 1 <= self.hop_samples <= self.window_samples - spare:
            raise ValueError(
                f"hop {self.hop_samples} must be at least 1 and at most the window of "
                f"{self.window_samples} less the margin and context of {spare} samples"
            )

    def first_window(self, number: int) -> int:
        """The first window that a segment beginning at a sample has its share in."""
        if self.whole:
            return -(-number // self.hop_samples)
        needed = self.margin_samples + self.context_samples[1]
        return (number + needed - self.window_samples) // self.hop_samples + 1

    def start_of(self, window: int) -> int:
        """Number of a window's first sample."""
        return window * self.hop_samples


class Frames(NamedTuple):
    """Consecutive windows; views of what came, where a window came in one piece.

    `first_window` is the index on the grid of the first. Where windows are joined, some are longer
    by whole hops.
    """

    first_window: int
    samples: Sequence[Float32[Array, "component sample"]]
    present: Sequence[Bool[Array, "component sample"]]


class FrameState(NamedTuple):
    """What later windows of a segment still need.

    Args:
        segment_start: number of the segment's first sample.
        next_window: index of the next window to hand out.
        kept: samples from the start of that window on, with their mask.
        n_skipped: samples still to come that lie before that window.
    """

    segment_start: int
    next_window: int
    kept: Stretches
    n_skipped: int = 0


def start_frames(grid: FrameGrid, first_number: int, n_components: int) -> FrameState:
    """Begin a segment at a sample, counted from the epoch."""
    window = grid.first_window(first_number)
    kept = Stretches.none(grid.start_of(window), n_components)
    beyond = first_number - kept.first
    padding = Stretch.zeros(n_components, max(beyond, 0))
    return FrameState(first_number, window, kept.add(padding), max(-beyond, 0))


def step_frames(
    grid: FrameGrid,
    state: FrameState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[FrameState, Frames]:
    """Take more samples of the segment; hand out the windows that are complete."""
    skipped = min(state.n_skipped, samples.shape[1])
    state = state._replace(
        kept=state.kept.add(Stretch(samples[:, skipped:], present[:, skipped:])),
        n_skipped=state.n_skipped - skipped,
    )
    length = state.kept.end - state.kept.first
    return _hand_out(grid, state, max((length - grid.window_samples) // grid.hop_samples + 1, 0))


def finish_frames(grid: FrameGrid, state: FrameState) -> Frames:
    """The segment ends: hand out the windows that are not full but hold more than the margin."""
    kept = state.kept
    n_windows = 0
    if not grid.whole and kept.end - state.segment_start > grid.margin_samples:
        n_samples = kept.end - kept.first - grid.margin_samples - grid.context_samples[0]
        n_windows = max(-(-n_samples // grid.hop_samples), 0)
    last_end = grid.start_of(state.next_window + n_windows - 1) + grid.window_samples
    padding = Stretch.zeros(kept.n_components, max(last_end - kept.end, 0))
    return _hand_out(grid, state._replace(kept=kept.add(padding)), n_windows)[1]


def _hand_out(grid: FrameGrid, state: FrameState, n_windows: int) -> tuple[FrameState, Frames]:
    following = state.next_window + n_windows
    windows: list[Stretch] = []
    for first in range(state.next_window, following, grid.joined):
        last = min(first + grid.joined, following) - 1
        end = grid.start_of(last) + grid.window_samples
        windows.append(state.kept.cut(grid.start_of(first), end))
    frames = Frames(state.next_window, [w.samples for w in windows], [w.present for w in windows])
    rest = state.kept.since(grid.start_of(following))
    return state._replace(next_window=following, kept=rest), frames
