"""Association of picks whose sources are known."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.associate.explain import explain_pick
from zilzal.associate.null import shift_stations
from zilzal.associate.octree import OctreeAssociator
from zilzal.associate.search import plan_search
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.travel import TravelTimeTables, load_model

TIMES = TravelTimeTables(model=load_model("ak135"))
MAKER = Provenance(method="truth", version="1")
START = Time.parse("2026-01-01")


def make_network(n: int = 12, radius_m: float = 40e3) -> list[Station]:
    generator = np.random.default_rng(7)
    places = generator.uniform(-radius_m, radius_m, (n, 2))
    return [
        Station(StationId("XX", f"S{i:02}"), *displace(36.0, -117.0, *place), 500.0)
        for i, place in enumerate(places)
    ]


def make_pick(station: Station, phase: Phase, time: Time) -> Pick:
    component = "HHZ" if phase is Phase.P else "HHN"
    code = station.station_id
    return Pick(
        channel_id=ChannelId(code.network, code.station, "", component),
        phase=phase,
        time=time,
        probability=0.9,
        uncertainty_s=0.05,
        provenance=MAKER,
    )


def picks_of(place, time, stations, generator):
    latitude, longitude, depth_m = place
    picks = []
    for phase in Phase:
        distance = distance_m(
            latitude, longitude, [s.latitude for s in stations], [s.longitude for s in stations]
        )
        travel = TIMES.times_s(phase, stations, distance[:, None], np.array([depth_m]))[:, 0]
        picks += [
            make_pick(station, phase, time + float(t + generator.normal(0, 0.05)))
            for station, t in zip(stations, travel, strict=True)
        ]
    return picks


@pytest.fixture(scope="module")
def scene():
    """Eight events in ten minutes and as many random picks as real ones."""
    generator = np.random.default_rng(3)
    stations = make_network()
    truth, picks = [], []
    for i in range(8):
        place = (*displace(36.0, -117.0, *generator.uniform(-30e3, 30e3, 2)), 8e3)
        time = START + 40.0 + 70.0 * i
        truth.append((place, time))
        picks += picks_of(place, time, stations, generator)
    noise = [
        make_pick(
            stations[generator.integers(len(stations))],
            Phase.P if generator.random() < 0.5 else Phase.S,
            START + float(generator.uniform(0, 640)),
        )
        for _ in range(len(picks) // 2)
    ]
    return stations, truth, picks, noise


def test_every_event_is_found_once_with_its_own_picks(scene):
    stations, truth, picks, noise = scene
    found = OctreeAssociator().associate(picks + noise, stations)
    assert len(found) == len(truth)
    for (place, time), association in zip(truth, found, strict=True):
        # A first guess: depth and time trade off until the locator looks closer.
        assert abs(association.time - time) < 2.0
        away = distance_m(place[0], place[1], association.latitude, association.longitude)
        assert away < 8e3
        own = {p.id for p in picks if 0 < p.time - time < 30}
        members = {p.id for p in association.picks}
        assert len(members & own) >= 0.9 * 2 * len(stations)
        assert len(members - own) <= 2


def test_order_of_picks_and_stations_does_not_matter(scene):
    stations, _, picks, noise = scene
    mixed = picks + noise
    one = OctreeAssociator(min_picks=8).associate(mixed, stations)
    other = OctreeAssociator(min_picks=8).associate(mixed[::-1], stations)
    assert [[p.id for p in a.picks] for a in one] == [[p.id for p in a.picks] for a in other]


def test_random_picks_make_no_event(scene):
    stations, _, picks, _ = scene
    shifted = shift_stations(picks, np.random.default_rng(5), apart_s=40.0)
    assert OctreeAssociator().associate(shifted, stations) == []


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


@pytest.mark.parametrize("number", [0, 1, 4])
def test_too_few_picks_make_no_event(scene, number):
    stations, _, picks, _ = scene
    assert OctreeAssociator().associate(picks[:number], stations) == []


def test_vertical_only_network_needs_no_s(scene):
    stations, truth, picks, _ = scene
    only_p = [pick for pick in picks if pick.phase is Phase.P]
    found = OctreeAssociator().associate(only_p, stations)
    assert len(found) == len(truth)


def test_picks_without_coordinates_are_left_out_and_told(scene, caplog):
    stations, truth, picks, _ = scene
    found = OctreeAssociator().associate(picks, stations[2:])
    assert len(found) == len(truth)
    assert "without coordinates" in caplog.text


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


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="min_picks is 2"):
        OctreeAssociator(min_picks=2)
    with pytest.raises(ValueError, match="false_share"):
        OctreeAssociator(false_share=0.0)
