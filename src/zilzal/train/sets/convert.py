"""From whatever labelled waveforms lie in to a set in SeisBench's format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import zilzal
from zilzal.core.errors import ConfigError, FormatError, ZilzalError
from zilzal.core.ids import SensorId
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.archive import Archive, find_files
from zilzal.io.phases import read_phases
from zilzal.train.seisbench_format import chunks_of
from zilzal.train.seisbench_writer import unique, writing_set
from zilzal.train.sets.build import Choices, Sources, gather_arrivals, tell_faults
from zilzal.train.sets.course import convert_course
from zilzal.train.sets.cut import Made, Maker, Material
from zilzal.train.sets.merge import merge_sets
from zilzal.train.sets.plan import recorded_spans
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.told import Told, unheard
from zilzal.train.sets.window import read_window

LONGEST_S = 600.0
"""Recordings longer than this are an archive, not events."""


class Kind(StrEnum):
    """What labelled waveforms can come in."""

    COURSE = "the course's .npz"
    SEISBENCH = "a SeisBench set"
    RECORDINGS = "recordings with phase files"


def kind_of(source: Path) -> Kind:
    """What a file or folder holds, by its names.

    Raises:
        FileNotFoundError: it does not exist.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if source.suffix.lower() == ".npz":
        return Kind.COURSE
    try:
        chunks_of(source)
    except FormatError:
        is_course = next(source.glob("*.npz"), None) is not None
        return Kind.COURSE if is_course else Kind.RECORDINGS
    return Kind.SEISBENCH


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did.

    Args:
        kind: what the source was.
        n_traces: in the set.
        tally: what was left out, and why.
    """

    kind: Kind
    n_traces: int
    tally: Tally


def convert(
    source: Path,
    folder: Path,
    choices: Choices,
    *,
    inventory: Inventory | None = None,
    longest_s: float = LONGEST_S,
    told: Told = unheard,
) -> Converted:
    """Write labelled waveforms as a set.

    Args:
        source: the course's `.npz` or a folder of such, a set, or a folder of recordings with
            phase files.
        folder: of the new set.
        choices: of picks, for recordings.
        inventory: of the recordings' stations, if there is one.
        longest_s: longer recordings are left out.
        told: hears how far the work is.

    Raises:
        ConfigError: there is a set in the folder; or no recording has a label.
        FileNotFoundError: the source does not exist.
        FormatError: it is of no kind that can be read.
        StoreError: the folder cannot be written.
    """
    kind = kind_of(source)
    if kind is Kind.COURSE:
        paths = [source] if source.is_file() else sorted(source.glob("*.npz"))
        return Converted(kind, convert_course(paths, folder), Tally())
    if kind is Kind.SEISBENCH:
        merged = merge_sets(
            [source], folder, made_by="zilzal dataset convert", keep_repeats=True, told=told
        )
        return Converted(kind, sum(merged.counts.values()), merged.tally)
    phases = read_phases([source])
    told_of = {path.resolve() for path in phases.files}
    sources = Sources(
        archive=Archive.open([path for path in find_files([source]) if path not in told_of]),
        phases=phases,
        inventory=inventory,
        notes={"made_from": [source.name]},
    )
    n_traces, tally = convert_recordings(sources, choices, folder, longest_s=longest_s, told=told)
    return Converted(kind, n_traces, tally)


def convert_recordings(
    sources: Sources, choices: Choices, folder: Path, *, longest_s: float, told: Told = unheard
) -> tuple[int, Tally]:
    """Write each recording that has a label, from its first to its last sample.

    Nothing is cut: where arrivals lie in their windows is up to who cut the files.

    Returns:
        The number of traces, and what was left out.
    """
    tally = Tally()
    tell_faults(sources, tally)
    maker = Maker(
        material=Material(
            archive=sources.archive,
            inventory=sources.inventory,
            events={event.event_id: event for event in sources.phases.events},
            arrivals=gather_arrivals(sources, choices, tally),
        ),
        cutting=choices.cutting,
    )
    spans = [
        (sensor_id, *span)
        for sensors in recorded_spans(sources.archive).values()
        for sensor_id, of_sensor in sensors.items()
        for span in of_sensor
    ]
    notes: dict[str, Any] = {
        "made_by": "zilzal dataset convert",
        "zilzal": zilzal.__version__,
        **sources.notes,
    }
    with writing_set(folder, notes) as writer:
        for number, (sensor_id, start, end) in enumerate(spans, 1):
            told("recordings", number, len(spans), str(sensor_id))
            try:
                made = _recording(maker, (sensor_id, start, end), longest_s, tally)
            except (ZilzalError, OSError, ValueError) as error:
                tally.add("recording that cannot be read", f"{sensor_id} {start}: {error}")
                continue
            if isinstance(made, str):
                tally.add(made, f"{sensor_id} {start}")
            else:
                name = unique(made.cells["trace_name"], writer.names)
                writer.add({**made.cells, "trace_name": name}, made.samples)
        if not writer.rows:
            reasons = "; ".join(f"{n} × {reason}" for reason, n in tally.counts.items())
            raise ConfigError(f"no recording can be taken: {reasons}")
        notes |= {"traces": len(writer.rows), "left_out": tally.as_notes()}
    return len(writer.rows), tally


def _recording(
    maker: Maker, of: tuple[SensorId, Time, Time], longest_s: float, tally: Tally
) -> Made | str:
    """A sensor's recording between two instants with its labels, or why it is left out."""
    sensor_id, start, end = of
    if end - start > longest_s:
        return f"recording longer than {longest_s:g} s: take zilzal dataset build"
    here = maker.material.arrivals[sensor_id.station_id].labels
    events = Counter(label.event_id for label in here if start <= label.pick.time < end)
    if not events:
        return "recording without a label"
    window = read_window(
        maker.material.archive, maker.material.inventory, sensor_id, start, end - start
    )
    if window is None:
        return "recording without any sample"
    return maker.trace(window, events.most_common(1)[0][0], tally)
