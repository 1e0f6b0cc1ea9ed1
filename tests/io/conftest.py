"""A PostgreSQL server of the tests' own, and stores in every kind of database."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zilzal.core.time import Time
from zilzal.io.store import Store

WRITTEN = Time.parse("2019-07-08T00:00:00Z")
"""What the stores' clock says."""


def _binaries() -> Path | None:
    """The folder of initdb and pg_ctl, the newest server's; None where there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name), reverse=True
    )
    return next((f for f in found if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


def _missing(message: str) -> None:
    """The server must be there under CI; elsewhere a machine may lack it."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a fresh PostgreSQL server, as `postgresql://postgres@127.0.0.1:port/`."""
    binaries = _binaries()
    if binaries is None:
        _missing(
            "no PostgreSQL server: initdb and pg_ctl are not on PATH or in /usr/lib/postgresql"
        )
        return
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            _missing("PostgreSQL does not run as root, and there is no user postgres")
    with tempfile.TemporaryDirectory(prefix="zilzal-pg-") as name:
        folder, port = Path(name), _free_port()
        if user:
            shutil.chown(folder, user)

        def server(program: str, *arguments: str) -> None:
            command = [str(binaries / program), "-D", str(folder / "data"), *arguments]
            done = subprocess.run(
                command, user=user, cwd=folder, capture_output=True, text=True, check=False,
                stdin=subprocess.DEVNULL, env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            )  # fmt: skip
            assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

        server("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        server("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/"
        finally:
            server("pg_ctl", "-w", "-m", "immediate", "stop")


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
