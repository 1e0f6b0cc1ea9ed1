"""Samples of a synthetic network: any chunk of time, always alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int32

from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time, sample_number, sample_time
from zilzal.core.waveform import Trace
from zilzal.synth.disturbance import disturbances
from zilzal.synth.fault import Fault, clock_error_s, is_received, overwrite, sensor_offsets
from zilzal.synth.instrument import digitise
from zilzal.synth.network import SyntheticNetwork, SyntheticStation
from zilzal.synth.noise import noise_counts
from zilzal.synth.seed import generator
from zilzal.synth.seismogram import Signal, event_signal, signal_span

MEMORY_S = 600.0
"""No event's signal is longer; earlier ones need not be looked at."""


def record_station(
    network: SyntheticNetwork, station: SyntheticStation, start: Time, end: Time
) -> list[Trace]:
    """What a station's channels give for [start, end): by channel, then in order of time.

    `start` and `end` are true times; a clock that is wrong shows in the traces' own times.
    Chunks that follow each other join to what one long chunk gives.
    """
    rate = station.sampling_rate
    first, last = (_first_at_or_after(t, rate) for t in (start, end))
    if last <= first:
        return []
    added = _signals(network, station, first, last - first)
    traces: list[Trace] = []
    for row, channel_id in enumerate(station.channel_ids):
        faults = [f for f in network.faults if f.concerns(channel_id)]
        constant = int(
            generator(network.scenario.seed, "offset", channel_id).integers(-3_000, 3_000)
        )
        counts = noise_counts(network.noise_channel(channel_id), first, last - first)
        counts += added[row] + sensor_offsets(faults, rate, first, last - first) + constant
        samples = overwrite(digitise(counts), faults, rate, first, constant)
        traces.extend(_pieces(channel_id, rate, first, samples, faults))
    return traces


def _signals(
    network: SyntheticNetwork, station: SyntheticStation, first: int, length: int
) -> Float[Array, "component sample"]:
    """Events and disturbances within the chunk, without noise."""
    rate = station.sampling_rate
    start, end = sample_time(first, rate), sample_time(first + length, rate)
    signals = disturbances(network, station, start, end)
    station_number = network.stations.index(station)
    for number, event in enumerate(network.events):
        if start - MEMORY_S < event.time < end:
            at, n = signal_span(event, *network.arrivals_at(number, station_number), rate)
            if at < first + length and at + n > first:
                signals.append(event_signal(network, number, station_number))
    return add_signals(signals, len(station.components), first, length)


def add_signals(
    signals: Sequence[Signal], n_components: int, first: int, length: int
) -> Float[Array, "component sample"]:
    """Their sum over the samples from number `first`."""
    total = np.zeros((n_components, length))
    for signal in signals:
        offset = signal.first - first
        low, high = max(offset, 0), min(offset + signal.samples.shape[1], length)
        if low < high:
            total[:, low:high] += signal.samples[:, low - offset : high - offset]
    return total


def _pieces(
    channel_id: ChannelId,
    rate: float,
    first: int,
    samples: Int32[Array, " sample"],
    faults: Sequence[Fault],
) -> list[Trace]:
    """Traces between gaps and between changes of the clock's error."""
    received = is_received(faults, rate, first, len(samples))
    clock = [f for f in faults if f.kind == "clock"]
    changes = {n for f in clock for n in f.numbers(rate) if first < n < first + len(samples)}
    edges = {0, len(samples), *(n - first for n in changes)}
    edges |= {int(i) + 1 for i in np.flatnonzero(np.diff(received))}
    ordered = sorted(edges)
    traces: list[Trace] = []
    for low, high in pairwise(ordered):
        if received[low]:
            time = sample_time(first + low, rate)
            traces.append(
                Trace(
                    channel_id=channel_id,
                    start=time + clock_error_s(clock, time),
                    sampling_rate=rate,
                    samples=samples[low:high],
                )
            )
    return traces


def _first_at_or_after(time: Time, rate: float) -> int:
    number = sample_number(time, rate)
    return number if sample_time(number, rate) >= time else number + 1


@dataclass(frozen=True, slots=True)
class SyntheticRecords:
    """A network's records as a source, and as waveforms that stages can look at again.

    Args:
        network: what records.
        chunk_s: how much of a station is made at once, which bounds memory.
    """

    network: SyntheticNetwork
    chunk_s: float = 3_600.0

    def traces(self) -> Iterator[Trace]:
        """All of the scenario's time: chunk by chunk, station by station, channel by channel."""
        scenario = self.network.scenario
        start = scenario.start
        while start < scenario.end:
            end = min(start + self.chunk_s, scenario.end)
            for station in self.network.stations:
                yield from record_station(self.network, station, start, end)
            start = end

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        """Gap-free pieces of a channel inside [start, end) of true time, in order."""
        scenario = self.network.scenario
        start, end = max(start, scenario.start), min(end, scenario.end)
        found = [s for s in self.network.stations if channel_id in s.channel_ids]
        return [
            trace
            for station in found
            for trace in record_station(self.network, station, start, end)
            if trace.channel_id == channel_id
        ]

    def channel_ids(self) -> tuple[ChannelId, ...]:
        """All channels, in order of station."""
        return tuple(c for s in self.network.stations for c in s.channel_ids)
