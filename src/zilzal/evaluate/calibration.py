"""Whether probabilities are what they claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.evaluate.interval import Estimate, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Picks of similar probability.

    Args:
        low: lower edge of the bin.
        high: upper edge of the bin.
        count: picks in it.
        mean_probability: what they claim; NaN in an empty bin.
        observed: share of them that is right, with Wilson's 95 % interval.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    observed: Estimate


def reliability_table(
    probability: Float[Array, " pick"], is_right: Bool[Array, " pick"], *, n_bins: int = 10
) -> list[ReliabilityBin]:
    """The reliability diagram's numbers in bins of equal width over [0, 1]."""
    edges = np.linspace(0, 1, n_bins + 1)
    which = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, n_bins - 1)
    table: list[ReliabilityBin] = []
    for number in range(n_bins):
        inside = which == number
        count = int(inside.sum())
        table.append(
            ReliabilityBin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                count=count,
                mean_probability=float(probability[inside].mean()) if count else float("nan"),
                observed=wilson(float(is_right[inside].sum()), count),
            )
        )
    return table


def calibration_error(table: list[ReliabilityBin]) -> float:
    """Expected calibration error: mean |claimed - observed| over picks; NaN without any.

    Source:
        Naeini et al. (2015), doi:10.1609/aaai.v29i1.9602.
    """
    filled = [row for row in table if row.count]
    if not filled:
        return float("nan")
    total = sum(row.count for row in filled)
    return sum(row.count * abs(row.mean_probability - row.observed.value) for row in filled) / total


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Whether residuals are as large as their uncertainties say.

    Args:
        count: residuals with an uncertainty.
        within_one: share within one standard deviation; 0.683 of normal errors.
        within_two: share within two; 0.954 of normal errors.
        median_uncertainty_s: half of the picks claim less.
    """

    count: int
    within_one: Estimate
    within_two: Estimate
    median_uncertainty_s: float


def uncertainty_coverage(
    residual_s: Float[Array, " pick"], uncertainty_s: Float[Array, " pick"]
) -> Coverage:
    """Shares of the residuals within one and two of their standard deviations, Wilson's interval.

    Args:
        residual_s: of right picks; NaN does not count.
        uncertainty_s: that each claims; NaN does not count.
    """
    known = np.isfinite(residual_s) & np.isfinite(uncertainty_s)
    off, sigma = np.abs(residual_s[known]), uncertainty_s[known]
    n = len(off)
    return Coverage(
        count=n,
        within_one=wilson(int((off <= sigma).sum()), n),
        within_two=wilson(int((off <= 2 * sigma).sum()), n),
        median_uncertainty_s=float(np.median(sigma)) if n else float("nan"),
    )


def brier_score(probability: Float[Array, " pick"], is_right: Bool[Array, " pick"]) -> float:
    """Mean squared difference of claim and outcome; NaN without picks.

    Source:
        Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    return float(np.mean((probability - is_right) ** 2)) if len(probability) else float("nan")
