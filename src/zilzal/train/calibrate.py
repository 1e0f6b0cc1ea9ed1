"""What a picker's outputs mean: thresholds, probabilities, uncertainties of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.evaluate.picks import Onsets, match_picks
from zilzal.infer.spec import Table
from zilzal.train.skill import Trial, arranged

RIGHT_S = 0.5
"""A pick this near to a label is of the same arrival."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """Picks of a phase on development windows.

    Args:
        output: of the network at the peak.
        is_right: whether a label lies within 0.5 s.
        residual_s: pick minus label, of the right ones in their order.
    """

    output: Float[Array, " pick"]
    is_right: Bool[Array, " pick"]
    residual_s: Float[Array, " right"]


def judge(trials: Sequence[Trial], picks: Onsets, phase: Phase) -> Judged:
    """Which picks are right and by how much they are off; those at the data's ends left out."""
    records, labels, picks = arranged(trials, picks, phase)
    match = match_picks(records, labels, picks, tolerance_s=RIGHT_S)
    found = match.label_pick >= 0
    chosen = match.label_pick[found]
    residual = np.full(len(picks), np.nan)
    residual[chosen] = picks.time_s[chosen] - labels.time_s[found]
    scored = match.is_scored
    right = match.is_right[scored]
    return Judged(
        output=picks.probability[scored], is_right=right, residual_s=residual[scored][right]
    )


KNOTS = (
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.85,
    0.9,
    0.93,
    0.95,
    0.97,
    0.98,
    0.99,
)
"""Outputs at which a calibration is tabled."""


def calibration_table(judged: Judged) -> Table:
    """From a peak's height to the probability that such a pick is right, always rising.

    A logistic regression on the logit of the height: two numbers, so that few picks suffice.

    Source:
        Platt (1999), Probabilistic outputs for support vector machines; his targets, which keep
        probabilities off 0 and 1, are used.
    """
    from scipy.optimize import minimize

    n_right = float(judged.is_right.sum())
    n_false = len(judged.is_right) - n_right
    wanted = np.where(judged.is_right, (n_right + 1) / (n_right + 2), 1 / (n_false + 2))
    logit = _logit(judged.output)

    def loss(slope_offset: Float[Array, " parameter"]) -> float:
        z = slope_offset[0] * logit + slope_offset[1]
        return float(np.mean(np.logaddexp(0, z) - wanted * z))

    slope, offset = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    z = slope * _logit(np.array(KNOTS)) + offset
    return tuple(
        (knot, round(float(p), 4)) for knot, p in zip(KNOTS, 1 / (1 + np.exp(-z)), strict=True)
    )


def _logit(probability: Float[Array, " pick"]) -> Float[Array, " pick"]:
    inside = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))


WITHIN = 0.68
"""Share of the residuals within the uncertainty: a standard deviation's of a normal law."""


_FINEST_S = 1e-4
"""Nothing is known better."""


def uncertainty_table(
    judged: Judged, probability: Float[Array, " pick"], *, n_bins: int = 5
) -> Table:
    """From a probability to the half width that holds 68 % of the residuals, never rising.

    Bins that would rise are pooled; then all are scaled, since between two bins the straight line
    between their widths is not quite what holds 68 %.

    Args:
        judged: the picks.
        probability: calibrated, of all picks.
        n_bins: with equally many right picks in each.
    """
    from sklearn.isotonic import IsotonicRegression

    chosen, off = probability[judged.is_right], np.abs(judged.residual_s)
    parts = np.array_split(np.argsort(chosen, kind="stable"), n_bins)
    middle = [round(float(np.median(chosen[part])), 4) for part in parts]
    width = [max(float(np.quantile(off[part], WITHIN)), _FINEST_S) for part in parts]
    falling = IsotonicRegression(increasing=False).fit_transform(middle, width)
    rows = dict(zip(middle, falling.tolist(), strict=True))
    scale = np.quantile(off / apply_table(tuple(sorted(rows.items())), chosen), WITHIN)
    return tuple((p, round(float(scale) * w, 4)) for p, w in sorted(rows.items()))


def apply_table(table: Table, values: Float[Array, " pick"]) -> Float[Array, " pick"]:
    """A table's value for many at once."""
    x, y = zip(*table, strict=True)
    return np.interp(values, x, y)


def share_within(judged: Judged, sigma_s: Float[Array, " pick"]) -> float:
    """Share of the right picks whose residual is within their uncertainty; 0.68 is wanted."""
    return float((np.abs(judged.residual_s) <= sigma_s[judged.is_right]).mean())
