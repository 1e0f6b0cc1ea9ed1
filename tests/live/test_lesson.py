"""What a monitor's associator learns from, and what is said until it has."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.live.network import revisions_of, settings
from zilzal.app.configuration import Configuration
from zilzal.app.events import LEARNED, LESSON
from zilzal.app.live import lesson, revisions
from zilzal.app.live.health import Health, Pulse
from zilzal.app.live.lesson import can_learn, settled_associator
from zilzal.app.live.status import read_status
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.stage import LearningAssociator
from zilzal.core.time import Time
from zilzal.io.clock import SystemClock
from zilzal.io.store import Store

START = Time.parse("2024-03-05T00:00:00Z")
LEARNED_TEXT = json.dumps({"least_odds": 3.0, "learned": None})


def some_picks(number: int, configuration: Configuration) -> list[Pick]:
    made_by = Provenance(method="stalta", version="1", configuration=configuration.picking_sha256)
    channel = ChannelId("XX", "A", "", "HHZ")
    return [
        Pick(channel_id=channel, phase=Phase.P, time=START + 10.0 * n, probability=0.9,
             uncertainty_s=0.1, provenance=made_by)
        for n in range(number)
    ]  # fmt: skip


@pytest.fixture
def learning(tmp_path: Path) -> Configuration:
    return settings(min_picks=None, output=str(tmp_path))


def told(store: Store) -> str:
    """What `zilzal status` says of it."""
    clock = ManualClock()
    store.put_notes(Health(clock).notes(Pulse(passed={}, shed=frozenset(), waiting=0)))
    status = read_status(store, clock.now())
    assert status is not None
    return status.lesson


def test_status_says_how_many_picks_lack(learning, tmp_path):
    assert isinstance(learning.associator, LearningAssociator)
    with Store.open(tmp_path / "zilzal.db") as store:
        store.put_picks(some_picks(3, learning))
        assert settled_associator(learning, store, ()) == learning.associator.cautious()
        assert "3 of 800 picks" in told(store)
        store.put_picks(some_picks(5, learning))
        assert not can_learn(learning, store)
        assert "5 of 800 picks" in told(store)


def test_a_lesson_that_is_put_into_the_folder_is_learned_once(learning, tmp_path):
    with Store.open(tmp_path / "zilzal.db") as store:
        settled_associator(learning, store, ())
        (tmp_path / LESSON).write_text(LEARNED_TEXT, encoding="utf-8")
        assert can_learn(learning, store)
        settled = settled_associator(learning, store, ())
        assert settled == learning.associator.remembering(LEARNED_TEXT)
        assert told(store) == ""
        assert not can_learn(learning, store)


def test_nothing_is_learned_where_strictness_is_set(tmp_path):
    set_by_hand = settings(min_picks=6, output=str(tmp_path))
    with Store.open(tmp_path / "zilzal.db") as store:
        (tmp_path / LESSON).write_text(LEARNED_TEXT, encoding="utf-8")
        settled_associator(set_by_hand, store, ())
        assert told(store) == ""
        assert not can_learn(set_by_hand, store)


def test_monitor_learns_while_it_runs(made, learning, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "LEAST_LESSON", 4)
    monkeypatch.setattr(revisions, "LEARN_S", 0.0)
    with Store.open(tmp_path / "zilzal.db") as store:
        running = revisions_of(made, tmp_path, learning, store, SystemClock())
        running.restore()
        assert running._reviser.horizon.associator == learning.associator.cautious()
        store.put_run(learning.to_toml(picking=True), version="1", started=SystemClock().now())
        store.put_picks(some_picks(4, learning))
        asyncio.run(running._learn())
        assert store.load_checkpoint(LEARNED, learning.sha256) is not None
        assert running._reviser.horizon.associator == learning.associator.settled((), ())


def test_monitor_goes_on_where_a_lesson_is_none(made, learning, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(revisions, "LEARN_S", 0.0)
    with Store.open(tmp_path / "zilzal.db") as store:
        running = revisions_of(made, tmp_path, learning, store, SystemClock())
        running.restore()
        (tmp_path / LESSON).write_text("[]", encoding="utf-8")
        asyncio.run(running._learn())
        assert "associator.json is left out" in caplog.text
        assert running._reviser.horizon.associator == learning.associator.cautious()
