"""Where a signal begins, how sharply, how strongly and in which direction."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from zilzal.core.arrays import Array
from zilzal.core.pick import Onset, Polarity

_IMPULSIVE_SNR, _EMERGENT_SNR = 5.0, 2.0
"""A convention of ours: rms of the first half second over that of the noise."""
_MOTION_FLOOR, _MOTION_SHARE = 4.0, 0.3
"""First motion counts from four times the noise's rms and three tenths of the first half second's
largest swing on; below, noise decides the sign too often."""
_MOTION_CLEAR = 0.7
"""A swing the other way of more than so much of that level just before leaves it undecided."""
_MOTION_EARLY_S, _MOTION_LATE_S = 0.05, 0.2
"""Where the first motion is looked for, around the onset."""
_MOTION_ASTRAY_S = 0.2
"""A pick may be off by so much: the onset is sought again within this."""
_MOTION_ABOVE = 2.5
"""The largest swing of the first half second must be so many times that of the second before; else
the first swing is often lost in the noise, and what stands out is the second one, which goes the
other way. Measured by `benchmarks/first_motions.py`."""
_CLIPPED_RUN = 4
"""So many equal samples in a row at the largest value are a clipped swing."""


class AicOnset(NamedTuple):
    """An onset by the information criterion.

    Args:
        place: index of the first sample of the signal, with fraction.
        deviation: standard deviation of the place [samples].
        gain: how much better two parts explain the samples than one does, in nats per sample.
    """

    place: float
    deviation: float
    gain: float


def aic_curve(samples: Float[Array, " sample"]) -> Float[Array, " split"]:
    """Akaike's criterion for noise before and signal from sample k on, both white.

    Notation:
        AIC(k) = k log var(x[:k]) + (N - k - 1) log var(x[k:]); entry k is for a split before
        sample k; infinite for k < 2 and k > N - 2, where a variance has no meaning.

    Source:
        Maeda (1985), doi:10.4294/zisin1948.38.3_365.
    """
    n_samples = len(samples)
    curve = np.full(n_samples, np.inf)
    if n_samples < 4:
        return curve
    centred = samples.astype(np.float64) - samples.mean(dtype=np.float64)
    sums, squares = np.cumsum(centred), np.cumsum(np.square(centred))
    before = np.arange(2, n_samples - 1)
    after = n_samples - before
    variance_before = squares[before - 1] / before - np.square(sums[before - 1] / before)
    rest, rest_squares = sums[-1] - sums[before - 1], squares[-1] - squares[before - 1]
    variance_after = rest_squares / after - np.square(rest / after)
    floor = max(1e-12 * squares[-1] / n_samples, np.finfo(np.float64).tiny)
    curve[before] = before * np.log(np.maximum(variance_before, floor)) + (after - 1) * np.log(
        np.maximum(variance_after, floor)
    )
    return curve


def aic_onset(samples: Float[Array, " sample"]) -> AicOnset | None:
    """The onset in a cut that holds one; None where the samples do not vary.

    `exp(-(AIC - min AIC) / 2)` is taken as the likelihood of each split (Akaike weights); the
    deviation is its standard deviation. Neighbouring samples are correlated, so it is a lower
    bound: callers add their own floor.
    """
    curve = aic_curve(samples)
    finite = np.flatnonzero(np.isfinite(curve))
    if len(finite) == 0 or np.ptp(samples) == 0:
        return None
    best = int(finite[np.argmin(curve[finite])])
    weight = np.exp(-0.5 * (curve[finite] - curve[best]))
    weight /= weight.sum()
    deviation = float(np.sqrt(np.sum(weight * np.square(finite - best))))
    whole = len(samples) * np.log(np.var(samples, dtype=np.float64))
    return AicOnset(float(best), deviation, float(whole - curve[best]) / len(samples))


def rms(samples: Float[Array, " sample"]) -> float:
    """Root mean square; 0 of nothing."""
    if len(samples) == 0:
        return 0.0
    return math.sqrt(float(np.add.reduce(np.square(samples, dtype=np.float64))) / len(samples))


def signal_to_noise(
    samples: Float[Array, " sample"], onset: int, *, length_samples: int
) -> float | None:
    """Ratio of the rms after to that before an onset; None without noise or without room."""
    if onset < length_samples or onset + length_samples > len(samples):
        return None
    noise = rms(samples[onset - length_samples : onset])
    return rms(samples[onset : onset + length_samples]) / noise if noise > 0 else None


def onset_quality(
    samples: Float[Array, " sample"], onset: int, sampling_rate: float
) -> Onset | None:
    """How a signal starts, by the strength of its first half second over two seconds before."""
    noise = rms(samples[max(onset - round(2.0 * sampling_rate), 0) : onset])
    first = rms(samples[onset : onset + round(0.5 * sampling_rate)])
    if noise == 0:
        return None
    if first >= _IMPULSIVE_SNR * noise:
        return Onset.IMPULSIVE
    return Onset.EMERGENT if first >= _EMERGENT_SNR * noise else Onset.QUESTIONABLE


def first_motion(samples: Float[Array, " sample"], onset: int, sampling_rate: float) -> Polarity:
    """Direction of the first swing that stands out of the noise.

    Picks are often late by as much as the first swing lasts, after which the second one would be
    taken for it: so the onset is sought again, by the information criterion.

    Args:
        samples: of the vertical, up positive, filtered causally (a zero-phase filter would put
            a swing of the other sign before the first one).
        onset: index of the pick.
        sampling_rate: of the samples.
    """
    onset = _sought_again(samples, onset, round(_MOTION_ASTRAY_S * sampling_rate))
    early = max(onset - round(_MOTION_EARLY_S * sampling_rate), 0)
    before = samples[max(onset - round(sampling_rate), 0) : early]
    noise = rms(samples[max(onset - round(2.0 * sampling_rate), 0) : onset])
    largest = float(np.abs(samples[onset : onset + round(0.5 * sampling_rate)]).max(initial=0.0))
    if noise == 0 or largest < _MOTION_ABOVE * float(np.abs(before).max(initial=0.0)):
        return Polarity.UNDECIDABLE
    swing = samples[early : onset + round(_MOTION_LATE_S * sampling_rate)]
    level = max(_MOTION_FLOOR * noise, _MOTION_SHARE * largest)
    clear = np.flatnonzero(np.abs(swing) >= level)
    if len(clear) == 0:
        return Polarity.UNDECIDABLE
    sign = 1.0 if swing[clear[0]] > 0 else -1.0
    if float(np.max(-sign * swing[: clear[0]], initial=0.0)) > _MOTION_CLEAR * level:
        return Polarity.UNDECIDABLE
    return Polarity.POSITIVE if sign > 0 else Polarity.NEGATIVE


def _sought_again(samples: Float[Array, " sample"], onset: int, reach: int) -> int:
    """The onset near a pick; the pick where there is no room to look."""
    first = onset - reach
    found = aic_onset(samples[first : onset + reach]) if first >= 0 else None
    return onset if found is None else first + round(found.place)


def is_clipped(samples: Shaped[Array, " sample"]) -> bool:
    """Whether the largest or the smallest value stands for several samples in a row."""
    return any(_has_run(samples == extreme) for extreme in (samples.max(), samples.min()))


def _has_run(mask: Shaped[Array, " sample"]) -> bool:
    if np.count_nonzero(mask) < _CLIPPED_RUN:
        return False
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return bool(np.max(edges[1::2] - edges[::2]) >= _CLIPPED_RUN)
