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
    padded = np.pad(curve, separation_samples, constant_values=-np.inf)
    np.nan_to_num(padded, copy=False, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    centre = high + separation_samples
    value = padded[centre]
    summits = (value > padded[centre - 1]) & (value >= padded[centre + 1])
    high, centre, value = high[summits], centre[summits], value[summits]
    around = np.lib.stride_tricks.sliding_window_view(padded, separation_samples)
    before = around[centre - separation_samples].max(axis=1)
    after = around[centre + 1].max(axis=1)
    return high[(value > before) & (value >= after)]


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
