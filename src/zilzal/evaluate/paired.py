"""Two pickers on the same windows: how much better is one, and is that more than chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from zilzal.core.arrays import Array
from zilzal.evaluate.interval import Estimate, Resampling, draw_sums, estimate, quotient
from zilzal.evaluate.picks import Onsets, PickTolerance, Records, match_picks


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerDifference:
    """First picker minus second, with intervals that draw the same events for both.

    Where an interval holds no zero, the difference is more than the choice of events explains.

    Args:
        precision: share of picks that are right.
        recall: share of labels that were found.
        f1: harmonic mean of both.
        n_shared: labels for which both have a pick within `residual_s`.
        mean_absolute_s: mean absolute residual of those; negative is in the first one's favour.
        false_per_noise_hour: negative is in the first one's favour.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate
    n_shared: int
    mean_absolute_s: Estimate
    false_per_noise_hour: Estimate


def compare_pickers(
    records: Records,
    labels: Onsets,
    first: Onsets,
    second: Onsets,
    rng: np.random.Generator,
    *,
    tolerance: PickTolerance = PickTolerance(),  # noqa: B008 - a frozen value
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> PickerDifference:
    """Score both, and draw events (groups of records) with replacement for the difference.

    Source:
        Efron & Tibshirani (1993), An introduction to the bootstrap, chapter 8: what is paired is
        drawn as pairs.
    """
    counts = [_counts(records, labels, picks, tolerance) for picks in (first, second)]
    off, shared = _shared_residuals(records, labels, first, second, tolerance)
    noise = np.flatnonzero(records.is_noise)
    noise_hours = (records.end_s - records.start_s)[noise] / 3_600
    table = np.vstack([
        *counts,
        records.by_group(labels.record[shared], off),
        records.by_group(labels.record[shared]),
        records.by_group(noise, noise_hours),
    ])  # fmt: skip
    exact = _differences(table.sum(axis=1, keepdims=True))
    drawn = _differences(draw_sums(table, rng, resampling.n_draws))
    n_of = _groups_behind(table)
    told = {
        name: estimate(
            float(exact[name][0]), drawn[name], resampling.level, n_groups=n_of.get(name, n_of[""])
        )
        for name in exact
    }
    return PickerDifference(n_shared=len(shared), **told)


def _groups_behind(table: Float[Array, "kind group"]) -> dict[str, int]:
    """How many groups each quantity comes from; those not named come from the labelled ones."""
    rows = {"": [0, 1, 2, 4, 5, 6], "mean_absolute_s": [9], "false_per_noise_hour": [10]}
    return {name: int(table[chosen].any(axis=0).sum()) for name, chosen in rows.items()}


def _counts(
    records: Records, labels: Onsets, picks: Onsets, tolerance: PickTolerance
) -> Float[Array, "4 group"]:
    """Right, false, missed and noise picks of each group."""
    match = match_picks(records, labels, picks, tolerance_s=tolerance.tolerance_s)
    in_noise = records.is_noise[picks.record]
    kinds = (
        picks.record[match.is_right],
        picks.record[match.is_scored & ~match.is_right & ~in_noise],
        labels.record[match.label_pick < 0],
        picks.record[match.is_scored & in_noise],
    )
    return np.stack([records.by_group(record) for record in kinds])


def _shared_residuals(
    records: Records, labels: Onsets, first: Onsets, second: Onsets, tolerance: PickTolerance
) -> tuple[Float[Array, " shared"], Int[Array, " shared"]]:
    """By how much more the first is off on the labels that both found, and which these are."""
    off: list[Float[Array, " label"]] = []
    for picks in (first, second):
        match = match_picks(records, labels, picks, tolerance_s=tolerance.residual_s)
        absolute = np.full(len(labels), np.nan)
        absolute[match.label_pick >= 0] = np.abs(match.residual_s)
        off.append(absolute)
    difference = off[0] - off[1]
    shared = np.flatnonzero(np.isfinite(difference))
    return difference[shared], shared


def _differences(sums: Float[Array, "kind draw"]) -> dict[str, Float[Array, " draw"]]:
    right, false, missed, noise = sums[0:8:4], sums[1:8:4], sums[2:8:4], sums[3:8:4]
    off, n_shared, hours = sums[8:]
    both = {
        "precision": quotient(right, right + false),
        "recall": quotient(right, right + missed),
        "f1": quotient(2 * right, 2 * right + false + missed),
        "false_per_noise_hour": quotient(noise, np.broadcast_to(hours, noise.shape)),
    }
    return {
        **{name: values[0] - values[1] for name, values in both.items()},
        "mean_absolute_s": quotient(off, n_shared),
    }
