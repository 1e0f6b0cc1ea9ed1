"""Writing sets in SeisBench's format: whole or not at all, with a note on how they were made."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, FormatError, StoreError
from zilzal.core.waveform import COMPONENTS
from zilzal.io.table_file import whole_file, write_table
from zilzal.train.seisbench_format import (
    SEE_COLUMN,
    Metadata,
    metadata_path,
    waveforms_path,
)

NOTES = "dataset.json"
"""Beside the waveforms: how the set was made, from what, what was left out, under what licence."""

FIRST_COLUMNS = (
    "trace_name", "trace_start_time", "trace_sampling_rate_hz", "trace_npts",
    "trace_component_order", "trace_category", "trace_channel", "trace_unit",
    "trace_dead_components", "trace_completeness",
    "trace_p_arrival_sample", "trace_p_status", "trace_p_weight", "trace_p_uncertainty_s",
    "trace_polarity", "trace_s_arrival_sample", "trace_s_status", "trace_s_weight",
    "trace_s_uncertainty_s", "trace_s_labelled", "trace_snr_db",
    "station_network_code", "station_code", "station_location_code", "station_latitude_deg",
    "station_longitude_deg", "station_elevation_m",
    "source_id", "source_origin_time", "source_latitude_deg", "source_longitude_deg",
    "source_depth_km", "source_magnitude", "source_magnitude_type", "source_type",
    "path_ep_distance_km", "path_hyp_distance_km", "path_azimuth_deg", "path_back_azimuth_deg",
    "split",
)  # fmt: skip
"""The usual columns, in the order in which they are written; others follow."""

_FORMAT = {"dimension_order": "CW", "component_order": COMPONENTS, "unit": SEE_COLUMN}


@dataclass(slots=True)
class SetWriter:
    """A set that is being written; see `writing_set`.

    Args:
        file: its HDF5 file, open.
        rows: cells of each trace by column.
    """

    file: Any
    rows: list[Mapping[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, str], samples: Shaped[Array, "3 sample"]) -> None:
        """Write a trace.

        Args:
            row: cells by column; `trace_name` must be there and not have been before.
            samples: components in the order ZNE, of any type.

        Raises:
            ValueError: the name is missing, there already, or no name for HDF5.
        """
        name = row.get("trace_name", "")
        if not name or "$" in name or name in self.names:
            raise ValueError(f"trace name {name!r}; give each trace one of its own, without $")
        self.names.add(name)
        self.rows.append({column: cell for column, cell in row.items() if cell})
        store_samples(self.file, name, samples)


def unique(name: str, others: Container[str]) -> str:
    """A name that none of the others is: with a number behind it where it has to be."""
    number, candidate = 1, name
    while candidate in others:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def store_samples(file: Any, name: str, samples: Shaped[Array, "3 sample"]) -> None:
    """Put an array into an HDF5 file, packed without loss."""
    how = {"chunks": samples.shape, "compression": "gzip", "shuffle": True} if samples.size else {}
    file.create_dataset(f"data/{name}", data=np.ascontiguousarray(samples), **how)


def store_format(file: Any) -> None:
    """Say in an HDF5 file how its arrays are to be read."""
    for name, value in _FORMAT.items():
        file[f"data_format/{name}"] = value


@contextmanager
def writing_set(folder: Path, notes: Mapping[str, Any]) -> Generator[SetWriter]:
    """Write a set into a folder that holds none.

    Its files appear when all is done, `metadata.csv` last; after an error there are none of them.

    Args:
        folder: made if it is not there.
        notes: for `dataset.json`; what is put into it while writing counts.

    Raises:
        ConfigError: there is a set in the folder.
        StoreError: it cannot be written.
    """
    import h5py

    refuse_full(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_path(waveforms_path(folder)) as part, h5py.File(part, "w") as file:
            file.create_group("data")
            store_format(file)
            writer = SetWriter(file)
            yield writer
    except OSError as error:
        raise StoreError(f"cannot write the set {folder}: {error}") from error
    write_notes(folder, notes)
    write_rows(metadata_path(folder), writer.rows)


def refuse_full(folder: Path) -> None:
    """Raise ConfigError where a folder holds a set already."""
    if next(folder.glob("metadata*.csv"), None) is not None:
        raise ConfigError(f"{folder} holds a data set; give another folder, or remove it")


@contextmanager
def whole_path(path: Path) -> Generator[Path]:
    """A path to write to that takes its name at the end; after an error nothing is left."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a table: the usual columns in their order, then others in the order they came."""
    given = dict.fromkeys(column for row in rows for column in row)
    columns = [c for c in FIRST_COLUMNS if c in given or c == "trace_name"]
    columns += [c for c in given if c not in FIRST_COLUMNS]
    write_table(path, columns, ([row.get(c, "") for c in columns] for row in rows))


def rewrite_lines(
    folder: Path, lines: Iterable[Metadata], new: Iterable[Mapping[str, str]]
) -> None:
    """Write the tables of a set anew, with some cells replaced.

    Columns keep their order, and cells that are not replaced their text.

    Args:
        folder: of the set.
        lines: all of its lines.
        new: for each of them what to replace.
    """
    chunks: dict[str, list[dict[str, str]]] = {}
    for line, cells in zip(lines, new, strict=True):
        chunks.setdefault(line.chunk, []).append({**line.columns, **cells})
    for chunk, rows in chunks.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        cells = ([row.get(column, "") for column in columns] for row in rows)
        write_table(metadata_path(folder, chunk), columns, cells)


def write_notes(folder: Path, notes: Mapping[str, Any]) -> None:
    """Write `dataset.json`."""
    with whole_file(folder / NOTES) as file:
        file.write(f"{json.dumps(notes, indent=1, ensure_ascii=False)}\n".encode())


def read_notes(folder: Path) -> dict[str, Any]:
    """What `dataset.json` says; empty where there is none.

    Raises:
        FormatError: the file is no JSON object.
    """
    path = folder / NOTES
    if not path.is_file():
        return {}
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(notes, dict):
        raise FormatError(f"{path} holds {type(notes).__name__}; expected an object")
    return notes
