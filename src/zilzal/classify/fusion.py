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
    equally likely in training. Those of one event count less, see `record_weight`.

    Args:
        probabilities: of each record; at least one.
        correlation: of the records, from 0 to 1.
    """
    told = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    total = told.sum(axis=0) * record_weight(len(told), correlation)
    likelihood = np.exp(total - total.max())
    return likelihood / likelihood.sum()


def record_weight(n_records: int, correlation: float) -> float:
    """How much each of an event's records counts, from 1 / n to 1.

    They are not independent (they share source and path, and the network errs alike on them), so
    n of them count as `n / (1 + (n - 1) r)`: all of them for a correlation r of 0, as one for 1.
    Fitted with the model.

    Args:
        n_records: n, at least one.
        correlation: r, from 0 to 1.

    Source:
        Kish (1965), Survey Sampling, section 5.4 (design effect of a clustered sample).
    """
    return 1 / (1 + (n_records - 1) * correlation)
