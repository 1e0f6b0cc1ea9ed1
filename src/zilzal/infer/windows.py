"""From the prepared samples of a segment to a network's windows, and from its outputs to curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.waveform import Window
from zilzal.infer.engine import Model
from zilzal.infer.overlap import (
    Curves,
    OverlapState,
    finish_overlap,
    start_overlap,
    step_edge,
    step_overlap,
)
from zilzal.infer.spec import ModelSpec
from zilzal.signal.edge import EdgeState, EdgeWindow, finish_edges, start_edges, step_edges
from zilzal.signal.frame import (
    FrameGrid,
    Frames,
    FrameState,
    finish_frames,
    start_frames,
    step_frames,
)
from zilzal.signal.prepare import finish_preparation, start_preparation, step_preparation


class Cutting(NamedTuple):
    """What windows to come still need; `edges` is None where there are none off the grid."""

    frames: FrameState
    edges: EdgeState | None


class Cut(NamedTuple):
    """Windows of a segment that are complete: of the grid, in order, and off it."""

    frames: list[Frames]
    edges: list[EdgeWindow]

    @property
    def windows(self) -> list[Float32[Array, "component sample"]]:
        """All of them, those of the grid first."""
        on_grid = [window for frames in self.frames for window in frames.samples]
        return [*on_grid, *(edge.samples for edge in self.edges)]

    @property
    def masks(self) -> list[Bool[Array, "component sample"]]:
        """Which samples of the windows are recorded."""
        on_grid = [mask for frames in self.frames for mask in frames.present]
        return [*on_grid, *(edge.present for edge in self.edges)]

    @property
    def length(self) -> int:
        """Number of windows."""
        return sum(len(frames.samples) for frames in self.frames) + len(self.edges)


def start_windows(
    spec: ModelSpec, first_number: int, n_components: int
) -> tuple[Cutting, OverlapState]:
    """Begin a segment at a sample, counted from the epoch at the network's rate."""
    grid = _grid(spec)
    edges = start_edges(grid, first_number, n_components) if spec.edges == "flush" else None
    frames = start_frames(grid, first_number, n_components)
    return Cutting(frames, edges), start_overlap(spec, first_number)


def cut_windows(
    model: Model,
    state: Cutting,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
    *,
    ends: bool,
) -> tuple[Cutting, Cut]:
    """Take more prepared samples of the segment; hand out the windows that are complete.

    Args:
        model: the network.
        state: from the step before.
        samples: that follow.
        present: their mask.
        ends: whether the segment ends with them.
    """
    spec, grid = model.spec, _grid(model.spec, model.joined)
    frame_state, frames = step_frames(grid, state.frames, samples, present)
    handed_out = [frames, finish_frames(grid, frame_state)] if ends else [frames]
    if state.edges is None:
        return Cutting(frame_state, None), Cut(handed_out, [])
    edges, opening = step_edges(grid, state.edges, samples, present, blinding=spec.blinding)
    closing = finish_edges(grid, edges, blinding=spec.blinding) if ends else None
    off_grid = [edge for edge in (opening, closing) if edge is not None]
    return Cutting(frame_state, edges), Cut(handed_out, off_grid)


def join_outputs(
    spec: ModelSpec,
    state: OverlapState,
    cut: Cut,
    outputs: Sequence[Float32[Array, "label ..."]],
    *,
    end_number: int | None,
) -> tuple[OverlapState, Curves]:
    """Curves as far as no window to come can change them.

    Args:
        spec: of the network.
        state: from the step before.
        cut: the windows.
        outputs: for them.
        end_number: of the first sample after the segment; None where it goes on.
    """
    n_on_grid = len(outputs) - len(cut.edges)
    for edge, output in zip(cut.edges, outputs[n_on_grid:], strict=True):
        state = step_edge(state, edge, output)
    state, curves = step_overlap(spec, state, cut.frames[0].first_window, outputs[:n_on_grid])
    if end_number is None:
        return state, curves
    rest = finish_overlap(spec, state, end_number)
    values = np.concatenate((*curves.parts, *rest.parts), axis=1)
    length = max(end_number - spec.blinding[1] - curves.first_number, 0)
    return state, Curves(curves.first_number, (values[:, :length],))


def curves_of(model: Model, window: Window) -> Curves:
    """What a network says along one gap-free record, from its first sample to its last.

    `zilzal.pick.neural` does the same piece by piece.
    """
    spec = model.spec
    begun = start_preparation(
        spec.preparation, window.sampling_rate, window.first_number, len(window.samples)
    )
    state, first = step_preparation(spec.preparation, begun, window.samples, window.present)
    rest = finish_preparation(spec.preparation, state)
    samples, present = (np.concatenate(pair, axis=1) for pair in zip(first, rest, strict=True))
    cutting, overlap = start_windows(spec, begun.number, len(samples))
    _, cut = cut_windows(model, cutting, samples, present, ends=True)
    outputs = model.predict_each(cut.windows, cut.masks)
    end_number = begun.number + samples.shape[1]
    return join_outputs(spec, overlap, cut, outputs, end_number=end_number)[1]


def _grid(spec: ModelSpec, joined: int = 1) -> FrameGrid:
    if spec.edges == "padded":
        (before, after), (blind, blind_end) = spec.undecided, spec.blinding
        return FrameGrid(
            window_samples=spec.window_samples,
            hop_samples=spec.hop_samples,
            margin_samples=blind + blind_end,
            context_samples=(before - blind, after - blind_end),
            joined=joined,
        )
    return FrameGrid(window_samples=spec.window_samples, hop_samples=spec.hop_samples, whole=True)
