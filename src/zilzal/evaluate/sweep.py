"""What changes with the threshold, and what differs between kinds of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.evaluate.interval import Estimate, Resampling, draw_sums, estimate, quotient
from zilzal.evaluate.picks import (
    Onsets,
    PickScore,
    PickTolerance,
    Records,
    count_by_group,
    match_picks,
    score_picks,
)

MAX_THRESHOLDS = 200
"""A finer sweep changes nothing that a reader could see."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Precision and recall by threshold, thresholds rising."""

    threshold: Float[Array, " threshold"]
    precision: Float[Array, " threshold"]
    recall: Float[Array, " threshold"]
    false_per_noise_hour: Float[Array, " threshold"]

    @property
    def f1(self) -> Float[Array, " threshold"]:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.precision + self.recall
        return np.divide(
            2 * self.precision * self.recall, total, out=np.zeros_like(total), where=total > 0
        )

    @property
    def best(self) -> int:
        """Number of the threshold with the largest F1; the highest of equals."""
        return int(np.flatnonzero(self.f1 == self.f1.max())[-1])

    def precision_at_recall(self, recall: float) -> float:
        """Largest precision among thresholds that reach the recall; NaN if none does."""
        reached = self.precision[self.recall >= recall]
        return float(reached.max()) if len(reached) else float("nan")


def sweep_thresholds(
    records: Records,
    labels: Onsets,
    picks: Onsets,
    thresholds: Sequence[float] | Float[Array, " threshold"],
    *,
    tolerance_s: float,
) -> Sweep:
    """Score the picks at or above each threshold, matching anew each time.

    Without any pick the precision is 1: nothing was said that is wrong.
    """
    rows: list[tuple[float, float, float]] = []
    noise_hours = records.hours(records.is_noise)
    for threshold in np.sort(np.asarray(thresholds, float)):
        kept = picks.where(picks.probability >= threshold)
        match = match_picks(records, labels, kept, tolerance_s=tolerance_s)
        right, false, missed = (
            float(x.sum()) for x in count_by_group(records, labels, kept, match)
        )
        n_noise = float((records.is_noise[kept.record] & match.is_scored).sum())
        rows.append(
            (
                right / (right + false) if right + false else 1.0,
                right / (right + missed) if right + missed else float("nan"),
                n_noise / noise_hours if noise_hours else float("nan"),
            )
        )
    precision, recall, per_hour = np.array(rows).reshape(-1, 3).T
    return Sweep(
        threshold=np.sort(np.asarray(thresholds, float)),
        precision=precision,
        recall=recall,
        false_per_noise_hour=per_hour,
    )


def own_thresholds(picks: Onsets, *, at_most: int = MAX_THRESHOLDS) -> Float[Array, " threshold"]:
    """Thresholds that let through ever fewer of the picks, rising: their own probabilities.

    All pickers are swept with equal care, whatever their probabilities are.
    """
    known = np.unique(picks.probability)
    if len(known) > at_most:
        known = np.quantile(known, np.linspace(0, 1, at_most), method="nearest")
    return np.unique(known)


def precision_at_recall(
    records: Records,
    labels: Onsets,
    picks: Onsets,
    rng: np.random.Generator,
    *,
    recall: float = 0.85,
    tolerance_s: float = 0.2,
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> Estimate:
    """Precision at the highest threshold whose recall is at least `recall`; NaN if none is.

    The threshold is one of the picks' own probabilities, at most `MAX_THRESHOLDS` of them. In
    each bootstrap draw it is chosen anew.
    """
    known = own_thresholds(picks)
    counts: list[Float[Array, "kind group"]] = []
    for threshold in known[::-1]:
        kept = picks.where(picks.probability >= threshold)
        match = match_picks(records, labels, kept, tolerance_s=tolerance_s)
        counts.append(np.stack(count_by_group(records, labels, kept, match)))
    if not counts or len(labels) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    table = np.stack(counts)
    n_groups = table.shape[2]
    drawn = draw_sums(table.reshape(-1, n_groups), rng, resampling.n_draws)
    exact, drawn = table.sum(axis=2), drawn.reshape(*table.shape[:2], -1)
    value = _first_that_reaches(exact[..., None], recall)[0]
    n_labelled = int(np.count_nonzero((table[0, 0] + table[0, 2]) > 0))
    return estimate(
        float(value), _first_that_reaches(drawn, recall), resampling.level, n_groups=n_labelled
    )


def _first_that_reaches(
    sums: Float[Array, "threshold kind draw"], recall: float
) -> Float[Array, " draw"]:
    """Precision at the first threshold whose recall reaches a value; NaN where none does."""
    right, false, missed = np.moveaxis(sums, 1, 0)
    reached = quotient(right, right + missed) >= recall
    first = reached.argmax(axis=0)
    precision = np.take_along_axis(quotient(right, right + false), first[None], axis=0)[0]
    return np.where(reached.any(axis=0), precision, np.nan)


def select_records(
    records: Records, labels: Onsets, picks: Onsets, mask: Bool[Array, " record"]
) -> tuple[Records, Onsets, Onsets]:
    """The same for some of the records only, numbered anew: for scores by distance, SNR, ..."""
    return records.where(mask), labels.of_records(mask), picks.of_records(mask)


def score_by_bins(
    records: Records,
    labels: Onsets,
    picks: Onsets,
    values: Float[Array, " record"],
    edges: Sequence[float],
    rng: np.random.Generator,
    *,
    tolerance: PickTolerance = PickTolerance(),  # noqa: B008 - a frozen value
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> list[PickScore]:
    """A score for the records with a value in each [edge, next edge); NaN is in no bin."""
    scores: list[PickScore] = []
    for low, high in pairwise(edges):
        some = select_records(records, labels, picks, (values >= low) & (values < high))
        scores.append(score_picks(*some, rng, tolerance=tolerance, resampling=resampling))
    return scores
