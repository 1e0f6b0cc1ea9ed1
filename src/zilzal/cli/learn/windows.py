"""Windows with and without an earthquake, to train a small network on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from zilzal.learn.training import Samples
    from zilzal.synth.network import SyntheticNetwork
    from zilzal.train.dataset import Record

SAMPLING_RATE = 100.0

LEAST_SNR = 3.0
"""Of a P in a made window of the class event."""

BAND_HZ = (1.0, 40.0)
BANDS = 40
"""Of the spectrum, evenly in the logarithm of the frequency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWindows:
    """Vertical windows at 100 Hz.

    Args:
        samples: as recorded.
        is_event: whether a P is in it.
        group: what a split must not divide: a station, or an event of a data set.
    """

    samples: Float[Array, "window sample"]
    is_event: Bool[Array, " window"]
    group: tuple[str, ...]


def synthetic_windows(
    seed: int, *, window_s: float, count: int, stations: int = 8
) -> LabelledWindows:
    """Windows of a synthetic network with earthquakes, and of the same network without.

    Args:
        seed: of network, noise and cuts.
        window_s: length.
        count: of windows of each class, at most.
        stations: of the network; a split divides them.
    """
    from zilzal.synth.network import build_network
    from zilzal.synth.scenario import FaultRates, demo_scenario
    from zilzal.synth.visibility import visible_arrivals

    rng = np.random.default_rng(seed)
    demo = demo_scenario()
    scenario = replace(
        demo, seed=seed, faults=(), fault_rates=FaultRates(), teleseisms=(),
        network=replace(demo.network, n_stations=stations),
    )  # fmt: skip
    shaken, quiet = build_network(scenario), build_network(replace(scenario, events=()))
    length = round(window_s * SAMPLING_RATE)
    found = list[tuple[Array, bool, str]]()
    strong = [
        v.arrival
        for v in visible_arrivals(shaken)
        if v.arrival.phase.value == "P" and v.snr >= LEAST_SNR and v.is_recorded
    ]
    for number, station in enumerate(shaken.stations):
        name = str(station.station.station_id)
        vertical = _vertical(shaken, number)
        mine = [a for a in strong if a.station_id == station.station.station_id]
        for arrival in mine:
            at = round((arrival.time - scenario.start) * SAMPLING_RATE)
            first = at - int(rng.uniform(0.1, 0.6) * length)
            if 0 <= first <= len(vertical) - length:
                found.append((vertical[first : first + length], True, name))
        silence = _vertical(quiet, number)
        for first in rng.integers(0, len(silence) - length, len(mine)):
            found.append((silence[first : first + length], False, name))
    return _gather(found, count, rng)


def _vertical(network: SyntheticNetwork, number: int) -> Float[Array, " sample"]:
    from zilzal.synth.record import record_station

    station = network.stations[number]
    traces = record_station(network, station, network.scenario.start, network.scenario.end)
    return next(t.samples for t in traces if t.channel_id.component == "Z").astype(float)


def recorded_windows(
    folders: Sequence[Path], seed: int, *, window_s: float, count: int
) -> LabelledWindows:
    """Windows of SeisBench folders: around a P, and of noise records or before a P.

    Args:
        folders: each with `metadata.csv` and `waveforms.hdf5`.
        seed: of the choice and of the cuts.
        window_s: length.
        count: of windows of each class, at most.

    Raises:
        ConfigError: a folder cannot be read, or there are no windows of a class.
    """
    rng = np.random.default_rng(seed)
    length = round(window_s * SAMPLING_RATE)
    found = [
        window
        for folder in folders
        for record in _records(folder)
        for window in _windows_of(record, length, rng)
    ]
    for wanted, name in ((True, "with a P"), (False, "of noise")):
        if not any(is_event is wanted for _, is_event, _ in found):
            raise ConfigError(
                f"no window of {window_s:g} s {name} in {', '.join(map(str, folders))}; "
                "give shorter windows, or another folder as well"
            )
    return _gather(found, count, rng)


