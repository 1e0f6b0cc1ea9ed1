"""A database that holds a store, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from zilzal.core.errors import StoreError
from zilzal.io.store.engine import READING, connect, url_of, watching
from zilzal.io.store.faults import told
from zilzal.io.store.migrate import upgrade


class Database:
    """Connections to a store's tables, shared by threads; each thread is in its own transaction.

    What the database refuses is told as `StoreError`.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._active = threading.local()

    @classmethod
    def open(cls, url_or_path: str | Path, *, create: bool, timeout_s: float) -> Self:
        """Connect, and see to it that the tables are there and of this version.

        See `zilzal.io.store.Store.open`, for the arguments and what is raised.
        """
        url = url_of(url_or_path)
        where = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            where = url.database or where
            _check_path(where, create=create)
        engine = connect(url, timeout_s=timeout_s)
        try:
            with told("open", where):
                upgrade(engine, where, create=create)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, where)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction, which counts as a whole or, after an error, not at all.

        Inside another one of this thread it can fail alone, and counts when the outer one ends.
        """
        active: Connection | None = getattr(self._active, "connection", None)
        with told("write to", self._where):
            if active is not None:
                with active.begin_nested():
                    yield active
                return
            with self._engine.begin() as connection:
                self._active.connection = connection
                try:
                    yield connection
                finally:
                    self._active.connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """This thread's transaction if it is in one, so that it sees what it wrote."""
        active: Connection | None = getattr(self._active, "connection", None)
        with told("read", self._where):
            if active is not None:
                yield active
                return
            with self._engine.connect().execution_options(**READING) as connection:
                yield connection

    @contextmanager
    def watch(self) -> Iterator[Callable[[], object]]:
        """Ask whether anybody has written; see `zilzal.io.store.Store.watch`."""
        with told("read", self._where), watching(self._engine) as ask:
            yield ask


def _check_path(path: str, *, create: bool) -> None:
    file = Path(path)
    if path.startswith((":memory:", "file:")):
        return
    if file.is_dir():
        raise StoreError(f"{path} is a folder; name a file in it, as {file / 'zilzal.db'}")
    if not file.parent.is_dir():
        raise StoreError(f"no folder {file.parent} for the store {file.name}; make it first")
    if not create and not file.is_file():
        raise StoreError(f"there is no store at {path}; check the path, or run zilzal run first")
