"""Spectrograms, and the power of noise against Peterson's models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import check_span
from zilzal.core.arrays import Array
from zilzal.core.errors import GapError, InventoryError
from zilzal.core.ids import ChannelId
from zilzal.core.station import GroundMotion, Response
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.response import evaluate
from zilzal.signal.spectrum import Segments, spectrogram
from zilzal.synth.noise import high_noise_db, low_noise_db

LONGEST_S = 3_600.0
LONGEST_NOISE_S = 86_400.0
_SHORT_S = 2.0
"""Of a spectrogram's segments at least, so that 1 Hz and above can be told apart."""
_MOST_SEGMENTS = 400
_NOISE_SEGMENT_S = 120.0
"""Long enough for periods up to 20 s."""
_BANDS_PER_OCTAVE = 8
_PERCENTILES = (10, 50, 90)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrogram:
    """Power over time of one gap-free piece.

    Args:
        start: middle of the first segment.
        step_s: from one segment's middle to the next.
        frequency_hz: of the rows.
        power_db: 10 log10 of counts^2/Hz.
    """

    start: Time
    step_s: float
    frequency_hz: Float64[Array, " frequency"]
    power_db: Float64[Array, "frequency segment"]


def spectrograms(
    channel_id: ChannelId, span: tuple[Time, Time], held: Holdings
) -> list[Spectrogram]:
    """Of a channel between two instants; pieces that are too short are left out.

    Raises:
        RangeError: the span is empty or too long.
    """
    check_span(span, LONGEST_S)
    return [
        _spectrogram(piece)
        for piece in held.waveforms.read(channel_id, *span)
        if piece.duration_s > 2 * _SHORT_S
    ]


def _spectrogram(trace: Trace) -> Spectrogram:
    length = max(8, round(_SHORT_S * trace.sampling_rate))
    hop = max(length // 8, -(-len(trace.samples) // _MOST_SEGMENTS))
    # Segments that do not touch would hide what lies between them.
    length = max(length, hop)
    segments = Segments(length=length, hop=hop)
    power = spectrogram(np.asarray(trace.samples, float), trace.sampling_rate, segments)
    return Spectrogram(
        start=trace.start + length / 2 / trace.sampling_rate,
        step_s=hop / trace.sampling_rate,
        frequency_hz=np.fft.rfftfreq(length, 1 / trace.sampling_rate),
        power_db=10 * np.log10(np.maximum(power, 1e-12)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseSpectrum:
    """Power of ground acceleration [dB re (m/s^2)^2/Hz], in bands of a fraction of an octave.

    Args:
        frequency_hz: middle of each band, rising.
        power_db: for each percentile of the segments, in order.
        percentiles: which.
        low_noise_db: Peterson's new low-noise model.
        high_noise_db: Peterson's new high-noise model.
        n_segments: that were looked at.
    """

    frequency_hz: Float64[Array, " band"]
    power_db: Float64[Array, "percentile band"]
    percentiles: tuple[int, ...]
    low_noise_db: Float64[Array, " band"]
    high_noise_db: Float64[Array, " band"]
    n_segments: int


def noise_spectrum(channel_id: ChannelId, span: tuple[Time, Time], held: Holdings) -> NoiseSpectrum:
    """The ground's power between two instants: how it is most of the time.

    Raises:
        GapError: no gap-free piece is long enough.
        InventoryError: the channel has no usable response.
        RangeError: the span is empty or too long.

    Source:
        McNamara & Buland (2004), doi:10.1785/012003001, for percentiles of many short segments;
        Peterson (1993), USGS Open-File Report 93-322, for the models.
    """
    check_span(span, LONGEST_NOISE_S)
    channel = held.inventory.channel(channel_id, span[0])
    if channel is None or channel.response is None:
        raise InventoryError(
            f"{channel_id} has no usable response at {span[0]}; give an inventory with responses"
        )
    densities, rate = _densities(held.waveforms.read(channel_id, *span), channel_id)
    length = round(_NOISE_SEGMENT_S * rate)
    frequency_hz = np.fft.rfftfreq(length, 1 / rate)[1:]
    ground = densities[1:] / _power_of(channel.response, frequency_hz)[:, None]
    centres_hz, banded = _banded(frequency_hz, ground, rate)
    decibels = 10 * np.log10(np.maximum(banded, 1e-30))
    return NoiseSpectrum(
        frequency_hz=centres_hz,
        power_db=np.percentile(decibels, _PERCENTILES, axis=1),
        percentiles=_PERCENTILES,
        low_noise_db=low_noise_db(centres_hz),
        high_noise_db=high_noise_db(centres_hz),
        n_segments=decibels.shape[1],
    )


def _densities(
    pieces: Sequence[Trace], channel_id: ChannelId
) -> tuple[Float64[Array, "frequency segment"], float]:
    """Power of the segments of all pieces that have the first one's rate."""
    rate = pieces[0].sampling_rate if pieces else 1.0
    length = round(_NOISE_SEGMENT_S * rate)
    segments = Segments(length=length, hop=length // 2)
    long_enough = [p for p in pieces if p.sampling_rate == rate and len(p.samples) >= length]
    if not long_enough:
        raise GapError(
            f"{channel_id} has no gap-free {_NOISE_SEGMENT_S:g} s in that time; take more of it"
        )
    found = [spectrogram(np.asarray(p.samples, float), rate, segments) for p in long_enough]
    return np.concatenate(found, axis=1), rate


def _power_of(
    response: Response, frequency_hz: Float64[Array, " frequency"]
) -> Float64[Array, " frequency"]:
    """Counts^2 per (m/s^2)^2."""
    transfer = evaluate(response, frequency_hz)
    order = {GroundMotion.DISPLACEMENT: -2, GroundMotion.VELOCITY: -1, GroundMotion.ACCELERATION: 0}
    per_acceleration = transfer * (2j * np.pi * frequency_hz) ** order[response.ground_motion]
    return np.maximum(np.abs(per_acceleration) ** 2, np.finfo(float).tiny)


def _banded(
    frequency_hz: Float64[Array, " frequency"],
    power: Float64[Array, "frequency segment"],
    rate: float,
) -> tuple[Float64[Array, " band"], Float64[Array, "band segment"]]:
    """Means over bands of an octave's fraction, up to 0.8 of the Nyquist frequency."""
    numbers = np.floor(np.log2(frequency_hz) * _BANDS_PER_OCTAVE + 0.5).astype(int)
    kept = frequency_hz <= 0.4 * rate
    bands = np.unique(numbers[kept])
    means = np.stack([power[kept & (numbers == band)].mean(axis=0) for band in bands])
    return 2.0 ** (bands / _BANDS_PER_OCTAVE), means
