"""All that is measured of a picker on one phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.evaluate.calibration import (
    Coverage,
    ReliabilityBin,
    brier_score,
    calibration_error,
    reliability_table,
    uncertainty_coverage,
)
from zilzal.evaluate.interval import Estimate, Resampling
from zilzal.evaluate.phase import JudgedPicks, PhasePicks, PhaseTruth, judge_picks
from zilzal.evaluate.picks import PickScore, PickTolerance, score_picks
from zilzal.evaluate.polarity import PolarityScore, score_polarity
from zilzal.evaluate.position import PositionScatter, position_scatter
from zilzal.evaluate.sets import MeanScore, by_set, mean_over_sets
from zilzal.evaluate.sweep import (
    Sweep,
    own_thresholds,
    precision_at_recall,
    score_by_bins,
    sweep_thresholds,
)

BINS: Mapping[str, tuple[float, ...]] = {
    "snr_db": (-np.inf, 6.0, 12.0, 18.0, 24.0, 30.0, np.inf),
    "distance_km": (0.0, 10.0, 30.0, 60.0, 100.0, 200.0, np.inf),
    "s_minus_p_s": (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, np.inf),
}
"""Edges of the bins of each trait of a window; 6 dB are twice the amplitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What is measured, and how.

    Args:
        tolerances_s: at which precision, recall and F1 are given, rising.
        tolerance_s: of these, the one for tables by bin, sweeps, thresholds and comparisons.
        residual_s: a pick this near to a label is of the same arrival: residuals, calibration.
        recall: at which the precision is given.
        resampling: of the intervals.
    """

    tolerances_s: tuple[float, ...] = (0.1, 0.2, 0.5)
    tolerance_s: float = 0.2
    residual_s: float = 0.5
    recall: float = 0.85
    resampling: Resampling = field(default_factory=Resampling)

    def tolerance(self, tolerance_s: float) -> PickTolerance:
        """With the reach of the residuals."""
        return PickTolerance(tolerance_s=tolerance_s, residual_s=self.residual_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseScore:
    """Scores at several tolerances.

    Args:
        by_tolerance: by tolerance [s].
        precision_at_recall: the precision at the threshold where the recall is `Judging.recall`.
    """

    by_tolerance: Mapping[float, PickScore]
    precision_at_recall: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class BinScore:
    """A score for windows of similar kind.

    Args:
        low: lower edge, inclusive.
        high: upper edge, exclusive.
        score: at `Judging.tolerance_s`.
        coverage: of the uncertainties.
    """

    low: float
    high: float
    score: PickScore
    coverage: Coverage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseReport:
    """All that is measured of a picker on one phase.

    Args:
        threshold: picks at or above it are scored.
        pooled: all windows together.
        sets: each set alone, by name.
        mean: means over sets, by tolerance [s].
        bins: by trait of the windows and its bins, those without labels left out.
        sweep: at other thresholds.
        reliability: of the claimed probabilities, all picks, whatever the threshold.
        calibration_error: expected calibration error of these.
        brier: Brier score of these.
        coverage: of the claimed uncertainties.
        residual_s: of the pick nearest to each label.
        polarity: first motions; None where none is labelled.
        positions: picks of one onset at several positions; None where no onset is seen twice.
    """

    threshold: float
    pooled: PhaseScore
    sets: Mapping[str, PhaseScore]
    mean: Mapping[float, MeanScore]
    bins: Mapping[str, tuple[BinScore, ...]]
    sweep: Sweep
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    brier: float
    coverage: Coverage
    residual_s: Float[Array, " found"]
    polarity: PolarityScore | None
    positions: PositionScatter | None


def report_phase(
    truth: PhaseTruth,
    picks: PhasePicks,
    threshold: float,
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    judging: Judging = Judging(),
) -> PhaseReport:
    """Measure a picker on a phase.

    Args:
        truth: the windows.
        picks: all of the picker's, below the threshold too.
        threshold: from which picks are scored.
        names: of the sets, by number.
        rng: of the intervals.
        judging: what is measured.
    """
    kept = picks.above(threshold)
    judged = judge_picks(truth, kept, tolerance_s=judging.residual_s)
    claims = judge_picks(truth, picks, tolerance_s=judging.residual_s)
    reliability, error, brier = _calibration(claims)
    seen_twice = len(np.unique(truth.onset)) < len(truth.onset)
    return PhaseReport(
        threshold=threshold,
        pooled=score_phase(truth, picks, threshold, rng, judging=judging),
        sets={
            names[number]: score_phase(
                truth.where(mask), picks.of_records(mask), threshold, rng, judging=judging
            )
            for number, mask in by_set(truth).items()
        },
        mean={
            tolerance_s: mean_over_sets(
                truth, kept.onsets, rng, tolerance_s=tolerance_s, resampling=judging.resampling
            )
            for tolerance_s in judging.tolerances_s
        },
        bins={
            trait: _by_bin(truth, kept, judged, trait, rng, judging)
            for trait in BINS
            if np.isfinite(truth.traits[trait][truth.labels.record]).any()
        },
        sweep=sweep_thresholds(
            truth.records, truth.labels, picks.onsets, own_thresholds(picks.onsets),
            tolerance_s=judging.tolerance_s,
        ),
        reliability=reliability,
        calibration_error=error,
        brier=brier,
        coverage=uncertainty_coverage(judged.residual_s, judged.picks.uncertainty_s),
        residual_s=judged.residual_s[judged.is_right],
        polarity=score_polarity(truth, judged) if np.isfinite(truth.polarity).any() else None,
        positions=position_scatter(truth, kept.onsets) if seen_twice else None,
    )  # fmt: skip


def score_phase(
    truth: PhaseTruth,
    picks: PhasePicks,
    threshold: float,
    rng: np.random.Generator,
    *,
    judging: Judging = Judging(),
) -> PhaseScore:
    """Scores of the picks at or above a threshold, and what all of them could do."""
    kept = picks.above(threshold).onsets
    return PhaseScore(
        by_tolerance={
            tolerance_s: score_picks(
                truth.records, truth.labels, kept, rng,
                tolerance=judging.tolerance(tolerance_s), resampling=judging.resampling,
            )
            for tolerance_s in judging.tolerances_s
        },
        precision_at_recall=precision_at_recall(
            truth.records, truth.labels, picks.onsets, rng,
            recall=judging.recall, tolerance_s=judging.tolerance_s, resampling=judging.resampling,
        ),
    )  # fmt: skip


def _by_bin(
    truth: PhaseTruth,
    kept: PhasePicks,
    judged: JudgedPicks,
    trait: str,
    rng: np.random.Generator,
    judging: Judging,
) -> tuple[BinScore, ...]:
    values, edges = truth.traits[trait], BINS[trait]
    scores = score_by_bins(
        truth.records, truth.labels, kept.onsets, values, edges, rng,
        tolerance=judging.tolerance(judging.tolerance_s), resampling=judging.resampling,
    )  # fmt: skip
    value = values[truth.labels.record[judged.label[judged.is_right]]]
    residual_s = judged.residual_s[judged.is_right]
    sigma_s = judged.picks.uncertainty_s[judged.is_right]
    found: list[BinScore] = []
    for score, (low, high) in zip(scores, pairwise(edges), strict=True):
        inside = (value >= low) & (value < high)
        coverage = uncertainty_coverage(residual_s[inside], sigma_s[inside])
        if score.n_labels:
            found.append(BinScore(low=low, high=high, score=score, coverage=coverage))
    return tuple(found)


def _calibration(claims: JudgedPicks) -> tuple[tuple[ReliabilityBin, ...], float, float]:
    known = np.isfinite(claims.picks.claimed)
    claimed, is_right = claims.picks.claimed[known], claims.is_right[known]
    table = reliability_table(claimed, is_right)
    return tuple(table), calibration_error(table), brier_score(claimed, is_right)
