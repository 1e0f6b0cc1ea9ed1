"""Law 4: nothing is lost and nothing doubled, whatever breaks."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.live.faults import Hasty, Recording
from tests.live.network import assert_same, monitor_of, served, settings
from zilzal.core.errors import StoreError
from zilzal.core.packet import Packet
from zilzal.io.clock import SystemClock
from zilzal.io.store import Store


@pytest.mark.parametrize(("seed", "events"), [(1, "here"), (2, "apart")])
def test_killed_again_and_again_it_ends_as_if_it_had_not_been(
    made, folder, ran, tmp_path, seed, events
):
    steps = np.random.default_rng(seed).integers(2, 16, size=3).tolist()

    async def live_and_die() -> list[int]:
        async with served(made) as server:
            ends: list[int] = []
            for step in [*steps, 0]:
                victim = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.live.victim", str(folder), str(tmp_path)),
                    *(server.address, json.dumps(server.last), str(step), events),
                    cwd=Path(__file__).parents[2],
                )
                ends.append(await victim.wait())
            return ends

    ends = asyncio.run(live_and_die())
    assert -signal.SIGKILL in ends
    assert ends[-1] == 0
    assert_same(tmp_path, ran)


def test_connections_that_are_cut_lose_nothing(made, ran, tmp_path):
    async def work() -> int:
        async with served(made) as server:
            with Store.open(tmp_path / "zilzal.db") as store:
                monitor = monitor_of(made, tmp_path, settings(backlog=50), [server.source], store)
                write, cuts = monitor.recorder.write, [0]
                loop = asyncio.get_running_loop()

                async def cut() -> None:
                    await server.server.fail(is_forgetful=False)
                    await server.server.reopen()

                def cutting(packets: list[Packet]) -> None:
                    write(packets)
                    if cuts[0] < 3:
                        cuts[0] += 1
                        asyncio.run_coroutine_threadsafe(cut(), loop).result()

                monitor.recorder = Recording(monitor.recorder, cutting)
                await monitor.run()
                return cuts[0]

    assert asyncio.run(work()) == 3
    assert_same(tmp_path, ran)


def test_full_disk_holds_everything_until_there_is_room(made, ran, tmp_path):
    async def work() -> str:
        async with served(made) as server:
            with Store.open(tmp_path / "zilzal.db") as store:
                monitor = monitor_of(made, tmp_path, settings(), [server.source], store)
                write, refused = monitor.recorder.write, [0]

                def refusing(packets: list[Packet]) -> None:
                    refused[0] += 1
                    if refused[0] <= 2:
                        raise OSError(errno.ENOSPC, "No space left on device")
                    write(packets)

                monitor.recorder = Recording(monitor.recorder, refusing)
                monitor.clock = Hasty(monitor.clock)
                await monitor.run()
                return monitor.health.last_refusal

    assert "No space left" in asyncio.run(work())
    assert_same(tmp_path, ran)


def test_database_that_refuses_holds_everything_until_it_is_back(made, ran, tmp_path):
    async def work() -> int:
        async with served(made) as server:
            with Store.open(tmp_path / "zilzal.db") as store:
                refusing = _Refusing(store)
                monitor = monitor_of(made, tmp_path, settings(backlog=50), [server.source], store)
                monitor.store = refusing
                monitor.clock = Hasty(monitor.clock)
                await monitor.run()
                return refusing.refused

    assert asyncio.run(work()) >= 3
    assert_same(tmp_path, ran)


class _Refusing:
    """A store that refuses every third transaction after its work is done, before it counts."""

    def __init__(self, store: Store) -> None:
        self._store, self._count, self.refused = store, 0, 0

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def transaction(self):
        from contextlib import contextmanager

        @contextmanager
        def refusing():
            self._count += 1
            with self._store.transaction():
                yield
                if self._count % 3 == 1:
                    self.refused += 1
                    raise StoreError("the server closed the connection")

        return refusing()


def test_steps_of_the_clock_change_nothing(made, ran, tmp_path):
    async def work() -> None:
        async with served(made) as server:
            clock = _Stepping(SystemClock())
            with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
                monitor = monitor_of(made, tmp_path, settings(backlog=50), [server.source], store)
                monitor.clock = monitor.health.clock = clock
                await monitor.run()

    asyncio.run(work())
    assert_same(tmp_path, ran)


class _Stepping(Hasty):
    """A clock that is set an hour back and forth, and whose year is wrong at first."""

    def now(self):
        self._calls = getattr(self, "_calls", 0) + 1
        years_s = -20 * 365.25 * 86_400 if self._calls < 100 else 0.0
        return self._clock.now() + years_s + (-3_600.0 if self._calls % 50 < 25 else 0.0)


def test_stopped_cleanly_it_goes_on_where_it_was(made, ran, tmp_path):
    async def work() -> list[bool]:
        async with served(made) as server:
            whole: list[bool] = []
            for limit in (3, 6, 10_000):
                with Store.open(tmp_path / "zilzal.db") as store:
                    monitor = monitor_of(
                        made, tmp_path, settings(backlog=50), [server.source], store
                    )
                    write, count, loop = monitor.recorder.write, [0], asyncio.get_running_loop()

                    def stopping(packets, write=write, count=count, limit=limit, it=monitor,
                                 loop=loop):  # fmt: skip
                        write(packets)
                        count[0] += 1
                        if count[0] == limit:
                            loop.call_soon_threadsafe(it.stop.set)

                    monitor.recorder = Recording(monitor.recorder, stopping)
                    await monitor.run()
                    whole.append(not monitor.stop.is_set())
            return whole

    assert asyncio.run(work()) == [False, False, True]
    assert_same(tmp_path, ran)
