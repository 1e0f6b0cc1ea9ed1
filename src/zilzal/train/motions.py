"""First motions of clear onsets, read by rule, so that a network can learn them under noise."""

from __future__ import annotations

from dataclasses import replace

from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.onset import aic_onset, first_motion, signal_to_noise
from zilzal.train.dataset import Onset, Record

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
