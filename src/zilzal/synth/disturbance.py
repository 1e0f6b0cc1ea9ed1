"""What a network records that is no local event: distant earthquakes, people and machines."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.geo import azimuth_deg, distance_m
from zilzal.core.time import Time, sample_number, sample_time
from zilzal.synth.network import SyntheticNetwork, SyntheticStation
from zilzal.synth.noise import background_rms_counts
from zilzal.synth.scenario import PlannedTeleseism
from zilzal.synth.seed import generator
from zilzal.synth.seismogram import Signal, counts_per_velocity, to_sensor

TELESEISM_S = 400.0
LONGEST_BURST_S = 15.0
LOWEST_BURST_HZ = 4.0


def disturbances(
    network: SyntheticNetwork, station: SyntheticStation, start: Time, end: Time
) -> list[Signal]:
    """All that may touch [start, end) at a station."""
    signals = [
        _teleseism(network, plan, number, station)
        for number, plan in enumerate(network.scenario.teleseisms)
        if abs((network.scenario.start + plan.after_s) - start) < TELESEISM_S + 200 + (end - start)
    ]
    hour_ns = 3_600_000_000_000
    first = (start - LONGEST_BURST_S).ns // hour_ns
    for hour in range(first, end.ns // hour_ns + 1):
        signals.extend(_bursts(network, station, hour))
    return signals


def _teleseism(
    network: SyntheticNetwork, plan: PlannedTeleseism, number: int, station: SyntheticStation
) -> Signal:
    """A plane wave, alike everywhere: P of a distant earthquake, 0.03 to 1 Hz, and its coda."""
    scenario, place = network.scenario, station.station
    apart_m = float(
        distance_m(scenario.latitude, scenario.longitude, place.latitude, place.longitude)
    )
    bearing = float(
        azimuth_deg(scenario.latitude, scenario.longitude, place.latitude, place.longitude)
    )
    ahead_m = apart_m * np.cos(np.radians(bearing - plan.azimuth_deg))
    arrival = scenario.start + (plan.after_s + ahead_m / plan.apparent_velocity_m_per_s)
    rate = station.sampling_rate
    # Its own random series is made at 5 Hz, so that it is the same at every sampling rate.
    coarse_s = np.arange(int(TELESEISM_S * 5)) / 5
    rng = generator(scenario.seed, "teleseism", number)
    white = np.fft.rfft(rng.standard_normal((2, len(coarse_s))))
    frequency = np.fft.rfftfreq(len(coarse_s), 0.2)
    band = (frequency / 0.05) ** 2 / (1 + (frequency / 0.05) ** 2) / (1 + (frequency / 0.5) ** 4)
    envelope = (1 - np.exp(-coarse_s / 1.5)) * (
        np.exp(-coarse_s / 12) + 0.3 * np.exp(-coarse_s / 70)
    )
    series = np.fft.irfft(white * band, len(coarse_s)) * envelope
    series *= plan.amplitude_m_per_s / np.abs(series).max()
    first, length = sample_number(arrival, rate), int(TELESEISM_S * rate)
    padded = length + length % 2
    late_s = arrival - sample_time(first, rate)
    axis_s = np.arange(padded) / rate - late_s
    up, away = (np.interp(axis_s, coarse_s, row, left=0, right=0) for row in series)
    ground = np.fft.rfft(np.stack([up, 0.35 * up + 0.15 * away, 0.2 * away]))
    sensed = to_sensor(ground, plan.azimuth_deg, station)
    sensed *= counts_per_velocity(station, np.fft.rfftfreq(padded, 1 / rate))
    return Signal(first, np.fft.irfft(sensed, padded)[:, :length])


def _bursts(network: SyntheticNetwork, station: SyntheticStation, hour: int) -> list[Signal]:
    """Footsteps, cars and machines of one hour since the epoch, at one station alone."""
    plan = network.scenario.noise
    rng = generator(network.scenario.seed, "bursts", station.sensor_id, hour)
    rate = station.sampling_rate
    if rate / 3 <= LOWEST_BURST_HZ:
        return []
    loudness = np.array(
        [
            background_rms_counts(network.noise_channel(c), 2.0, 20.0, hour % 24)
            for c in station.channel_ids
        ]
    )
    signals: list[Signal] = []
    for _ in range(rng.poisson(plan.bursts_per_hour)):
        start = Time(int((hour + rng.random()) * 3.6e12))
        length = int(rng.uniform(1.5, LONGEST_BURST_S) * rate)
        size = np.exp(rng.normal(np.log(4.0), 0.6)) * loudness
        shape = _burst_shape(rng, length, len(loudness), rate)
        signals.append(Signal(sample_number(start, rate), shape * size[:, None]))
    return signals


def _burst_shape(
    rng: np.random.Generator, length: int, n_components: int, rate: float
) -> Float[Array, "component sample"]:
    """Noise of an octave's width that swells and ends, in steps for half of the bursts."""
    centre_hz = float(np.exp(rng.uniform(np.log(LOWEST_BURST_HZ), np.log(min(25.0, rate / 3)))))
    frequency = np.fft.rfftfreq(length, 1 / rate)
    band = np.exp(-(np.log2(np.maximum(frequency, 1e-3) / centre_hz) ** 2) / 0.5)
    white = np.fft.rfft(rng.standard_normal((n_components, length)))
    narrow = np.fft.irfft(white * band, length)
    narrow /= narrow.std(axis=1, keepdims=True)
    steps_hz = rng.choice([0.0, rng.uniform(1.2, 2.2)])
    swell = np.sin(np.pi * np.arange(length) / length) ** 2
    return narrow * swell * np.cos(np.pi * steps_hz * np.arange(length) / rate) ** 2
