"""Joining sets: each trace as it was recorded, under a name of its own, none of them twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

import zilzal
from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase
from zilzal.core.waveform import COMPONENTS
from zilzal.train.seisbench_format import (
    Metadata,
    StoredTrace,
    pass_over,
    read_metadata,
    read_stored,
)
from zilzal.train.seisbench_writer import read_notes, unique, writing_set
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.told import Told, unheard

SAME_ORIGIN_S = 1.0
"""Events of two sets that are called alike are one event unless their origin times differ more."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did.

    Args:
        counts: traces taken, by set.
        tally: what was left out or renamed, and why.
    """

    counts: Mapping[str, int]
    tally: Tally


def merge_sets(
    folders: Sequence[Path], folder: Path, *, made_by: str = "zilzal dataset merge",
    keep_repeats: bool = False, told: Told = unheard,
) -> Merged:  # fmt: skip
    """Write the traces of several sets into a new one.

    Samples keep their type, rate and length. A column `trace_set` says where a trace came from,
    and `dataset.json` holds the notes of each set.

    Args:
        folders: of the sets, in SeisBench's format, blocked or chunked or not.
        folder: of the new set.
        made_by: the command, for the notes.
        keep_repeats: take waveforms that are there already, too.
        told: hears how far the work is.

    Raises:
        ConfigError: there is a set in the folder.
        FormatError: one of the others is none.
        StoreError: it cannot be written.
    """
    sets = dict(zip(_set_names(folders), folders, strict=True))
    lines = {name: read_metadata(path) for name, path in sets.items()}
    tally = Tally()
    clashes = _clashing_events(lines)
    for event_id in sorted(clashes):
        tally.add("event renamed: another set has another one of its name", event_id)
    notes: dict[str, Any] = {
        "made_by": made_by,
        "zilzal": zilzal.__version__,
        "sets": {name: read_notes(path) for name, path in sets.items()},
    }
    total, done = sum(map(len, lines.values())), 0
    counts = dict.fromkeys(sets, 0)
    seen: dict[bytes, str] = {}

    def on_bad(line: Metadata, error: FormatError) -> None:
        tally.add("trace that cannot be read", f"{line.text('trace_name')}: {error}")

    with writing_set(folder, notes) as writer:
        for name, path in sets.items():
            for trace in read_stored(path, lines[name], on_bad=on_bad):
                done += 1
                told("traces", done, total, name)
                original = trace.line.text("trace_name")
                here = f"{name}: {original}"
                # Of traces without any signal every one may be another.
                is_flat = not trace.samples.any()
                first = here if is_flat else seen.setdefault(digest(trace.samples), here)
                if first != here and not keep_repeats:
                    tally.add("waveform that is there already", f"{here} as {first}")
                    continue
                cells = _cells(name, trace, clashes)
                if cells["trace_name"] in writer.names:
                    tally.add("trace renamed: its name was taken", here)
                    cells["trace_name"] = unique(f"{name}_{cells['trace_name']}", writer.names)
                writer.add(cells, trace.samples)
                counts[name] += 1
        notes["traces"] = counts
        notes["left_out"] = tally.as_notes()
    return Merged(counts, tally)


def digest(samples: Shaped[Array, "3 sample"]) -> bytes:
    """The same for the same numbers, whatever type they are stored in."""
    values = np.ascontiguousarray(samples, np.float64) + 0.0  # -0.0 is 0.0
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()


def digests_of(folder: Path, lines: Sequence[Metadata], *, told: Told = unheard) -> list[bytes]:
    """The digest of each line's waveform; empty for one that cannot be read or is nothing but 0."""
    found: dict[tuple[str, str], bytes] = {}
    for number, trace in enumerate(read_stored(folder, lines, on_bad=pass_over), 1):
        told("waveforms", number, len(lines), folder.name)
        if trace.samples.any():
            found[trace.line.chunk, trace.line.text("trace_name")] = digest(trace.samples)
    return [found.get((line.chunk, line.text("trace_name")), b"") for line in lines]


def _set_names(folders: Sequence[Path]) -> list[str]:
    """A name for each set: its folder's, with a number where two are called alike."""
    names: list[str] = []
    for folder in folders:
        names.append(unique(folder.resolve().name, names))
    return names


def _clashing_events(lines: Mapping[str, Iterable[Metadata]]) -> frozenset[str]:
    """Names that events with different origin times have in different sets."""
    times: dict[str, dict[str, float]] = {}
    for name, of_set in lines.items():
        for line in of_set:
            time = line.time("source_origin_time")
            if time is not None and line.text("source_id"):
                times.setdefault(line.text("source_id"), {}).setdefault(name, time.unix_s)
    return frozenset(
        event_id
        for event_id, by_set in times.items()
        if max(by_set.values()) - min(by_set.values()) > SAME_ORIGIN_S
    )


def _cells(name: str, trace: StoredTrace, clashes: frozenset[str]) -> dict[str, str]:
    """A trace's row in the new set."""
    line = trace.line
    original = line.text("trace_name")
    cells = {column: cell for column, cell in line.columns.items() if cell}
    cells |= {
        "trace_set": line.text("trace_set", name),
        "trace_component_order": COMPONENTS,
        "trace_npts": str(trace.samples.shape[1]),
        "trace_unit": trace.unit,
    }
    dead = set(line.text("trace_dead_components")) | set(trace.absent)
    cells["trace_dead_components"] = "".join(c for c in COMPONENTS if c in dead)
    if "$" in original:
        block, _, place = original.partition("$")
        plain = line.text("trace_name_original", f"{block}_{place.partition(',')[0]}")
        cells |= {"trace_name": plain.replace("$", "_"), "trace_name_original": plain}
    for column in ("source_id", *(f"trace_{phase.lower()}_source_ids" for phase in Phase)):
        if column in cells:
            parts = cells[column].split(";")
            cells[column] = ";".join(f"{name}:{p}" if p in clashes else p for p in parts)
    return cells
