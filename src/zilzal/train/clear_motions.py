"""Clear first motions and real noise, and examples for a network mixed from both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity
from zilzal.pick.motion import AFTER, NOISE, SAMPLING_RATE, seen_of
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.onset import first_motion, rms
from zilzal.train.augment import log_uniform
from zilzal.train.dataset import Onset, Record
from zilzal.train.mixture import quiet_spans
from zilzal.train.motions import clear_onset

CORNER_HZ = 1.0
"""Of the causal high-pass of two poles, the one before `pick.motion`."""
_OTHER_CORNERS_HZ = (0.5, 2.0)
LEAD, LENGTH = 800, 1100
"""Samples of an excerpt before the onset, and in all."""
_SETTLED = 300
"""An excerpt has at least so many recorded samples before the onset, for the filter."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClearMotion:
    """A clear P of which the first motion is known.

    Args:
        samples: of the vertical, high-passed, the onset at `LEAD`; zeros before its record.
        is_up: the first motion.
        at: sample of the record at which the signal begins.
        source: name of the set.
        event: of the set.
    """

    samples: Float32[Array, " sample"]
    is_up: bool
    at: int
    source: str
    event: str


def clear_motions(records: Sequence[Record]) -> list[ClearMotion]:
    """First motions of clear onsets that the rule reads alike above 0.5, 1 and 2 Hz.

    Args:
        records: with first motions, by rule or by analysts, at `SAMPLING_RATE`.
    """
    found: list[ClearMotion] = []
    for record in records:
        motions = (Polarity.POSITIVE, Polarity.NEGATIVE)
        onsets = [o for o in record.onsets if o.phase is Phase.P and o.polarity in motions]
        for onset in onsets if record.present[0].any() else ():
            motion = _clear_motion(record, onset)
            if motion is not None:
                found.append(motion)
    return found


def _clear_motion(record: Record, onset: Onset) -> ClearMotion | None:
    vertical = record.samples[0]
    at = clear_onset(record, filtered(vertical), onset)
    if at is None or at - LEAD + LENGTH > record.length:
        return None
    missing = np.flatnonzero(~record.present[0, :at])
    first = max(at - LEAD, int(missing[-1]) + 1 if len(missing) else 0)
    end = at - LEAD + LENGTH
    if at - first < _SETTLED or not record.present[0, at:end].all():
        return None
    others = [
        first_motion(filtered(vertical[first:end], corner), at - first, SAMPLING_RATE)
        for corner in _OTHER_CORNERS_HZ
    ]
    if any(told is not onset.polarity for told in others):
        return None
    samples = np.zeros(LENGTH, np.float32)
    samples[LENGTH - (end - first) :] = filtered(vertical[first:end])
    return ClearMotion(
        samples=samples,
        is_up=onset.polarity is Polarity.POSITIVE,
        at=at,
        source=record.source,
        event=record.event,
    )


def filtered(
    vertical: Float[Array, " sample"], corner_hz: float = CORNER_HZ
) -> Float64[Array, " sample"]:
    """High-passed causally, from rest at the first sample's value."""
    sections = highpass(corner_hz, order=2, sampling_rate=SAMPLING_RATE)
    centred = (vertical - vertical[0])[np.newaxis]
    return step_filter(sections, start_filter(sections, 1), centred)[1][0]


