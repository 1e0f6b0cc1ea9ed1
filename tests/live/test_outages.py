"""Law 4 with a real database that goes and comes back, and on a disk that is really full."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.faults import Recording, Repairing
from tests.live.network import assert_same, monitor_of, served, settings
from tests.postgresql import Server, running
from zilzal.app.synthetic import Synthetic
from zilzal.core.packet import Packet
from zilzal.io.store import Store

WRITES = (2, 6)
"""Rounds after whose records were written something breaks."""


def monitor(
    made: Synthetic, output: Path, place: str, spoil: Callable[[], None], mend: Callable[[], None]
) -> list[str]:
    """Monitor all that a server has while something is spoilt and mended; what was refused."""

    async def work() -> list[str]:
        async with served(made) as server:
            with Store.open(place) as store:
                monitor = monitor_of(made, output, settings(backlog=40), [server.source], store)
                write, count, refusals = monitor.recorder.write, [0], []

                def spoiling(packets: list[Packet]) -> None:
                    write(packets)
                    count[0] += 1
                    if count[0] in WRITES:
                        spoil()

                def mending() -> None:
                    refusals.append(monitor.health.last_refusal)
                    mend()

                monitor.recorder = Recording(monitor.recorder, spoiling)
                monitor.clock = Repairing(monitor, mending)
                await monitor.run()
                return refusals

    return asyncio.run(work())


@pytest.fixture
def database() -> Iterator[Server]:
    with running() as server:
        yield server


def test_database_that_goes_and_comes_back_loses_and_doubles_nothing(made, ran, database, tmp_path):
    modes, gone = ["fast", "immediate"], []

    def stop() -> None:
        mode = modes.pop()
        database.stop(mode)
        gone.append(mode)  # Not before: another thread would start it while it still stops.

    def start() -> None:
        if gone:
            database.start()
            gone.clear()

    place = f"{database.url}postgres"
    refusals = monitor(made, tmp_path, place, stop, start)
    assert not modes
    assert len(refusals) >= len(WRITES)
    assert all("PostgreSQL" in refusal or "connection" in refusal for refusal in refusals)
    assert_same(tmp_path, ran, place)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, in memory."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk that can be filled")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a disk that can be filled cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_loses_and_doubles_nothing(made, ran, small_disk):
    ballast = small_disk / "ballast"

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file:
            while free := shutil.disk_usage(small_disk).free:
                file.write(bytes(min(free, 65_536)))

    output = small_disk / "out"
    output.mkdir()
    place = str(output / "zilzal.db")
    refusals = monitor(made, output, place, fill, lambda: ballast.unlink(missing_ok=True))
    assert len(refusals) >= len(WRITES)
    assert any("full" in refusal or "No space left" in refusal for refusal in refusals), refusals
    assert_same(output, ran)
