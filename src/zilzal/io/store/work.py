"""Rows of work: what a run was made with, and where each piece of it stands."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select

from zilzal.core.time import Time
from zilzal.io.store.schema import CHECKPOINT, CONFIGURATION, RUN
from zilzal.io.store.write import put_new, put_over


def configuration_hash(text: str) -> str:
    """What `Provenance.configuration` holds of an effective configuration."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def put_run(connection: Connection, configuration: str, *, version: str, started: Time) -> str:
    """What a run was made with; see `Store.put_run`."""
    key = configuration_hash(configuration)
    put_new(connection, CONFIGURATION, [{"hash": key, "text": configuration}])
    row = {"configuration": key, "version": version, "started": started.ns}
    put_new(connection, RUN, [row])
    return key


def read_configuration(connection: Connection, key: str) -> str | None:
    """The effective configuration with a hash; None where no run had it."""
    statement = select(CONFIGURATION.c.text).where(CONFIGURATION.c.hash == key)
    return connection.execute(statement).scalar()


def put_checkpoint(
    connection: Connection,
    key: str,
    state: bytes,
    configuration: str,
    *,
    done: bool,
    written: Time,
) -> None:
    """Where a piece of work stands, in the place of where it stood; see `Store.save_checkpoint`."""
    row = {
        "configuration": configuration, "key": key, "state": state, "done": done,
        "written": written.ns,
    }  # fmt: skip
    put_over(connection, CHECKPOINT, [row])


def read_checkpoint(connection: Connection, key: str, configuration: str) -> bytes | None:
    """The last state saved under a configuration; None where there is none."""
    column = CHECKPOINT.c
    mine = column.configuration == configuration, column.key == key
    return connection.execute(select(column.state).where(*mine)).scalar()


def read_done(connection: Connection, configuration: str) -> frozenset[str]:
    """Pieces of work that are finished under a configuration."""
    column = CHECKPOINT.c
    statement = select(column.key).where(column.configuration == configuration, column.done)
    return frozenset(connection.execute(statement).scalars())
