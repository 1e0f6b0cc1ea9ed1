"""Whether a pick depends on where in the window its onset lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zilzal.evaluate.phase import PhaseTruth
from zilzal.evaluate.picks import Onsets, match_picks

SCATTER_S = 0.05
"""Picks of one onset that spread by more depend on the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionScatter:
    """Picks of the same onsets at several positions in their windows.

    Args:
        n_onsets: onsets that lie in two windows or more.
        always: share of them found in all their windows.
        sometimes: share found in some windows only.
        never: share found in none.
        median_s: standard deviation of an onset's pick times over its windows, median over the
            onsets found twice or more; NaN where there are none.
        p95_s: its 95th percentile.
        beyond: share of these onsets that scatter by more than `SCATTER_S`.
    """

    n_onsets: int
    always: float
    sometimes: float
    never: float
    median_s: float
    p95_s: float
    beyond: float


def position_scatter(truth: PhaseTruth, picks: Onsets, *, within_s: float = 0.5) -> PositionScatter:
    """How far the picks of one onset move when the window around it moves.

    Args:
        truth: each onset in several windows; those in one window only do not count.
        picks: at or above the picker's threshold.
        within_s: a pick this near to a label is of that onset.
    """
    labels, records = truth.labels, truth.records
    match = match_picks(records, labels, picks, tolerance_s=within_s)
    inside = (labels.time_s >= records.start_s[labels.record]) & (
        labels.time_s <= records.end_s[labels.record]
    )
    residual = np.full(len(labels), np.nan)
    residual[match.label_pick >= 0] = match.residual_s
    spreads: list[float] = []
    found_all = found_some = n_onsets = 0
    order = np.argsort(truth.onset[inside], kind="stable")
    onsets, residual = truth.onset[inside][order], residual[inside][order]
    for off in np.split(residual, np.flatnonzero(np.diff(onsets)) + 1) if len(onsets) else []:
        if len(off) < 2:
            continue
        found = off[np.isfinite(off)]
        n_onsets += 1
        found_all += len(found) == len(off)
        found_some += 0 < len(found) < len(off)
        if len(found) > 1:
            spreads.append(float(np.std(found, ddof=1)))
    of_all = n_onsets or np.nan
    spread = np.array(spreads)
    return PositionScatter(
        n_onsets=n_onsets,
        always=found_all / of_all,
        sometimes=found_some / of_all,
        never=(n_onsets - found_all - found_some) / of_all,
        median_s=float(np.median(spread)) if spreads else float("nan"),
        p95_s=float(np.quantile(spread, 0.95)) if spreads else float("nan"),
        beyond=float(np.mean(spread > SCATTER_S)) if spreads else float("nan"),
    )
