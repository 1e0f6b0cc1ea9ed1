"""What a classifier sees of one station's record: the same function in training and operation.

A record's span is high-passed and cut into overlapping segments of fixed length in seconds, whose
power is summed in bands of fixed frequency. So any sampling rate gives the same numbers, as long
as its Nyquist frequency lies above the highest band, and a gap costs only the segments it touches.
All blocks but "counts" are free of the gain; "image" is free of the instrument too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import GapError, RangeError
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.spectrum import Segments, spectrogram

LEVELS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97)
"""Order statistics over time that the blocks "quantiles" and "excess" tell of each band."""

_QUIET = 0.2
"""The order statistic that stands for a band's level without a signal."""
_DYNAMIC_RANGE = 12.0
"""Powers of ten below the loudest segment at which power is floored: float32 has no more."""
_ONSET_SCALES_S = (1.0, 3.0, 8.0)
"""Seconds before and after an instant that the block "onset" compares."""
_ENVELOPE_STEPS = 10
"""Places on each side of its peak at which the envelope is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Which numbers are taken from a record; kept in the model's file.

    Args:
        blocks: names in `BLOCKS`, put one after the other.
        window_s: length of record looked at.
        lead_s: of it before the first pick, in operation.
        low_hz: lower edge of the lowest band, and corner of the high-pass.
        high_hz: upper edge of the highest band; below the Nyquist frequency of every record.
        n_bands: logarithmically spaced between the two.
        segment_s: length of a segment of the short-time transform.
        hop_s: from one segment's start to the next one's.
        least_s: of the window must have been recorded.
        raw_rate: sampling rate that the blocks of raw samples need; other rates are refused.

    Raises:
        ValueError: a value is out of range or a block is unknown.
    """

    blocks: tuple[str, ...] = ("image",)
    window_s: float = 60.0
    lead_s: float = 15.0
    low_hz: float = 1.0
    high_hz: float = 15.0
    n_bands: int = 10
    segment_s: float = 2.0
    hop_s: float = 1.0
    least_s: float = 20.0
    raw_rate: float = 100.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.blocks if name not in BLOCKS]
        if unknown or not self.blocks:
            raise ValueError(f"unknown blocks {unknown} of {self.blocks}; there are {list(BLOCKS)}")
        if not 0 < self.low_hz < self.high_hz:
            raise ValueError(f"need 0 < low_hz < high_hz, not {self.low_hz} and {self.high_hz}")
        if not 0 < self.hop_s <= self.segment_s <= self.least_s <= self.window_s:
            raise ValueError("need 0 < hop_s <= segment_s <= least_s <= window_s")
        if not 0 <= self.lead_s < self.window_s:
            raise ValueError(f"lead_s must lie within the window, not {self.lead_s}")
        narrow = self.low_hz * ((self.high_hz / self.low_hz) ** (1 / self.n_bands) - 1)
        if self.n_bands < 1 or narrow * self.segment_s < 0.2:
            raise ValueError(f"{self.n_bands} bands are too narrow for {self.segment_s} s segments")

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> Self:
        """As a model's file keeps them; raises `TypeError` or `ValueError` if it does not."""
        told: dict[str, Any] = dict(notes)
        told["blocks"] = tuple(told["blocks"])
        return cls(**told)

    def to_notes(self) -> dict[str, Any]:
        """As JSON keeps them."""
        return asdict(self)

    @property
    def n_segments(self) -> int:
        """Segments of a whole window."""
        return int((self.window_s - self.segment_s) / self.hop_s + 1e-9) + 1

    @property
    def band_edges_hz(self) -> Float[Array, " edge"]:
        """Edges of the bands, one more than bands."""
        return np.geomspace(self.low_hz, self.high_hz, self.n_bands + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A record as the blocks see it.

    Args:
        features: what is asked for.
        samples: of the whole window, mean removed, gaps bridged by a line, then 0 where absent.
        filtered: the same, high-passed.
        present: samples at which any component was recorded.
        sampling_rate: of them.
        log_power: common logarithm of the power in each band and segment, mean over the components
            that are present.
        usable: segments without a gap.
    """

    features: Features
    samples: Float[Array, "component sample"]
    filtered: Float[Array, "component sample"]
    present: Bool[Array, " sample"]
    sampling_rate: float
    log_power: Float[Array, "band segment"]
    usable: Bool[Array, " segment"]


def compute_features(
    features: Features,
    samples: Shaped[Array, "component sample"],
    present: Bool[Array, "component sample"],
    sampling_rate: float,
) -> Float32[Array, " feature"]:
    """The numbers of one record.

    Args:
        features: which.
        samples: of the window, in any order of components; a shorter record is one that has a
            gap at its end, a longer one is cut.
        present: which of them were recorded. A component that is not there at all is left out.
        sampling_rate: of the samples.

    Raises:
        RangeError: the rate is too low for the highest band or not the one of raw samples.
        GapError: less than `least_s` was recorded on any component, or nothing moved.
    """
    if sampling_rate < 2.1 * features.high_hz:
        raise RangeError(
            f"{sampling_rate:g} samples per second do not hold {features.high_hz:g} Hz"
        )
    view = _view(features, samples, present, sampling_rate)
    parts = [BLOCKS[name](view) for name in features.blocks]
    return np.concatenate(parts).astype(np.float32)


def _view(
    features: Features,
    samples: Shaped[Array, "component sample"],
    present: Bool[Array, "component sample"],
    sampling_rate: float,
) -> View:
    length = round(features.window_s * sampling_rate)
    live = [
        row
        for row in range(len(samples))
        if present[row, :length].sum() >= features.least_s * sampling_rate
        and np.ptp(samples[row, :length][present[row, :length]]) > 0
    ]
    if not live:
        raise GapError(f"less than {features.least_s:g} s of moving samples on any component")
    whole = np.zeros((len(live), length))
    there = np.zeros((len(live), length), bool)
    filtered = np.zeros_like(whole)
    for row, component in enumerate(live):
        there[row, : samples.shape[1]] = present[component, :length]
        span = np.flatnonzero(there[row])
        first, end = int(span[0]), int(span[-1]) + 1
        whole[row, first:end] = np.interp(np.arange(first, end), span, samples[component, span])
        whole[row, first:end] -= whole[row, first:end].mean()
        filtered[row, first:end] = _high_passed(features, whole[row, first:end], sampling_rate)
    log_power, usable = _band_power(features, filtered, there, sampling_rate)
    if usable.sum() * features.hop_s < features.least_s - features.segment_s:
        raise GapError(f"less than {features.least_s:g} s without a gap")
    return View(
        features=features,
        samples=np.where(there, whole, 0),
        filtered=np.where(there, filtered, 0),
        present=np.any(there, axis=0, keepdims=True)[0],
        sampling_rate=sampling_rate,
        log_power=log_power,
        usable=usable,
    )


def _high_passed(
    features: Features, samples: Float[Array, " sample"], sampling_rate: float
) -> Float[Array, " sample"]:
    """Causal, begun as if the first sample had stood for ever, so that no step rings."""
    sections = highpass(features.low_hz, order=4, sampling_rate=sampling_rate)
    rest = start_filter(sections, 1)
    return step_filter(sections, rest, samples[np.newaxis] - samples[0])[1][0]


def _band_power(
    features: Features,
    filtered: Float[Array, "component sample"],
    present: Bool[Array, "component sample"],
    sampling_rate: float,
) -> tuple[Float[Array, "band segment"], Bool[Array, " segment"]]:
    """Logarithm of the mean power over components by band and segment; which segments count."""
    length = round(features.segment_s * sampling_rate)
    starts = np.round(np.arange(features.n_segments) * features.hop_s * sampling_rate).astype(int)
    starts = np.minimum(starts, filtered.shape[1] - length)
    cuts = filtered[:, starts[:, np.newaxis] + np.arange(length)]
    density = spectrogram(cuts, sampling_rate, Segments(length=length, hop=length))[..., 0]
    absent = np.concatenate([np.zeros((len(present), 1), int), np.cumsum(~present, axis=1)], axis=1)
    whole = absent[:, starts + length] == absent[:, starts]
    weight = whole / np.maximum(whole.sum(axis=0), 1)
    mean = np.einsum("csf,cs->fs", density, weight)
    power = band_weights(features, np.fft.rfftfreq(length, 1 / sampling_rate)) @ mean
    floor = max(float(power.max()), np.finfo(np.float32).tiny) * 10.0**-_DYNAMIC_RANGE
    return np.log10(np.maximum(power, floor)), whole.any(axis=0)


def band_weights(
    features: Features, frequencies_hz: Float[Array, " frequency"]
) -> Float[Array, "band frequency"]:
    """How much of each frequency's power lies in each band: a share of the bin's width [Hz]."""
    edges = features.band_edges_hz
    half = (frequencies_hz[1] - frequencies_hz[0]) / 2
    low = np.maximum(edges[:-1, np.newaxis], frequencies_hz - half)
    high = np.minimum(edges[1:, np.newaxis], frequencies_hz + half)
    return np.maximum(high - low, 0.0)


def _counts(view: View) -> Float[Array, " feature"]:
    """The first component as recorded, mean removed: what the lecture's exercise takes."""
    return _at_raw_rate(view)


def _scaled(view: View) -> Float[Array, " feature"]:
    """The same, below `high_hz`, over its own standard deviation."""
    samples = _at_raw_rate(view)
    return samples / _spread(samples)


def _filtered(view: View) -> Float[Array, " feature"]:
    """The first component in the bands' whole range, over its own standard deviation."""
    _at_raw_rate(view)
    return _low_passed(view, view.filtered[0]) / _spread(view.filtered[0])


def _at_raw_rate(view: View) -> Float[Array, " sample"]:
    if abs(view.sampling_rate / view.features.raw_rate - 1) > 1e-5:
        raise RangeError(
            f"raw samples need {view.features.raw_rate:g} Hz, not {view.sampling_rate:g} Hz"
        )
    return _low_passed(view, view.samples[0])


def _low_passed(view: View, samples: Float[Array, " sample"]) -> Float[Array, " sample"]:
    """Without what only records of a high rate hold: else the rate would tell the class."""
    frequencies_hz = np.fft.rfftfreq(len(samples), 1 / view.sampling_rate)
    above = np.clip(frequencies_hz / view.features.high_hz - 1, 0, 0.1) / 0.1
    return np.fft.irfft(np.fft.rfft(samples) * (1 - above), len(samples))


def _spread(samples: Float[Array, " sample"]) -> float:
    return max(float(samples.std()), float(np.finfo(np.float32).tiny))


def _spectrum(view: View) -> Float[Array, " feature"]:
    """Logarithm of the whole record's amplitude spectrum in 120 equal steps, less its mean."""
    amplitude = np.abs(np.fft.rfft(view.filtered)) ** 2
    frequencies_hz = np.fft.rfftfreq(view.filtered.shape[1], 1 / view.sampling_rate)
    edges = np.linspace(view.features.low_hz, view.features.high_hz, 121)
    place = np.searchsorted(edges, frequencies_hz, side="right") - 1
    inside = (place >= 0) & (place < 120)
    power = np.bincount(place[inside], amplitude.mean(axis=0)[inside], minlength=120)
    power /= np.maximum(np.bincount(place[inside], minlength=120), 1)
    logarithm = 0.5 * np.log10(np.maximum(power, power.max() * 10.0**-_DYNAMIC_RANGE))
    return logarithm - logarithm.mean()


def _image(view: View) -> Float[Array, " feature"]:
    """The spectrogram above each band's own quiet level: 0 where quiet or absent."""
    quiet = np.quantile(view.log_power[:, view.usable], _QUIET, axis=1)
    return np.where(view.usable, view.log_power - quiet[:, np.newaxis], 0.0).ravel()


def _excess(view: View) -> Float[Array, " feature"]:
    """Order statistics over time of each band, and of all together, above the quiet level."""
    bands = view.log_power[:, view.usable]
    bands = bands - np.quantile(bands, _QUIET, axis=1)[:, np.newaxis]
    rows = np.vstack([bands, bands.mean(axis=0)])
    return np.quantile(rows, LEVELS, axis=1).ravel()


def _onset(view: View) -> Float[Array, " feature"]:
    """The sharpest rise of each band, of all together, and the sharpest fall, at several scales.

    A rise is the mean of the logarithm of power over the `s` seconds that follow less that over
    the `s` seconds before: an event rises steeply in many bands at one time and falls slowly.
    """
    bands = view.log_power[:, view.usable]
    rows = np.vstack([bands, bands.mean(axis=0)])
    total = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    parts: list[Array] = []
    for scale_s in _ONSET_SCALES_S:
        width = min(max(1, round(scale_s / view.features.hop_s)), rows.shape[1] // 2)
        means = (total[:, width:] - total[:, :-width]) / width
        steps = means[:, width:] - means[:, :-width]
        parts += [steps.max(axis=1), steps.min(axis=1)[-1:]]
    return np.concatenate(parts)


def _quantiles(view: View) -> Float[Array, " feature"]:
    """Order statistics over time of each band against the loudest: shape of the spectrum too."""
    bands = view.log_power[:, view.usable]
    return np.quantile(bands - _loudness(bands).max(), LEVELS, axis=1).ravel()


def _envelope(view: View) -> Float[Array, " feature"]:
    """Loudness around its peak, against the peak, at growing distances before and after it."""
    loud = np.where(view.usable, _loudness(view.log_power), -np.inf)
    peak = int(np.argmax(loud))
    reach = [0.5 * n * (n + 1) for n in range(1, _ENVELOPE_STEPS + 1)]
    times_s = (np.arange(view.features.n_segments) - peak) * view.features.hop_s
    wanted_s = np.array([-r for r in reversed(reach)] + reach) * view.features.segment_s / 2
    told = np.flatnonzero(view.usable)
    return np.interp(wanted_s, times_s[told], loud[told]) - loud[peak]


def _shape(view: View) -> Float[Array, " feature"]:
    """Where in frequency and time the power above the quiet level lies, and how wide.

    Centre and width in octaves at the loudest segment and over all, their drift from the first
    to the second half of the power, share of time above a tenth and a hundredth of the peak, how
    much later the power's middle is than its peak, and how long the middle four fifths of it take.
    """
    bands = 10.0 ** view.log_power[:, view.usable]
    bands = np.maximum(bands - np.quantile(bands, _QUIET, axis=1)[:, np.newaxis], 0)
    power = bands.sum(axis=0) + np.finfo(np.float64).tiny
    octaves = np.log2(np.sqrt(view.features.band_edges_hz[1:] * view.features.band_edges_hz[:-1]))
    peak = int(np.argmax(power))
    passed = np.cumsum(power) / power.sum()
    early, late = passed <= 0.5, passed > 0.5
    centres = [_centre(bands[:, part], octaves) for part in (slice(peak, peak + 1), early, late)]
    whole = _centre(bands, octaves)
    share = np.array([power > 0.1 * power[peak], power > 0.01 * power[peak]]).mean(axis=1)
    early_tenth, middle, late_tenth = np.interp((0.1, 0.5, 0.9), passed, np.arange(len(power)))
    drift = centres[2][0] - centres[1][0]
    spans = np.array([middle - peak, late_tenth - early_tenth]) * view.features.hop_s / 10
    return np.array([*whole, *centres[0], drift, *share, *spans])


def _centre(
    bands: Float[Array, "band segment"], octaves: Float[Array, " band"]
) -> tuple[float, float]:
    """Mean and standard deviation of the power over octaves."""
    power = bands.sum(axis=1)
    if not power.sum() > 0:
        return float(octaves.mean()), 0.0
    mean = float(np.average(octaves, weights=power))
    return mean, float(np.average((octaves - mean) ** 2, weights=power)) ** 0.5


def _loudness(log_power: Float[Array, "band segment"]) -> Float[Array, " segment"]:
    """Logarithm of the power in all bands."""
    highest = log_power.max(axis=0)
    return highest + np.log10((10.0 ** (log_power - highest)).sum(axis=0))


BLOCKS: Mapping[str, Callable[[View], Float[Array, " feature"]]] = MappingProxyType(
    {
        "counts": _counts,
        "scaled": _scaled,
        "filtered": _filtered,
        "spectrum": _spectrum,
        "image": _image,
        "excess": _excess,
        "onset": _onset,
        "quantiles": _quantiles,
        "envelope": _envelope,
        "shape": _shape,
    }
)
"""Parts of a feature vector by name."""
