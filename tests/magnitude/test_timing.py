"""Windows follow picks where there are any."""

import pytest

from tests.magnitude.made import TIME, arrival, origin, picked
from zilzal.core.pick import Phase
from zilzal.magnitude.timing import StationPicks, Timing, sort_picks

TIMING = Timing()


def test_predicted_windows_lie_around_p_and_s():
    windows = TIMING.windows(origin(), 60_000.0, StationPicks())
    # P at 10 s with a guard of a fifth; S at 17.3 s, and as long again as S minus P.
    assert windows.signal.start - TIME == pytest.approx(8.0)
    assert windows.noise.end == windows.signal.start
    assert windows.noise.duration_s == pytest.approx(10.0)
    assert windows.signal.end - TIME == pytest.approx(17.3 + 7.3)


def test_near_stations_get_five_seconds_after_s():
    windows = TIMING.windows(origin(), 6_000.0, StationPicks())
    assert windows.signal.end - TIME == pytest.approx(1.73 + 5.0)


def test_picked_p_tells_s():
    windows = TIMING.windows(origin(), 60_000.0, StationPicks(p=TIME + 9.0))
    assert windows.signal.start - TIME == pytest.approx(8.5)
    assert windows.signal.end - TIME == pytest.approx(9 * 1.73 + 9 * 0.73)


def test_picked_s_tells_p():
    windows = TIMING.windows(origin(), 60_000.0, StationPicks(s=TIME + 17.3))
    assert windows.signal.start - TIME == pytest.approx(9.5)


def test_next_events_p_ends_the_signal():
    picks = StationPicks(foreign_p=(TIME + 20.0,))
    windows = TIMING.windows(origin(), 60_000.0, picks)
    assert windows.signal.end - TIME == pytest.approx(19.5)
    assert windows.reason == ""


def test_foreign_p_before_s_spoils_the_signal():
    picks = StationPicks(foreign_p=(TIME + 13.0,))
    assert "before S" in TIMING.windows(origin(), 60_000.0, picks).reason


def test_foreign_p_close_to_s_is_taken_for_s():
    picks = StationPicks(foreign_p=(TIME + 17.0,))
    windows = TIMING.windows(origin(), 60_000.0, picks)
    assert windows.reason == ""
    assert windows.signal.end - TIME == pytest.approx(24.6)


def test_picks_are_sorted_into_own_and_foreign():
    own = picked("S00", Phase.P, TIME + 2.0)
    own_s = picked("S00", Phase.S, TIME + 3.5)
    foreign = picked("S00", Phase.P, TIME + 9.0)
    foreign_s = picked("S00", Phase.S, TIME + 11.0)
    source = origin(arrivals=[arrival(own), arrival(own_s)])
    found = sort_picks(source, [foreign_s, foreign, own_s, own])
    assert found == {
        own.channel_id.station_id: StationPicks(p=TIME + 2.0, s=TIME + 3.5, foreign_p=(TIME + 9.0,))
    }
