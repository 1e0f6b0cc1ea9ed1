"""ZNE from any three directions, and the choice of a sensor."""

from __future__ import annotations

import numpy as np
import pytest

from zilzal.core.ids import SensorId
from zilzal.core.station import Channel
from zilzal.signal.choice import choose_sensors
from zilzal.signal.orientation import direction, orient

SENSOR = SensorId("XX", "AAA", "", "HH")


def channels(**directions):
    return [
        Channel(
            channel_id=SENSOR.channel_id(component.strip("_")),
            latitude=0,
            longitude=0,
            elevation_m=0,
            azimuth_deg=azimuth_deg,
            dip_deg=dip_deg,
        )
        for component, (azimuth_deg, dip_deg) in directions.items()
    ]


def recovers_ground(orientation, found):
    """Project ground motion on the channels' directions, and turn it back."""
    ground = np.random.default_rng(0).normal(size=(3, 50))
    known = {c.channel_id.component: direction(c.azimuth_deg, c.dip_deg) for c in found}
    recorded = np.array([known[c] for c in orientation.components]) @ ground
    return np.allclose(orientation.matrix @ recorded, ground, atol=1e-12)


def test_directions_are_up_north_east():
    assert np.allclose(direction(0, -90), [1, 0, 0])
    assert np.allclose(direction(0, 0), [0, 1, 0])
    assert np.allclose(direction(90, 0), [0, 0, 1])
    assert np.allclose(direction(180, 90), [-1, 0, 0])


def test_zne_by_the_letter_is_left_as_it_is():
    found = orient(["E", "N", "Z"], channels(Z=(0, -90), N=(0, 0), E=(90, 0)))
    assert found.components == ("Z", "N", "E")
    assert np.array_equal(found.matrix, np.eye(3))
    assert found.note == ""


@pytest.mark.parametrize(
    "directions",
    [
        {"Z": (0, -90), "_1": (27, 0), "_2": (117, 0)},
        {"Z": (0, -90), "_1": (344.5, 0), "_2": (254.5, 0)},  # PB.B918: a left-handed pair
        {"Z": (0, -90), "_1": (181, 0), "_2": (271, 0)},
        {"Z": (0, 90), "N": (3, 0), "E": (93, 0)},  # down-pointing vertical
        {"Z": (0, -90), "_1": (10, 0), "_2": (80, 0)},  # not orthogonal
        {"U": (0, -35.26), "V": (120, -35.26), "W": (240, -35.26)},  # Galperin
    ],
)
def test_any_three_directions_give_the_ground_motion_back(directions):
    found = channels(**directions)
    letters = [c.channel_id.component for c in found]
    assert recovers_ground(orient(letters, found), found)


def test_one_and_two_are_north_and_east_without_an_inventory():
    found = orient(["Z", "1", "2"])
    assert np.array_equal(found.matrix, np.eye(3))
    assert "1 is taken to point to azimuth 0" in found.note


def test_inventory_without_independent_directions_is_not_believed():
    found = orient("ZNE", channels(Z=(0, 0), N=(0, 0), E=(0, 0)))
    assert np.array_equal(found.matrix, np.eye(3))
    assert "not independent" in found.note


def test_vertical_alone_keeps_its_sign():
    assert orient("Z", channels(Z=(0, 90))).matrix.tolist() == [[-1], [0], [0]]
    assert orient("Z").matrix.tolist() == [[1], [0], [0]]
    assert orient("Z").vertical == 0


def test_single_horizontal_goes_to_the_nearer_axis():
    found = orient("Z1", channels(Z=(0, -90), _1=(250, 0)))
    assert found.matrix.tolist() == [[1, 0], [0, 0], [0, -1]]


def test_two_horizontals_without_a_vertical_are_turned():
    found = channels(_1=(30, 0), _2=(120, 0))
    orientation = orient("12", found)
    assert orientation.vertical is None
    ground = np.array([0.3, -0.7])
    recorded = [direction(30, 0)[1:] @ ground, direction(120, 0)[1:] @ ground]
    assert np.allclose((orientation.matrix @ recorded)[1:], ground)


def test_unknown_letter_is_left_out_and_told():
    found = orient(["Z", "R", "T"])
    assert found.components == ("Z",)
    assert "R is left out" in found.note


def test_second_names_of_a_direction_are_not_used():
    assert orient(["Z", "N", "E", "1", "2"]).components == ("Z", "N", "E")


def sensor(text):
    return SensorId.parse(text)


def test_broadband_is_preferred_and_the_rest_is_reported():
    choice = choose_sensors(
        map(sensor, ["A.B..HN", "A.B..BH", "A.B..HH", "A.C.00.HN", "A.C.00.LH"])
    )
    assert list(map(str, choice.chosen)) == ["A.B..HH", "A.C.00.HN"]
    told = {str(n.sensor_id): n.note for n in choice.not_chosen}
    assert told["A.B..HN"] == told["A.B..BH"] == "A.B..HH was preferred"
    assert told["A.C.00.LH"].startswith("band LH is not among")


def test_preference_can_be_changed():
    choice = choose_sensors(map(sensor, ["A.B..HN", "A.B..HH"]), preference=("HN", "HH"))
    assert list(map(str, choice.chosen)) == ["A.B..HN"]


def test_first_location_is_taken_and_order_does_not_matter():
    sensors = list(map(sensor, ["A.B.10.HH", "A.B.00.HH", "A.A..EH"]))
    assert choose_sensors(sensors) == choose_sensors(sensors[::-1])
    assert list(map(str, choose_sensors(sensors).chosen)) == ["A.A..EH", "A.B.00.HH"]
