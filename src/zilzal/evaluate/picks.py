"""Picks against labels: strict counts, residuals, sweeps over the threshold, calibration.

Everything is said of one phase at a time. Onsets of many records lie in flat arrays with the
number of their record, so that a thousand records score as quickly as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zilzal.core.arrays import Array
from zilzal.evaluate.assignment import assign, pairs_within
from zilzal.evaluate.interval import (
    Estimate,
    Resampling,
    bootstrap_median,
    bootstrap_ratio,
    median_absolute_deviation,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Onsets:
    """Picks or labels of one phase in many records.

    Args:
        record: number of the record, from 0.
        time_s: after any instant that is the record's own.
        probability: the picker's, on which its threshold acts; 1 for labels.
    """

    record: Int[Array, " onset"]
    time_s: Float[Array, " onset"]
    probability: Float[Array, " onset"]

    @classmethod
    def labels(cls, record: Int[Array, " onset"], time_s: Float[Array, " onset"]) -> Onsets:
        """Labels, of which all are certain."""
        return cls(record=record, time_s=time_s, probability=np.ones(len(record)))

    def where(self, mask: Bool[Array, " onset"]) -> Onsets:
        """Those of the mask."""
        return Onsets(
            record=self.record[mask], time_s=self.time_s[mask], probability=self.probability[mask]
        )

    def of_records(self, mask: Bool[Array, " record"]) -> Onsets:
        """Those in the records of a mask, whose records are numbered anew."""
        kept = self.where(mask[self.record])
        number = np.cumsum(mask) - 1
        return Onsets(record=number[kept.record], time_s=kept.time_s, probability=kept.probability)

    def __len__(self) -> int:
        return len(self.record)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """Spans of a sensor's time in which all onsets of the phase are labelled.

    A record without the label that is not noise says nothing on the phase: leave it out.

    Args:
        group: what is drawn together in intervals, as the number of the event.
        start_s: where scoring starts, in the record's own time.
        end_s: where it ends, exclusive.
        is_noise: known to hold no event; its picks count as false per hour, not in the precision.
    """

    group: Int[Array, " record"]
    start_s: Float[Array, " record"]
    end_s: Float[Array, " record"]
    is_noise: Bool[Array, " record"]

    def where(self, mask: Bool[Array, " record"]) -> Records:
        """Those of the mask."""
        return Records(
            group=self.group[mask],
            start_s=self.start_s[mask],
            end_s=self.end_s[mask],
            is_noise=self.is_noise[mask],
        )

    def by_group(
        self, record: Int[Array, " thing"], values: Float[Array, " thing"] | None = None
    ) -> Float[Array, " group"]:
        """How many things, or how much of them, lie in each group, groups in rising order.

        Args:
            record: of each thing.
            values: of each; 1 where not given.
        """
        _, group = np.unique(self.group, return_inverse=True)
        n_groups = int(group.max(initial=-1)) + 1
        return np.bincount(group[record], weights=values, minlength=n_groups).astype(float)

    def hours(self, mask: Bool[Array, " record"]) -> float:
        """Time of the records of a mask."""
        return float((self.end_s - self.start_s)[mask].sum() / 3_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickTolerance:
    """What counts as right.

    Args:
        tolerance_s: a pick this near to a label is right.
        residual_s: residuals are taken from the pick nearest to each label within this, right or
            not; one further than `tolerance_s` is an outlier.
    """

    tolerance_s: float = 0.2
    residual_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PickMatch:
    """Which pick belongs to which label.

    Args:
        label_pick: number of each label's pick; -1 where it was missed.
        residual_s: pick minus label of each label that was found.
        is_right: whether each pick is a label's.
        is_scored: whether each pick lies in the scored span of its record.
    """

    label_pick: Int[Array, " label"]
    residual_s: Float[Array, " found"]
    is_right: Bool[Array, " pick"]
    is_scored: Bool[Array, " pick"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """How pick times spread about the labels; NaN where there are none.

    Args:
        count: number of residuals.
        median_s: positive is late.
        mean_s: positive is late.
        mean_absolute_s: mean of the absolute values.
        mad_s: median absolute deviation from the median, not scaled.
        outlier_share: further from the label than the tolerance.
    """

    count: int
    median_s: Estimate
    mean_s: float
    mean_absolute_s: float
    mad_s: float
    outlier_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PickScore:
    """What a picker did with one phase.

    Args:
        n_labels: labels in scored spans.
        n_right: labels that were found.
        n_false: picks in labelled records that are no label's.
        precision: share of the picks in labelled records that are right.
        recall: share of the labels that were found.
        f1: harmonic mean of both.
        residuals: of the picks nearest to the labels.
        n_noise_picks: picks in records of noise.
        false_per_noise_hour: picks per hour of noise; NaN without noise.
        false_per_station_hour: false picks and picks in noise, per hour of all records.
    """

    n_labels: int
    n_right: int
    n_false: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    residuals: Residuals
    n_noise_picks: int
    false_per_noise_hour: float
    false_per_station_hour: float


def match_picks(
    records: Records, labels: Onsets, picks: Onsets, *, tolerance_s: float
) -> PickMatch:
    """Tie each label to at most one pick within the tolerance.

    As many labels as possible get a pick, then the sum of absolute residuals is least; a second
    pick near the same label is false.
    """
    is_scored = (picks.time_s >= records.start_s[picks.record]) & (
        picks.time_s <= records.end_s[picks.record]
    )
    scored = np.flatnonzero(is_scored)
    # One axis for all records: each gets a stretch of its own, far from the next.
    stride = float(np.ptp(np.concatenate([labels.time_s, picks.time_s, [0.0]]))) + 3 * tolerance_s
    label_axis = labels.time_s + labels.record * (stride + 1)
    pick_axis = picks.time_s[scored] + picks.record[scored] * (stride + 1)
    # The pairs are taken a little wide, since the long axis rounds, then checked exactly.
    label, pick = pairs_within(label_axis, pick_axis, tolerance_s * (1 + 1e-6) + 1e-6)
    pick = scored[pick]
    residual = picks.time_s[pick] - labels.time_s[label]
    # A tolerance of 0.1 s must take a pick ten samples away, whatever 0.1 is in binary.
    near = (np.abs(residual) <= tolerance_s + 1e-9) & (picks.record[pick] == labels.record[label])
    label, pick, residual = label[near], pick[near], residual[near]
    chosen = assign(label, pick, np.abs(residual))
    label_pick = np.full(len(labels), -1)
    label_pick[label[chosen]] = pick[chosen]
    is_right = np.zeros(len(picks), bool)
    is_right[pick[chosen]] = True
    found = residual[chosen][np.argsort(label[chosen])]
    return PickMatch(
        label_pick=label_pick, residual_s=found, is_right=is_right, is_scored=is_scored
    )


def score_picks(
    records: Records,
    labels: Onsets,
    picks: Onsets,
    rng: np.random.Generator,
    *,
    tolerance: PickTolerance = PickTolerance(),
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> PickScore:
    """Score a picker strictly: each pick beyond the first of a label is false.

    Intervals draw whole groups of records with replacement; that of the median residual draws
    single residuals.

    Raises:
        ValueError: a label lies in a record of noise.
    """
    if records.is_noise[labels.record].any():
        raise ValueError("a label lies in a record of noise; noise must be free of labels")
    match = match_picks(records, labels, picks, tolerance_s=tolerance.tolerance_s)
    right, false, missed = count_by_group(records, labels, picks, match)
    in_noise = records.is_noise[picks.record] & match.is_scored
    noise_hours = records.hours(records.is_noise)
    hours = records.hours(np.ones(len(records.group), bool))
    n_noise, n_false = int(in_noise.sum()), int(false.sum())
    near = match_picks(records, labels, picks, tolerance_s=tolerance.residual_s)
    return PickScore(
        n_labels=len(labels),
        n_right=int(right.sum()),
        n_false=n_false,
        precision=bootstrap_ratio(right, right + false, rng, resampling=resampling),
        recall=bootstrap_ratio(right, right + missed, rng, resampling=resampling),
        f1=bootstrap_ratio(2 * right, 2 * right + false + missed, rng, resampling=resampling),
        residuals=_spread(near.residual_s, tolerance.tolerance_s, rng, resampling),
        n_noise_picks=n_noise,
        false_per_noise_hour=n_noise / noise_hours if noise_hours else float("nan"),
        false_per_station_hour=(n_noise + n_false) / hours if hours else float("nan"),
    )


def count_by_group(
    records: Records, labels: Onsets, picks: Onsets, match: PickMatch
) -> tuple[Float[Array, " group"], Float[Array, " group"], Float[Array, " group"]]:
    """Right, false and missed ones of each group that holds a label or a pick that counts."""
    counted = match.is_scored & ~records.is_noise[picks.record]
    # Groups of noise alone are no part of the draw.
    live = records.by_group(np.flatnonzero(~records.is_noise)) > 0
    right = records.by_group(picks.record[match.is_right])
    false = records.by_group(picks.record[counted & ~match.is_right])
    missed = records.by_group(labels.record[match.label_pick < 0])
    return right[live], false[live], missed[live]


def _spread(
    residual_s: Float[Array, " found"],
    tolerance_s: float,
    rng: np.random.Generator,
    resampling: Resampling,
) -> Residuals:
    n = len(residual_s)
    return Residuals(
        count=n,
        median_s=bootstrap_median(residual_s, rng, resampling=resampling),
        mean_s=float(residual_s.mean()) if n else float("nan"),
        mean_absolute_s=float(np.abs(residual_s).mean()) if n else float("nan"),
        mad_s=median_absolute_deviation(residual_s),
        outlier_share=float((np.abs(residual_s) > tolerance_s + 1e-9).mean()) if n else np.nan,
    )
