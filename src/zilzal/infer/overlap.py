"""From outputs of overlapping windows to one continuous curve per label.

Where two windows overlap, one has seen more of what comes before a sample and the other more of
what comes after. With "context" each counts by the distance to its own edge, so that the one
that has seen enough on both sides decides; "mean" counts them alike, "max" takes the larger.

Only the valid part of a window counts, that is all but `blinding` at its edges; and of a gap-free
segment all but as many samples at its ends, where the network has seen padding.

Windows of a network whose reach is known decide what they see in full, each its own part: then
nothing is weighed, and curves are the same however long the windows are.

A network with one value per window gives points of a curve; between two of them it is a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.infer.spec import ModelSpec
from zilzal.signal.edge import EdgeWindow
from zilzal.signal.flaws import true_ranges


class OverlapState(NamedTuple):
    """Outputs of a segment that windows to come may still change.

    Args:
        number: of the first sample that is not final, counted from the epoch.
        combined: weighted sum (or maximum) of the outputs so far, from `number` on.
        covered: sum of the weights that went into each sample.
    """

    number: int
    combined: Float32[Array, "label sample"]
    covered: Float32[Array, " sample"]


class Curves(NamedTuple):
    """Final values from a sample on; NaN where no window saw it.

    They are left in parts that follow each other, as they came, for whoever reads them to put
    together once.
    """

    first_number: int
    parts: tuple[Float32[Array, "label sample"], ...]

    @property
    def length(self) -> int:
        """Number of samples."""
        return sum(part.shape[1] for part in self.parts)

    @property
    def values(self) -> Float32[Array, "label sample"]:
        """All parts as one."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts, axis=1)


