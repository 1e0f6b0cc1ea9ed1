"""The one peak finder.

The rule is local, so that cutting a curve changes nothing: a sample is a peak if it reaches the
threshold and is the largest within a distance on either side; of equal ones the earliest.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from zilzal.core.arrays import Array


def find_peaks(
    curve: Float[Array, " sample"], threshold: float, *, separation_samples: int
) -> Int64[Array, " peak"]:
    """Places of the peaks of a curve, rising.

    Args:
        curve: any values; NaN is below everything.
        threshold: a peak is at least this high.
        separation_samples: a peak is the largest within so many samples on either side; at
            least 1. Beyond the curve's ends there is nothing.
    """
    if separation_samples < 1:
        raise ValueError(f"separation_samples must be at least 1, not {separation_samples}")
    high = np.flatnonzero(curve >= threshold)
    if len(high) == 0:
        return high
    nothing = np.float32(-np.inf)
    # NaN compares as false: a neighbour that is none, or beyond the end, is no obstacle.
    before = np.where(high > 0, curve[high - 1], nothing)
    after = np.where(high + 1 < len(curve), curve[(high + 1) % len(curve)], nothing)
    high = high[~(curve[high] <= before) & ~(curve[high] < after)]
    around = high[:, None] + np.arange(-separation_samples, separation_samples + 1)
    values = curve[np.clip(around, 0, len(curve) - 1)]
    values = np.where((around >= 0) & (around < len(curve)), values, nothing)
    np.nan_to_num(values, copy=False, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    top = values[:, separation_samples]
    before = values[:, :separation_samples].max(axis=1)
    after = values[:, separation_samples + 1 :].max(axis=1)
    return high[(top > before) & (top >= after)]


def refine_peak(curve: Float[Array, " sample"], peak: int) -> float:
    """Place of the top of the parabola through a peak and its neighbours, relative to the peak.

    Returns:
        Samples, in [-0.5, 0.5]; 0 at an end of the curve or beside a NaN.
    """
    if not 0 < peak < len(curve) - 1:
        return 0.0
    before, top, after = (float(value) for value in curve[peak - 1 : peak + 2])
    bend = before - 2.0 * top + after
    if not bend < 0.0:
        return 0.0
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
