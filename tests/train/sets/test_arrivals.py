"""What a catalogue says of a station: labels, unknown spans, busy time."""

from dataclasses import replace

import pytest

from tests.train.sets.made import START, STATION, event, inventory, pick
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase
from zilzal.io.phases import Status, clusters
from zilzal.train.sets.arrivals import (
    ELSEWHERE_S,
    Taking,
    arrivals_at,
)
from zilzal.train.sets.expected import Expectation, expected_arrivals
from zilzal.train.sets.stations import Stations, sort_by_station
from zilzal.train.sets.tally import Tally
from zilzal.travel import built_in

HOW = Expectation(model=built_in("half-space"), reach_m=100_000.0)
DEFAULT = Taking()


def gather(events, taking=DEFAULT, *, how=HOW, tally=None):
    """What one station, that of `inventory`, is told."""
    tally = tally or Tally()
    (place,) = inventory().stations()
    picks = sort_by_station(events, Stations(frozenset({STATION})), tally).get(STATION, {})
    expected = expected_arrivals(how, events, place)
    return arrivals_at(picks, events, expected, taking, tally)


def after(span):
    return span.start - START, span.end - START


def test_a_missing_network_code_is_found_by_the_station_s():
    known = Stations(frozenset({STATION, StationId("YY", "BETA"), StationId("ZZ", "BETA")}))
    assert known.find(StationId("", "ALFA")) == STATION
    assert known.find(STATION) == STATION
    assert "several networks" in known.find(StationId("", "BETA"))
    assert "does not have" in known.find(StationId("YY", "ALFA"))
    assert "does not have" in known.find(StationId("", "GAMA"))


def test_picks_elsewhere_are_counted():
    tally = Tally()
    events = [event("a", 0, [pick("P", 3), pick("P", 4, station="BETA")])]
    assert len(gather(events, tally=tally).labels) == 1
    assert tally.counts == {"pick of a station that the archive does not have": 1}
    assert tally.examples.popitem()[1] == [f"XX.BETA P {START + 4}"]


def test_an_arrival_reported_twice_is_labelled_once_and_by_the_better_report():
    tally = Tally()
    events = [
        event("a", 0, [pick("P", 3.0, status=Status.AUTOMATIC), pick("S", 5.0)]),
        event("b", 0, [pick("P", 3.3, weight=0.5), pick("P", 3.2, weight=1.0)]),
    ]
    labels = gather(events, tally=tally).labels
    assert [(x.event_id, x.pick.phase, x.pick.time - START) for x in labels] == [
        ("b", Phase.P, 3.2), ("a", Phase.S, 5.0),
    ]  # fmt: skip
    assert tally.counts["arrival reported twice"] == 2


def test_one_pick_in_two_files_is_worth_no_word():
    tally = Tally()
    events = [event("a", 0, [pick("P", 3.0, weight=0.91), pick("P", 3.0 + 4e-7, weight=0.9)])]
    assert len(gather(events, tally=tally).labels) == 1
    assert tally.counts == {}


def test_picks_that_were_not_asked_for_leave_their_surroundings_unknown():
    picks = [pick("P", 3.0), pick("S", 5.0, status=Status.AUTOMATIC)]
    here = gather([event("a", None, picks)], Taking(statuses=frozenset({Status.MANUAL})))
    assert [label.pick.phase for label in here.labels] == [Phase.P]
    assert (4.0, 6.0) in [after(s) for s in here.unknown if s.phase is Phase.S]


def test_an_s_that_nobody_picked_is_unknown_about_where_it_must_be():
    here = gather([event("a", 0, [pick("P", 1.0)])])
    (span,) = here.unknown
    start_s, end_s = after(span)
    # 6.7 km away, 8.5 km below; 3.5 km/s in this earth.
    assert span.phase is Phase.S
    assert start_s < 10.8 / 3.5 < end_s
    assert end_s - start_s == pytest.approx(2 * (1.5 + 0.05 * 10.8 / 3.5), rel=0.02)


def test_without_an_origin_the_s_may_come_within_a_minute():
    (span,) = gather([event("a", None, [pick("P", 2.0)])]).unknown
    assert (span.phase, *after(span)) == (Phase.S, 2.0, 2.0 + ELSEWHERE_S)


def test_an_event_that_nobody_picked_here_is_unknown_in_both_phases_and_busy():
    here = gather([event("a", 10.0, [pick("P", 12.0, station="BETA")])])
    assert [span.phase for span in here.unknown] == [Phase.P, Phase.S]
    assert all(10.0 < after(span)[0] < after(span)[1] < 17.0 for span in here.unknown)
    ((start, end),) = here.busy
    assert start - START == pytest.approx(after(here.unknown[0])[0] - 10.0)
    assert end - START == pytest.approx(after(here.unknown[1])[1] + 120.0)


def test_events_out_of_reach_are_not_expected():
    far = event("a", 10.0, [pick("P", 12.0, station="BETA")], place=(49.5, 12.8))
    assert gather([far]).unknown == ()
    assert gather([far]).busy == ()
    seen = event("b", 10.0, [pick("P", 42.0)], place=(49.5, 12.8))
    assert len(gather([seen]).busy) == 1


def test_an_event_without_an_origin_keeps_the_whole_network_busy():
    here = gather([event("a", None, [pick("P", 100.0, station="BETA")])])
    assert {(s.phase, *after(s)) for s in here.unknown} == {(p, 40.0, 160.0) for p in Phase}
    assert [(a - START, b - START) for a, b in here.busy] == [(30.0, 280.0)]


def test_loose_picks_are_labels_only_if_asked_for():
    (stray,) = clusters([pick("P", 3.0)])
    (span,) = gather([stray]).unknown
    assert after(span) == (2.0, 4.0)
    here = gather([stray], Taking(with_loose=True))
    assert len(here.labels) == 1
    assert [(s.phase, *after(s)) for s in here.unknown] == [(Phase.S, 3.0, 3.0 + ELSEWHERE_S)]
    assert [(a - START, b - START) for a, b in gather([stray]).busy] == [(-7.0, 123.0)]


def test_a_loose_pick_where_an_event_is_expected_makes_it_known():
    quake = event("a", 10.0, [pick("P", 12.0, station="BETA")])
    p_span, s_span = gather([quake]).unknown
    middle = (sum(after(p_span)) / 2, sum(after(s_span)) / 2)
    stray = clusters([pick("P", middle[0]), pick("S", middle[1])])
    assert gather([quake, *stray], Taking(with_loose=True)).unknown == ()


def test_a_large_event_s_coda_is_no_noise():
    quake = event("a", 0.0, [pick("P", 2.0), pick("S", 3.0)])
    large = replace(quake, source=replace(quake.source, magnitude=5.0))
    ((start, end),) = gather([large]).busy
    # Lee et al. (1972): magnitude 5 is a duration of 862 s.
    assert end - start == pytest.approx(862 + 10, abs=2)
    ((start, end),) = gather([quake]).busy
    assert end - start < 140


def test_margins_are_those_asked_for():
    taking = Taking(before_s=1.0, after_s=2.0)
    (span,) = gather([event("a", None, [pick("P", 50.0), pick("S", 60.0)])], taking).busy
    assert (span[0] - START, span[1] - START) == (49.0, 62.0)
