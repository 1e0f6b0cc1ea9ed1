"""Machine labels on which several published pickers agree: on archives and on labelled sets."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.core.waveform import COMPONENTS, Trace
from zilzal.io.miniseed import read_miniseed
from zilzal.train.dataset import Onset, Record, Unknown, machine_trust, resampled

BESIDE_S = 0.5
"""A consensus pick this near to a label is the same arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What the pickers said of one station's continuous data.

    Args:
        picks: phase, time and weight of each agreed pick.
        contested: spans where some fired but too few agreed.
        clean: spans where none fired, even at half its threshold.
    """

    picks: tuple[tuple[Phase, Time, float], ...]
    contested: tuple[tuple[Phase, Time, Time], ...]
    clean: tuple[tuple[Time, Time], ...]


def read_consensus(folder: Path, name: str) -> dict[tuple[str, str, str], Consensus]:
    """The agreed picks of an archive by (network, station, first two letters of the channel)."""
    picks, contested, clean = defaultdict(list), defaultdict(list), defaultdict(list)
    for key, row in _rows(folder / f"{name}.csv"):
        phase = Phase(row["phase"])
        weight = machine_trust(
            int(row["n_families"]),
            phase=phase,
            spread_s=float(row["spread_s"]),
            probability=float(row["probability"]),
        )
        picks[key].append((phase, Time.parse(row["time"]), weight))
    for key, row in _rows(folder / f"{name}_contested.csv"):
        span = Time.parse(row["start"]), Time.parse(row["end"])
        contested[key].append((Phase(row["phase"]), *span))
    for key, row in _rows(folder / f"{name}_clean.csv"):
        clean[key].append((Time.parse(row["start"]), Time.parse(row["end"])))
    return {
        key: Consensus(
            picks=tuple(picks[key]), contested=tuple(contested[key]), clean=tuple(clean[key])
        )
        for key in sorted(picks.keys() | contested.keys() | clean.keys())
    }


def _rows(path: Path) -> list[tuple[tuple[str, str, str], dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            ((row["network"], row["station"], row["channel_group"]), row)
            for row in csv.DictReader(file)
        ]


def read_archive(folder: Path, consensus: Path, *, sampling_rate: float = 100.0) -> list[Record]:
    """One long record a station of an SDS archive, labelled by the pickers' consensus.

    Args:
        folder: the archive, as `data/continuous/ridgecrest_2019-07-07`.
        consensus: folder with `<name>.csv`, `<name>_contested.csv` and `<name>_clean.csv`.
        sampling_rate: of the records; other rates are resampled.
    """
    return [
        _station_record(folder.name, key, said, _channels(folder, *key), sampling_rate)
        for key, said in read_consensus(consensus, folder.name).items()
    ]


def _channels(folder: Path, network: str, station: str, group: str) -> list[list[Trace]]:
    """Gap-free pieces of the three components; of channels like HH1 and HH2, 1 stands as N."""
    found: list[list[Trace]] = []
    for letters in ("Z", "N1", "E2"):
        paths = [
            path
            for letter in letters
            for path in sorted(folder.glob(f"*/{network}/{station}/{group}{letter}.D/*"))
        ]
        found.append([trace for path in paths for trace in read_miniseed(path)[0]])
    return found


def _station_record(
    name: str,
    key: tuple[str, str, str],
    said: Consensus,
    channels: Sequence[Sequence[Trace]],
    sampling_rate: float,
) -> Record:
    start = min(trace.start for channel in channels for trace in channel)
    end = max(trace.next_start for channel in channels for trace in channel)
    shape = len(COMPONENTS), round((end - start) * sampling_rate) + 1
    samples, present = np.zeros(shape, np.float32), np.zeros(shape, bool)
    for row, channel in enumerate(channels):
        for trace in channel:
            counts = trace.samples.astype(np.float32)
            piece = resampled((counts - counts.mean())[None], trace.sampling_rate, sampling_rate)[0]
            first = round((trace.start - start) * sampling_rate)
            samples[row, first : first + len(piece)] = piece[: shape[1] - first]
            present[row, first : first + len(piece)] = True

    def number(time: Time) -> float:
        return (time - start) * sampling_rate

    onsets = [Onset(phase=p, sample=number(t), weight=w) for p, t, w in said.picks]
    return Record(
        name=".".join(key),
        source=name,
        event=name,
        split="train",
        kind="continuous",
        sampling_rate=sampling_rate,
        samples=samples,
        present=present,
        onsets=tuple(sorted(onsets, key=lambda onset: onset.sample)),
        unknown=tuple(
            Unknown(phase=p, first=number(a), last=number(b)) for p, a, b in said.contested
        ),
        quiet=tuple((int(number(a)), int(number(b))) for a, b in said.clean),
    )


def with_peer_picks(records: Iterable[Record], folder: Path) -> list[Record]:
    """Records of labelled sets, with what the pickers agreed on where the analyst said nothing.

    In `folder` (`peers/picks`) stand each set's evaluation windows and the consensus on them.
    A pick of 4 families and more becomes a label where there is none; one of 2 or 3 makes its
    surroundings unknown. Where the label is itself a machine's (weight under 0.5), the consensus
    time replaces it.
    """
    starts = _window_starts(folder)
    picks = {name: _window_picks(folder, name) for name in {r.source for r in records}}
    return [
        _supplemented(record, starts[record.source, record.name], picks[record.source])
        if (record.source, record.name) in starts and record.kind != "noise"
        else record
        for record in records
    ]


@dataclass(frozen=True, slots=True)
class _Voted:
    phase: Phase
    sample: float
    families: int
    probability: float


def _window_starts(folder: Path) -> dict[tuple[str, str], float]:
    with (folder / "windows_used.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["set"], row["trace_name"]): float(row["window_start_sample_100hz"])
            for row in csv.DictReader(file)
        }


def _window_picks(folder: Path, name: str) -> dict[str, list[_Voted]]:
    found: dict[str, list[_Voted]] = defaultdict(list)
    path = folder / f"{name}__consensus.csv"
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found[row["trace_name"]].append(
                    _Voted(
                        Phase(row["phase"]),
                        float(row["window_sample"]),
                        int(row["n_families"]),
                        float(row["probability"]),
                    )
                )
    return found


def _supplemented(record: Record, start: float, picks: dict[str, list[_Voted]]) -> Record:
    """The windows' rate is 100 Hz."""
    scale = record.sampling_rate / 100.0
    onsets, unknown = list(record.onsets), list(record.unknown)
    for voted in picks.get(record.name, []):
        sample = (voted.sample + start) * scale
        trust = machine_trust(
            voted.families, phase=voted.phase, spread_s=0.0, probability=voted.probability
        )
        near = [
            onset
            for onset in onsets
            if onset.phase is voted.phase
            and abs(onset.sample - sample) <= BESIDE_S * record.sampling_rate
        ]
        if near and (near[0].weight >= 0.5 or trust <= near[0].weight):
            continue
        if near:
            onsets.remove(near[0])
        if near or voted.families >= 4:
            onsets.append(Onset(phase=voted.phase, sample=sample, weight=trust))
        else:
            reach = BESIDE_S * record.sampling_rate
            unknown.append(Unknown(phase=voted.phase, first=sample - reach, last=sample + reach))
    return replace(
        record,
        onsets=tuple(sorted(onsets, key=lambda onset: onset.sample)),
        unknown=tuple(unknown),
    )
