"""Windows on which pickers are compared: cut from labelled sets, wherever they are put."""

from __future__ import annotations

import logging
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, DataError
from zilzal.core.pick import Phase, Polarity
from zilzal.pick.measure import cut_around, measure
from zilzal.train.augment import Cut
from zilzal.train.case import Case
from zilzal.train.dataset import (
    Metadata,
    Record,
    read_course_npz,
    read_metadata,
    read_waveforms,
    record_of,
    resampled,
)
from zilzal.train.labels import with_codas
from zilzal.train.mixture import cut_out, tapered
from zilzal.train.skill import LENGTH_S, Trial, random_start, trial_at
from zilzal.train.window_table import WindowRow

logger = logging.getLogger(__name__)

SAMPLING_RATE = 100.0
"""Of all windows [Hz]."""

FIXED_S = 20.0
"""Where the first arrival lies in windows at fixed places."""

PLACINGS = ("random", "several", "fixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Which windows are cut from the records.

    Args:
        placing: "random" puts the first arrival anywhere in the inner 54 s of one window,
            "several" does so `shifts` times, "fixed" puts it at 20 s.
        shifts: windows of each record where `placing` is "several".
        seed: of the places. A record's places do not depend on the other records.
        split: "train", "dev", "test", or "all".
        table: the very windows, by set, instead of all that.

    Raises:
        ConfigError: an option is out of range.
    """

    placing: str = "random"
    shifts: int = 5
    seed: int = 0
    split: str = "dev"
    table: Mapping[str, Sequence[WindowRow]] = field(default_factory=dict[str, list[WindowRow]])

    def __post_init__(self) -> None:
        if self.placing not in PLACINGS:
            raise ConfigError(f"protocol {self.placing!r} is none of {', '.join(PLACINGS)}")
        if self.shifts < 2:
            raise ConfigError(f"several shifts are two or more, not {self.shifts}")

    @property
    def windows_of_record(self) -> int:
        """How many are cut from each."""
        return self.shifts if self.placing == "several" else 1

    def rows(self, name: str) -> list[WindowRow]:
        """Of the table, those of a set and of the split that is asked for."""
        return [row for row in self.table.get(name, ()) if self.takes(row.split)]

    def takes(self, split: str) -> bool:
        """Whether records of a split are asked for."""
        return self.split in (split, "all")


def source_name(path: Path) -> str:
    """Name of a set, given its folder or `.npz` file."""
    return path.stem if path.suffix == ".npz" else path.resolve().name


def expand_sets(paths: Iterable[Path]) -> list[Path]:
    """Sets by path; a folder that holds sets stands for all of them, in order of name.

    Raises:
        DataError: a path is no set and holds none, or two sets have the same name.
    """
    found: list[Path] = []
    for path in paths:
        inner = sorted(p.parent for p in path.glob("*/metadata.csv")) if path.is_dir() else []
        if path.suffix == ".npz" or (path / "metadata.csv").is_file():
            found.append(path)
        elif inner:
            found += inner
        else:
            raise DataError(
                f"{path} is no data set: neither a folder with metadata.csv and waveforms.hdf5, "
                "nor a folder of such folders, nor an .npz file"
            )
    names = [source_name(path) for path in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"two data sets are named {', '.join(twice)}; rename a folder")
    return found


def count_cases(paths: Iterable[Path], protocol: Protocol) -> int:
    """How many windows there will be, or a few more.

    Raises:
        DataError: a set has none.
    """
    return sum(_count_of_set(path, protocol) for path in paths)


def _count_of_set(path: Path, protocol: Protocol) -> int:
    name = source_name(path)
    if protocol.table:
        splits = [row.split for row in protocol.table.get(name, ())]
        where = "the table of windows"
    elif path.suffix == ".npz":
        splits = [record.split for record in read_course_npz(path)]
        where = str(path)
    else:
        splits = [line.text("split", "train") for line in read_metadata(path)]
        where = str(path)
    chosen = sum(map(protocol.takes, splits))
    if not chosen:
        there = {split: splits.count(split) for split in dict.fromkeys(splits)}
        told = ", ".join(f"{split}: {count}" for split, count in there.items()) or "nothing"
        raise DataError(
            f"no records of {name} with split {protocol.split!r} in {where}, which has {told}; "
            "choose with --split"
        )
    return chosen * protocol.windows_of_record


def iterate_cases(paths: Iterable[Path], protocol: Protocol) -> Iterator[Case]:
    """The windows of some sets, record by record, as a protocol puts them."""
    for path in paths:
        if protocol.table:
            yield from _cases_of_table(path, protocol)
            continue
        for record, line in _records(path, protocol):
            for shift, first in enumerate(_starts(record, protocol)):
                try:
                    trial = trial_at(record, first)
                except ValueError as error:
                    logger.warning("%s; left out", error)
                    continue
                yield _case(record, line, trial, first, shift)


def _records(path: Path, protocol: Protocol) -> Iterator[tuple[Record, Metadata]]:
    """Records of the split that is asked for, with their lines of a SeisBench folder."""
    if path.suffix == ".npz":
        chosen = (record for record in read_course_npz(path) if protocol.takes(record.split))
        yield from ((record, Metadata({})) for record in chosen)
        return
    lines = [m for m in read_metadata(path) if protocol.takes(m.text("split", "train"))]
    for line, samples in read_waveforms(path, lines):
        yield with_codas(record_of(source_name(path), line, samples, SAMPLING_RATE)), line


def _cases_of_table(path: Path, protocol: Protocol) -> Iterator[Case]:
    rows: dict[str, list[WindowRow]] = defaultdict(list)
    for row in protocol.rows(source_name(path)):
        rows[row.trace_name].append(row)
    lines = read_metadata(path)
    if absent := set(rows) - {line.text("trace_name") for line in lines}:
        raise DataError(
            f"{path} has no trace {min(absent)!r} ({len(absent)} in all are missing) that "
            "the table of windows names; give the set that the table was made from"
        )
    chosen = [line for line in lines if line.text("trace_name") in rows]
    for line, samples in read_waveforms(path, chosen):
        record = with_codas(record_of(source_name(path), line, samples, SAMPLING_RATE))
        centred = samples - samples.mean(1, keepdims=True)
        whole = resampled(centred, float(line.text("trace_sampling_rate_hz")), SAMPLING_RATE)
        for row in rows[record.name]:
            yield _case(record, line, _trial_of_row(record, whole, row), row.first, row.shift)


def _starts(record: Record, protocol: Protocol) -> list[int]:
    """Where in a record its windows begin."""
    if protocol.placing == "fixed":
        onset = record.onsets[0].sample - FIXED_S * record.sampling_rate if record.onsets else 0
        return [round(onset)]
    name = zlib.crc32(f"{record.source}/{record.name}".encode())
    rng = np.random.default_rng([protocol.seed, name])
    return [random_start(record, rng) for _ in range(protocol.windows_of_record)]


def _trial_of_row(
    record: Record, whole: Float32[Array, "component sample"], row: WindowRow
) -> Trial:
    """The window that a table tells of: its samples, live part and labels."""
    length = round(LENGTH_S * record.sampling_rate)
    first, last = row.live
    live = whole[:, max(first + row.first, 0) : last + row.first + 1]
    if live.shape[1] != last + 1 - first or last >= length:
        raise DataError(
            f"the table of windows says that samples {first} to {last} of the window of "
            f"{record.name} in {record.source} are real data, but its record has "
            f"{whole.shape[1]} samples at 100 Hz; give the set that the table was made from"
        )
    window = np.zeros((len(whole), length), np.float32)
    present = np.zeros(window.shape, bool)
    window[:, first : last + 1] = live - live.mean(1, keepdims=True)
    present[:, first : last + 1] = True
    return Trial(
        name=record.name,
        source=record.source,
        event=record.event,
        samples=tapered(Cut(samples=window, present=present)).samples,
        present=np.ones_like(present),
        truth={
            phase: tuple(s for s in row.labels[phase] if 0 <= s < length) or None for phase in Phase
        },
        live=row.live,
        is_noise=row.is_noise,
        codas=cut_out(record, row.first, length).codas,
    )


def _case(record: Record, line: Metadata, trial: Trial, first: int, shift: int) -> Case:
    rate = record.sampling_rate
    contested = {
        phase: tuple((u.first - first, u.last - first) for u in record.unknown if u.phase is phase)
        for phase in Phase
    }
    p_samples, s_samples = (record.onset_samples(phase) for phase in Phase)
    after = [s for s in s_samples if p_samples and s > p_samples[0]]
    distance_km = line.number("path_ep_distance_km")
    return Case(
        trial=trial,
        split=line.text("split", record.split),
        shift=shift,
        first=first,
        record_start=line.text("trace_start_time"),
        record_rate=float(line.text("trace_sampling_rate_hz", str(rate))),
        record_s=record.length / rate,
        station=_station(line),
        contested=contested,
        polarity=tuple(_polarity(record, s + first) for s in trial.truth[Phase.P] or ()),
        snr_db={phase: _snr_db(record, phase, trial.truth[phase], first) for phase in Phase},
        distance_km=math.nan if distance_km is None else distance_km,
        s_minus_p_s=(after[0] - p_samples[0]) / rate if after else math.nan,
    )


def _station(line: Metadata) -> str:
    network, station = line.text("station_network_code"), line.text("station_code")
    return f"{network}.{station}" if station else ""


def _polarity(record: Record, sample: float) -> Polarity | None:
    """First motion of the labelled P at a sample of the record."""
    for onset in record.onsets:
        if onset.phase is Phase.P and abs(onset.sample - sample) <= 1:
            return onset.polarity
    return None


def _snr_db(record: Record, phase: Phase, labels: Sequence[float] | None, first: int) -> float:
    """Signal to noise of a phase's first label, as operation measures that of a pick."""
    if not labels:
        return math.nan
    onset = round(labels[0] + first)
    cut = cut_around(record.samples, record.present, onset, record.sampling_rate)
    ratio = measure(cut, phase).snr if 0 <= onset < record.length else None
    return 20 * math.log10(ratio) if ratio else math.nan
