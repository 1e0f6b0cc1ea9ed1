"""Putting rows into the tables; putting one again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from zilzal.core.pick import Detection, Pick, Provenance
from zilzal.io.store import rows
from zilzal.io.store.schema import DETECTION, PICK, PROVENANCE, Row


def put_new(connection: Connection, table: Table, records: Sequence[Row]) -> None:
    """Insert the rows that are not there yet.

    Args:
        connection: in a transaction.
        table: where to.
        records: all with the same columns.
    """
    if records:
        statement = _insert(connection, table).on_conflict_do_nothing()
        connection.exec_driver_sql(_text(statement, connection, records[0]), list(records))


def _text(statement: Insert, connection: Connection, row: Row) -> str:
    """The statement as the driver takes it, with rows as they are: a fifth of the time saved."""
    dialect = (
        sqlite.dialect(paramstyle="named")
        if connection.dialect.name == "sqlite"
        else postgresql.dialect(paramstyle="pyformat")
    )
    return str(statement.compile(dialect=dialect, column_keys=list(row)))


def put_over(connection: Connection, table: Table, records: Sequence[Row]) -> None:
    """Insert rows, in the place of those with the same primary key."""
    if records:
        keys = [column.name for column in table.primary_key]
        statement = _insert(connection, table)
        others = {name: statement.excluded[name] for name in records[0] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
        connection.execute(statement, records)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def put_picks(connection: Connection, picks: Iterable[Pick]) -> None:
    """Of any number of stations."""
    picks = list(picks)
    _put_provenances(connection, {pick.provenance for pick in picks})
    put_new(connection, PICK, [rows.pick_row(pick) for pick in picks])


def put_detections(connection: Connection, detections: Iterable[Detection]) -> None:
    """Of any number of sensors."""
    detections = list(detections)
    _put_provenances(connection, {detection.provenance for detection in detections})
    put_new(connection, DETECTION, [rows.detection_row(detection) for detection in detections])


def _put_provenances(connection: Connection, provenances: Iterable[Provenance]) -> None:
    put_new(connection, PROVENANCE, [rows.provenance_row(value) for value in provenances])
