"""A shorter window over a segment's newest samples, before the window of the grid is complete.

What two windows of the grid share is what a network wants to see on either side of a sample. So a
window of twice that length, which ends with the newest sample, says of its second half what the
long one will say, at a fraction of the cost; it has not seen what comes next, as nobody has.

Of a network whose reach is known, the shorter window decides what it sees in full, exactly as the
long one will, and says as much as is known of the newest samples.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.infer.overlap import Curves, OverlapState, finish_overlap, step_edge
from zilzal.infer.spec import ModelSpec
from zilzal.signal.edge import EdgeWindow
from zilzal.signal.frame import FrameState

_SHARE = 4
"""A shorter window has room for so great a part of the samples that a window decides."""


def context_samples(spec: ModelSpec) -> int:
    """What two windows share."""
    return spec.window_samples - spec.hop_samples


def unsettled_samples(spec: ModelSpec) -> int:
    """So many of the newest samples lack a part of what windows of the grid see after them.

    Where one window decides after the other, that is what the network looks ahead; otherwise half
    of what two windows share.
    """
    return spec.reach_samples[1] if spec.reach_samples else context_samples(spec) // 2


def newest_samples(spec: ModelSpec) -> int | None:
    """Length of the shorter window; None where it would say something else, or is no gain."""
    length = _length(spec)
    if spec.reach_samples is not None:
        return length if length < spec.window_samples else None
    is_along = spec.preparation.normalisation == "running" and spec.point_sample is None
    by_context = spec.edges == "padded" and spec.overlap == "context" and spec.peaks == "separated"
    return length if is_along and by_context and 0 < 2 * length <= spec.window_samples else None


def newest_window(spec: ModelSpec, state: FrameState) -> EdgeWindow | None:
    """The shorter window over what has come; None where that is less than a window's blind ends.

    Args:
        spec: of the network with its long windows.
        state: of the long windows: samples from the start of the next one on.
    """
    length, kept = _length(spec), state.kept
    before, after = spec.blinding
    if kept.end - max(kept.first, state.segment_start) <= before + after:
        return None
    step = _step(spec)
    start = max(kept.first, -(-(kept.end - length) // step) * step)
    if spec.reach_samples is not None:
        decided = max(start + spec.reach_samples[0], state.segment_start + before)
    elif start > kept.first:
        decided = max(start + context_samples(spec), state.segment_start + before)
    elif state.segment_start >= kept.first:
        decided = state.segment_start + before
    else:
        # As in the curves to come, the window before has its say in the first half of the context.
        decided = start + context_samples(spec) // 2
    cut = kept.cut(start, kept.end)
    padding = (0, 0), (0, length - cut.length)
    samples, present = np.pad(cut.samples, padding), np.pad(cut.present, padding)
    end = kept.end - after
    return EdgeWindow(start, min(decided, end), end, samples, present)


def newest_curves(
    spec: ModelSpec,
    state: OverlapState,
    frames: FrameState,
    window: EdgeWindow,
    output: Float32[Array, "label sample"],
) -> tuple[Curves, int | None]:
    """What the shorter window says, and the number of the first sample that it is right about.

    None where the curves continue those that are final, and are right from their start.

    Args:
        spec: of the network with its long windows.
        state: what long windows have said and is not final.
        frames: as they were when the window was cut.
        window: cut from them.
        output: of the network for it.
    """
    if window.start == frames.kept.first:
        joined = step_edge(state, window, output)
        return finish_overlap(spec, joined, frames.kept.end), None
    first = window.start + spec.blinding[0]
    place = slice(spec.blinding[0], window.end - window.start)
    return Curves(first, (output[:, place],)), window.first


def _length(spec: ModelSpec) -> int:
    if spec.reach_samples is None:
        return 2 * context_samples(spec)
    step = _step(spec)
    return sum(spec.reach_samples) + -(-spec.hop_samples // _SHARE // step) * step


def _step(spec: ModelSpec) -> int:
    """Windows begin at multiples of it, for those of the grid do; 1 where that does not matter."""
    return gcd(spec.window_samples, spec.hop_samples) if spec.reach_samples else 1
