"""What else the ground and the instrument could have done: changes of one labelled cut.

Each function takes a cut and a generator and returns another cut; none changes its argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Complex, Float, Float32

from zilzal.core.arrays import Array
from zilzal.train.dataset import Coda, Onset, Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A piece of a record on its way to becoming a training window; see `dataset.Record`.

    `sources` names the sets that had a part in it.
    """

    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    onsets: tuple[Onset, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    codas: tuple[Coda, ...] = ()
    sources: frozenset[str] = frozenset()

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    @property
    def alive(self) -> Bool[Array, "component 1"]:
        """Components that were recorded at all."""
        return np.any(self.present, axis=1, keepdims=True)

    @property
    def recorded(self) -> Bool[Array, " sample"]:
        """Samples of which at least one component was recorded."""
        return np.any(self.present, axis=0)


def rms(cut: Cut) -> float:
    """Root mean square of what is present; 0 for nothing."""
    squares = np.square(cut.samples, dtype=np.float64)[cut.present]
    return float(np.sqrt(squares.mean())) if squares.size else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectral:
    """Ranges of what happens to the spectrum.

    Args:
        stretch: smallest and largest factor by which time is stretched: another source size
            and another sampling rate.
        stretched: share of the cuts to which that happens.
        tilt: largest exponent of frequency, either sign: between accelerometer, velocity and
            displacement, and other attenuation.
        tilted: share.
        lowpass_hz: lowest and highest corner: slower digitisers and anti-alias filters.
        lowpassed: share.
        highpass_hz: lowest and highest corner: short-period instruments.
        highpassed: share.
    """

    stretch: tuple[float, float] = (0.6, 1.6)
    stretched: float = 0.5
    tilt: float = 1.0
    tilted: float = 0.4
    lowpass_hz: tuple[float, float] = (5.0, 40.0)
    lowpassed: float = 0.3
    highpass_hz: tuple[float, float] = (0.5, 6.0)
    highpassed: float = 0.25


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_stretch(spectral: Spectral, rng: np.random.Generator) -> float:
    """The factor by which to stretch a cut."""
    return log_uniform(rng, *spectral.stretch) if rng.random() < spectral.stretched else 1.0


def draw_transfer(
    spectral: Spectral, frequency_hz: Float[Array, " frequency"], rng: np.random.Generator
) -> Complex[Array, " frequency"]:
    """A random instrument, as a function of frequency.

    The tilt is a fractional derivative and the high-pass a Butterworth: causal, as ground and
    seismometer are. The low-pass has no phase, as the digitiser's linear-phase filters.
    """
    transfer = np.ones(len(frequency_hz), np.complex128)
    positive = np.maximum(frequency_hz, 0.05)
    if rng.random() < spectral.tilted:
        transfer *= (1j * positive / 5.0) ** rng.uniform(-spectral.tilt, spectral.tilt)
    if rng.random() < spectral.lowpassed:
        corner, order = log_uniform(rng, *spectral.lowpass_hz), int(rng.integers(2, 8))
        transfer /= np.sqrt(1 + (frequency_hz / corner) ** (2 * order))
    if rng.random() < spectral.highpassed:
        s = 1j * positive / log_uniform(rng, *spectral.highpass_hz)
        transfer *= s**2 / (s**2 + np.sqrt(2) * s + 1)
    transfer[0] = 0
    return transfer


def reshaped(
    cut: Cut, length: int, transfer: Complex[Array, " frequency"], *, stretch: float = 1.0
) -> Cut:
    """A cut stretched to `length` samples and passed through an instrument.

    Both happen in the frequency domain: bins are cut off or zeros added, so nothing aliases.

    Args:
        cut: what to change.
        length: of the result; `length / cut.length` should be the stretch.
        transfer: at the frequencies of `np.fft.rfftfreq(length)`, one a bin.
        stretch: factor for labels and masks.
    """
    spectrum = np.fft.rfft(np.where(cut.present, cut.samples, 0))
    shared = min(spectrum.shape[1], length // 2 + 1)
    changed = np.zeros((3, length // 2 + 1), np.complex128)
    changed[:, :shared] = spectrum[:, :shared]
    samples = np.fft.irfft(changed * transfer, length) * (length / cut.length)
    places = np.minimum((np.arange(length) / stretch).astype(int), cut.length - 1)
    present = cut.present[:, places]
    return replace(
        cut,
        samples=np.where(present, samples, 0).astype(np.float32),
        present=present,
        onsets=tuple(replace(o, sample=o.sample * stretch) for o in cut.onsets),
        unknown=tuple(
            replace(u, first=u.first * stretch, last=u.last * stretch) for u in cut.unknown
        ),
        codas=tuple(replace(c, first=c.first * stretch, last=c.last * stretch) for c in cut.codas),
    )


def turned(cut: Cut, rng: np.random.Generator) -> Cut:
    """Horizontals at any azimuth, left- or right-handed, and each sign either way.

    Horizontals are only mixed where both are alive.
    """
    signs = rng.choice(np.array([-1, 1], np.float32), (3, 1))
    samples = cut.samples * signs
    if cut.present[1].any() and cut.present[2].any():
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        samples[1:] = turn.astype(np.float32) @ samples[1:]
    return replace(cut, samples=samples)


def with_dead_components(cut: Cut, rng: np.random.Generator, *, share: float) -> Cut:
    """In a share of the cuts one or both horizontals, or the vertical, never recorded."""
    if rng.random() >= share:
        return cut
    dead = [[1, 2], [1], [2], [0]][int(rng.choice(4, p=[0.6, 0.15, 0.15, 0.1]))]
    present, samples = cut.present.copy(), cut.samples.copy()
    # Some recorders write zeros for what is not connected, others nothing.
    present[dead] = False if rng.random() < 0.7 else present[dead]
    samples[dead] = 0
    if not np.any(samples):
        return cut
    return replace(cut, samples=samples, present=present)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Share of the cuts that suffer each fault of a recorder."""

    spikes: float = 0.06
    steps: float = 0.06
    clipping: float = 0.06
    gaps: float = 0.06
    pulses: float = 0.05
    hum: float = 0.08


def with_faults(cut: Cut, faults: Faults, rng: np.random.Generator) -> Cut:
    """Spikes, steps of the mean, clipping, gaps, calibration pulses, mains and machine hum."""
    scale = rms(cut)
    if scale == 0:
        return cut
    samples, present = cut.samples.copy(), cut.present.copy()
    if rng.random() < faults.hum:
        samples += _hum(cut.length, scale, rng)
    if rng.random() < faults.spikes:
        _add_spikes(samples, scale, rng)
    if rng.random() < faults.steps:
        at = int(rng.integers(cut.length))
        samples[:, at:] += np.float32(scale) * rng.normal(0, 5, (3, 1)).astype(np.float32)
    if rng.random() < faults.pulses:
        samples += _pulse(cut.length, scale, rng)
    if rng.random() < faults.clipping:
        limit = np.abs(samples).max() * log_uniform(rng, 0.1, 0.8)
        samples = np.clip(samples, -limit, limit)
    if rng.random() < faults.gaps:
        first = int(rng.integers(cut.length))
        gap = slice(first, first + int(rng.integers(5, 800)))
        rows = slice(None) if rng.random() < 0.7 else int(rng.integers(3))
        samples[rows, gap] = 0
        # A gap filler's zeros, or honest absence.
        present[rows, gap] &= bool(rng.random() < 0.3)
    return replace(cut, samples=np.where(present, samples, 0).astype(np.float32), present=present)


def _add_spikes(
    samples: Float32[Array, "component sample"], scale: float, rng: np.random.Generator
) -> None:
    """In place, on the caller's own copy."""
    rows = slice(None) if rng.random() < 0.5 else int(rng.integers(3))
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(samples.shape[1] - 4))
        width = int(rng.integers(1, 4))
        samples[rows, at : at + width] += np.float32(scale * rng.normal(0, 10))


def _hum(length: int, scale: float, rng: np.random.Generator) -> Float32[Array, "3 sample"]:
    """One to three steady tones, on components at different strength."""
    time_s = np.arange(length) / 100.0
    total = np.zeros((3, length))
    for _ in range(int(rng.integers(1, 4))):
        phase = 2 * np.pi * (log_uniform(rng, 1.0, 40.0) * time_s + rng.random())
        total += scale * log_uniform(rng, 0.05, 1.0) * rng.random((3, 1)) * np.sin(phase)
    return total.astype(np.float32)


def _pulse(length: int, scale: float, rng: np.random.Generator) -> Float32[Array, "3 sample"]:
    """A step through the seismometer: a calibration pulse, or a knock on the vault."""
    time_s = (np.arange(length) - rng.integers(length)) / 100.0
    rate = 2 * np.pi * log_uniform(rng, 0.05, 2.0)
    after = np.maximum(time_s, 0)
    shape = np.where(time_s >= 0, (1 - rate * after) * np.exp(-rate * after), 0)
    return (scale * log_uniform(rng, 1, 30) * rng.random((3, 1)) * shape).astype(np.float32)


def synthetic_noise(
    length: int, rng: np.random.Generator, *, bursts: float = 0.4
) -> Float32[Array, "3 sample"]:
    """Gaussian noise of unit rms with a random sloping spectrum, and bursts that are no events.

    Args:
        length: number of samples.
        rng: randomness.
        bursts: share of the cuts in which the level swells and sinks as traffic and wind do,
            symmetrically within seconds, so without an onset.
    """
    frequency_hz = np.maximum(np.fft.rfftfreq(length, 0.01), 0.05)
    shape = frequency_hz ** rng.uniform(-1.5, 0.7)
    if rng.random() < 0.5:
        centre, width = log_uniform(rng, 1, 30), rng.uniform(0.2, 1.0)
        shape *= 1 + log_uniform(rng, 1, 20) * np.exp(
            -0.5 * (np.log(frequency_hz / centre) / width) ** 2
        )
    spectrum = shape * (rng.normal(size=(3, len(shape))) + 1j * rng.normal(size=(3, len(shape))))
    noise = np.fft.irfft(spectrum, length)
    noise /= noise.std(1, keepdims=True)
    if rng.random() < bursts:
        time_s = np.arange(length) / 100.0
        for _ in range(int(rng.integers(1, 4))):
            centre_s, width_s = rng.uniform(0, length / 100), log_uniform(rng, 1.0, 12.0)
            swell = np.exp(-0.5 * ((time_s - centre_s) / width_s) ** 2)
            noise *= 1 + log_uniform(rng, 0.5, 8.0) * swell
    return noise.astype(np.float32)
