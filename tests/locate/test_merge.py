"""Halves of one event become one; two events stay two."""

from dataclasses import replace

import numpy as np

from tests.locate.network import (
    CENTRE,
    ORIGIN_TIME,
    Source,
    associate,
    make_picks,
    offset_m,
    scattered_stations,
)
from zilzal.core.event import Origin, Unlocated
from zilzal.core.geo import displace
from zilzal.locate import GridLocator, merge_split

STATIONS = scattered_stations()
LOCATOR = GridLocator(earth_model="hadley-kanamori")
NOISE = {"model_error_s": 0.05, "model_error_share": 0.015}


def solved(picks):
    association = associate(picks)
    return association, LOCATOR.locate(association, STATIONS)


def halves(picks):
    names = sorted({p.channel_id.station for p in picks})
    west = set(names[::2])
    return (
        [p for p in picks if p.channel_id.station in west],
        [p for p in picks if p.channel_id.station not in west],
    )


def test_event_split_in_two_is_joined():
    source = Source(*CENTRE, 9_000.0)
    picks = make_picks(source, STATIONS, np.random.default_rng(1), **NOISE)
    one, other = map(solved, halves(picks))
    merged = merge_split([other, one], LOCATOR, STATIONS)
    assert len(merged) == 1
    association, origin = merged[0]
    assert {p.id for p in association.picks} == {p.id for p in picks}
    assert isinstance(origin, Origin)
    assert np.abs(offset_m(origin, source)[:2]).max() < 800


def test_event_split_in_three_is_joined():
    picks = make_picks(Source(*CENTRE, 9_000.0), STATIONS, np.random.default_rng(2), **NOISE)
    west, east = halves(picks)
    parts = [solved(part) for part in (*halves(west), east)]
    merged = merge_split(parts, LOCATOR, STATIONS)
    assert [len(association.picks) for association, _ in merged] == [len(picks)]


def test_picks_that_could_not_be_located_find_their_event():
    picks = make_picks(Source(*CENTRE, 9_000.0), STATIONS, np.random.default_rng(3), **NOISE)
    rest, main = picks[:3], picks[3:]
    few = solved(rest)
    assert isinstance(few[1], Unlocated)
    merged = merge_split([few, solved(main)], LOCATOR, STATIONS)
    assert [len(association.picks) for association, _ in merged] == [len(picks)]


def test_two_events_close_in_time_stay_two():
    generator = np.random.default_rng(4)
    place = displace(*CENTRE, 15e3, 10e3)
    first = solved(make_picks(Source(*CENTRE, 9_000.0), STATIONS, generator, **NOISE))
    second = solved(
        make_picks(Source(*place, 6_000.0, ORIGIN_TIME + 4.0), STATIONS, generator, **NOISE)
    )
    merged = merge_split([second, first], LOCATOR, STATIONS)
    assert [association for association, _ in merged] == [first[0], second[0]]


def test_two_events_seen_by_different_stations_stay_two():
    generator = np.random.default_rng(5)
    place = displace(*CENTRE, 20e3, 10e3)
    west, _ = halves(make_picks(Source(*CENTRE, 9_000.0), STATIONS, generator, **NOISE))
    _, east = halves(
        make_picks(Source(*place, 6_000.0, ORIGIN_TIME + 5.0), STATIONS, generator, **NOISE)
    )
    merged = merge_split([solved(west), solved(east)], LOCATOR, STATIONS)
    assert [len(association.picks) for association, _ in merged] == [len(west), len(east)]


def test_group_whose_picks_another_holds_disappears():
    picks = make_picks(Source(*CENTRE, 9_000.0), STATIONS, np.random.default_rng(6), **NOISE)
    half = picks[: len(picks) // 2 + 4]
    merged = merge_split([solved(picks), solved(half)], LOCATOR, STATIONS)
    assert [{p.id for p in association.picks} for association, _ in merged] == [
        {p.id for p in picks}
    ]


def test_nothing_to_merge_comes_back_in_order_of_time():
    assert merge_split([], LOCATOR, STATIONS) == []
    picks = make_picks(Source(*CENTRE, 9_000.0), STATIONS, np.random.default_rng(7), **NOISE)
    early = solved(picks)
    late = solved([replace(p, time=p.time + 600.0) for p in picks])
    assert merge_split([late, early], LOCATOR, STATIONS) == [early, late]
