"""Scores by set, and their mean, in which a small set counts as much as a large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.evaluate.interval import Estimate, Resampling, draw_sums, estimate, quotient
from zilzal.evaluate.phase import PhaseTruth
from zilzal.evaluate.picks import Onsets, count_by_group, match_picks


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScore:
    """Means over the sets that have labels of the phase.

    Args:
        n_sets: how many there are.
        precision: mean of theirs.
        recall: mean of theirs.
        f1: mean of theirs.
    """

    n_sets: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


def by_set(truth: PhaseTruth) -> dict[int, Bool[Array, " record"]]:
    """Which windows are of each set, by the set's number."""
    return {int(number): truth.source == number for number in np.unique(truth.source)}


def mean_over_sets(
    truth: PhaseTruth,
    picks: Onsets,
    rng: np.random.Generator,
    *,
    tolerance_s: float,
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> MeanScore:
    """Score each set, and take the mean; intervals draw groups of records within each set.

    A set of one group adds no width to them.
    """
    n_groups = 0
    exact: list[Float[Array, "score 1"]] = []
    drawn: list[Float[Array, "score draw"]] = []
    for mask in by_set(truth).values():
        some, found = truth.where(mask), picks.of_records(mask)
        if len(some.labels):
            match = match_picks(some.records, some.labels, found, tolerance_s=tolerance_s)
            counts = np.stack(count_by_group(some.records, some.labels, found, match))
            n_groups = max(n_groups, counts.shape[1])
            exact.append(_three_scores(counts.sum(axis=1, keepdims=True)))
            drawn.append(_three_scores(draw_sums(counts, rng, resampling.n_draws)))
    told = [
        estimate(float(value), draws, resampling.level, n_groups=n_groups)
        for value, draws in zip(_mean_of_known(exact)[:, 0], _mean_of_known(drawn), strict=True)
    ]
    return MeanScore(n_sets=len(exact), precision=told[0], recall=told[1], f1=told[2])


def _three_scores(sums: Float[Array, "3 draw"]) -> Float[Array, "3 draw"]:
    """Precision, recall, F1 from right, false, missed."""
    right, false, missed = sums
    return np.stack(
        [
            quotient(right, right + false),
            quotient(right, right + missed),
            quotient(2 * right, 2 * right + false + missed),
        ]
    )


def _mean_of_known(scores: Sequence[Float[Array, "score draw"]]) -> Float[Array, "score draw"]:
    """Mean over sets; a set that has no value (the precision without picks) does not count."""
    if not scores:
        return np.full((3, 1), np.nan)
    table = np.stack(scores)
    known = np.isfinite(table)
    return quotient(np.where(known, table, 0).sum(axis=0), known.sum(axis=0).astype(float))
