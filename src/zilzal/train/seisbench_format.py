"""SeisBench's format on disk: tables of metadata beside HDF5 files of waveforms.

A set is a folder with `metadata.csv` and `waveforms.hdf5`, or several such pairs (chunks), as
`metadata_2019.csv` and `waveforms_2019.hdf5`, which the file `chunks` may list. A trace lies in
an array of its own or, with others of its length, in a block. Samples are read and written in the
type they were recorded in.

Source:
    Woollam et al. (2022), SeisBench, doi:10.1785/0220210324; the format's description in its
    documentation, "Data format".
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.core.waveform import COMPONENTS

logger = logging.getLogger(__name__)

SEE_COLUMN = "see trace_unit"
"""What a file says of the unit of all its traces when each line says its own."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """One line of a SeisBench `metadata.csv`, with its columns read as what they are.

    Args:
        columns: cells by name of the column, as text.
        chunk: what the names of its files have after `metadata` and `waveforms`; mostly "".
    """

    columns: Mapping[str, str]
    chunk: str = field(default="", kw_only=True)

    def text(self, name: str, default: str = "") -> str:
        """A column's text; the default where it is empty or missing."""
        return self.columns.get(name) or default

    def number(self, name: str) -> float | None:
        """A column's number; None where it is empty or missing.

        Raises:
            FormatError: it is no number.
        """
        return None if self.text(name) in ("", "nan") else self._number(name, self.text(name))

    def numbers(self, name: str) -> list[float]:
        """A column of numbers joined by `;`.

        Raises:
            FormatError: one of them is none.
        """
        return [self._number(name, part) for part in self.text(name).split(";") if part]

    def _number(self, name: str, text: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise FormatError(
                f"trace {self.text('trace_name')!r}, column {name}: {text!r}; expected a number"
            ) from error

    def parts(self, name: str, count: int) -> Sequence[str]:
        """A column of `count` texts joined by `;`; all empty where it is empty or missing."""
        return (self.text(name) or ";" * (count - 1)).split(";")

    def spans(self, name: str) -> list[tuple[float, float]]:
        """A column of `first-last` joined by `;`."""
        pairs = (part.partition("-") for part in self.text(name).split(";") if part)
        return [(self._number(name, first), self._number(name, last)) for first, _, last in pairs]

    def time(self, name: str) -> Time | None:
        """A column's instant in UTC; None where it is empty, missing or no such time."""
        try:
            return Time.parse(self.text(name))
        except FormatError:
            return None


def chunks_of(folder: Path) -> list[str]:
    """What the names of a set's files have after `metadata` and `waveforms`; mostly [""].

    Raises:
        FormatError: the folder holds no such pair of files.
    """
    listed = folder / "chunks"
    chunks = listed.read_text(encoding="utf-8").split() if listed.is_file() else []
    if not chunks and (folder / "metadata.csv").is_file():
        chunks = [""]
    elif not chunks and folder.is_dir():
        chunks = [path.name[8:-4] for path in folder.glob("metadata*.csv")]
        chunks = [chunk for chunk in chunks if waveforms_path(folder, chunk).is_file()]
    if not chunks:
        raise FormatError(
            f"{folder / 'metadata.csv'} is missing; a SeisBench set is metadata.csv and "
            "waveforms.hdf5, or pairs of files as metadata_A.csv and waveforms_A.hdf5"
        )
    return sorted(chunks)


def metadata_path(folder: Path, chunk: str = "") -> Path:
    """Where the lines of a chunk stand."""
    return folder / f"metadata{chunk}.csv"


def waveforms_path(folder: Path, chunk: str = "") -> Path:
    """Where the samples of a chunk stand."""
    return folder / f"waveforms{chunk}.hdf5"


def read_metadata(folder: Path) -> list[Metadata]:
    """The lines of a SeisBench folder's tables.

    A rate that a table gives as an interval (`trace_dt_s`), or the HDF5 file for all traces, is
    put into `trace_sampling_rate_hz`.

    Raises:
        FormatError: a file is missing or lacks a column that every set must have.
    """
    return [line for chunk in chunks_of(folder) for line in _read_chunk(folder, chunk)]


def _read_chunk(folder: Path, chunk: str) -> list[Metadata]:
    path = metadata_path(folder, chunk)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}; check the path") from error
    if rows and "trace_name" not in rows[0]:
        raise FormatError(f"{path} has no column trace_name; found {sorted(rows[0])}")
    if rows and "trace_sampling_rate_hz" not in rows[0]:
        rate = _common_rate(folder, chunk)
        for row in rows:
            if row.get("trace_dt_s"):
                row["trace_sampling_rate_hz"] = repr(1 / float(row["trace_dt_s"]))
            elif rate:
                row["trace_sampling_rate_hz"] = rate
            else:
                raise FormatError(
                    f"{path} has no column trace_sampling_rate_hz; found {sorted(rows[0])}"
                )
    return [Metadata(row, chunk=chunk) for row in rows]


