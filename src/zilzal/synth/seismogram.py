"""The counts that one event leaves at one station, without noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.core.station import GroundMotion
from zilzal.core.time import Time, sample_number, sample_time
from zilzal.signal.response import evaluate
from zilzal.synth.network import SyntheticNetwork, SyntheticStation
from zilzal.synth.noise import anti_alias
from zilzal.synth.path import (
    Medium,
    absorb,
    direct_energy,
    far_field_scale,
    minimum_phase,
    scattered_power_per_s,
)
from zilzal.synth.seed import generator
from zilzal.synth.source import (
    CORNER_RATIO,
    RMS_RADIATION_P,
    RMS_RADIATION_S,
    corner_frequency_hz,
    omega_square,
    radiate,
)
from zilzal.synth.truth import TrueArrival, TrueEvent

BAND_CENTRES_HZ = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""The coda's envelope is one for each octave."""
NODE_FILL = 0.25
"""Share of the energy of direct waves that does not follow the radiation pattern: scattering
near the source fills its nodes above 1 Hz, as Takemura et al. (2016),
doi:10.1186/s40623-016-0544-8, show; the share itself is our choice."""
BLAST_S_RADIATION = 0.3
"""S over P radiation of a blast; none from a perfect explosion, some from spall and quarry face."""
RIPPLE_S, RIPPLE_COUNT = 0.025, 8
"""Delay between rows of a ripple-fired blast, and their number."""
RG_DEPTH_M = 2_000.0
"""Deeper sources raise no Rg to speak of."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Samples of the channels of one sensor, on the epoch grid.

    Args:
        first: number of the first sample.
        samples: counts, by the sensor's components.
    """

    first: int
    samples: Float[Array, "component sample"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Axis:
    """Times and frequencies of one seismogram.

    Args:
        first: number of the first sample.
        start: its instant.
        length: samples kept.
        padded: samples of the transform, even.
        frequency_hz: of the transform.
    """

    first: int
    start: Time
    length: int
    padded: int
    rate: float
    frequency_hz: Float[Array, " frequency"]


def signal_span(
    event: TrueEvent, p: TrueArrival, s: TrueArrival, sampling_rate: float
) -> tuple[int, int]:
    """First sample of an event's signal, and the number of samples.

    It lasts one and a half times the duration of Lee et al. (1972), USGS Open-File Report 72-223
    (M = -0.87 + 2 log10 duration), and 20 s; faded out over the last quarter.
    """
    coda_s = np.clip(20 + 1.5 * 10 ** ((event.magnitude + 0.87) / 2), 30, 300)
    first = sample_number(p.time, sampling_rate) - 1
    return first, int(((s.time - p.time) + coda_s) * sampling_rate)


def event_signal(network: SyntheticNetwork, event_number: int, station_number: int) -> Signal:
    """What an event adds to a station's counts."""
    event, station = network.events[event_number], network.stations[station_number]
    p, s = network.arrivals_at(event_number, station_number)
    axis = _axis(event, p, s, station.sampling_rate)
    ground = np.zeros((3, len(axis.frequency_hz)), complex)
    for arrival in (p, s):
        pulse = _pulse(network.medium, event, station, arrival, axis)
        rng = generator(network.scenario.seed, "path", event.id, station.sensor_id, arrival.phase)
        ground += pulse * _wave_train(network.medium, event, arrival, axis, rng)
    if event.depth_m < RG_DEPTH_M:
        rg = _surface_wave(network.medium, event, p, axis)
        ground += rg * site_amplification(station, axis.frequency_hz)
    counts = to_sensor(ground, p.azimuth_deg, station) * counts_per_velocity(
        station, axis.frequency_hz
    )
    samples = np.fft.irfft(counts * axis.rate, axis.padded)[:, : axis.length]
    fade = np.clip(4 * (1 - np.arange(axis.length) / axis.length), 0, 1)
    return Signal(axis.first, samples * (0.5 - 0.5 * np.cos(np.pi * fade)))


def _axis(event: TrueEvent, p: TrueArrival, s: TrueArrival, rate: float) -> _Axis:
    from scipy.fft import next_fast_len

    first, length = signal_span(event, p, s, rate)
    # Ten seconds more keep the sensor's long memory from coming round to the front.
    half = int(next_fast_len((length + int(10 * rate)) // 2, real=True) or 0)
    padded = 2 * half
    return _Axis(
        first=first,
        start=sample_time(first, rate),
        length=length,
        padded=padded,
        rate=rate,
        frequency_hz=np.fft.rfftfreq(padded, 1 / rate),
    )


def _pulse(
    medium: Medium,
    event: TrueEvent,
    station: SyntheticStation,
    arrival: TrueArrival,
    axis: _Axis,
) -> Complex[Array, " frequency"]:
    """Spectrum of the ground's velocity for a radiation of 1, its onset at time zero."""
    frequency, phase = axis.frequency_hz, arrival.phase
    corner = corner_frequency_hz(event.moment_n_m, event.stress_drop_pa, medium.s_velocity_m_per_s)
    corner *= CORNER_RATIO if phase is Phase.P else 1.0
    rise_m = event.depth_m + station.station.elevation_m
    scale = far_field_scale(medium, phase, event.moment_n_m, np.hypot(arrival.distance_m, rise_m))
    displacement = omega_square(frequency, corner) * anti_alias(frequency, axis.rate)
    displacement *= site_amplification(station, frequency)
    displacement *= absorb(medium, phase, frequency, arrival.time - event.time, station.kappa_s)
    spectrum = scale * minimum_phase(displacement) * (2j * np.pi * frequency)
    if event.mechanism is None:
        rows = np.arange(RIPPLE_COUNT)[:, None] * RIPPLE_S
        spectrum *= np.exp(-2j * np.pi * frequency * rows).mean(axis=0)
    return spectrum


def site_amplification(
    station: SyntheticStation, frequency_hz: Float[Array, " frequency"]
) -> Float[Array, " frequency"]:
    """What the ground under a station makes of waves, interpolated between octaves."""
    octave = np.log2(np.maximum(frequency_hz, BAND_CENTRES_HZ[0]))
    return 10 ** np.interp(octave, np.log2(BAND_CENTRES_HZ), np.log10(station.amplification))


def _wave_train(
    medium: Medium,
    event: TrueEvent,
    arrival: TrueArrival,
    axis: _Axis,
    rng: np.random.Generator,
) -> Complex[Array, "3 frequency"]:
    """Direct wave, some reflections and the scattered field, on Z, R and T, as weights in time."""
    late_s = arrival.time - axis.start
    travel_s = arrival.time - event.time
    direct = _direct(medium, event, arrival)
    direct *= np.sqrt(direct_energy(medium, arrival.phase, travel_s))
    delays_s = np.concatenate([[0.0], rng.gamma(2.0, 0.35, 3) + 0.08])
    sizes = np.concatenate([[1.0], rng.choice([-1, 1], 3) * rng.uniform(0.1, 0.4, 3)])
    shifts = np.exp(-2j * np.pi * axis.frequency_hz * (late_s + delays_s)[:, None])
    train = np.outer(direct, sizes @ shifts)
    if arrival.phase is Phase.S:
        # S turns into P at the bottom of soft layers under the station and hurries ahead.
        early_s = rng.uniform(0.05, 0.08 * travel_s + 0.1)
        size = np.linalg.norm(direct) * medium.sp_conversion * rng.uniform(-1, 1)
        train[0] += size * np.exp(-2j * np.pi * axis.frequency_hz * (late_s - early_s))
    return train + _scattered(medium, event, arrival, axis, rng)


def _direct(medium: Medium, event: TrueEvent, arrival: TrueArrival) -> Float[Array, " 3"]:
    """Radiation of the direct wave on Z (up), R (away) and T (clockwise) at the station."""
    p_like = arrival.phase is Phase.P
    if event.mechanism is None:
        pattern = (1.0, BLAST_S_RADIATION, BLAST_S_RADIATION / 2)
    else:
        pattern = radiate(event.mechanism, arrival.azimuth_deg, arrival.takeoff_angle_deg)
    p, sv, sh = (
        np.copysign(np.sqrt((1 - NODE_FILL) * x**2 + NODE_FILL * rms**2), x)
        for x, rms in zip(
            pattern, (RMS_RADIATION_P, *[RMS_RADIATION_S / np.sqrt(2)] * 2), strict=True
        )
    )
    speed = medium.velocity_m_per_s(arrival.phase) * medium.surface_ratio
    sine = min(arrival.slowness_s_per_m * speed, 0.95)
    cosine = np.sqrt(1 - sine**2)
    return np.array([p * cosine, p * sine, 0.0] if p_like else [sv * sine, -sv * cosine, sh])


def _scattered(
    medium: Medium,
    event: TrueEvent,
    arrival: TrueArrival,
    axis: _Axis,
    rng: np.random.Generator,
) -> Complex[Array, "3 frequency"]:
    """Noise under the envelopes of the octaves; P favours the vertical, S the horizontals."""
    p_like = arrival.phase is Phase.P
    share = np.array([0.5, 0.25, 0.25] if p_like else [0.2, 0.4, 0.4])
    rms = RMS_RADIATION_P if p_like else RMS_RADIATION_S
    if event.mechanism is None:
        rms = 1.0 if p_like else BLAST_S_RADIATION
    white = np.fft.rfft(rng.standard_normal((3, axis.padded)))
    time_s = np.arange(axis.padded) / axis.rate + (axis.start - event.time)
    octave = np.log2(np.maximum(axis.frequency_hz, BAND_CENTRES_HZ[0] / 4))
    out = np.zeros((3, axis.padded))
    last = len(BAND_CENTRES_HZ) - 1
    for number, centre_hz in enumerate(BAND_CENTRES_HZ):
        # Triangles over the octaves, which add up to one; the outer two go on for ever.
        away = octave - np.log2(centre_hz)
        away = np.maximum(away, 0) if number == 0 else away
        away = np.minimum(away, 0) if number == last else away
        band = np.fft.irfft(white * np.clip(1 - np.abs(away), 0, 1), axis.padded)
        power = scattered_power_per_s(
            medium, arrival.phase, arrival.time - event.time, time_s, centre_hz
        )
        out += band * np.sqrt(power / axis.rate)
    return np.fft.rfft(out) * (rms * np.sqrt(share))[:, None]


def _surface_wave(
    medium: Medium, event: TrueEvent, arrival: TrueArrival, axis: _Axis
) -> Complex[Array, "3 frequency"]:
    """Rg of a shallow source: slow, dispersed, retrograde, soon absorbed.

    Group velocity falls from 2.9 to 2.0 km/s between 0.1 and 2.5 Hz and Q is 40, as usual in
    sediments; the amplitude is that of S at 5 km, falls with the root of the distance and with
    the depth of the source over a wavelength.
    """
    frequency, apart_m = axis.frequency_hz, max(arrival.distance_m, 1_000.0)
    velocity = 2_900.0 - 375.0 * np.clip(frequency - 0.1, 0, 2.4)
    delay_s = apart_m / velocity + (event.time - axis.start)
    turns = np.cumsum(delay_s) * (frequency[1] - frequency[0])
    near = far_field_scale(medium, Phase.S, event.moment_n_m, 5_000.0)
    size = (
        near * np.sqrt(5_000.0 / apart_m) * np.exp(-np.pi * frequency * apart_m / (velocity * 40))
    )
    size = size * np.exp(-2 * np.pi * frequency * max(event.depth_m, 0.0) / velocity)
    size = size * np.exp(-((frequency / 2.5) ** 2))
    vertical = size * (2j * np.pi * frequency) * np.exp(-2j * np.pi * turns)
    return np.stack([vertical, -0.7j * vertical, np.zeros_like(vertical)])


def to_sensor(
    ground: Complex[Array, "3 frequency"], azimuth_deg: float, station: SyntheticStation
) -> Complex[Array, "component frequency"]:
    """From Z, R, T to the directions that the sensor's components sense."""
    up, away, across = ground
    rows = []
    for component in station.components:
        if component == "Z":
            rows.append(up)
            continue
        sensing = station.azimuth_deg + (90.0 if component in "E2" else 0.0)
        angle = np.radians(azimuth_deg - sensing)
        rows.append(away * np.cos(angle) - across * np.sin(angle))
    return np.stack(rows)


def counts_per_velocity(
    station: SyntheticStation, frequency_hz: Float[Array, " frequency"]
) -> Complex[Array, " frequency"]:
    """Counts per ground velocity; nothing at zero frequency."""
    transfer = np.zeros(len(frequency_hz), complex)
    transfer[1:] = evaluate(station.response, frequency_hz[1:])
    if station.response.ground_motion is GroundMotion.ACCELERATION:
        transfer *= 2j * np.pi * frequency_hz
    return transfer
