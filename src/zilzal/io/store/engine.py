"""Connections to SQLite and PostgreSQL, set up for many readers and one careful writer."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from zilzal.core.errors import StoreError

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
READING = {"zilzal_reading": True}
"""Execution options of a connection that will only read."""


def url_of(url_or_path: str | Path) -> URL:
    """A database's URL; what is not a URL is the path of an SQLite file.

    Raises:
        StoreError: the URL is malformed or of another kind of database.
    """
    text = str(url_or_path)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"not a database URL; write {_FORMS}") from error
    if url.drivername not in _DRIVERS:
        raise StoreError(f"a store cannot be in {url.drivername!r}; write {_FORMS}")
    return url.set(drivername=_DRIVERS[url.drivername])


_FORMS = "a path, sqlite:///path, or postgresql://user@host/database"


def connect(url: URL, *, timeout_s: float) -> Engine:
    """An engine; no connection is made yet.

    Args:
        url: from `url_of`.
        timeout_s: how long to wait for another writer, or for the server.

    Raises:
        StoreError: PostgreSQL was asked for without its driver.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": timeout_s})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c lock_timeout={round(timeout_s * 1000)}"
    arguments = {"connect_timeout": max(2, round(timeout_s)), "options": options}
    try:
        return create_engine(url, connect_args=arguments, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs its driver; install it with: pip install 'zilzal[postgres]'"
        ) from error


def write_ahead(engine: Engine) -> None:
    """Have an SQLite file keep a write-ahead log; it does so from then on.

    Readers never wait, and a kill at any instant leaves whole transactions.
    """
    if engine.dialect.name != "sqlite":
        return
    pooled = engine.raw_connection()
    try:
        cursor = pooled.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()
    finally:
        pooled.close()


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Of each connection.

    `synchronous=NORMAL` may lose the last transactions in a power cut, never part of one, and
    checkpoints go with their results.
    """
    # Python's own idea of when to begin is off; `_begin_sqlite` says it.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-65536")
    # Not every build of SQLite has them, and distances on the sphere need them.
    for function in (math.sin, math.cos):
        connection.create_function(function.__name__, 1, _of_known(function), deterministic=True)


def _of_known(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else function(value)


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a reader that becomes a writer could not wait for it."""
    reading = connection.get_execution_options().get("zilzal_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


_QUESTIONS = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT pg_snapshot_xmax(pg_current_snapshot())::text",
}
"""Each database's word for "somebody has written"; outside of any transaction."""


@contextmanager
def watching(engine: Engine) -> Iterator[Callable[[], object]]:
    """A connection of its own that is asked whether others have written; see `Store.watch`."""
    question = _QUESTIONS[engine.dialect.name]
    pooled = engine.raw_connection()
    # A connection that was in another state is not given back to the pool.
    pooled.detach()
    connection: Any = pooled.dbapi_connection
    try:
        if engine.dialect.name == "postgresql":
            connection.autocommit = True

        def ask() -> object:
            cursor = connection.cursor()
            try:
                return cursor.execute(question).fetchone()[0]
            finally:
                cursor.close()

        yield ask
    finally:
        connection.close()
