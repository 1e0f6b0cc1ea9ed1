"""First motions against labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from zilzal.core.arrays import Array
from zilzal.core.pick import Polarity
from zilzal.evaluate.interval import Estimate, wilson
from zilzal.evaluate.phase import JudgedPicks, PhaseTruth

SIGNS = (1.0, -1.0, 0.0)
POLARITIES = (Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.UNDECIDABLE)
"""Rows and columns of the confusion; `SIGNS` are their numbers in arrays."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolarityScore:
    """First motions of right picks whose labels have one.

    Args:
        confusion: rows are the labels', columns the picks', both as in `POLARITIES`.
        decided: share of the labels up or down on which the picker decides, Wilson's interval.
        right: share of the decided that are right, Wilson's interval.
    """

    confusion: Int[Array, "3 3"]
    decided: Estimate
    right: Estimate


def score_polarity(truth: PhaseTruth, judged: JudgedPicks) -> PolarityScore:
    """Count first motions; a pick that says nothing is undecided."""
    label = truth.polarity[judged.label[judged.is_right]]
    said = np.nan_to_num(judged.picks.polarity[judged.is_right], nan=0.0)
    confusion = np.array([[np.sum((label == a) & (said == b)) for b in SIGNS] for a in SIGNS])
    of_all, decided = int(confusion[:2].sum()), int(confusion[:2, :2].sum())
    return PolarityScore(
        confusion=confusion,
        decided=wilson(decided, of_all),
        right=wilson(int(np.trace(confusion[:2, :2])), decided),
    )
