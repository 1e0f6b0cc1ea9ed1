"""Picks and events in tables: `picks.csv` and `catalogue.csv`, or with fewer columns."""

from __future__ import annotations

from pathlib import Path

from zilzal.core.errors import FormatError
from zilzal.core.event import EventType
from zilzal.core.ids import StationId
from zilzal.core.pick import EvaluationMode, Polarity
from zilzal.io.phases.names import phase_of
from zilzal.io.phases.reported import (
    PhaseFault,
    ReportedEvent,
    ReportedPick,
    Status,
    clusters,
    stamp,
)
from zilzal.io.table_file import Line, read_header, read_table
from zilzal.io.tables import CatalogueRow, read_catalogue

PICK_TABLE = ("network", "station", "phase", "time")
"""Columns that a table of picks must have; those of `picks.csv` are used where they are there."""

CATALOGUE_TABLE = ("event_id", "time", "latitude", "longitude")
"""Columns that a table of events must have."""


def read_csv(path: Path) -> tuple[list[ReportedEvent], list[PhaseFault]] | None:
    """The events of a table and its bad lines; None where it holds neither picks nor events.

    Raises:
        DataError: the file cannot be read.
        FormatError: it is no table, or a line of a catalogue is wrong.
    """
    columns = set(read_header(path))
    if columns >= set(PICK_TABLE):
        return _read_picks(path)
    if columns >= set(CATALOGUE_TABLE):
        rows = [row for row in read_catalogue(path) if row.event_type != EventType.NOT_EXISTING]
        return [_of_row(row, path) for row in rows], []
    return None


def _of_row(row: CatalogueRow, path: Path) -> ReportedEvent:
    return ReportedEvent(event_id=row.event_id or f"{path.stem}_{stamp(row.time)}", source=row)


def _read_picks(path: Path) -> tuple[list[ReportedEvent], list[PhaseFault]]:
    """A table of picks, by event; those without one in clusters."""
    by_event: dict[str, list[ReportedPick]] = {}
    faults: list[PhaseFault] = []
    for line in read_table(path, PICK_TABLE):
        try:
            pick = _pick(line)
        except FormatError as error:
            faults.append(PhaseFault(path, str(error)))
        else:
            if pick is not None:
                by_event.setdefault(line.text("event_id"), []).append(pick)
    loose = by_event.pop("", [])
    events = [ReportedEvent(event_id=i, picks=tuple(p)) for i, p in by_event.items()]
    return [*events, *clusters(loose)], faults


def _pick(line: Line) -> ReportedPick | None:
    """A line's pick; None where it is neither P nor S."""
    phase = phase_of(line.text("phase"))
    if phase is None:
        return None
    if not line.text("station"):
        raise line.fault("station", "a code")
    mode = line.choice_or_none("evaluation_mode", EvaluationMode)
    # What a picker is sure of is its probability; an analyst's pick counts in full.
    probability = None if mode is EvaluationMode.MANUAL else line.real_or_none("probability")
    return ReportedPick(
        station_id=StationId(line.text("network"), line.text("station")),
        location=line.text("location"),
        channel=line.text("channel"),
        phase=phase,
        time=line.time("time"),
        status=Status.of(mode),
        weight=None if probability is None else min(max(probability, 0.0), 1.0),
        uncertainty_s=line.real_or_none("uncertainty_s"),
        polarity=line.choice_or_none("polarity", Polarity),
    )