def _records(folder: Path) -> list[Record]:
    try:
        from zilzal.train.dataset import read_seisbench

        return read_seisbench(folder, sampling_rate=SAMPLING_RATE, splits=("train", "dev"))
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"reading {folder} needs {error.name}; install the extra: pip install zilzal[train]"
        ) from error
    except (DataError, OSError) as error:
        raise ConfigError(f"cannot read {folder}: {error}") from error


def _windows_of(
    record: Record, length: int, rng: np.random.Generator
) -> list[tuple[Array, bool, str]]:
    from zilzal.core.pick import Phase

    found = list[tuple[Array, bool, str]]()
    onsets = record.onset_samples(Phase.P)
    if onsets:
        first = int(onsets[0]) - int(rng.uniform(0.1, 0.6) * length)
        spans = [(first, True), (int(onsets[0]) - 50 - length, False)]
    elif record.quiet and record.quiet[0][1] - record.quiet[0][0] > length:
        low, high = record.quiet[0]
        spans = [(int(rng.integers(low, high - length)), False)]
    else:
        spans = []
    for first, is_event in spans:
        inside = first >= 0 and first + length <= record.length
        if inside and record.present[0, first : first + length].all():
            cut = record.samples[0, first : first + length].astype(float)
            found.append((cut, is_event, record.event))
    return found


def _gather(
    found: Sequence[tuple[Array, bool, str]], count: int, rng: np.random.Generator
) -> LabelledWindows:
    """As many of each class, at most `count`, in a drawn order."""
    classes = [[w for w in found if w[1] is wanted] for wanted in (False, True)]
    number = min(count, *map(len, classes))
    chosen = [one[i] for one in classes for i in rng.permutation(len(one))[:number]]
    return LabelledWindows(
        samples=np.array([samples for samples, _, _ in chosen]),
        is_event=np.array([is_event for _, is_event, _ in chosen]),
        group=tuple(group for _, _, group in chosen),
    )


def features(windows: LabelledWindows, kind: str) -> Float[Array, "window feature"]:
    """What the network sees: the waveform over its rms, or the logarithm of its spectrum in bands.

    Neither knows the gain of the instrument.
    """
    from zilzal.signal.spectrum import amplitude_spectrum, hann

    samples = windows.samples - windows.samples.mean(axis=1, keepdims=True)
    rms = np.sqrt((samples**2).mean(axis=1, keepdims=True))
    samples /= np.maximum(rms, np.finfo(float).tiny)
    if kind == "waveform":
        return samples
    frequency, amplitude = amplitude_spectrum(samples * hann(samples.shape[1]), SAMPLING_RATE)
    edges = np.geomspace(*BAND_HZ, BANDS + 1)
    inside = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]
    # Bands narrower than the spectrum's spacing have no line of their own.
    bands = [amplitude[:, lines].mean(axis=1) for lines in inside if lines.any()]
    return np.log10(np.maximum(np.column_stack(bands), 1e-12))


def split(
    windows: LabelledWindows, x: Float[Array, "window feature"], seed: int
) -> tuple[Samples, Samples]:
    """Three quarters of the groups to learn from, the others to check with; x standardised.

    Raises:
        ConfigError: there are fewer than two groups.
    """
    from zilzal.learn.training import Samples

    names = sorted(set(windows.group))
    if len(names) < 2:
        raise ConfigError("all windows are of one group; there is nothing to hold out")
    shuffled: list[Any] = list(np.random.default_rng(seed).permutation(names))
    held = set(shuffled[: max(1, len(names) // 4)])
    out = np.array([group in held for group in windows.group])
    centre, scale = x[~out].mean(axis=0), x[~out].std(axis=0)
    x = (x - centre) / np.maximum(scale, 1e-9)
    y = windows.is_event[:, np.newaxis].astype(float)
    return Samples(x[~out], y[~out]), Samples(x[out], y[out])
