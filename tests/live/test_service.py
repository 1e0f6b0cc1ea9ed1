"""`zilzal monitor` as a service manager runs it: a process, signals, what it tells."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.network import assert_same, monitor_of, served, settings
from zilzal.io.store import Store

LIMIT_S = 120.0


@dataclass
class Service:
    """A monitor in a process of its own.

    Its settings are a pipe: it waits for them, so that a test knows when it reads them.
    """

    process: asyncio.subprocess.Process
    manager: socket.socket
    settings: Path

    async def told(self, state: str) -> None:
        """Wait until the service manager is told this, whatever it is told before."""
        loop = asyncio.get_running_loop()
        while state not in (await loop.sock_recv(self.manager, 4096)).decode().splitlines():
            pass

    async def read(self, text: str, *signals: signal.Signals) -> None:
        """Give it settings when it reads them, and signals while it waits for the settings."""
        with await asyncio.to_thread(self.settings.open, "w") as pipe:
            for number in signals:
                self.process.send_signal(number)
            pipe.write(text)


@asynccontextmanager
async def service(folder: Path) -> AsyncGenerator[Service]:
    """Start a monitor that waits for its settings; it must have ended when the block ends."""
    path, address = folder / "settings.toml", str(folder / "notify")
    os.mkfifo(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.bind(address)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from zilzal.cli.main import main; main()"),
            *("monitor", "-c", str(path)),
            env={**os.environ, "NOTIFY_SOCKET": address},
        )
        try:
            async with asyncio.timeout(LIMIT_S):
                yield Service(process, manager, path)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def text(inventory: Path, output: Path, address: str, tick_s: float) -> str:
    """The settings of `network.settings`, with a server."""
    return f"""
        [picker]
        use = "stalta"
        [associator]
        min_picks = 6
        [live]
        inventory = ["{inventory}"]
        output = "{output}"
        tick_s = {tick_s}
        [[sources]]
        server = "{address}"
        begin = "all"
    """


def test_reloaded_it_goes_on_with_the_new_settings(made, ran, tmp_path):
    output = tmp_path / "out"

    async def work() -> int:
        async with served(made) as server:
            async with service(tmp_path) as running:
                await running.read(text(made.inventory, output, server.address, 0.01))
                await running.told("READY=1")
                await running.told("WATCHDOG=1")
                running.process.send_signal(signal.SIGHUP)
                await running.told("RELOADING=1")
                await running.read(text(made.inventory, output, server.address, 0.02))
                await running.told("READY=1")
                await running.told("WATCHDOG=1")
                running.process.send_signal(signal.SIGTERM)
                await running.told("STOPPING=1")
                status = await running.process.wait()
            with Store.open(output / "zilzal.db") as store:
                await monitor_of(made, output, settings(), [server.source], store).run()
            return status

    assert asyncio.run(work()) == 0
    assert "tick_s = 0.02" in (output / "zilzal.toml").read_text()
    assert_same(output, ran)


def test_signals_that_come_while_settings_are_read_count_afterwards(made, tmp_path):
    async def work() -> int:
        async with served(made) as server, service(tmp_path) as running:
            wanted = text(made.inventory, tmp_path / "out", server.address, 0.01)
            await running.read(wanted, signal.SIGHUP)
            await running.told("RELOADING=1")
            await running.read(wanted, signal.SIGHUP, signal.SIGTERM)
            await running.told("STOPPING=1")
            return await running.process.wait()

    assert asyncio.run(work()) == 0


def test_settings_that_are_wrong_are_told_and_the_old_ones_stay(made, tmp_path):
    async def work() -> int:
        async with served(made) as server, service(tmp_path) as running:
            await running.read(text(made.inventory, tmp_path / "out", server.address, 0.01))
            await running.told("READY=1")
            running.process.send_signal(signal.SIGHUP)
            await running.read("[live]\ntick_s = -1")
            await running.told("READY=1")
            running.process.send_signal(signal.SIGTERM)
            return await running.process.wait()

    assert asyncio.run(work()) == 0
    assert "tick_s = 0.01" in (tmp_path / "out" / "zilzal.toml").read_text()
