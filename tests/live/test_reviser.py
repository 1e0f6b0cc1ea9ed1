"""Events in a process of their own: the same ones, and nothing is lost with the process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from dataclasses import replace

import pytest

from tests.associate.sources import START
from tests.live.network import assert_same, monitor_of, settings
from tests.live.test_horizon import horizon_with, news, picks_of_source
from zilzal.app.live.reviser import Apart, Here
from zilzal.core.errors import ClusterError
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.recorder import Recorder
from zilzal.io.store import Store
from zilzal.signal.continuity import GapPolicy

ASSOCIATOR = settings(min_picks=6).associator.cautious()


@pytest.fixture
def apart(tmp_path):
    reviser = Apart(horizon_with(ASSOCIATOR), Recorder(tmp_path, GapPolicy()))
    yield reviser
    reviser.close()


def test_revisions_of_a_process_are_those_of_this_one(apart):
    here = Here(horizon_with(ASSOCIATOR))
    for told in (news(picks_of_source(40.0, 1), 60.0), news([], 700.0, is_over=True)):
        one, other = here.revise(told), apart.revise(told)
        assert [(e.id, e.time, e.picks) for e in one.events] == [
            (e.id, e.time, e.picks) for e in other.events
        ]
        assert (one.state is None) == (other.state is None)
    assert one.events or other.state is not None


def test_what_fails_in_the_process_is_told(apart):
    with pytest.raises(ClusterError, match="AttributeError"):
        apart.revise("no news")
    assert apart.revise(news(picks_of_source(40.0, 1), 60.0)).events


def test_process_that_was_killed_is_told(apart):
    os.kill(apart._process.pid, signal.SIGKILL)
    with pytest.raises(ClusterError, match="lost"):
        apart.revise(news([], 60.0))


def test_what_the_process_logs_the_monitor_logs_at_its_own_level(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    apart = Apart(horizon_with(ASSOCIATOR), Recorder(tmp_path, GapPolicy()))
    logging.getLogger("zilzal.app.live.reviser").setLevel(logging.ERROR)
    try:
        # Sensors that lag behind are named at INFO when a block is closed without them.
        apart.revise(news(picks_of_source(40.0, 1), 60.0))
        told = news([], 900.0)
        apart.revise(replace(told, passed={**told.passed, next(iter(told.passed)): START + 60.0}))
        with pytest.raises(ClusterError):
            apart.revise("no news")
    finally:
        logging.getLogger("zilzal.app.live.reviser").setLevel(logging.NOTSET)
        apart.close()
    told = {(record.name, record.levelname) for record in caplog.records}
    assert told >= {("zilzal.app.live.horizon", "INFO"), ("zilzal.app.live.reviser", "ERROR")}
    assert "closed without 1 sensors" in caplog.text
    assert "'str' object has no attribute 'stations'" in caplog.text


def test_process_outlives_what_stops_the_monitor_and_ends_with_it(apart):
    apart.revise(news([], 60.0))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(apart._process.pid, number)
    assert apart.revise(news(picks_of_source(40.0, 1), 60.0)).events
    apart._pipe.close()
    apart._process.join(60.0)
    assert apart._process.exitcode == 0


class Endless:
    """An associator that does not come to an end."""

    def associate(self, _picks, _stations):
        threading.Event().wait()

    def associate_since(self, _picks, _stations, _since):
        threading.Event().wait()


def test_process_that_is_busy_ends_when_the_monitor_has_gone(tmp_path):
    apart = Apart(horizon_with(Endless()), Recorder(tmp_path, GapPolicy()))
    apart._pipe.send((news(picks_of_source(40.0, 1), 60.0), frozenset()))
    apart._pipe.close()
    apart._process.join(60.0)
    assert apart._process.exitcode == 0


@pytest.mark.parametrize("is_lost", [False, True])
def test_monitor_with_a_process_for_events_gives_the_tables_of_a_run(
    made, ran, tmp_path, monkeypatch, is_lost
):
    """Also where that process is killed at its first revision and at its last."""
    revise, killed = Apart.revise, []

    def losing(self, told):
        if is_lost and told.is_over not in killed:
            killed.append(told.is_over)
            os.kill(self._process.pid, signal.SIGKILL)
        return revise(self, told)

    monkeypatch.setattr(Apart, "revise", losing)
    with Store.open(tmp_path / "zilzal.db") as store:
        source = PlaybackSource(paths=(str(made.waveforms),), speed=200.0)
        monitor = monitor_of(made, tmp_path, settings(event_process=True), [source], store)
        asyncio.run(monitor.run())
    assert killed == ([False, True] if is_lost else [])
    assert monitor.health.refusals == len(killed)
    assert_same(tmp_path, ran)
