"""How far values spread, whatever a few wild ones among them are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array

GAUSSIAN_MAD = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""


def robust_sigma(values: Float[Array, " value"]) -> float:
    """Standard deviation of the normal distribution with these values' median absolute deviation.

    Args:
        values: at least one.
    """
    return GAUSSIAN_MAD * float(np.median(np.abs(values - np.median(values))))
