"""A catalogue and an archive to a set: planned, cut in parts that survive a stop, put together.

Each part is one file that appears whole. A build that was stopped finds its parts again by a
fingerprint of all that they depend on, and ends in the same set as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import zilzal
from zilzal.core.errors import ConfigError
from zilzal.core.ids import StationId
from zilzal.core.station import Inventory
from zilzal.io.archive import Archive
from zilzal.io.phases import Phases
from zilzal.train.seisbench_writer import (
    SetWriter,
    refuse_full,
    store_samples,
    unique,
    whole_path,
    writing_set,
)
from zilzal.train.sets.arrivals import StationArrivals, Taking, arrivals_at
from zilzal.train.sets.cut import Maker, Material
from zilzal.train.sets.expected import Expectation, expected_arrivals
from zilzal.train.sets.plan import Cutting, Unit, plan_events, plan_noise, recorded_spans
from zilzal.train.sets.stations import Stations, sort_by_station
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.told import Told, unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a set is built from.

    Args:
        archive: waveforms.
        phases: events with picks.
        inventory: of the stations; None where there is none: then nothing tells where stations
            are and how 1 and 2 point.
        notes: for people, kept in `dataset.json`: files, licence, remarks.
    """

    archive: Archive
    phases: Phases
    inventory: Inventory | None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a set is built.

    Args:
        cutting: of windows.
        taking: of picks.
        expectation: of arrivals that nobody picked.
    """

    cutting: Cutting
    taking: Taking
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Args:
        n_traces: windows in the set.
        n_noise: of them noise.
        tally: what was left out, and why.
        n_kept: parts that an earlier, stopped build had left.
    """

    n_traces: int
    n_noise: int
    tally: Tally
    n_kept: int


def build_set(sources: Sources, choices: Choices, folder: Path, *, told: Told = unheard) -> Built:
    """Cut windows around the arrivals of a catalogue, and of noise, and write them as a set.

    Args:
        sources: waveforms, picks, stations.
        choices: how.
        folder: of the set; must hold none. Parts wait in its `parts` until all are there.
        told: hears how far the work is.

    Raises:
        ConfigError: the folder holds a set, or parts of another; or no pick can be used.
        StoreError: the folder cannot be written.
    """
    refuse_full(folder)
    tally = Tally()
    tell_faults(sources, tally)
    arrivals = gather_arrivals(sources, choices, tally)
    units = plan(sources, choices, arrivals, tally)
    if not units:
        raise ConfigError(_why_nothing(tally, choices))
    parts = _open_parts(folder / "parts", _fingerprint(sources, choices))
    material = Material(
        archive=sources.archive,
        inventory=sources.inventory,
        events={event.event_id: event for event in sources.phases.events},
        arrivals=arrivals,
    )
    maker = Maker(material=material, cutting=choices.cutting)
    n_kept = 0
    for number, unit in enumerate(units):
        path = parts / f"{number:06d}.hdf5"
        told("cut", number, len(units), str(unit.sensor_id))
        if path.exists():
            n_kept += 1
        else:
            _write_part(path, maker, unit)
    told("cut", len(units), len(units), "")
    notes = {
        "made_by": "zilzal dataset build",
        "zilzal": zilzal.__version__,
        **sources.notes,
        "choices": _as_json(choices),
    }
    n_noise = _assemble(folder, [parts / f"{n:06d}.hdf5" for n in range(len(units))], notes, tally)
    shutil.rmtree(parts)
    return Built(notes["traces"], n_noise, tally, n_kept)


def tell_faults(sources: Sources, tally: Tally) -> None:
    """Count what could not be read of the catalogue and of the archive."""
    for fault in sources.phases.faults:
        tally.add("catalogue entry that cannot be read", fault.message)
    phase_files = {path.resolve() for path in sources.phases.files}
    for path, message in {fault.path: fault.message for fault in sources.archive.faults}.items():
        if path not in phase_files:
            tally.add("waveform file that cannot be read, or in part", f"{path}: {message}")


def gather_arrivals(
    sources: Sources, choices: Choices, tally: Tally
) -> dict[StationId, StationArrivals]:
    """What the catalogue says of each of the archive's stations."""
    known = frozenset(channel.station_id for channel in sources.archive.channel_ids())
    places = {
        station.station_id: station
        for station in (sources.inventory.stations() if sources.inventory else ())
    }
    events = sources.phases.events
    by_station = sort_by_station(events, Stations(known), tally)
    found: dict[StationId, StationArrivals] = {}
    for station_id in sorted(known):
        picks = by_station.get(station_id, {})
        place = places.get(station_id)
        if place is None:
            tally.add("station without coordinates", str(station_id))
        expected = expected_arrivals(choices.expectation, events, place) if place else {}
        concerned = [
            event
            for event in events
            if event.source is None or event.event_id in expected or event.event_id in picks
        ]
        found[station_id] = arrivals_at(picks, concerned, expected, choices.taking, tally)
    return found


