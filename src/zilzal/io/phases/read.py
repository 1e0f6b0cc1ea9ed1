"""Reading catalogue and phase files, whatever their kind.

QuakeML, SCML (SC3ML), NORDIC, NonLinLoc's .hyp, HypoDD's .pha, IMS, GSE2 and what else ObsPy
reads, NonLinLoc's observations (.obs), and tables: `picks.csv` and `catalogue.csv` as `zilzal run`
writes them, or a table of picks of one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from zilzal.core.errors import DataError, FormatError
from zilzal.io.phases.foreign import read_event_file
from zilzal.io.phases.nonlinloc import is_observations, read_observations
from zilzal.io.phases.reported import PhaseFault, Phases, ReportedEvent
from zilzal.io.phases.tables import CATALOGUE_TABLE, PICK_TABLE, read_csv


def read_phases(paths: Iterable[Path]) -> Phases:
    """Read events with their picks from files, and from all such files in folders.

    Entries of one event in several files are joined by its id: so `picks.csv` gives the picks and
    `catalogue.csv` the origins. In a folder, files of other kinds are passed over.

    Raises:
        FileNotFoundError: a path does not exist.
        DataError: a file that is named itself cannot be read.
        FormatError: it is of no known kind, or damaged.
    """
    events: list[ReportedEvent] = []
    faults: list[PhaseFault] = []
    files: list[Path] = []
    for given in paths:
        if not given.exists():
            raise FileNotFoundError(f"{given}: no such file or folder")
        is_folder = given.is_dir()
        for path in _files(given) if is_folder else [given]:
            try:
                found, bad = _read_file(path, must_be=not is_folder)
            except DataError as error:
                if not is_folder:
                    raise
                faults.append(PhaseFault(path, str(error)))
            else:
                events += found
                faults += bad
                files += [path] if found else []
    ordered = sorted(_joined(events), key=lambda event: (event.time, event.event_id))
    return Phases(tuple(ordered), tuple(faults), tuple(files))


def _files(folder: Path) -> list[Path]:
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    shown = (p for p in inside if not any(part.startswith(".") for part in p.parts))
    return [folder / path for path in sorted(shown)]


def _read_file(path: Path, *, must_be: bool) -> tuple[list[ReportedEvent], list[PhaseFault]]:
    """The events of one file, none where it is of another kind and need not be of this one."""
    found = None
    if path.suffix.lower() == ".csv":
        found = read_csv(path)
    elif is_observations(path):
        found = read_observations(path), []
    else:
        found = read_event_file(path)
    if found is None and must_be:
        raise FormatError(
            f"{path}: neither an event format that ObsPy knows, nor NonLinLoc's observations, nor "
            f"a CSV file with the columns {', '.join(PICK_TABLE)} (picks) or "
            f"{', '.join(CATALOGUE_TABLE)} (events)"
        )
    return found or ([], [])


def _joined(events: Sequence[ReportedEvent]) -> list[ReportedEvent]:
    """One entry for each id: the first source that has a place, all picks, none of them twice."""
    found: dict[str, ReportedEvent] = {}
    for event in events:
        before = found.setdefault(event.event_id, event)
        if before is not event:
            sources = [e.source for e in (before, event) if e.source is not None]
            placed = [source for source in sources if source.latitude is not None]
            found[event.event_id] = replace(
                before,
                source=next(iter([*placed, *sources]), None),
                picks=tuple(dict.fromkeys((*before.picks, *event.picks))),
            )
    return list(found.values())