def real_noises(
    records: Sequence[Record], rng: np.random.Generator, *, each: int = 3
) -> Float32[Array, "noise sample"]:
    """Excerpts of unit level from the quiet spans of records, high-passed.

    Args:
        records: with noise.
        rng: that draws where an excerpt begins.
        each: so many of a span, at most as many as fit beside each other.
    """
    found: list[Float64[Array, " sample"]] = []
    for record in records:
        for first, last in quiet_spans(record) if record.present[0].any() else ():
            room = last + 1 - first - LENGTH
            for _ in range(min(each, 1 + room // LENGTH) if room >= 0 else 0):
                start = first + int(rng.integers(room + 1))
                if record.present[0, start : start + LENGTH].all():
                    excerpt = filtered(record.samples[0, start : start + LENGTH])
                    level = rms(excerpt[_SETTLED:])
                    found += [excerpt / level] if level > 0 else []
    return np.array(found, np.float32).reshape(-1, LENGTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """How examples are mixed.

    Args:
        snr: lowest and highest level of the first second over that of the added noise.
        renoised: share of the examples to which noise is added.
        stretch: smallest and largest factor by which time is stretched.
        stretched: share of the examples to which that happens.
        tilt: largest exponent of frequency, either sign: fractional derivatives, causal, as between
            displacement, velocity and acceleration, so the first motion stays.
        tilted: share of the examples to which that happens.
        late_s: standard deviation of the pick's error.
        very_late_s: and its bound in the share `astray`, in which it is uniform.
        astray: share of the picks.
    """

    snr: tuple[float, float] = (1.0, 60.0)
    renoised: float = 0.85
    stretch: tuple[float, float] = (0.4, 1.7)
    stretched: float = 0.7
    tilt: float = 0.7
    tilted: float = 0.5
    late_s: float = 0.03
    very_late_s: float = 0.15
    astray: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What a network sees at picks, and whether the first motion is up."""

    seen: Float32[Array, "pick sample"]
    is_up: Bool[Array, " pick"]


def draw_examples(
    motions: Sequence[ClearMotion],
    noises: Float32[Array, "noise sample"],
    mixing: Mixing,
    rng: np.random.Generator,
    *,
    count: int,
) -> Examples:
    """Clear motions under real noise, at picks that are off, either way up alike."""
    windows = np.empty((count, NOISE[0] + AFTER))
    is_up = np.empty(count, bool)
    for row, number in enumerate(rng.choice(len(motions), count, p=shares(motions))):
        motion = motions[number]
        up = bool(rng.random() < 0.5)
        samples = _tilted(_stretched(motion.samples, mixing, rng), mixing, rng)
        if up != motion.is_up:
            samples = -samples
        if rng.random() < mixing.renoised:
            noise = noises[int(rng.integers(len(noises)))] * rng.choice([-1.0, 1.0])
            level = rms(samples[LEAD : LEAD + 100]) / log_uniform(rng, *mixing.snr)
            samples = samples + level / max(rms(noise[LEAD - 200 : LEAD]), 1e-3) * noise
        first = LEAD + _late(mixing, rng) - NOISE[0]
        windows[row], is_up[row] = samples[first : first + windows.shape[1]], up
    seen = seen_of(windows)
    assert seen is not None
    return Examples(seen, is_up)


def shares(motions: Sequence[ClearMotion]) -> Float64[Array, " motion"]:
    """How often each is drawn: a set as the root of its motions, at most as one of 100."""
    counts = Counter(motion.source for motion in motions)
    of_each = [np.sqrt(min(counts[m.source], 100)) / counts[m.source] for m in motions]
    return np.array(of_each) / np.sum(of_each)


def _stretched(
    samples: Float32[Array, " sample"], mixing: Mixing, rng: np.random.Generator
) -> Float[Array, " sample"]:
    """Quicker or slower about the onset; zeros where nothing was recorded."""
    if rng.random() >= mixing.stretched:
        return samples
    from scipy.signal import resample

    factor = log_uniform(rng, *mixing.stretch)
    slower = np.asarray(resample(samples, round(LENGTH * factor)), np.float64)
    shift = LEAD - round(LEAD * factor)
    stretched = np.zeros(LENGTH)
    first, end = max(shift, 0), min(shift + len(slower), LENGTH)
    stretched[first:end] = slower[first - shift : end - shift]
    return stretched


def _tilted(
    samples: Float[Array, " sample"], mixing: Mixing, rng: np.random.Generator
) -> Float[Array, " sample"]:
    """The same motion seen by another instrument."""
    if rng.random() >= mixing.tilted:
        return samples
    # Twice as long, so that the end does not come round to the beginning.
    frequency_hz = np.fft.rfftfreq(2 * LENGTH, 1 / SAMPLING_RATE)
    exponent = rng.uniform(-mixing.tilt, mixing.tilt)
    transfer = (1j * np.maximum(frequency_hz, CORNER_HZ / 2)) ** exponent
    spectrum = np.fft.rfft(samples, 2 * LENGTH) * transfer
    return np.fft.irfft(spectrum, 2 * LENGTH)[:LENGTH]


def _late(mixing: Mixing, rng: np.random.Generator) -> int:
    """Samples by which a pick is late."""
    if rng.random() < mixing.astray:
        late_s = rng.uniform(-mixing.very_late_s, mixing.very_late_s)
    else:
        late_s = rng.normal(0, mixing.late_s)
    return round(late_s * SAMPLING_RATE)


def held_out(
    motions: Sequence[ClearMotion], rng: np.random.Generator, *, share: float
) -> tuple[Int[Array, " learnt"], Int[Array, " kept"]]:
    """Numbers of the motions to learn from, and of those of a share of the events."""
    events = sorted({(motion.source, motion.event) for motion in motions})
    order = rng.permutation(len(events))[: round(share * len(events))]
    chosen = {events[number] for number in order.tolist()}
    is_kept = np.array([(m.source, m.event) in chosen for m in motions])
    return np.flatnonzero(~is_kept), np.flatnonzero(is_kept)
