"""How stations did, and their gaps, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.performance import StationPerformance
from zilzal.core.time import Time
from zilzal.io.store import Store

NOON = Time.parse("2024-03-05T12:00:00Z")
ONE, OTHER = StationId("CI", "CCC"), StationId("CI", "CCA")


def minute(number: int, **changes: object) -> StationPerformance:
    """The minute that begins so many minutes and a second after noon."""
    values = {
        "station_id": ONE, "start": NOON + 60 * number + 1, "span_s": 60.0, "packets": number,
        "picks": 2, "arrival_s": 1.0 + number, "silent_s": 0.5, "data_age_s": 5.0 + number,
        "behind_s": 3.0, "noise_db": 40.0 + number,
    }  # fmt: skip
    return replace(StationPerformance(**values), **changes)


def test_performance_of_a_station_comes_back_in_order(store: Store):
    silent = minute(
        2, packets=0, arrival_s=None, silent_s=None, data_age_s=None, behind_s=None, noise_db=None
    )
    store.put_performance([silent, minute(1), minute(3), minute(1, station_id=OTHER)])
    assert store.performance(ONE, NOON, NOON + 3_600) == [minute(1), silent, minute(3)]
    # What reaches into the span counts, what only touches it does not.
    assert store.performance(ONE, NOON + 121, NOON + 181) == [silent]
    assert store.performance(ONE, NOON + 120.5, NOON + 181.5) == [minute(1), silent, minute(3)]


def test_minutes_of_whole_hours_become_hours(store: Store):
    dead = minute(2, packets=0, arrival_s=None, noise_db=None, silent_s=90.0)
    store.put_performance([minute(1), dead, minute(3), minute(60), minute(1, station_id=OTHER)])
    store.sum_up_performance(NOON + 3_599)
    assert len(store.performance(ONE, NOON, NOON + 7_200)) == 4
    for _ in range(2):
        store.sum_up_performance(NOON + 3_600 + 120)
        hour, after = store.performance(ONE, NOON, NOON + 7_200)
        assert after == minute(60)
        assert (hour.start, hour.span_s, hour.packets, hour.picks) == (NOON, 180.0, 4, 6)
        # One packet took 2 s, three took 4 s.
        assert hour.arrival_s == pytest.approx(3.5)
        assert (hour.silent_s, hour.data_age_s, hour.behind_s) == (90.0, 8.0, 3.0)
        assert hour.noise_db == pytest.approx(42.0)
    assert store.performance(OTHER, NOON, NOON + 7_200)[0].packets == 1


def span(component: str, start_s: float, end_s: float, reason: Reason) -> CoverageSpan:
    channel_id = ChannelId("CI", "CCC", "", f"HH{component}")
    return CoverageSpan(channel_id, NOON + start_s, NOON + end_s, reason)


def test_gaps_are_counted_within_a_span(store: Store):
    store.put_coverage([
        span("Z", 0, 50, Reason.ANALYSED), span("Z", 50, 60, Reason.GAP),
        span("Z", 60, 90, Reason.CLIPPED), span("Z", 90, 100, Reason.GAP),
        span("N", 0, 100, Reason.ANALYSED), span("N", 0, 100, Reason.OVERLAP),
        span("E", 0, 100, Reason.NOT_CHOSEN),
    ])  # fmt: skip
    assert store.gaps() == {ONE: (2, pytest.approx(20 / 200))}
    assert store.gaps(NOON + 55, NOON + 75) == {ONE: (1, pytest.approx(5 / 40))}
    assert store.gaps(NOON + 60, NOON + 90) == {ONE: (0, 0.0)}
    assert store.gaps(NOON + 200) == {}
