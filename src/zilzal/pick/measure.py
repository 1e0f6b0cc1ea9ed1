"""What a pick's waveform says: amplitude, signal to noise, sharpness and direction.

All is measured on a cut of fixed length around the pick, high-passed causally from its own
start: so it does not depend on how the data came.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Onset, Phase, Polarity
from zilzal.core.waveform import COMPONENTS
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.onset import first_motion, is_clipped, onset_quality, signal_to_noise

_CORNER_HZ, _ORDER = 1.0, 2
SETTLE_S = 6.0
"""Length of the cut before the noise window, in which the filter settles."""
_NOISE_S = 2.0
_AMPLITUDE_S = {Phase.P: 2.0, Phase.S: 4.0}
BEFORE_S = SETTLE_S + _NOISE_S
"""The cut begins so long before the onset."""
AFTER_S = max(_AMPLITUDE_S.values())
"""The cut ends so long after the onset."""


class Measurement(NamedTuple):
    """As in `core.pick.Pick`; `component` is the letter it was seen on best."""

    component: str
    amplitude_counts: float | None = None
    snr: float | None = None
    onset: Onset | None = None
    polarity: Polarity | None = None


class Cut(NamedTuple):
    """Counts around an onset.

    Args:
        samples: counts, components ZNE.
        present: which were recorded.
        onset: index of the first sample of the signal.
        sampling_rate: of the samples.
    """

    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    onset: int
    sampling_rate: float


def reach_of(onset: int, sampling_rate: float) -> tuple[int, int]:
    """First sample and end of the cut around an onset."""
    return onset - round(BEFORE_S * sampling_rate), onset + round(AFTER_S * sampling_rate)


def cut_around(
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
    onset: int,
    sampling_rate: float,
) -> Cut:
    """From `BEFORE_S` before to `AFTER_S` after an onset, or to the ends of the samples."""
    first, end = reach_of(onset, sampling_rate)
    first = max(first, 0)
    return Cut(samples[:, first:end], present[:, first:end], onset - first, sampling_rate)


def measure(cut: Cut, phase: Phase) -> Measurement:
    """Measure a pick: P on the vertical, S on the horizontal where it stands out most.

    Where the wanted component is missing, another one that is there; where even the onset's
    surroundings are incomplete, nothing but the component.
    """
    chosen = _choose(cut, phase)
    if chosen is None:
        return Measurement(_fallback(cut, phase))
    component, filtered, snr = chosen
    end = cut.onset + round(_AMPLITUDE_S[phase] * cut.sampling_rate)
    raw = cut.samples[COMPONENTS.index(component), cut.onset : end]
    quality = onset_quality(filtered, cut.onset, cut.sampling_rate)
    polarity = None
    if phase is Phase.P and component == "Z":
        polarity = first_motion(filtered, cut.onset, cut.sampling_rate)
    if is_clipped(raw):
        return Measurement(component, onset=quality, polarity=polarity)
    amplitude = float(np.abs(filtered[cut.onset : end]).max())
    return Measurement(component, amplitude, snr, quality, polarity)


def _preference(phase: Phase) -> str:
    return "ZNE" if phase is Phase.P else "NEZ"


def _fallback(cut: Cut, phase: Phase) -> str:
    """The first of the wanted components that has any sample."""
    there = [c for c in _preference(phase) if cut.present[COMPONENTS.index(c)].any()]
    return there[0] if there else _preference(phase)[0]


def _choose(cut: Cut, phase: Phase) -> tuple[str, Float64[Array, " sample"], float | None] | None:
    """The component to measure on, filtered, with its signal to noise; None if none is fit."""
    fit = [c for c in _preference(phase) if _is_complete(cut, COMPONENTS.index(c), phase)]
    if not fit or cut.sampling_rate <= 2 * _CORNER_HZ:
        return None
    filtered = _filter([COMPONENTS.index(c) for c in fit], cut)
    length = round(_NOISE_S * cut.sampling_rate)
    candidates = [
        (component, row, signal_to_noise(row, cut.onset, length_samples=length))
        for component, row in zip(fit, filtered, strict=True)
        if row[cut.onset :].any()
    ]
    if phase is Phase.S and (horizontal := [c for c in candidates if c[0] != "Z"]):
        return max(horizontal, key=lambda c: c[2] or 0.0)
    return candidates[0] if candidates else None


def _is_complete(cut: Cut, row: int, phase: Phase) -> bool:
    """Whether noise and signal windows were recorded."""
    first = cut.onset - round(_NOISE_S * cut.sampling_rate)
    end = cut.onset + round(_AMPLITUDE_S[phase] * cut.sampling_rate)
    within = first >= 0 and end <= cut.samples.shape[1]
    return within and bool(cut.present[row, first:end].all())


def _filter(rows: list[int], cut: Cut) -> Float64[Array, "component sample"]:
    """High-pass components, each from where its last gap before the onset ends."""
    centred = np.empty((len(rows), cut.samples.shape[1]), np.float32)
    for place, row in enumerate(rows):
        missing = np.flatnonzero(~cut.present[row, : cut.onset])
        begin = int(missing[-1]) + 1 if len(missing) else 0
        # Zeros leave a filter at rest, as if it began where they end.
        np.subtract(cut.samples[row], cut.samples[row, begin], out=centred[place])
        centred[place, :begin] = 0
    sections = highpass(_CORNER_HZ, order=_ORDER, sampling_rate=cut.sampling_rate)
    return step_filter(sections, start_filter(sections, len(rows)), centred)[1]
