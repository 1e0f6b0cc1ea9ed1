"""Spectra of windows: amplitude spectrum, short-time Fourier transform, power of noise.

The last axis of the input is time; any axes before it are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Shaped

from zilzal.core.arrays import Array


def hann(length: int) -> Float[Array, " sample"]:
    """Periodic Hann window: copies shifted by half (a quarter, ...) its length add up flat."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def amplitude_spectrum(
    samples: Shaped[Array, "*batch sample"], sampling_rate: float
) -> tuple[Float[Array, " frequency"], Float[Array, "*batch frequency"]]:
    """Frequencies [Hz] and one-sided amplitudes, in the unit of the samples.

    A sine of amplitude a that fits the window a whole number of times gives a at its frequency;
    no taper is applied and the mean is kept, at frequency 0.
    """
    length = samples.shape[-1]
    amplitude = np.abs(np.fft.rfft(samples)) * 2 / length
    amplitude[..., 0] /= 2
    if length % 2 == 0:
        amplitude[..., -1] /= 2
    return np.fft.rfftfreq(length, 1 / sampling_rate), amplitude


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """How a window is cut for a short-time transform.

    Args:
        length: samples of a segment.
        hop: samples from one segment's start to the next one's.
    """

    length: int
    hop: int

    def __post_init__(self) -> None:
        if not 1 <= self.hop <= self.length:
            raise ValueError(f"hop must be from 1 to {self.length}, the length; got {self.hop}")

    def count(self, samples: int) -> int:
        """Segments that fit wholly into so many samples."""
        return max(0, (samples - self.length) // self.hop + 1)

    def centres_s(self, samples: int, sampling_rate: float) -> Float[Array, " segment"]:
        """Middle of each segment [s after the first sample]."""
        return (np.arange(self.count(samples)) * self.hop + self.length / 2) / sampling_rate


def short_time_transform(
    samples: Shaped[Array, "*batch sample"], segments: Segments
) -> Complex[Array, "*batch frequency segment"]:
    """Short-time Fourier transform with a Hann window, not padded.

    Normalised by the window's sum: a sine of amplitude a shows as a/2 at its frequency.

    Raises:
        ValueError: not one segment fits.
    """
    cuts = _cut(samples, segments)
    window = hann(segments.length)
    return np.swapaxes(np.fft.rfft(cuts * (window / window.sum())), -1, -2)


def spectrogram(
    samples: Shaped[Array, "*batch sample"], sampling_rate: float, segments: Segments
) -> Float[Array, "*batch frequency segment"]:
    """Power spectral density over time [unit^2/Hz]; the mean of each segment is removed.

    Its mean over the segments is `welch_density`. Raises as `short_time_transform`.
    """
    cuts = _cut(samples, segments)
    window = hann(segments.length)
    spectrum = np.fft.rfft((cuts - cuts.mean(axis=-1, keepdims=True)) * window)
    density = np.abs(spectrum) ** 2 * 2 / (sampling_rate * np.sum(window**2))
    density[..., 0] /= 2
    if segments.length % 2 == 0:
        density[..., -1] /= 2
    return np.swapaxes(density, -1, -2)


def welch_density(
    samples: Shaped[Array, "*batch sample"], sampling_rate: float, segments: Segments
) -> tuple[Float[Array, " frequency"], Float[Array, "*batch frequency"]]:
    """Frequencies [Hz] and one-sided power spectral density of noise [unit^2/Hz].

    Raises:
        ValueError: not one segment fits.

    Source:
        Welch (1967), doi:10.1109/TAU.1967.1161901.
    """
    density = spectrogram(samples, sampling_rate, segments).mean(axis=-1)
    return np.fft.rfftfreq(segments.length, 1 / sampling_rate), density


def _cut(
    samples: Shaped[Array, "*batch sample"], segments: Segments
) -> Shaped[Array, "*batch segment sample"]:
    if samples.shape[-1] < segments.length:
        raise ValueError(
            f"{samples.shape[-1]} samples are fewer than one segment of {segments.length}"
        )
    every = np.lib.stride_tricks.sliding_window_view(samples, segments.length, axis=-1)
    return every[..., :: segments.hop, :]