def start_overlap(spec: ModelSpec, first_number: int) -> OverlapState:
    """Begin a segment at a sample, counted from the epoch at the network's rate."""
    start = first_number + spec.blinding[0]
    if spec.point_sample is not None:
        start = -(-first_number // spec.hop_samples) * spec.hop_samples + spec.point_sample
    return OverlapState(start, np.zeros((len(spec.labels), 0), np.float32), np.zeros(0, np.float32))


def step_overlap(
    spec: ModelSpec,
    state: OverlapState,
    first_window: int,
    outputs: Sequence[Float32[Array, "label ..."]],
) -> tuple[OverlapState, Curves]:
    """Add consecutive windows; hand out what no later window reaches."""
    if len(outputs) == 0:
        return state, Curves(state.number, (state.combined[:, :0],))
    if spec.reach_samples is not None:
        return _set_apart(spec, state, first_window, outputs)
    state = _add(spec, state, first_window, outputs)
    start, _, _ = _share(spec)
    n_final = (first_window + len(outputs)) * spec.hop_samples + start - state.number
    return _hand_out(spec, state, max(n_final, 0))


def finish_overlap(spec: ModelSpec, state: OverlapState, end_number: int) -> Curves:
    """The segment ended before `end_number`: hand out the rest up to the blind edge."""
    if spec.point_sample is not None:  # beyond the last point there is no line
        return Curves(state.number, (state.combined[:, :0],))
    n_final = min(end_number - spec.blinding[1] - state.number, state.combined.shape[1])
    state = state._replace(combined=state.combined.copy())
    return _hand_out(spec, state, max(n_final, 0))[1]


def step_edge(
    state: OverlapState, edge: EdgeWindow, output: Float32[Array, "label sample"]
) -> OverlapState:
    """Take the output of a window off the grid where it decides."""
    filled = len(state.covered)
    state = _grown(state, edge.end)
    state.combined[:, filled:] = 0
    place = slice(edge.first - state.number, edge.end - state.number)
    state.combined[:, place] = output[:, edge.first - edge.start : edge.end - edge.start]
    state.covered[place] = 1
    return state


def _set_apart(
    spec: ModelSpec,
    state: OverlapState,
    first_window: int,
    outputs: Sequence[Float32[Array, "label sample"]],
) -> tuple[OverlapState, Curves]:
    """Windows, some of them joined, that decide one part after the other."""
    before, after = spec.undecided
    number = first_window * spec.hop_samples + before
    parts: list[Float32[Array, "label sample"]] = []
    for output in outputs:
        decided = output[:, before : output.shape[1] - after]
        parts.append(decided[:, max(state.number - number, 0) :])
        number += decided.shape[1]
    return state._replace(number=max(number, state.number)), Curves(state.number, tuple(parts))


def _add(
    spec: ModelSpec,
    state: OverlapState,
    first_window: int,
    outputs: Sequence[Float32[Array, "label ..."]],
) -> OverlapState:
    begin, end, weights = _share(spec)
    last = first_window + len(outputs) - 1
    filled = len(state.covered)
    length = max(last * spec.hop_samples + end - state.number, filled)
    state = _grown(state, state.number + length)
    combined, covered = state.combined, state.covered
    for k, output in enumerate(outputs, first_window):
        # Number on the curves = number in the window + shift.
        shift = k * spec.hop_samples - state.number
        first = begin + max(-shift - begin, 0)
        new = min(max(filled - shift, first), end)
        shared, fresh = slice(first + shift, new + shift), slice(new + shift, end + shift)
        before, after = weights[first - begin : new - begin], weights[new - begin :]
        if spec.point_sample is None:
            in_shared, in_fresh = output[:, first:new], output[:, new:end]
        else:
            in_shared = in_fresh = output[:, None]
        if spec.overlap == "max":
            np.maximum(combined[:, shared], in_shared, out=combined[:, shared])
            combined[:, fresh] = in_fresh
        else:
            combined[:, shared] += before * in_shared
            np.multiply(after, in_fresh, out=combined[:, fresh])
        covered[shared] += before
        covered[fresh] = after
        filled = max(end + shift, filled)
    return state


def _grown(state: OverlapState, end_number: int) -> OverlapState:
    """A copy with room up to a sample; what is new in it holds nothing yet."""
    filled = len(state.covered)
    length = max(end_number - state.number, filled)
    combined, covered = (
        np.empty((len(state.combined), length), np.float32),
        np.zeros(length, np.float32),
    )
    combined[:, :filled], covered[:filled] = state.combined, state.covered
    return OverlapState(state.number, combined, covered)


def _share(spec: ModelSpec) -> tuple[int, int, Float32[Array, " sample"]]:
    """From which sample to before which a window has a say, and how much it counts there."""
    if spec.point_sample is not None:
        hop, point = spec.hop_samples, spec.point_sample
        return point - hop + 1, point + hop, _triangle(hop)
    before, after = spec.blinding
    window = spec.window_samples
    weights = _weights(window, window - spec.hop_samples, spec.overlap == "context")
    return before, window - after, weights[before : window - after]


@lru_cache(maxsize=16)
def _triangle(hop: int) -> Float32[Array, " sample"]:
    """Weights with which points become lines between them."""
    return (1 - np.abs(np.arange(1 - hop, hop)) / hop).astype(np.float32)


@lru_cache(maxsize=16)
def _weights(window: int, shared: int, by_context: bool) -> Float32[Array, " sample"]:
    """How much a window counts at each of its samples.

    The fourth power of the distance to the nearer edge, in units of what two windows share: a
    quarter into it, the window with more context counts 81 times as much.
    """
    if not by_context or shared <= 0:
        return np.ones(window, np.float32)
    from_edge = np.arange(window) + 0.5
    nearer = np.minimum(from_edge, from_edge[::-1])
    return (np.minimum(nearer / shared, 1.0) ** 4).astype(np.float32)


def _hand_out(spec: ModelSpec, state: OverlapState, n_final: int) -> tuple[OverlapState, Curves]:
    """Split off what is final; its samples are those of the state, changed in place."""
    values, covered = state.combined[:, :n_final], state.covered[:n_final]
    for first, end in true_ranges(covered != 1).tolist():
        shared, weight = values[:, first:end], covered[first:end]
        if spec.overlap != "max":
            shared /= np.maximum(weight, np.finfo(np.float32).tiny)
        if not weight.all():
            shared[:, weight == 0] = np.nan
    rest = OverlapState(
        state.number + n_final, state.combined[:, n_final:].copy(), state.covered[n_final:].copy()
    )
    return rest, Curves(state.number, (values,))
