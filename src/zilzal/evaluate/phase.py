"""One phase in many windows: what is known of it, and what a picker says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zilzal.core.arrays import Array
from zilzal.evaluate.picks import Onsets, Records, match_picks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseTruth:
    """Windows in which a phase is labelled, and windows of noise.

    Args:
        records: the windows.
        labels: its onsets in them.
        onset: number of each label's onset; labels of one onset, seen in several windows, share it.
        polarity: first motion of each label: 1 up, -1 down, 0 undecidable, NaN where not labelled.
        source: number of each window's set.
        traits: what windows may be sorted by, as "snr_db"; NaN where not known.
    """

    records: Records
    labels: Onsets
    onset: Int[Array, " label"]
    polarity: Float[Array, " label"]
    source: Int[Array, " record"]
    traits: Mapping[str, Float[Array, " record"]]

    def where(self, mask: Bool[Array, " record"]) -> PhaseTruth:
        """The windows of the mask, numbered anew."""
        kept = mask[self.labels.record]
        return PhaseTruth(
            records=self.records.where(mask),
            labels=self.labels.of_records(mask),
            onset=self.onset[kept],
            polarity=self.polarity[kept],
            source=self.source[mask],
            traits={name: values[mask] for name, values in self.traits.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhasePicks:
    """A picker's picks of a phase, with what it claims of each.

    Args:
        onsets: the picks; their `probability` is what the picker's threshold acts on.
        claimed: calibrated probability; NaN where none is claimed.
        uncertainty_s: standard deviation of the time; NaN where none is claimed.
        polarity: 1 up, -1 down, 0 undecidable, NaN where nothing is said.
    """

    onsets: Onsets
    claimed: Float[Array, " pick"]
    uncertainty_s: Float[Array, " pick"]
    polarity: Float[Array, " pick"]

    def where(self, mask: Bool[Array, " pick"]) -> PhasePicks:
        """Those of the mask."""
        return PhasePicks(
            onsets=self.onsets.where(mask),
            claimed=self.claimed[mask],
            uncertainty_s=self.uncertainty_s[mask],
            polarity=self.polarity[mask],
        )

    def of_records(self, mask: Bool[Array, " record"]) -> PhasePicks:
        """Those in the windows of a mask, whose windows are numbered anew."""
        kept = mask[self.onsets.record]
        return PhasePicks(
            onsets=self.onsets.of_records(mask),
            claimed=self.claimed[kept],
            uncertainty_s=self.uncertainty_s[kept],
            polarity=self.polarity[kept],
        )

    def above(self, threshold: float) -> PhasePicks:
        """Those that a threshold lets through."""
        return self.where(self.onsets.probability >= threshold)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedPicks:
    """Picks in the scored spans, each with its label where it has one.

    Args:
        picks: as they were.
        is_right: whether each is a label's.
        label: number of its label; -1 without.
        residual_s: pick minus label; NaN without.
    """

    picks: PhasePicks
    is_right: Bool[Array, " pick"]
    label: Int[Array, " pick"]
    residual_s: Float[Array, " pick"]


def judge_picks(truth: PhaseTruth, picks: PhasePicks, *, tolerance_s: float) -> JudgedPicks:
    """Which picks are right, and by how much they are off."""
    match = match_picks(truth.records, truth.labels, picks.onsets, tolerance_s=tolerance_s)
    label = np.full(len(picks.onsets), -1)
    found = np.flatnonzero(match.label_pick >= 0)
    label[match.label_pick[found]] = found
    residual = np.full(len(picks.onsets), np.nan)
    right = match.is_right
    residual[right] = picks.onsets.time_s[right] - truth.labels.time_s[label[right]]
    scored = match.is_scored
    return JudgedPicks(
        picks=picks.where(scored),
        is_right=right[scored],
        label=label[scored],
        residual_s=residual[scored],
    )
