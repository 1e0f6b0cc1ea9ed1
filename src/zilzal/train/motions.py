"""First motions of clear onsets, read by rule, so that a network can learn them under noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.onset import aic_onset, first_motion, signal_to_noise
from zilzal.train.dataset import Onset, Record
from zilzal.train.labels import LABELS
from zilzal.train.skill import THRESHOLDS, Outputs

CLEAR_SNR = 6.0
"""Root mean square after the onset over that before it, from which on the rule is believed."""
TRUSTED_P = 0.7
"""Least weight of the P's label."""
_NEAR_S, _LENGTH_S = 0.3, 1.0


def with_first_motions(record: Record) -> Record:
    """A record whose clear P without a stated first motion get the rule's.

    The onset is searched by AIC beside the label, since labels scatter by more than the first
    swing lasts; the vertical is filtered causally (1 Hz, two poles). What stays unclear stays
    unknown: an undecidable motion is no label.
    """
    if not record.present[0].any() or record.kind == "noise":
        return record
    sections = highpass(1.0, order=2, sampling_rate=record.sampling_rate)
    samples = record.samples[:1] - record.samples[:1, :1]
    vertical = step_filter(sections, start_filter(sections, 1), samples)[1][0]
    onsets = tuple(
        replace(onset, polarity=_motion(record, vertical, onset)) if _is_asked(onset) else onset
        for onset in record.onsets
    )
    return replace(record, onsets=onsets)


def _is_asked(onset: Onset) -> bool:
    return onset.phase is Phase.P and onset.polarity is None and onset.weight >= TRUSTED_P


def _motion(record: Record, vertical: Float64[Array, " sample"], onset: Onset) -> Polarity | None:
    at = clear_onset(record, vertical, onset)
    if at is None:
        return None
    told = first_motion(vertical, at, record.sampling_rate)
    return None if told is Polarity.UNDECIDABLE else told


def clear_onset(record: Record, vertical: Float64[Array, " sample"], onset: Onset) -> int | None:
    """Where the signal of a labelled P begins; None where that is not clear.

    Args:
        record: that holds it.
        vertical: its first component, high-passed causally.
        onset: the label.
    """
    rate = record.sampling_rate
    near, length = round(_NEAR_S * rate), round(_LENGTH_S * rate)
    labelled = round(onset.sample)
    first, end = labelled - 2 * length, labelled + 2 * length
    if first < 0 or end > record.length or not record.present[0, first:end].all():
        return None
    found = aic_onset(vertical[labelled - near : labelled + near])
    if found is None:
        return None
    at = labelled - near + round(found.place)
    snr = signal_to_noise(vertical, at, length_samples=length)
    return None if snr is None or snr < CLEAR_SNR else at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedMotions:
    """What a network says of first motions that are known.

    Args:
        is_right: whether the higher of the two curves is that of the known motion.
        height: of that curve, at the peak of P.
    """

    is_right: Bool[Array, " onset"]
    height: Float[Array, " onset"]

    def share_decided(self, threshold: float) -> float:
        """Share of the onsets of which the network says something; NaN of none."""
        return float((self.height >= threshold).mean()) if len(self.height) else float("nan")

    def share_right(self, threshold: float) -> float:
        """Share of what it says that is right; NaN where it says nothing."""
        decided = self.is_right[self.height >= threshold]
        return float(decided.mean()) if len(decided) else float("nan")

    def threshold(self, *, wanted: float = 0.95, decided: float = 0.2) -> float | None:
        """The lowest threshold at which so much is right; None where too little is decided."""
        for threshold in THRESHOLDS:
            if self.share_right(threshold) >= wanted and self.share_decided(threshold) >= decided:
                return threshold
        return None


def judge_motions(outputs: Outputs, records: Sequence[Record]) -> JudgedMotions:
    """Read a network's curves of first motions at each P whose motion is known."""
    up, down = LABELS.index(Polarity.POSITIVE), LABELS.index(Polarity.NEGATIVE)
    right, height = [], []
    for record in records:
        known = [o for o in record.onsets if o.polarity in (Polarity.POSITIVE, Polarity.NEGATIVE)]
        curves = outputs(record.samples, record.present) if known else None
        for onset in known:
            assert curves is not None
            reach = round(_NEAR_S * record.sampling_rate)
            first = max(0, round(onset.sample) - reach)
            peak = first + int(curves[0, first : first + 2 * reach].argmax())
            says_up = curves[up, peak] > curves[down, peak]
            right.append(says_up == (onset.polarity is Polarity.POSITIVE))
            height.append(float(max(curves[up, peak], curves[down, peak])))
    return JudgedMotions(is_right=np.array(right, bool), height=np.array(height, float))
