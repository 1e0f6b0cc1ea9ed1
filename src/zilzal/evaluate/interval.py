"""Values with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from zilzal.core.arrays import Array

_DRAWN_AT_ONCE = 1 << 23
"""Numbers of bootstrap samples that are held in memory together."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with an interval; NaN where there was nothing to estimate it from.

    Args:
        value: from all data.
        low: lower end of the interval; NaN where the data tell no spread.
        high: upper end of the interval; NaN likewise.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How intervals are drawn.

    Args:
        n_draws: bootstrap samples.
        level: share of them inside the interval.
    """

    n_draws: int = 1_000
    level: float = 0.95


def bootstrap_ratio(
    numerator: Float[Array, " group"],
    denominator: Float[Array, " group"],
    rng: np.random.Generator,
    *,
    resampling: Resampling = Resampling(),
) -> Estimate:
    """Sum of numerators over sum of denominators, drawing whole groups with replacement.

    Groups are what is independent (an event with all its records), so that ten picks of one event
    do not count as ten observations.

    Source:
        Efron & Tibshirani (1993), An introduction to the bootstrap, section 13.3 (percentiles).
    """
    total = denominator.sum()
    if not total > 0:
        return Estimate(np.nan, np.nan, np.nan)
    above, below = draw_sums(np.stack([numerator, denominator]), rng, resampling.n_draws)
    value, n_groups = float(numerator.sum() / total), int(np.count_nonzero(denominator))
    return estimate(value, quotient(above, below), resampling.level, n_groups=n_groups)


def quotient(
    above: Float[Array, "*shape"], below: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """Ratios; NaN where nothing stands below."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def bootstrap_median(
    values: Float[Array, " value"],
    rng: np.random.Generator,
    *,
    resampling: Resampling = Resampling(),
) -> Estimate:
    """Median of independent values with its percentile interval."""
    n = len(values)
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan)
    at_once = max(_DRAWN_AT_ONCE // n, 1)
    draws = [
        np.median(
            values[rng.integers(n, size=(min(at_once, resampling.n_draws - first), n))], axis=1
        )
        for first in range(0, resampling.n_draws, at_once)
    ]
    value, level = float(np.median(values)), resampling.level
    return estimate(value, np.concatenate(draws), level, n_groups=n)


def draw_sums(
    counts: Float[Array, "kind group"], rng: np.random.Generator, n_draws: int
) -> Float[Array, "kind draw"]:
    """Sums over the groups of each bootstrap sample; all kinds are drawn together."""
    n_groups = counts.shape[1]
    if n_groups == 0:
        return np.zeros((len(counts), n_draws))
    at_once = max(_DRAWN_AT_ONCE // n_groups, 1)
    parts = [
        counts @ draw_weights(n_groups, rng, min(at_once, n_draws - first)).T
        for first in range(0, n_draws, at_once)
    ]
    return np.concatenate(parts, axis=1)


def draw_weights(n_groups: int, rng: np.random.Generator, n_draws: int) -> Int[Array, "draw group"]:
    """How often each group comes in each bootstrap sample."""
    return rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_draws)


def wilson(n_right: float, n_all: float, *, z: float = 1.96) -> Estimate:
    """A share with Wilson's interval, which holds for small numbers and near 0 and 1.

    Source:
        Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    if n_all <= 0:
        return Estimate(np.nan, np.nan, np.nan)
    share = n_right / n_all
    centre = (share + z**2 / (2 * n_all)) / (1 + z**2 / n_all)
    half = z / (1 + z**2 / n_all) * np.sqrt(share * (1 - share) / n_all + (z / n_all / 2) ** 2)
    # The ends are exactly 0 and 1 where the share is; rounding must not pass them.
    return Estimate(share, float(max(centre - half, 0.0)), float(min(centre + half, 1.0)))


def median_absolute_deviation(values: Float[Array, " value"]) -> float:
    """Median distance from the median; NaN without values."""
    if len(values) == 0:
        return float("nan")
    return float(np.median(np.abs(values - np.median(values))))


def estimate(
    value: float, draws: Float[Array, " draw"], level: float, *, n_groups: int
) -> Estimate:
    """A value with the percentiles of its bootstrap draws; draws that are NaN do not count.

    Args:
        value: from all data.
        draws: from bootstrap samples.
        level: share of them inside the interval.
        n_groups: from how many groups the value comes. One group says nothing of the spread:
            the interval is NaN.
    """
    tail = (1 - level) / 2
    draws = draws[np.isfinite(draws)]
    if n_groups < 2 or not len(draws):
        return Estimate(value, np.nan, np.nan)
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(value, float(low), float(high))
