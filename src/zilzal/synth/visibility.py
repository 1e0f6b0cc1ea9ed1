"""What of the truth can be seen: how far arrivals rise above the noise, and for how long."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.core.time import Time, sample_number, sample_time
from zilzal.synth.fault import FaultKind
from zilzal.synth.network import SyntheticNetwork, SyntheticStation
from zilzal.synth.noise import background_rms_counts
from zilzal.synth.seismogram import Signal, event_signal
from zilzal.synth.truth import TrueArrival, TrueDetection, VisibleArrival

BAND_HZ = (2.0, 15.0)
WINDOW_S = 2.0
"""From the arrival on, in which the signal's strength is measured."""


def visible_arrivals(network: SyntheticNetwork) -> list[VisibleArrival]:
    """All arrivals with what the records show of them, in the order of `network.arrivals`."""
    return [visible for pair in _event_stations(network) for visible in _arrivals(network, *pair)]


def true_detections(network: SyntheticNetwork) -> list[TrueDetection]:
    """The intervals in which events rise above the noise, by event, then station."""
    found: list[TrueDetection] = []
    for event_number, station_number in _event_stations(network):
        end = _coda_end(network, event_number, station_number)
        if end is not None:
            p, _ = network.arrivals_at(event_number, station_number)
            found.append(
                TrueDetection(event_id=p.event_id, station_id=p.station_id, start=p.time, end=end)
            )
    return found


def _event_stations(network: SyntheticNetwork) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(network.events)) for j in range(len(network.stations))]


def _arrivals(
    network: SyntheticNetwork, event_number: int, station_number: int
) -> list[VisibleArrival]:
    station = network.stations[station_number]
    signal = event_signal(network, event_number, station_number)
    snr = band_pass(signal.samples, station.sampling_rate)
    snr = snr / background_rms(network, station, network.events[event_number].time)[:, None]
    return [
        VisibleArrival(
            arrival=arrival,
            snr=_strength(snr, station, signal, arrival),
            is_recorded=_is_recorded(network, arrival),
        )
        for arrival in network.arrivals_at(event_number, station_number)
    ]


def _strength(
    snr: Float[Array, "component sample"],
    station: SyntheticStation,
    signal: Signal,
    arrival: TrueArrival,
) -> float:
    start = sample_number(arrival.time, station.sampling_rate) - signal.first
    cut = snr[:, start : start + int(WINDOW_S * station.sampling_rate)]
    wanted = [(c == "Z") == (arrival.phase is Phase.P) for c in station.components]
    # A sensor without the phase's own components shows it on those that it has.
    rows = cut[wanted] if any(wanted) else cut
    return float(np.sqrt((rows**2).mean()))


def _is_recorded(network: SyntheticNetwork, arrival: TrueArrival) -> bool:
    takers = (FaultKind.GAP, FaultKind.DEAD, FaultKind.ZERO)
    return (
        not any(
            f.kind in takers
            and f.station_id == arrival.station_id
            and f.start < arrival.time + WINDOW_S
            and arrival.time < f.end
            for f in network.faults
        )
        and network.scenario.start <= arrival.time <= network.scenario.end - WINDOW_S
    )


def _coda_end(network: SyntheticNetwork, event_number: int, station_number: int) -> Time | None:
    """None where the event never rises above the noise."""
    station = network.stations[station_number]
    signal = event_signal(network, event_number, station_number)
    noise = background_rms(network, station, network.events[event_number].time)
    power = (band_pass(signal.samples, station.sampling_rate) / noise[:, None]) ** 2
    second = int(station.sampling_rate)
    smooth = np.convolve(power.mean(axis=0), np.full(second, 1 / second), mode="same")
    above = np.flatnonzero(smooth > 1)
    if len(above) == 0:
        return None
    return sample_time(signal.first + int(above[-1]), station.sampling_rate)


def background_rms(
    network: SyntheticNetwork, station: SyntheticStation, time: Time
) -> Float[Array, " component"]:
    """Expected noise of a station's channels in the band [counts]."""
    hour = time.ns / 3.6e12 % 24
    return np.array(
        [
            background_rms_counts(network.noise_channel(c), *BAND_HZ, hour)
            for c in station.channel_ids
        ]
    )


def band_pass(
    samples: Float[Array, "component sample"], sampling_rate: float
) -> Float[Array, "component sample"]:
    """The band alone, by its Fourier coefficients."""
    frequency = np.fft.rfftfreq(samples.shape[1], 1 / sampling_rate)
    inside = (frequency >= BAND_HZ[0]) & (frequency < BAND_HZ[1])
    return np.fft.irfft(np.fft.rfft(samples) * inside, samples.shape[1])
