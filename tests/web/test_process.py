"""`zilzal serve` as a process that is stopped, and a page that is built anew under it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.app.short import Ran
from tests.web.conftest import serving
from zilzal.app.display.holdings import Places
from zilzal.web.access.gate import Access

LIMIT_S = 120.0


@dataclass(frozen=True)
class Process:
    """A console in a process of its own."""

    address: httpx.URL
    process: subprocess.Popen[str]

    def stop(self, number: signal.Signals) -> tuple[int, str, str]:
        """Its status, and what it said, after a signal."""
        self.process.send_signal(number)
        said, complained = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, said, complained


@contextmanager
def served(folder: Path, *arguments: str | Path) -> Iterator[Process]:
    """Serve a folder at a free port."""
    command = [sys.executable, "-u", "-c", "from zilzal.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", str(folder), "--port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[2]
        yield Process(httpx.URL(address), process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(short_run: Ran, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short_run.output, tmp_path / "out"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_open_streams_do_not_keep_a_server_that_is_stopped(
    folder: Path, places: Places, number: signal.Signals
):
    known = "--inventory", places.inventory[0], "--waveforms", places.waveforms[0]
    with (
        served(folder, *known) as console,
        httpx.stream("GET", console.address.join("/api/live"), timeout=LIMIT_S) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        status, said, complained = console.stop(number)
        assert (status, said, complained) == (0, "the console has stopped\n", "")
        # The stream has its proper end, and is not broken off.
        assert "data: " in "\n".join(lines)
    left = {path.name for path in folder.iterdir()}
    assert not left & {"zilzal.db-wal", "zilzal.db-shm"}, "the store was not closed"


def test_request_that_is_not_done_is_cut_off_in_one_line(folder: Path, places: Places):
    known = "--inventory", places.inventory[0], "--waveforms", places.waveforms[0]
    with served(folder, *known) as console, socket.socket() as client:
        client.connect((console.address.host, console.address.port))
        # A body of which only the first half comes.
        head = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n"
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        # Answered only when the server has taken in what came before.
        httpx.get(console.address.join("/api/session"), timeout=LIMIT_S)
        status, said, complained = console.stop(signal.SIGTERM)
    assert (status, said) == (0, "the console has stopped\n")
    assert "1 requests were not done 2 s after the stop" in " ".join(complained.split())
    assert "Traceback" not in complained


def test_page_that_is_built_anew_is_served_as_it_is(folder: Path, places: Places, tmp_path: Path):
    page = tmp_path / "page"

    def build(name: str) -> None:
        shutil.rmtree(page, ignore_errors=True)
        (page / "assets").mkdir(parents=True)
        (page / "assets" / f"{name}.js").write_text(f"// {name}")
        (page / "index.html").write_text(f"<script src=/assets/{name}.js></script>")

    with serving(folder, places, Access(), page=page) as console:

        def ask(path: str) -> tuple[int, str]:
            answer = console.client.get(path)
            return answer.status_code, answer.text

        assert "has not been built" in ask("/")[1]
        build("old")
        assert ask("/catalogue") == (200, "<script src=/assets/old.js></script>")
        assert ask("/assets/old.js") == (200, "// old")
        build("new")
        assert ask("/") == (200, "<script src=/assets/new.js></script>")
        assert ask("/assets/old.js")[0] == 404
        assert ask("/assets/new.js") == (200, "// new")
        shutil.rmtree(page)
        assert ask("/assets/new.js")[0] == 404
        assert "is being built just now" in ask("/")[1]


STRANGE = (
    "/../secret.txt", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt",
    "//secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/a.js/x.txt", "/%00.txt",
    "/./assets//a.js", "/assets/a.js/", "/assets", "/assets/%5c..%5csecret.txt",
)  # fmt: skip


def test_nothing_but_the_page_is_given(folder: Path, places: Places, tmp_path: Path):
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "assets" / "a.js").write_text("// a")
    (page / "index.html").write_text("shell")
    (tmp_path / "secret.txt").write_text("secret")
    with serving(folder, places, Access(), page=page) as console:
        port = httpx.URL(console.address).port
        for path in STRANGE:
            # Not by a client, which would make the path proper first.
            with socket.create_connection(("127.0.0.1", port)) as raw:
                raw.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                answer = b"".join(iter(lambda s=raw: s.recv(65_536), b""))
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.split()[1] in (b"200", b"404"), path
            assert body == b"shell" or b"there is no" in body, path
