"""What a pick's waveform says: amplitude, signal to noise, sharpness and direction.

All is measured on a cut of fixed length around the pick, high-passed causally from its own
start: so it does not depend on how the data came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Onset, Phase, Polarity
from zilzal.core.waveform import COMPONENTS
from zilzal.pick.motion import MotionReader
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


class _Rows(NamedTuple):
    """Components of a cut that are fit to be measured on, one row each."""

    components: str
    samples: Sequence[Float[Array, " sample"]]


def measure(
    cuts: Sequence[Cut], phases: Sequence[Phase], *, motions: MotionReader | None = None
) -> list[Measurement]:
    """Measure picks: P on the vertical, S on the horizontal where it stands out most.

    Where the wanted component is missing, another one that is there; where even the onset's
    surroundings are incomplete, nothing but the component.

    Args:
        cuts: around the onsets.
        phases: of the onsets.
        motions: reads first motions of P on a vertical; the rule where there is none.
    """
    rows = [_choose(cut, phase) for cut, phase in zip(cuts, phases, strict=True)]
    filtered = _filter(cuts, rows)
    return [
        _measure(cut, phase, row, motions)
        for cut, phase, row in zip(cuts, phases, filtered, strict=True)
    ]


def _measure(cut: Cut, phase: Phase, rows: _Rows, motions: MotionReader | None) -> Measurement:
    if not rows.components:
        return Measurement(_fallback(cut, phase))
    length = round(_NOISE_S * cut.sampling_rate)
    ratios = [signal_to_noise(row, cut.onset, length_samples=length) for row in rows.samples]
    best = max(range(len(ratios)), key=lambda k: ratios[k] or 0.0)
    component, filtered = rows.components[best], rows.samples[best]
    end = cut.onset + round(_AMPLITUDE_S[phase] * cut.sampling_rate)
    raw = cut.samples[COMPONENTS.index(component), cut.onset : end]
    quality = onset_quality(filtered, cut.onset, cut.sampling_rate)
    polarity = None
    if phase is Phase.P and component == "Z":
        read = first_motion if motions is None else motions.read
        polarity = read(filtered, cut.onset, cut.sampling_rate)
    if is_clipped(raw):
        return Measurement(component, onset=quality, polarity=polarity)
    amplitude = float(np.abs(filtered[cut.onset : end]).max())
    return Measurement(component, amplitude, ratios[best], quality, polarity)


def _preference(phase: Phase) -> str:
    return "ZNE" if phase is Phase.P else "NEZ"


def _fallback(cut: Cut, phase: Phase) -> str:
    """The first of the wanted components that has any sample."""
    there = [c for c in _preference(phase) if cut.present[COMPONENTS.index(c)].any()]
    return there[0] if there else _preference(phase)[0]


def _choose(cut: Cut, phase: Phase) -> _Rows:
    """The components to compare: of those that are complete and live, for S both horizontals."""
    chosen: dict[str, Float32[Array, " sample"]] = {}
    if cut.sampling_rate > 2 * _CORNER_HZ:
        for component in _preference(phase):
            enough = chosen and (phase is Phase.P or component == "Z")
            row = COMPONENTS.index(component)
            if not enough and _is_complete(cut, row, phase):
                centred = _centre(cut, row)
                if centred.any():
                    chosen[component] = centred
    return _Rows("".join(chosen), list(chosen.values()))


def _is_complete(cut: Cut, row: int, phase: Phase) -> bool:
    """Whether noise and signal windows were recorded."""
    first = cut.onset - round(_NOISE_S * cut.sampling_rate)
    end = cut.onset + round(_AMPLITUDE_S[phase] * cut.sampling_rate)
    within = first >= 0 and end <= cut.samples.shape[1]
    return within and bool(cut.present[row, first:end].all())


def _centre(cut: Cut, row: int) -> Float32[Array, " sample"]:
    """A component less its first sample after the last gap before the onset."""
    missing = np.flatnonzero(~cut.present[row, : cut.onset])
    begin = int(missing[-1]) + 1 if len(missing) else 0
    centred = cut.samples[row] - cut.samples[row, begin]
    # Zeros leave a filter at rest, as if it began where they end.
    centred[:begin] = 0
    return centred


def _filter(cuts: Sequence[Cut], rows: Sequence[_Rows]) -> list[_Rows]:
    """High-pass all rows, those of one length and rate together."""
    groups: dict[tuple[int, float], list[int]] = {}
    for number, cut in enumerate(cuts):
        groups.setdefault((cut.samples.shape[1], cut.sampling_rate), []).append(number)
    filtered = list(rows)
    for (_, sampling_rate), members in groups.items():
        together = [row for number in members for row in rows[number].samples]
        if not together:
            continue
        sections = highpass(_CORNER_HZ, order=_ORDER, sampling_rate=sampling_rate)
        rest = start_filter(sections, len(together))
        done = iter(step_filter(sections, rest, np.stack(together))[1])
        for number in members:
            components = rows[number].components
            filtered[number] = _Rows(components, [next(done) for _ in components])
    return filtered
