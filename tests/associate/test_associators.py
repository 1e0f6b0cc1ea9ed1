"""What every associator must do with picks whose sources are known."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.associate.bayes.associator import BayesAssociator
from zilzal.associate.null import shift_stations
from zilzal.associate.octree import OctreeAssociator
from zilzal.core.errors import FormatError
from zilzal.core.geo import distance_m
from zilzal.core.pick import Phase


@pytest.fixture(params=[BayesAssociator, OctreeAssociator])
def kind(request):
    return request.param


def test_every_event_is_found_once_with_its_own_picks(kind, scene):
    stations, truth, picks, noise = scene
    found = kind().associate(picks + noise, stations)
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


def test_order_of_picks_and_stations_does_not_matter(kind, scene):
    stations, _, picks, noise = scene
    mixed = picks + noise
    one = kind(min_picks=8).associate(mixed, stations)
    other = kind(min_picks=8).associate(mixed[::-1], stations)
    assert [[p.id for p in a.picks] for a in one] == [[p.id for p in a.picks] for a in other]


def test_random_picks_make_no_event(kind, scene):
    stations, _, picks, _ = scene
    shifted = shift_stations(picks, np.random.default_rng(5), apart_s=40.0)
    assert kind().associate(shifted, stations) == []


@pytest.mark.parametrize("number", [0, 1, 4])
def test_too_few_picks_make_no_event(kind, scene, number):
    stations, _, picks, _ = scene
    assert kind().associate(picks[:number], stations) == []


def test_vertical_only_network_needs_no_s(kind, scene):
    stations, truth, picks, _ = scene
    only_p = [pick for pick in picks if pick.phase is Phase.P]
    found = kind().associate(only_p, stations)
    assert len(found) == len(truth)


def test_picks_without_coordinates_are_left_out_and_told(kind, scene, caplog):
    stations, truth, picks, _ = scene
    found = kind().associate(picks, stations[2:])
    assert len(found) == len(truth)
    assert "without coordinates" in caplog.text


def test_what_was_learned_can_be_kept(kind, scene):
    stations, _, picks, noise = scene
    settled = kind().settled(picks + noise, stations)
    again = kind().remembering(settled.to_text())
    found = settled.associate(picks + noise, stations)
    assert len(found) > 0
    assert again.associate(picks + noise, stations) == found


def test_what_another_program_wrote_is_refused(kind):
    with pytest.raises(FormatError, match="not "):
        kind().remembering("[what] is = this\n")


def test_nothing_is_learned_where_the_picks_of_an_event_are_given(kind, scene):
    stations, _, picks, noise = scene
    associator = kind(min_picks=8)
    assert associator.is_settled
    assert not kind().is_settled
    few, many = (associator.settled(each, stations) for each in (picks[:40], picks + noise))
    assert few.associate(picks, stations) == many.associate(picks, stations)


def test_settings_out_of_range_are_refused(kind):
    with pytest.raises(ValueError, match="min_picks is 2"):
        kind(min_picks=2)
    with pytest.raises(ValueError, match="false_share"):
        kind(false_share=0.0)
