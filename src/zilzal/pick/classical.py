"""Onsets by the information criterion around a trigger: the rules of the classical picker."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from zilzal.core.arrays import Array
from zilzal.signal.onset import aic_onset, rms

_P_BEFORE_S, _P_AFTER_S = 2.0, 1.0
"""The cut for P around the trigger, which comes late by about the short-term memory."""
_NOISE_S, _SIGNAL_S = 2.0, 0.5
_S_LEAD_S, _S_TAIL_S = 0.3, 0.3
"""S is sought from so long after P to so long after the strongest horizontal motion."""
_S_SMOOTHING_S = 0.5
_S_LONGEST_S = 8.0
"""The onset of S lies at most so long before the strongest horizontal motion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnsetRules:
    """Turns a trigger into onsets.

    Args:
        maximum_s_minus_p_s: S is sought no longer after P.
        s_ratio: horizontal rms in the half second after S over that in the two seconds before
            (but after P), at least.
        half_score_ratio: rms ratio at which the score is one half.
        correlation_samples: neighbouring samples of a band-passed record carry the same news;
            the criterion's deviation is widened by so much.
        p_floor_s: standard deviation of the clearest P.
        s_floor_s: standard deviation of the clearest S.
    """

    maximum_s_minus_p_s: float = 20.0
    s_ratio: float = 1.5
    half_score_ratio: float = 3.0
    correlation_samples: float = 4.0
    p_floor_s: float = 0.03
    s_floor_s: float = 0.04


class PhaseOnset(NamedTuple):
    """An onset: index of the sample, standard deviation [s], and score in [0, 1]."""

    place: int
    uncertainty_s: float
    score: float


def score_of(rules: OnsetRules, ratio: float) -> float:
    """Score from an rms ratio of signal over noise: r² / (r² + half²).

    It rises from 0 to 1 and is one half at `half_score_ratio`. It is not calibrated.
    """
    return ratio**2 / (ratio**2 + rules.half_score_ratio**2)


def find_p(
    rules: OnsetRules, vertical: Float[Array, " sample"], trigger: int, sampling_rate: float
) -> PhaseOnset | None:
    """P near a trigger on the band-passed vertical; None where nothing moves."""
    first = max(trigger - round(_P_BEFORE_S * sampling_rate), 0)
    end = trigger + round(_P_AFTER_S * sampling_rate)
    return _refine(rules, vertical, (first, end), sampling_rate, rules.p_floor_s)


def find_s(
    rules: OnsetRules, horizontals: Float[Array, "component sample"], p: int, sampling_rate: float
) -> PhaseOnset | None:
    """S after P on the band-passed horizontals; None where none stands out of P's coda."""
    first = p + round(_S_LEAD_S * sampling_rate)
    end = min(p + round(rules.maximum_s_minus_p_s * sampling_rate), horizontals.shape[1])
    energy = np.square(horizontals, dtype=np.float64).sum(axis=0)
    length = round(_S_SMOOTHING_S * sampling_rate)
    if end - first < 3 * length:
        return None
    smooth = _running_mean(energy[first:end], length)
    strongest = first + int(np.argmax(smooth)) + length
    earliest = max(first, strongest - round(_S_LONGEST_S * sampling_rate))
    latest = min(strongest + round(_S_TAIL_S * sampling_rate), end)
    onset = _refine(rules, np.sqrt(energy), (earliest, latest), sampling_rate, rules.s_floor_s)
    if onset is None:
        return None
    ratio = _rms_ratio(np.sqrt(energy), first, onset.place, sampling_rate)
    if ratio < rules.s_ratio:
        return None
    return onset._replace(score=score_of(rules, ratio))


def _refine(
    rules: OnsetRules,
    samples: Float[Array, " sample"],
    bounds: tuple[int, int],
    sampling_rate: float,
    floor_s: float,
) -> PhaseOnset | None:
    first, end = bounds
    onset = aic_onset(samples[first:end])
    if onset is None:
        return None
    place = first + int(onset.place)
    ratio = _rms_ratio(samples, 0, place, sampling_rate)
    widened_s = onset.deviation * rules.correlation_samples / sampling_rate
    uncertainty_s = math.hypot(floor_s, widened_s, floor_s * rules.half_score_ratio / max(ratio, 1))
    return PhaseOnset(place, uncertainty_s, score_of(rules, ratio))


def _rms_ratio(
    samples: Float[Array, " sample"], first: int, onset: int, sampling_rate: float
) -> float:
    """Rms in the half second after an onset over that in up to two seconds before; 0 if still."""
    noise = rms(samples[max(onset - round(_NOISE_S * sampling_rate), first) : onset])
    signal = rms(samples[onset : onset + round(_SIGNAL_S * sampling_rate)])
    return signal / noise if noise > 0 else 0.0


def _running_mean(values: Float64[Array, " sample"], length: int) -> Float64[Array, " mean"]:
    """Mean of `length` values from each on, where they are complete."""
    return np.lib.stride_tricks.sliding_window_view(values, length).mean(axis=-1)
