"""A PostgreSQL server of the tests' own, and stores in every kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgresql import running
from zilzal.core.time import Time
from zilzal.io.store import Store

WRITTEN = Time.parse("2019-07-08T00:00:00Z")
"""What the stores' clock says."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a fresh PostgreSQL server, as `postgresql://postgres@127.0.0.1:port/`."""
    with running() as server:
        yield server.url


_EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    ALTER DATABASE postgres RESET ALL;
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public;
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made: a path, or the URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "zilzal.db")
    import psycopg

    url = request.getfixturevalue("postgresql") + "postgres"
    with psycopg.connect(f"{url}?options=-cdefault_transaction_read_only%3Doff") as connection:
        connection.execute(_EMPTY)
    return url


@pytest.fixture
def open_store(place: str) -> Iterator[Callable[[], Store]]:
    """Opens the same store again and again; all are closed in the end."""
    stores: list[Store] = []

    def open_again() -> Store:
        stores.append(Store.open(place, clock=lambda: WRITTEN))
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An empty store."""
    return open_store()
