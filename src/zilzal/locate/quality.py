"""How good an origin is: ellipse, gap and a letter."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.event import Ellipse

LEVEL = 0.68
"""Share of the probability inside the reported ellipse."""

# letter: longest semi-axis [m], depth error [m], gap [deg], rms [s], arrivals
_LEAST = {
    "A": (1_000.0, 2_000.0, 180.0, 0.3, 8),
    "B": (2_500.0, 5_000.0, 240.0, 0.5, 6),
    "C": (10_000.0, np.inf, 360.0, 1.0, 5),
}


def ellipse_of(covariance_m2: Float64[Array, "2 2"], level: float = LEVEL) -> Ellipse:
    """The ellipse of a normal distribution that holds a share of its probability.

    Args:
        covariance_m2: of east and north.
        level: the share.

    Source:
        Two squared normal deviates add up to chi-square with two degrees of freedom, of which
        a share `level` lies below -2 ln(1 - level): the semi-axes are 1.51 standard deviations
        at 68 %, not 1 as in one dimension.
    """
    scale = -2 * np.log1p(-level)
    variances, axes = np.linalg.eigh(covariance_m2)
    minor, major = np.sqrt(scale * np.maximum(variances, 0.0))
    azimuth = float(np.degrees(np.arctan2(axes[0, 1], axes[1, 1])) % 180)
    return Ellipse(
        semi_major_m=float(major), semi_minor_m=float(minor), azimuth_deg=azimuth, level=level
    )


def letter(
    *, semi_major_m: float, depth_error_m: float, gap_deg: float, rms_s: float, n_arrivals: int
) -> str:
    """A for the best to D: the first letter of which all five conditions hold.

    A: ellipse up to 1 km, depth 2 km, gap 180 degrees, rms 0.3 s, at least 8 arrivals.
    B: 2.5 km, 5 km, 240 degrees, 0.5 s, 6. C: 10 km, any depth and gap, 1 s, 5. D: the rest.

    Args:
        semi_major_m: of the ellipse at 68 %.
        depth_error_m: standard deviation; infinite where the depth was fixed.
        gap_deg: azimuthal.
        rms_s: weighted, of the residuals.
        n_arrivals: that were used.
    """
    for name, (axis_m, depth_m, gap, rms, count) in _LEAST.items():
        fits = (semi_major_m <= axis_m, depth_error_m <= depth_m, gap_deg <= gap, rms_s <= rms)
        if all(fits) and n_arrivals >= count:
            return name
    return "D"
