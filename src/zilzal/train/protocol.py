"""Which windows pickers are compared on: of which records, and where in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zilzal.core.errors import ConfigError, DataError, FormatError
from zilzal.train.dataset import Metadata, read_course_npz, read_metadata
from zilzal.train.seisbench_format import chunks_of
from zilzal.train.sets.moments import Moment, moments
from zilzal.train.window_table import WindowRow

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
        inner = sorted(filter(_is_set, path.iterdir())) if path.is_dir() else []
        if path.suffix == ".npz" or _is_set(path):
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


def _is_set(path: Path) -> bool:
    """Whether a path is a folder in SeisBench's format."""
    try:
        return bool(chunks_of(path))
    except FormatError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells a record from others, known before its samples are read.

    Args:
        source: name of its set.
        moment: its names, station and time.
        n_windows: that are cut from it.
    """

    source: str
    moment: Moment
    n_windows: int


def identities(paths: Iterable[Path], protocol: Protocol) -> list[Identity]:
    """The records from which windows will be cut.

    Raises:
        DataError: a set has none.
    """
    return [each for path in paths for each in _identities_of_set(path, protocol)]


def _identities_of_set(path: Path, protocol: Protocol) -> list[Identity]:
    name = source_name(path)
    if path.suffix == ".npz":
        found, splits = _of_course(path, protocol)
    else:
        found, splits = _of_folder(path, protocol)
    if found:
        return found
    there = ", ".join(f"{split}: {splits.count(split)}" for split in dict.fromkeys(splits))
    raise DataError(
        f"no records of {name} with split {protocol.split!r}; there are {there or 'none'}; "
        "choose with --split"
    )


def _of_course(path: Path, protocol: Protocol) -> tuple[list[Identity], list[str]]:
    """The chosen records of a course's file, and the splits of all."""
    records = read_course_npz(path)
    found = [
        Identity(
            source=path.stem,
            moment=Moment(
                name=record.name, split=record.split, event=record.event, group="", station="",
                start_s=None, end_s=None, origin_s=None, category=record.kind,
            ),
            n_windows=protocol.windows_of_record,
        )
        for record in records
        if protocol.takes(record.split)
    ]  # fmt: skip
    return found, [record.split for record in records]


def _of_folder(path: Path, protocol: Protocol) -> tuple[list[Identity], list[str]]:
    """The chosen records of a set, and the splits of all its records or listed windows."""
    name = source_name(path)
    if protocol.table and name not in protocol.table:
        raise DataError(
            f"the table of windows has none of {name}; it has windows of "
            f"{', '.join(protocol.table)}"
        )
    rows = rows_by_trace(protocol, name)
    splits = [row.split for row in protocol.table.get(name, ())]
    splits = splits or [line.text("split", "train") for line in read_metadata(path)]
    found = [
        Identity(
            source=name,
            moment=moment,
            n_windows=len(rows.get(moment.name, ())) or protocol.windows_of_record,
        )
        for moment in moments(chosen_lines(path, protocol, rows))
    ]
    return found, splits


def rows_by_trace(protocol: Protocol, name: str) -> dict[str, list[WindowRow]]:
    """The table's windows of a set and of the split that is asked for, by trace."""
    rows: dict[str, list[WindowRow]] = defaultdict(list)
    for row in protocol.table.get(name, ()):
        if protocol.takes(row.split):
            rows[row.trace_name].append(row)
    return rows


def chosen_lines(
    path: Path, protocol: Protocol, rows: Mapping[str, Sequence[WindowRow]]
) -> list[Metadata]:
    """The lines of a set's table from whose records windows are cut.

    Raises:
        DataError: a record that the table of windows names is not there.
    """
    lines = read_metadata(path)
    if not protocol.table:
        return [line for line in lines if protocol.takes(line.text("split", "train"))]
    if absent := set(rows) - {line.text("trace_name") for line in lines}:
        raise DataError(
            f"{path} has no trace {min(absent)!r} ({len(absent)} in all are missing) that "
            "the table of windows names; give the set that the table was made from"
        )
    return [line for line in lines if line.text("trace_name") in rows]