def plan(
    sources: Sources,
    choices: Choices,
    arrivals: Mapping[StationId, StationArrivals],
    tally: Tally,
) -> list[Unit]:
    """All that is to be cut."""
    recorded = recorded_spans(sources.archive)
    around = plan_events(arrivals, recorded, choices.cutting, tally)
    # Where a station stands is needed to know when unpicked waves went by.
    placed = {s.station_id for s in (sources.inventory.stations() if sources.inventory else ())}
    quiet = {station_id: here for station_id, here in arrivals.items() if station_id in placed}
    return [*around, *plan_noise(quiet, recorded, choices.cutting, around, tally)]


def _why_nothing(tally: Tally, choices: Choices) -> str:
    reasons = "; ".join(f"{n} × {reason}" for reason, n in tally.counts.items()) or "no picks"
    hint = "" if choices.taking.with_loose else " (picks without an event need --loose)"
    return f"no window can be cut: {reasons}{hint}; check that stations and times agree"


def _fingerprint(sources: Sources, choices: Choices) -> str:
    """Of all that the parts depend on."""
    digest = hashlib.sha256(repr((zilzal.__version__, choices)).encode())
    for event in sources.phases.events:
        digest.update(repr(event).encode())
    digest.update(repr(sources.inventory and sources.inventory.channels).encode())
    for file in sources.archive.files:
        digest.update(repr((file, file.path.stat().st_size)).encode())
    return digest.hexdigest()


def _open_parts(folder: Path, fingerprint: str) -> Path:
    """The folder of the parts; those that an equal build has left may stay."""
    mark = folder / "fingerprint"
    left = mark.read_text(encoding="utf-8") if mark.exists() else ""
    if left != fingerprint and folder.exists() and next(folder.iterdir(), None):
        raise ConfigError(
            f"{folder} holds parts of a build with other sources or options; give those to go on "
            "with it, or remove the folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(fingerprint, encoding="utf-8")
    return folder


def _write_part(path: Path, maker: Maker, unit: Unit) -> None:
    """Cut a unit's windows into a file of its own."""
    import h5py

    tally = Tally()
    rows: list[dict[str, str]] = []
    names: set[str] = set()
    with whole_path(path) as part, h5py.File(part, "w") as file:
        for made in maker.make(unit, tally):
            # Two events may be shown by windows that start alike.
            name = unique(made.cells["trace_name"], names)
            names.add(name)
            rows.append({**made.cells, "trace_name": name})
            store_samples(file, name, made.samples)
        file["rows"] = json.dumps(rows)
        file["tally"] = json.dumps(tally.as_notes())


def _assemble(folder: Path, parts: Sequence[Path], notes: dict[str, Any], tally: Tally) -> int:
    """Put parts together; fills the notes, and gives the number of windows of noise."""
    with writing_set(folder, notes) as writer:
        for rows, told in _copied(writer, parts):
            tally.take(told)
            writer.rows.extend(rows)
        notes["traces"] = len(writer.rows)
        notes["left_out"] = tally.as_notes()
    return sum(row["trace_category"] == "noise" for row in writer.rows)


def _copied(
    writer: SetWriter, parts: Sequence[Path]
) -> Iterator[tuple[list[Mapping[str, str]], list[dict[str, Any]]]]:
    """Each part's rows and tally, its samples copied as they are packed."""
    import h5py

    part: Any
    for path in parts:
        with h5py.File(path) as part:
            rows = json.loads(part["rows"][()])
            for row in rows:
                name = unique(row["trace_name"], writer.names)
                writer.names.add(name)
                part.copy(f"data/{row['trace_name']}", writer.file["data"], name)
                row["trace_name"] = name
            yield (
                [{column: cell for column, cell in row.items() if cell} for row in rows],
                json.loads(part["tally"][()]),
            )


def _as_json(choices: Choices) -> dict[str, Any]:
    taking = asdict(choices.taking)
    taking["statuses"] = sorted(taking["statuses"])
    expectation = asdict(choices.expectation)
    expectation["model"] = choices.expectation.model.name
    return {"cutting": asdict(choices.cutting), "taking": taking, "expectation": expectation}
