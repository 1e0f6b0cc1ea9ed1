"""One opinion from several stations that look at the same event."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array

LEAST_PROBABILITY = 1e-4
"""No single record may say more than this against a class: a wild one must not decide alone."""


def fuse(probabilities: Float[Array, "record class"], correlation: float) -> Float[Array, " class"]:
    """Class probabilities of an event from those of its records.

    Independent records would multiply: `log p = sum_i log p_i + constant`, for classes that were
    equally likely in training. Records of one event are not independent (they share source and
    path, and the network errs alike on them), so n of them count as `n / (1 + (n - 1) r)`: all
    of them for a correlation r of 0, as one for 1. Fitted with the model.

    Args:
        probabilities: of each record; at least one.
        correlation: r, from 0 to 1.

    Source:
        Kish (1965), Survey Sampling, section 5.4 (design effect of a clustered sample).
    """
    told = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    total = told.sum(axis=0) / (1 + (len(told) - 1) * correlation)
    likelihood = np.exp(total - total.max())
    return likelihood / likelihood.sum()
