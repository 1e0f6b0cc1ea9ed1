"""Events whose process fails: pauses that grow, doing without it, and saying why."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from multiprocessing.context import SpawnProcess

import pytest

from tests.clock import ManualClock
from tests.live.faults import Hasty
from tests.live.network import assert_same, monitor_of, revisions_of, served, settings
from tests.live.test_reviser import Endless
from zilzal.app.live import revisions
from zilzal.app.live.health import Health, Pulse
from zilzal.app.live.metrics import metrics
from zilzal.app.live.reviser import Apart, Here
from zilzal.app.live.revisions import (
    APART_AGAIN_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LOSSES,
    Revisions,
)
from zilzal.app.live.status import read_status
from zilzal.core.errors import ClusterError
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.store import Store

LIMIT_S = 120.0
WHY = "the process for events was lost: died of SIGKILL; out of memory?"


class Lost:
    """A process for events that is lost whenever it is asked."""

    started: list[float]
    clock: ManualClock

    def __init__(self, _horizon, _recorder) -> None:
        self.started.append(self.clock.monotonic_s())
        self.is_lost = False

    def revise(self, _news):
        self.is_lost = True
        raise ClusterError(WHY)

    def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "zilzal.db") as opened:
        yield opened


@pytest.fixture
def working(made, store, tmp_path, monkeypatch):
    """Revisions whose processes are lost, and when these were started."""
    clock = ManualClock()
    monkeypatch.setattr(Lost, "started", [], raising=False)
    monkeypatch.setattr(Lost, "clock", clock, raising=False)
    monkeypatch.setattr(revisions, "Apart", Lost)
    configuration = settings(event_process=True, preliminary_s=1.0)
    return revisions_of(made, tmp_path, configuration, store, clock)


async def _let_pass(working: Revisions, span_s: float) -> None:
    """Time, with news all the while, as of a network."""
    clock = working.clock
    until_s = clock.monotonic_s() + span_s
    while clock.monotonic_s() < until_s:
        working._has_news.set()
        await clock.asleep()
        await clock.advance(0.5)


def test_process_that_is_lost_is_started_after_pauses_and_then_done_without(working, store):
    async def work() -> None:
        await working.begin()
        running = asyncio.create_task(working.run())
        await _let_pass(working, 30.0)
        assert len(Lost.started) == LOSSES
        waits_s = [b - a for a, b in zip(Lost.started, Lost.started[1:], strict=False)]
        for number, wait_s in enumerate(waits_s):
            pause_s = FIRST_PAUSE_S * 2**number
            assert pause_s <= wait_s <= pause_s + 1.0
        assert isinstance(working._reviser, Here)
        await _let_pass(working, APART_AGAIN_S)
        # Tried again once; then it is done without again.
        assert len(Lost.started) == LOSSES + 1
        await _let_pass(working, 60.0)
        assert len(Lost.started) == LOSSES + 1
        await _end(working, running)

    asyncio.run(work())
    health = working.health
    assert WHY in health.last_refusal
    assert f"lost {LOSSES} times" in health.events_trouble
    assert "zilzal_events_in_trouble 1" in metrics(health, _PULSE)
    health.report(_PULSE, store)()
    status = read_status(store, working.clock.now())
    assert status is not None
    assert status.events == health.events_trouble
    working.close()


async def _end(working: Revisions, running: asyncio.Task[None]) -> None:
    working.end()
    while not running.done():
        await working.clock.advance(1.0)
        await asyncio.sleep(0)
    await running


_PULSE = Pulse(passed={}, shed=frozenset(), waiting=0)


def test_revision_that_fails_is_tried_after_pauses_of_a_minute_at_most(working, monkeypatch):
    class Failing(Lost):
        def revise(self, _news):
            raise ClusterError("a revision failed: ValueError: 7")

    monkeypatch.setattr(revisions, "Apart", Failing)

    async def work() -> None:
        await working.begin()
        running = asyncio.create_task(working.run())
        await _let_pass(working, 400.0)
        await _end(working, running)

    asyncio.run(work())
    waits_s = [b - a for a, b in zip(Lost.started, Lost.started[1:], strict=False)]
    assert waits_s == sorted(waits_s)
    assert LONGEST_PAUSE_S <= waits_s[-1] <= LONGEST_PAUSE_S + 1.0
    assert len(Lost.started) < 13
    assert "ValueError: 7" in working.health.last_refusal
    # It is no use to do without the process: the revision would fail here as well.
    assert not working.health.events_trouble


def test_monitor_that_is_told_to_stop_does_not_wait_for_a_long_revision(
    made, tmp_path, monkeypatch
):
    configuration = replace(settings(event_process=True), associator=Endless())
    revise, is_asked = Apart.revise, threading.Event()

    def asked(reviser, told):
        if told.picks:
            is_asked.set()
        return revise(reviser, told)

    monkeypatch.setattr(Apart, "revise", asked)

    async def work(store: Store) -> Health:
        async with served(made) as server:
            source = SeedLinkSource(server=server.address, begin="all")
            monitor = monitor_of(made, tmp_path, configuration, [source], store)
            running = asyncio.create_task(monitor.run())
            assert await asyncio.to_thread(is_asked.wait, LIMIT_S)
            monitor.stop.set()
            async with asyncio.timeout(LIMIT_S):
                await running
            return monitor.health

    with Store.open(tmp_path / "zilzal.db") as store:
        assert not asyncio.run(work(store)).refusals
        assert store.bookmarks()


def test_monitor_whose_process_cannot_be_started_ends_with_the_tables_of_a_run(
    made, ran, tmp_path, monkeypatch
):
    def refuse(_process) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(SpawnProcess, "start", refuse)
    with Store.open(tmp_path / "zilzal.db") as store:
        source = PlaybackSource(paths=(str(made.waveforms),))
        monitor = monitor_of(made, tmp_path, settings(event_process=True), [source], store)
        monitor.clock = Hasty(monitor.clock)
        asyncio.run(monitor.run())
    assert "Cannot allocate memory" in monitor.health.last_refusal
    assert_same(tmp_path, ran)
