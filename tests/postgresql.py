"""A PostgreSQL server of the tests' own, that can be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = "300"
"""A server has a session of its own, and may get little of a busy machine."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server with an empty database `postgres`.

    Args:
        binaries: folder of initdb and pg_ctl.
        folder: of its data.
        port: at 127.0.0.1.
        user: of the system, that it runs as; None for ours.
    """

    binaries: Path
    folder: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        """As `postgresql://postgres@127.0.0.1:port/`; a database's name goes behind it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/"

    def make(self) -> None:
        """Make its files."""
        self._call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Return when it answers."""
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._call("pg_ctl", "-w", "-t", PATIENCE_S, "-l", log, "-o", settings, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Return when it is gone; all connections are cut.

        Args:
            mode: immediate as after a crash, fast as when it is told to.
        """
        self._call("pg_ctl", "-w", "-t", PATIENCE_S, "-m", mode, "stop")

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        )  # fmt: skip
        log = self.folder / "log"
        said = log.read_text(errors="replace") if log.exists() else ""
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}{said[-2_000:]}"


@contextmanager
def running() -> Iterator[Server]:
    """A fresh server; missing programs mean failure under CI, a skip elsewhere."""
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
        if user:
            shutil.chown(name, user)
        server = Server(binaries=binaries, folder=Path(name), port=_free_port(), user=user)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


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
