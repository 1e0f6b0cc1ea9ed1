"""Events while picks come: what is worked out anew, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.associate.sources import START, make_network, picks_of
from tests.live.network import settings
from zilzal.app.events import Material, complete, find_sources
from zilzal.app.live.horizon import HEARING_S, LOOK_BACK_S, REMEASURE_S, Horizon, News
from zilzal.core.geo import displace
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Pick
from zilzal.core.stage import RecentAssociator
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace

STATIONS = make_network()
SENSORS = [ChannelId("XX", s.station_id.station, "", "HHZ").sensor_id for s in STATIONS]
SETTINGS = settings(min_picks=6)
SETTLED = SETTINGS.associator.settled((), STATIONS)
CLOSED_S = 700.0
"""The first block has ended, its picks have come, and more than `settle_s` after them."""


@dataclass
class Counting:
    """An associator that notes what it was asked for: everything, or from when on."""

    asked: list[Time | None] = field(default_factory=list)

    def associate(self, picks: Sequence[Pick], stations):
        self.asked.append(None)
        return SETTLED.associate(picks, stations)

    def associate_since(self, picks: Sequence[Pick], stations, since: Time):
        assert isinstance(SETTLED, RecentAssociator)
        self.asked.append(since)
        return SETTLED.associate_since(picks, stations, since)


class NoWaveforms:
    """Nothing was recorded."""

    def read(self, _channel_id, _start, _end) -> list[Trace]:
        return []

    def channel_ids(self) -> tuple[ChannelId, ...]:
        return ()


def horizon_with(associator) -> Horizon:
    return Horizon(
        configuration=SETTINGS,
        options=SETTINGS.live,
        inventory=Inventory.of([]),
        waveforms=NoWaveforms(),
        associator=associator,
    )


def picks_of_source(after_s: float, seed: int) -> list[Pick]:
    place = (*displace(36.0, -117.0, 4e3 * seed, -6e3), 8e3)
    generator = np.random.default_rng(seed)
    return picks_of(place, START + after_s, STATIONS, generator)


def news(picks: Sequence[Pick], until_s: float, *, is_over: bool = False, preliminary=()) -> News:
    return News(
        picks=tuple(picks),
        detections=(),
        preliminary=tuple(preliminary),
        passed=dict.fromkeys(SENSORS, START + until_s),
        stations=tuple(STATIONS),
        is_over=is_over,
    )


def test_nothing_is_associated_again_where_nothing_changed():
    associator = Counting()
    horizon = horizon_with(associator)
    horizon.revise(news(picks_of_source(40.0, 1), 60.0))
    associator.asked.clear()
    for until_s in (61.0, 70.0, 200.0):
        horizon.revise(news([], until_s))
    assert not associator.asked
    assert len(horizon.open_events) == 1


def test_a_closed_block_is_associated_once_as_a_whole():
    associator = Counting()
    horizon = horizon_with(associator)
    first, second = picks_of_source(40.0, 1), picks_of_source(140.0, 2)
    horizon.revise(news(first, 60.0))
    horizon.revise(news(second, 160.0))
    associator.asked.clear()
    for until_s in (CLOSED_S, CLOSED_S + 1.0, CLOSED_S + 2.0):
        horizon.revise(news([], until_s))
    assert associator.asked == [None]


def test_a_block_that_was_worked_out_ahead_is_not_when_it_is_closed():
    associator = Counting()
    horizon = horizon_with(associator)
    horizon.revise(news(picks_of_source(40.0, 1), 60.0))
    passed = dict.fromkeys(SENSORS, START + CLOSED_S)
    assert horizon.ahead(dict.fromkeys(SENSORS, START + 60.0), tuple(STATIONS)) is None
    ahead = horizon.ahead(passed, tuple(STATIONS))
    assert ahead is not None
    horizon.foresee(ahead, ahead.solve())
    assert horizon.ahead(passed, tuple(STATIONS)) is None
    associator.asked.clear()
    horizon.revise(news([], CLOSED_S))
    assert not associator.asked


def test_a_block_that_changed_after_it_was_worked_out_ahead_is_worked_out_again():
    horizon = horizon_with(SETTLED)
    first, second = picks_of_source(40.0, 1), picks_of_source(140.0, 2)
    horizon.revise(news(first, 160.0))
    ahead = horizon.ahead(dict.fromkeys(SENSORS, START + CLOSED_S), tuple(STATIONS))
    assert ahead is not None
    horizon.foresee(ahead, ahead.solve())
    horizon.revise(news(second, CLOSED_S))
    assert len(horizon.open_events) == 2


@pytest.fixture
def measured(monkeypatch) -> list[int]:
    """Numbers of picks of the events that were measured, one after the other."""
    counts: list[int] = []

    def counting(solved, *arguments):
        counts.extend(len(association.picks) for association, _ in solved)
        return complete(solved, *arguments)

    monkeypatch.setattr("zilzal.app.live.horizon.complete", counting)
    return counts


def test_an_event_is_measured_again_when_more_of_it_was_recorded(measured):
    horizon = horizon_with(SETTLED)
    *most, one, last = picks_of_source(40.0, 1)
    horizon.revise(news(most, 60.0))
    horizon.revise(news([one], 60.0 + REMEASURE_S / 2))
    assert measured == [len(most)]
    (event,) = horizon.open_events
    assert one in event.picks
    horizon.revise(news([last], 61.0 + REMEASURE_S))
    assert measured == [len(most), len(most) + 2]


def test_an_event_is_measured_again_when_it_has_grown(measured):
    horizon = horizon_with(SETTLED)
    picks = picks_of_source(40.0, 1)
    few = len(picks) // 2
    horizon.revise(news(picks[:few], 60.0))
    horizon.revise(news(picks[few:], 61.0))
    assert measured == [few, len(picks)]


def test_an_event_is_measured_as_it_is_when_its_block_is_closed(measured):
    horizon = horizon_with(SETTLED)
    *most, last = picks_of_source(40.0, 1)
    horizon.revise(news(most, 200.0))
    horizon.revise(news([last], 201.0))
    assert measured == [len(most)]
    horizon.revise(news([], CLOSED_S))
    assert measured == [len(most), len(most) + 1]


def test_a_new_source_leaves_what_lies_long_before_it_as_it_was_found():
    associator = Counting()
    horizon = horizon_with(associator)
    horizon.revise(news(picks_of_source(40.0, 1), 60.0))
    (first,) = horizon.open_events
    associator.asked.clear()
    new = picks_of_source(140.0, 2)
    horizon.revise(news([], 150.0, preliminary=new))
    earliest = min(pick.time for pick in new)
    assert associator.asked
    assert all(since is not None and since >= earliest - LOOK_BACK_S for since in associator.asked)
    assert len(horizon.open_events) == 2
    # Measured anew, for more has been recorded; but not associated and located.
    assert horizon.open_events[0].origin is first.origin


def test_a_source_that_is_still_heard_gets_the_picks_that_come_later():
    horizon = horizon_with(Counting())
    picks = sorted(picks_of_source(40.0, 1), key=lambda pick: pick.time)
    assert picks[-1].time - picks[0].time < HEARING_S
    horizon.revise(news(picks[:12], 50.0))
    horizon.revise(news(picks[12:], 60.0))
    (event,) = horizon.open_events
    assert len(event.picks) >= len(picks) - 1


def test_a_preliminary_pick_that_is_taken_back_leaves_its_event():
    horizon = horizon_with(Counting())
    picks = picks_of_source(40.0, 1)
    horizon.revise(news([], 60.0, preliminary=picks))
    assert any(picks[0].id == pick.id for pick in horizon.open_events[0].picks)
    horizon.revise(news([], 61.0, preliminary=picks[1:]))
    assert not any(picks[0].id == pick.id for pick in horizon.open_events[0].picks)


def test_sources_end_as_those_of_all_picks_at_once():
    horizon = horizon_with(SETTLED)
    sources = [(40.0, 1), (125.0, 2), (131.0, 3), (290.0, 4), (420.0, 5)]
    picks = [pick for each in sources for pick in picks_of_source(*each)]
    for until_s in np.arange(10.0, 460.0, 15.0).tolist():
        inside = [p for p in picks if until_s - 15.0 <= p.time - START < until_s]
        horizon.revise(news(inside, until_s))
    horizon.revise(news([], 460.0, is_over=True))
    material = Material(
        picks=picks, detections=(), stations=STATIONS, inventory=Inventory.of([]),
        waveforms=NoWaveforms(),
    )  # fmt: skip
    expected = [found for found, _ in find_sources(material, SETTINGS, SETTLED)]
    assert len(expected) == len(sources)
    assert [e.picks for e in horizon.open_events] == [found.picks for found in expected]
