"""A console over a real run, served as it is in operation."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.app.conftest import short, short_run
from tests.app.short import Ran
from zilzal.app.display.holdings import Holdings, Places, open_holdings
from zilzal.app.synthetic import Synthetic
from zilzal.core.time import Time
from zilzal.web.access.gate import Access
from zilzal.web.server import create_app

__all__ = ["short", "short_run"]


@dataclass(frozen=True)
class Served:
    """A server that runs, and who asks it."""

    address: str
    client: httpx.Client
    held: Holdings
    folder: Path

    def get(self, path: str, expected: int = 200, **query: object) -> dict:
        """The JSON that a path gives."""
        answer = self.client.get(path, params={k: v for k, v in query.items() if v is not None})
        assert answer.status_code == expected, answer.text
        return answer.json()

    def post(self, path: str, body: object, expected: int = 200, method: str = "POST") -> dict:
        """What is given for a body, with the token that belongs to it."""
        token = self.get("/api/session")["csrf_token"]
        answer = self.client.request(method, path, json=body, headers={"X-CSRF-Token": token})
        assert answer.status_code == expected, answer.text
        return answer.json()


@contextmanager
def serving(
    folder: Path,
    places: Places,
    access: Access,
    now: Callable[[], Time] | None = None,
    page: Path | None = None,
) -> Iterator[Served]:
    """Serve a folder of results on a free port."""
    with open_holdings(folder, places, now=now) as held:
        app = create_app(held, access, audit_path=folder / "audit.jsonl", page=page)
        config = uvicorn.Config(
            app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1,
            proxy_headers=False, server_header=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        started = threading.Event()
        server.startup, startup = None, server.startup  # type: ignore[assignment]

        async def begin(sockets: object = None) -> None:
            await startup(sockets=sockets)
            started.set()

        server.startup = begin  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert started.wait(60), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=address, timeout=60) as client:
                yield Served(address, client, held, folder)
        finally:
            server.should_exit = True
            thread.join(30)


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def places(short: Synthetic) -> Places:
    """Where the small network's waveforms and stations lie."""
    return Places(inventory=(short.inventory,), waveforms=(short.waveforms,))


@pytest.fixture(scope="session")
def console(short_run: Ran, places: Places) -> Iterator[Served]:
    """A console to be looked at only."""
    with serving(short_run.output, places, Access()) as served:
        yield served


@pytest.fixture
def desk(short_run: Ran, places: Places, tmp_path: Path) -> Iterator[Served]:
    """A console of its own, on a copy of the run, whose visitor may judge."""
    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    with serving(folder, places, Access(analyst="mina")) as served:
        yield served