def _common_rate(folder: Path, chunk: str) -> str:
    import h5py

    path = waveforms_path(folder, chunk)
    if not path.is_file():
        return ""
    with h5py.File(path) as file:
        return data_format(file).get("sampling_rate", "")


def data_format(file: Mapping[str, Any]) -> dict[str, str]:
    """What a waveform file says of all its traces, as text."""
    group = file.get("data_format", {})
    return {name: _text(group[name][()]) for name in group}


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "".join(map(_text, value.tolist()))
    return value.decode() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True, eq=False)
class StoredTrace:
    """A trace as its set has it, but for the order of components.

    Args:
        line: what the table says of it.
        samples: in the type of the file, components in the order ZNE, 0 where there is none.
        absent: components that the file does not have.
        unit: of the samples, as the line says it, or the file for all.
    """

    line: Metadata
    samples: Shaped[Array, "3 sample"]
    absent: str
    unit: str


def pass_over(line: Metadata, error: FormatError) -> None:
    """For `read_stored`: say nothing of traces that cannot be read."""
    logger.debug("%s: %s", line.text("trace_name"), error)


def read_stored(
    folder: Path,
    lines: Iterable[Metadata],
    *,
    on_bad: Callable[[Metadata, FormatError], None] | None = None,
) -> Iterator[StoredTrace]:
    """Each line's trace, in the order of the lines.

    Blocked sets (`bucket0$3,:3,:6000`) and one data set a trace are both read; 1 and 2 stand for
    N and E.

    Args:
        folder: of the set.
        lines: of its table.
        on_bad: hears of traces that cannot be read, which are then passed over.

    Raises:
        FormatError: a file cannot be read, or, without `on_bad`, a trace.
    """
    import h5py

    with ExitStack() as stack:
        files: dict[str, tuple[Any, dict[str, str]]] = {}
        for line in lines:
            path = waveforms_path(folder, line.chunk)
            if line.chunk not in files:
                try:
                    opened = stack.enter_context(h5py.File(path))
                except OSError as error:
                    raise FormatError(f"{path} cannot be read ({error})") from error
                files[line.chunk] = opened, data_format(opened)
            try:
                trace = _stored(path, *files[line.chunk], line)
            except FormatError as error:
                if on_bad is None:
                    raise
                on_bad(line, error)
            else:
                yield trace


def _stored(
    path: Path, file: Mapping[str, Any], told: Mapping[str, str], line: Metadata
) -> StoredTrace:
    name, _, place = line.text("trace_name").partition("$")
    if f"data/{name}" not in file:
        raise FormatError(f"{path} has no data/{name}")
    try:
        samples = np.atleast_2d(file[f"data/{name}"][_slices(place)])
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise FormatError(f"{path}: data/{name} cannot be read ({error})") from error
    if not told.get("dimension_order", "CW").upper().endswith("W"):
        samples = samples.T
    if samples.ndim != 2:
        raise FormatError(
            f"{path}: data/{name} has the shape {samples.shape}; expected components and samples"
        )
    order = line.text("trace_component_order", told.get("component_order", COMPONENTS))
    unit = line.text("trace_unit", told.get("unit", "").replace(SEE_COLUMN, ""))
    return StoredTrace(line, *_zne(samples, order), unit)


def read_waveforms(
    folder: Path, lines: Iterable[Metadata]
) -> Iterator[tuple[Metadata, Float32[Array, "component sample"]]]:
    """Each line with its samples, components put into the order ZNE, as `read_stored` finds them.

    Raises:
        FormatError: a trace is missing.
    """
    for trace in read_stored(folder, lines):
        yield trace.line, trace.samples.astype(np.float32, copy=False)


def _slices(place: str) -> tuple[int | slice, ...]:
    """The index that SeisBench writes behind the `$` of a blocked trace's name."""
    if not place:
        return ()
    parts: Sequence[str] = place.split(",")
    return tuple(
        slice(*(int(bound) if bound else None for bound in part.split(":")))
        if ":" in part
        else int(part)
        for part in parts
    )


def _zne(
    samples: Shaped[Array, "component sample"], order: str
) -> tuple[Shaped[Array, "3 sample"], str]:
    """Components in the order ZNE, and those that are absent (0); 1 and 2 stand for N and E."""
    order = order.upper().replace("1", "N").replace("2", "E")[: len(samples)]
    if order == COMPONENTS:
        return samples, ""
    result = np.zeros((3, samples.shape[1]), samples.dtype)
    for row, letter in zip(samples, order, strict=False):
        if letter in COMPONENTS:
            result[COMPONENTS.index(letter)] = row
    return result, "".join(c for c in COMPONENTS if c not in order)
