"""Sources that compete for picks."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from tests.associate.sources import START, make_network, picks_of
from zilzal.associate.bayes.associator import BayesAssociator
from zilzal.associate.bayes.contest import assign
from zilzal.associate.bayes.network import network_of, stations_of
from zilzal.associate.bayes.propose import MOST_NODES, nodes_of
from zilzal.core.geo import displace, distance_m
from zilzal.core.pick import Phase


def source(east_m, north_m, after_s):
    return (*displace(36.0, -117.0, east_m, north_m), 8e3), START + after_s


def picks_at(sources, stations, seed=1):
    generator = np.random.default_rng(seed)
    return [p for place, time in sources for p in picks_of(place, time, stations, generator)]


def test_assignment_is_the_best_there_is():
    generator = np.random.default_rng(2)
    gain = generator.uniform(0.1, 5.0, (3, 4))
    source, pick = (each.ravel() for each in np.indices(gain.shape))
    won = assign(source, pick, gain.ravel(), np.zeros(4, int))
    best = max(sum(gain[s, p] for s, p in enumerate(order)) for order in permutations(range(4), 3))
    assert gain.ravel()[won].sum() == pytest.approx(best)
    assert sorted(source[won].tolist()) == [0, 1, 2]
    assert len(set(pick[won].tolist())) == 3


def test_a_source_may_have_one_pick_of_every_slot():
    won = assign(
        np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1])
    )
    assert won.tolist() == [1, 2]


def test_sources_that_overlap_in_time_keep_their_own_picks():
    stations = make_network()
    sources = [source(-20e3, 0.0, 40.0), source(22e3, 5e3, 42.5)]
    sets = [picks_at([each], stations, seed) for seed, each in enumerate(sources)]
    found = BayesAssociator(min_picks=6).associate([*sets[0], *sets[1]], stations)
    assert len(found) == 2
    for association, (place, time), mine in zip(found, sources, sets, strict=True):
        assert abs(association.time - time) < 1.0
        away_m = distance_m(place[0], place[1], association.latitude, association.longitude)
        assert away_m < 4e3
        own = {p.id for p in mine} & {p.id for p in association.picks}
        assert len(own) >= 0.9 * len(mine)


def test_a_late_station_is_learned():
    stations = make_network()
    generator = np.random.default_rng(4)
    sources = [source(*generator.uniform(-25e3, 25e3, 2), 40.0 * n) for n in range(1, 15)]
    late = stations[3].station_id
    picks = [
        replace(p, time=p.time + 0.4) if p.channel_id.station_id == late else p
        for p in picks_at(sources, stations)
    ]
    settled = BayesAssociator().settled(picks, stations)
    learned = json.loads(settled.to_text())["learned"]["stations"]
    terms_s = {code: row["term_s"] for code, row in learned.items()}
    # Drawn to zero by the prior, and shared with the places of the sources.
    assert terms_s[str(late)] == pytest.approx([0.4, 0.4], abs=0.12)
    others = [t for code, both in terms_s.items() if code != str(late) for t in both]
    assert np.median(np.abs(others)) < 0.05
    assert len(settled.associate(picks, stations)) == len(sources)


def test_what_near_stations_should_have_heard_counts_against_a_source():
    stations = make_network(16)
    sources = [source(0.0, 0.0, 40.0 + 40.0 * n) for n in range(8)]
    picks = picks_at(sources, stations)
    odd = [p for p in picks_at([source(0.0, 0.0, 220.0)], stations, seed=9) if p.phase is Phase.P]
    order = sorted(stations, key=lambda s: float(distance_m(36.0, -117.0, s.latitude, s.longitude)))

    def is_found(heard):
        codes = {station.station_id for station in heard}
        mine = [p for p in odd if p.channel_id.station_id in codes]
        found = BayesAssociator(min_picks=5).associate([*picks, *mine], stations)
        return any(abs(a.time - START - 220.0) < 5.0 for a in found)

    assert is_found(order[:5])
    assert not is_found(order[-5:])


def test_places_do_not_depend_on_when_it_was():
    stations = make_network()
    picks = picks_at([source(5e3, 8e3, 40.0)], stations)
    later = [replace(p, time=p.time + 86_400.0) for p in picks]
    (one,), (other,) = (
        BayesAssociator(min_picks=6).associate(each, stations) for each in (picks, later)
    )
    assert other.time - one.time == pytest.approx(86_400.0, abs=1e-3)
    assert other.latitude == pytest.approx(one.latitude, abs=1e-6)
    assert [p.channel_id for p in other.picks] == [p.channel_id for p in one.picks]


def test_slopes_are_those_of_the_travel_times():
    network = network_of(stations_of(make_network(5)), "ak135", 40e3)
    place_m = np.array([[3e3, -4e3, 9e3], [-12e3, 1e3, 14.3e3]])
    distance_m = network.distances_m(place_m)
    slopes = network.slopes(place_m, distance_m, network.times_s(distance_m, place_m[:, 2]))
    for axis in range(3):
        step_m = np.zeros(3)
        step_m[axis] = 100.0
        ahead, behind = (
            network.times_s(network.distances_m(at), at[:, 2])
            for at in (place_m + step_m, place_m - step_m)
        )
        # The table is linear between nodes; slopes look 200 m ahead.
        assert np.allclose(slopes[:, :, axis], (ahead - behind) / 200.0, atol=1.5e-5)


@pytest.mark.parametrize("phase", list(Phase))
def test_one_phase_alone_makes_events(phase):
    stations = make_network()
    sources = [source(-8e3, 4e3, 40.0), source(10e3, 0.0, 90.0)]
    picks = [p for p in picks_at(sources, stations) if p.phase is phase]
    found = BayesAssociator(min_picks=6).associate(picks, stations)
    assert [a.time - START for a in found] == pytest.approx([40.0, 90.0], abs=2.0)


def test_a_dense_network_does_not_get_more_nodes_than_fit_into_memory():
    nodes = nodes_of(network_of(stations_of(make_network(300, radius_m=60e3)), "ak135", 40e3))
    # What lies outside the stations comes on top, in wide nodes.
    assert len(nodes.half_m) < 1.5 * MOST_NODES
    assert nodes.half_m.min() > 500.0
