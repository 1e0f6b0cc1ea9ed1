"""What is there when nothing happens: coloured noise that any chunk of time cuts alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.station import Response
from zilzal.core.time import sample_time
from zilzal.signal.response import evaluate
from zilzal.synth.seed import generator

HOP = 2**14
"""Samples from one block of noise to the next; a block is twice as long."""

# Period [s], A, B of A + B log10(period) [dB re (m/s^2)^2/Hz]; each row holds from its period on.
# Source: Peterson (1993), USGS Open-File Report 93-322, tables 3 and 4.
_LOW_NOISE = np.array(
    [
        (0.10, -162.36, 5.64), (0.17, -166.70, 0.00), (0.40, -170.00, -8.30),
        (0.80, -166.40, 28.90), (1.24, -168.60, 52.48), (2.40, -159.98, 29.81),
        (4.30, -141.10, 0.00), (5.00, -71.36, -99.77), (6.00, -97.26, -66.49),
        (10.00, -132.18, -31.57), (12.00, -205.27, 36.16), (15.60, -37.65, -104.33),
        (21.90, -114.37, -47.10), (31.60, -160.58, -16.28), (45.00, -187.50, 0.00),
        (70.00, -216.47, 15.70), (101.00, -185.00, 0.00), (154.00, -168.34, -7.61),
        (328.00, -217.43, 11.90), (600.00, -258.28, 26.60), (10000.00, -346.88, 48.75),
    ]
)  # fmt: skip
_HIGH_NOISE = np.array(
    [
        (0.10, -108.73, -17.23), (0.22, -150.34, -80.50), (0.32, -122.31, -23.87),
        (0.80, -116.85, 32.51), (3.80, -108.48, 18.08), (4.60, -74.66, -32.95),
        (6.30, 0.66, -127.18), (7.90, -93.37, -22.42), (15.40, 73.54, -162.98),
        (20.00, -151.52, 10.01), (354.80, -206.66, 31.63),
    ]
)  # fmt: skip


def low_noise_db(frequency_hz: Float[Array, " frequency"]) -> Float[Array, " frequency"]:
    """Peterson's new low-noise model [dB re (m/s^2)^2/Hz]; held constant above 10 Hz."""
    return _model_db(_LOW_NOISE, frequency_hz)


def high_noise_db(frequency_hz: Float[Array, " frequency"]) -> Float[Array, " frequency"]:
    """Peterson's new high-noise model [dB re (m/s^2)^2/Hz]; held constant above 10 Hz."""
    return _model_db(_HIGH_NOISE, frequency_hz)


