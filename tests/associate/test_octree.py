"""PyOcto's search, the null test and explanations."""

from __future__ import annotations

import numpy as np

from tests.associate.sources import START, TIMES, make_network, make_pick
from zilzal.associate.explain import explain_pick
from zilzal.associate.null import shift_stations
from zilzal.associate.octree import OctreeAssociator
from zilzal.associate.search import plan_search
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase
from zilzal.core.station import Station


def test_null_test_counts_found_and_false(scene):
    stations, truth, picks, noise = scene
    ordered = sorted(picks + noise, key=lambda p: p.time)
    test = OctreeAssociator().null_test(ordered, stations)
    assert test.found[test.sizes.index(test.chosen)] == len(truth)
    assert test.false_share <= 0.05


def test_shifted_stations_keep_their_picks_but_not_their_agreement(scene):
    _, _, picks, _ = scene
    shifted = shift_stations(picks, np.random.default_rng(1), apart_s=30.0)
    assert len(shifted) == len(picks)
    assert min(p.time for p in picks) <= min(p.time for p in shifted)
    assert max(p.time for p in shifted) <= max(p.time for p in picks)
    by_station = {}
    for pick in shifted:
        by_station.setdefault(pick.channel_id.station_id, []).append(pick.time.ns)
    assert len({min(times) for times in by_station.values()}) == len(by_station)


def test_search_follows_the_size_of_the_network():
    picks = [make_pick(s, Phase.P, START) for s in make_network()]
    small = plan_search(picks, make_network(radius_m=4e3), max_depth_m=40e3, s_speed_m_per_s=3.4e3)
    large = plan_search(
        picks, make_network(radius_m=100e3), max_depth_m=40e3, s_speed_m_per_s=3.4e3
    )
    assert small.node_m < large.node_m
    assert small.tolerance_s < large.tolerance_s
    assert small.reach_m < large.reach_m


def test_explanation_tells_members_from_refused_picks(scene):
    stations, _, picks, noise = scene
    associations = OctreeAssociator(min_picks=8).associate(picks + noise, stations)
    member = associations[0].picks[0]
    told = explain_pick(member, associations, stations, TIMES, tolerance_s=1.0)
    assert told.trials[0].verdict == "member"
    assert "part of the event" in told.conclusion
    used = {p.id for a in associations for p in a.picks}
    stray = next(p for p in noise if p.id not in used)
    told = explain_pick(stray, associations, stations, TIMES, tolerance_s=1.0)
    assert "in no event" in told.conclusion or "no event predicts" in told.conclusion
    lost = make_pick(Station(StationId("YY", "GONE"), 0.0, 0.0, 0.0), Phase.P, START)
    assert (
        "no coordinates"
        in explain_pick(lost, associations, stations, TIMES, tolerance_s=1.0).conclusion
    )
