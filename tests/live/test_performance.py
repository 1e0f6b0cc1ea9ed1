"""The history of stations, a minute at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.live.test_health import CHANNEL, START, quarter
from zilzal.app.live.health import Health, Pulse
from zilzal.core.performance import StationPerformance
from zilzal.io.store import Store


def pulse(passed_s: float | None = None) -> Pulse:
    passed = {} if passed_s is None else {CHANNEL.sensor_id: START + passed_s}
    return Pulse(passed=passed, shed=frozenset(), waiting=0)


def reported(health: Health, store: Store, now: Pulse) -> list[StationPerformance]:
    """What the store has of the station after a report."""
    health.report(now, store)()
    return store.performance(CHANNEL.station_id, START, START + 86_400)


def test_each_minute_tells_what_came_in_it(tmp_path: Path):
    clock = ManualClock(str(START + 1_000))
    health = Health(clock)
    health.expect([CHANNEL.station_id], {})
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        # What came before the first report is not told: nobody knows since when.
        health.hear(quarter(0, 100.0))
        assert reported(health, store, pulse()) == []
        asyncio.run(clock.advance(30))
        health.hear(quarter(0, 100.0))
        assert reported(health, store, pulse()) == []
        asyncio.run(clock.advance(31))
        (first,) = reported(health, store, pulse(850))
        asyncio.run(clock.advance(60))
        second = reported(health, store, pulse(850))[1]
    assert (first.start, first.span_s, first.packets) == (START + 1_000, 61.0, 1)
    # The quarter of an hour ends at 900 s and came then, by its packet.
    assert first.arrival_s == pytest.approx(0.0)
    assert (first.silent_s, first.data_age_s, first.behind_s) == (161.0, 161.0, 50.0)
    assert first.noise_db == pytest.approx(43, abs=1)
    assert (second.start, second.packets, second.arrival_s) == (START + 1_061, 0, None)
    assert second.silent_s == 221.0


def test_station_of_which_nothing_came_has_a_history_too(tmp_path: Path):
    clock = ManualClock(str(START))
    health = Health(clock)
    health.expect([CHANNEL.station_id], {})
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        reported(health, store, pulse())
        asyncio.run(clock.advance(60))
        (found,) = reported(health, store, pulse())
    assert (found.packets, found.silent_s, found.data_age_s, found.noise_db) == (
        0,
        None,
        None,
        None,
    )


def test_clock_that_is_set_does_not_change_how_long_a_minute_is(tmp_path: Path):
    clock = ManualClock(str(START))
    health = Health(clock)
    health.expect([CHANNEL.station_id], {})
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        reported(health, store, pulse())
        clock.step(-7_200)
        asyncio.run(clock.advance(60))
        assert [p.span_s for p in reported(health, store, pulse())] == [60.0]


def test_minutes_of_last_week_are_kept_by_the_hour(tmp_path: Path):
    clock = ManualClock(str(START))
    health = Health(clock)
    health.expect([CHANNEL.station_id], {})
    with Store.open(tmp_path / "zilzal.db", clock=clock.now) as store:
        reported(health, store, pulse())
        for _ in range(120):
            asyncio.run(clock.advance(60))
            found = reported(health, store, pulse())
        assert len(found) == 120
        asyncio.run(clock.advance(7 * 86_400 - 3_600))
        hour, *rest = reported(health, store, pulse())
    assert (hour.start, hour.span_s) == (START, 3_600.0)
    assert {p.span_s for p in rest[:-1]} == {60.0}
