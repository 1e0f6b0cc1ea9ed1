"""From outputs of overlapping windows to one continuous curve per label.

Where two windows overlap, one has seen more of what comes before a sample and the other more of
what comes after. With "context" each counts by the distance to its own edge, so that the one
that has seen enough on both sides decides; "mean" counts them alike, "max" takes the larger.

Only the valid part of a window counts, that is all but `blind_samples` at either edge; and of a
gap-free segment all but as many samples at its ends, where the network has seen padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.infer.spec import ModelSpec
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
    """Final values from a sample on; NaN where no window saw it."""

    first_number: int
    values: Float32[Array, "label sample"]


def start_overlap(spec: ModelSpec, first_number: int) -> OverlapState:
    """Begin a segment at a sample, counted from the epoch at the network's rate."""
    start = first_number + spec.blind_samples
    return OverlapState(start, np.zeros((len(spec.labels), 0), np.float32), np.zeros(0, np.float32))


def step_overlap(
    spec: ModelSpec,
    state: OverlapState,
    first_window: int,
    outputs: Sequence[Float32[Array, "label sample"]],
) -> tuple[OverlapState, Curves]:
    """Add consecutive windows; hand out what no later window reaches."""
    if len(outputs) == 0:
        return state, Curves(state.number, state.combined[:, :0])
    state = _add(spec, state, first_window, outputs)
    n_final = (first_window + len(outputs)) * spec.hop_samples + spec.blind_samples - state.number
    return _hand_out(spec, state, max(n_final, 0))


def finish_overlap(spec: ModelSpec, state: OverlapState, end_number: int) -> Curves:
    """The segment ended before `end_number`: hand out the rest up to the blind edge."""
    n_final = min(end_number - spec.blind_samples - state.number, state.combined.shape[1])
    state = state._replace(combined=state.combined.copy())
    return _hand_out(spec, state, max(n_final, 0))[1]


def _add(
    spec: ModelSpec,
    state: OverlapState,
    first_window: int,
    outputs: Sequence[Float32[Array, "label sample"]],
) -> OverlapState:
    blind, window = spec.blind_samples, spec.window_samples
    last = first_window + len(outputs) - 1
    filled = len(state.covered)
    end = max(last * spec.hop_samples + window - blind - state.number, filled)
    combined, covered = np.empty((len(spec.labels), end), np.float32), np.zeros(end, np.float32)
    combined[:, :filled], covered[:filled] = state.combined, state.covered
    weights = _weights(window, window - spec.hop_samples, spec.overlap == "context")
    for k, output in enumerate(outputs, first_window):
        # Number on the curves = number in the window + shift.
        shift = k * spec.hop_samples - state.number
        first, new, stop = blind + max(-shift - blind, 0), filled - shift, window - blind
        new = min(max(new, first), stop)
        shared, fresh = slice(first + shift, new + shift), slice(new + shift, stop + shift)
        if spec.overlap == "max":
            np.maximum(combined[:, shared], output[:, first:new], out=combined[:, shared])
            combined[:, fresh] = output[:, new:stop]
        else:
            combined[:, shared] += weights[first:new] * output[:, first:new]
            np.multiply(weights[new:stop], output[:, new:stop], out=combined[:, fresh])
        covered[shared] += weights[first:new]
        covered[fresh] = weights[new:stop]
        filled = max(stop + shift, filled)
    return OverlapState(state.number, combined, covered)


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
        if spec.overlap != "max":
            values[:, first:end] /= np.maximum(covered[first:end], np.finfo(np.float32).tiny)
        values[:, first:end][:, covered[first:end] == 0] = np.nan
    rest = OverlapState(
        state.number + n_final, state.combined[:, n_final:].copy(), state.covered[n_final:].copy()
    )
    return rest, Curves(state.number, values)