def _model_db(
    table: Float[Array, "row 3"], frequency_hz: Float[Array, " frequency"]
) -> Float[Array, " frequency"]:
    period_s = np.maximum(1 / np.asarray(frequency_hz, float), table[0, 0])
    row = np.searchsorted(table[:, 0], period_s, side="right") - 1
    return table[row, 1] + table[row, 2] * np.log10(period_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseLevel:
    """How loud one channel is.

    Args:
        level: 0 is the low-noise, 1 the high-noise model.
        horizontal_db: louder than that below 0.1 Hz, as tilt makes horizontals.
        cultural_db: louder than at night above 1 Hz in the afternoon.
        utc_offset_h: local time minus UTC.
    """

    level: float
    horizontal_db: float = 0.0
    cultural_db: float = 0.0
    utc_offset_h: float = 0.0

    def power_db(
        self, frequency_hz: Float[Array, " frequency"], hour_utc: float
    ) -> Float[Array, " frequency"]:
        """Power spectral density of the ground's acceleration [dB re (m/s^2)^2/Hz]."""
        return self.night_db(frequency_hz) + self.day_share(hour_utc) * self.people_db(frequency_hz)

    def night_db(self, frequency_hz: Float[Array, " frequency"]) -> Float[Array, " frequency"]:
        """The same at the quietest hour."""
        low, high = low_noise_db(frequency_hz), high_noise_db(frequency_hz)
        tilt = np.clip((np.log2(0.1) - np.log2(frequency_hz)) / 2, 0, 1)
        return low + self.level * (high - low) + self.horizontal_db * tilt

    def people_db(self, frequency_hz: Float[Array, " frequency"]) -> Float[Array, " frequency"]:
        """What the loudest hour adds; it comes in from 0.5 Hz to 2 Hz."""
        return self.cultural_db * np.clip((np.log2(frequency_hz) + 1) / 2, 0, 1)

    def day_share(self, hour_utc: float) -> float:
        """Share of that at an hour: 1 at 15 h local time, 0 at 3 h."""
        swing = np.cos(2 * np.pi * (hour_utc + self.utc_offset_h - 15) / 24)
        return float(0.5 + 0.5 * swing)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseChannel:
    """All that noise of one channel depends on.

    Args:
        seed: of the scenario.
        name: the channel's code.
        sampling_rate: samples per second.
        response: of its sensor.
        level: how loud.
    """

    seed: int
    name: str
    sampling_rate: float
    response: Response
    level: NoiseLevel


def noise_counts(channel: NoiseChannel, first: int, length: int) -> Float[Array, " sample"]:
    """Noise of the samples from number `first` of the grid that is anchored at the epoch.

    Blocks of noise with the wanted spectrum overlap by half; their weights' squares add up to
    one, so that the sum is as loud everywhere. A block depends on its number alone.
    """
    out = np.zeros(length)
    weight = np.sin(np.pi * (np.arange(2 * HOP) + 0.5) / (2 * HOP))
    for block in range(first // HOP - 1, (first + length - 1) // HOP + 1):
        start = block * HOP - first
        low, high = max(start, 0), min(start + 2 * HOP, length)
        if low < high:
            noise = _block(channel, block) * weight
            out[low:high] += noise[low - start : high - start]
    return out


def _block(channel: NoiseChannel, block: int) -> Float[Array, " sample"]:
    rate = channel.sampling_rate
    white = generator(channel.seed, "noise", channel.name, block).standard_normal(2 * HOP)
    middle = sample_time((block + 1) * HOP, rate)
    hour = middle.ns / 3.6e12 % 24
    return np.fft.irfft(np.fft.rfft(white) * _shape(channel, hour), 2 * HOP)


def _shape(channel: NoiseChannel, hour_utc: float) -> Float[Array, " frequency"]:
    """What white noise of variance 1 is multiplied by, to be the channel's counts."""
    night, people = _curves(channel)
    return night * np.exp(channel.level.day_share(hour_utc) * people)


@lru_cache(maxsize=64)
def _curves(
    channel: NoiseChannel,
) -> tuple[Float[Array, " frequency"], Float[Array, " frequency"]]:
    """The shape at the quietest hour, and the logarithm of what the loudest multiplies it by."""
    rate = channel.sampling_rate
    frequency = np.fft.rfftfreq(2 * HOP, 1 / rate)
    inside = frequency[1:]
    night, people = np.zeros((2, len(frequency)))
    acceleration = 10 ** (channel.level.night_db(inside) / 20)
    night[1:] = np.sqrt(rate / 2) * acceleration * counts_per_acceleration(channel.response, inside)
    people[1:] = channel.level.people_db(inside) * np.log(10) / 20
    return night * anti_alias(frequency, rate), people


def counts_per_acceleration(
    response: Response, frequency_hz: Float[Array, " frequency"]
) -> Float[Array, " frequency"]:
    """Modulus of the response to acceleration, whatever motion the sensor is made for."""
    order = {"M": 2, "M/S": 1, "M/S**2": 0}[response.ground_motion.value]
    per_motion = np.abs(evaluate(response, frequency_hz))
    return per_motion / (2 * np.pi * frequency_hz) ** order


def anti_alias(
    frequency_hz: Float[Array, " frequency"], sampling_rate: float
) -> Float[Array, " frequency"]:
    """Modulus of the digitiser's filter: falls by 80 dB from 0.8 to 1 of the Nyquist frequency."""
    share = np.clip((frequency_hz / (sampling_rate / 2) - 0.8) / 0.2, 0, 1)
    return 10 ** (-80 / 20 * (0.5 - 0.5 * np.cos(np.pi * share)))


def background_rms_counts(
    channel: NoiseChannel, low_hz: float, high_hz: float, hour_utc: float
) -> float:
    """Expected root mean square of the noise within a band [counts]."""
    frequency = np.fft.rfftfreq(2 * HOP, 1 / channel.sampling_rate)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    # White noise of variance 1 has 1/N of its power in each of the N/2 bins, twice.
    return float(np.sqrt((_shape(channel, hour_utc)[inside] ** 2).sum() / HOP))
