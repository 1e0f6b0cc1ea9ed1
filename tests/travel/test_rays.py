"""Exact first arrivals against formulas and independent engines."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.core.pick import Phase
from zilzal.travel import EarthModel, Layer, built_in, first_arrivals

TWO_LAYERS = EarthModel(
    name="two layers",
    source="test",
    layers=(
        Layer(top_m=0, p_speed_m_per_s=5_000, s_speed_m_per_s=3_000),
        Layer(top_m=10_000, p_speed_m_per_s=8_000, s_speed_m_per_s=4_500),
    ),
)
GRADIENT = EarthModel(
    name="gradient",
    source="test",
    layers=(
        Layer(
            top_m=0, p_speed_m_per_s=4_000, s_speed_m_per_s=2_300,
            p_speed_bottom_m_per_s=8_000, s_speed_bottom_m_per_s=4_600,
        ),
        Layer(top_m=40_000, p_speed_m_per_s=8_000, s_speed_m_per_s=4_600),
    ),
)  # fmt: skip


def test_uniform_model_gives_straight_rays():
    rays = first_arrivals(
        built_in("half-space"), Phase.P, elevation_m=1_000.0,
        distance_m=np.array([0.0, 3_000.0, 100_000.0]), depth_m=np.array([3_000.0, 3_000.0, 9_000.0]),
    )  # fmt: skip
    expected = np.array([4_000.0, 5_000.0, np.hypot(100_000, 10_000)]) / 6_000
    np.testing.assert_allclose(rays.time_s, expected, rtol=1e-9)
    takeoff = np.array(
        [180.0, 180 - np.degrees(np.arctan2(3, 4)), 90 + np.degrees(np.arctan2(1, 10))]
    )
    np.testing.assert_allclose(rays.takeoff_angle_deg, takeoff, atol=1e-4)


def test_source_above_the_station_sends_its_ray_down():
    rays = first_arrivals(
        built_in("half-space"), Phase.S, elevation_m=0.0, distance_m=3_000.0, depth_m=-4_000.0
    )
    assert rays.time_s == pytest.approx(5_000 / 3_464.1)
    assert rays.takeoff_angle_deg == pytest.approx(np.degrees(np.arctan2(3, 4)), abs=1e-4)


def test_source_level_with_the_station_is_horizontal():
    rays = first_arrivals(TWO_LAYERS, Phase.P, elevation_m=0.0, distance_m=5_000.0, depth_m=0.0)
    assert rays.time_s == pytest.approx(1.0, abs=1e-6)
    assert rays.takeoff_angle_deg == pytest.approx(90.0, abs=0.1)


def test_head_wave_arrives_first_beyond_the_crossover():
    # Surface source: t = x / v2 + 2 h sqrt(1/v1^2 - 1/v2^2); crossover at 2 h sqrt((v2+v1)/(v2-v1)).
    crossover_m = 2 * 10_000 * np.sqrt(13 / 3)
    distance_m = crossover_m + np.array([-100.0, 100.0, 60_000.0])
    rays = first_arrivals(TWO_LAYERS, Phase.P, elevation_m=0.0, distance_m=distance_m, depth_m=0.0)
    delay_s = 2 * 10_000 * np.sqrt(1 / 5_000**2 - 1 / 8_000**2)
    np.testing.assert_array_equal(rays.is_head_wave, [False, True, True])
    np.testing.assert_allclose(rays.time_s[1:], distance_m[1:] / 8_000 + delay_s, rtol=1e-12)
    np.testing.assert_allclose(rays.time_s[0], distance_m[0] / 5_000, rtol=1e-9)
    np.testing.assert_allclose(rays.takeoff_angle_deg[1:], np.degrees(np.arcsin(5 / 8)))


def test_direct_ray_obeys_snell_and_reaches_the_station():
    # Leaves the half-space at 60 degrees from vertical: sin 60 / 8 = sin i / 5.
    sine = np.sin(np.radians(60)) * 5 / 8
    slant = np.sqrt(1 - sine**2)
    distance_m = 6_000 * np.tan(np.radians(60)) + 10_000 * sine / slant
    rays = first_arrivals(TWO_LAYERS, Phase.P, elevation_m=0, distance_m=distance_m, depth_m=16_000)
    time_s = 6_000 / np.cos(np.radians(60)) / 8_000 + 10_000 / slant / 5_000
    assert rays.time_s == pytest.approx(time_s, abs=1e-8)
    assert rays.takeoff_angle_deg == pytest.approx(120.0, abs=1e-3)


def test_gradient_layer_matches_its_closed_form():
    # v = v0 + g z; for two points: t = arccosh(1 + g^2 (x^2 + dz^2) / (2 v1 v2)) / g.
    distance_m = np.linspace(500, 100_000, 60)[:, None]
    depth_m = np.array([100.0, 5_000.0, 12_000.0, 30_000.0])
    rays = first_arrivals(GRADIENT, Phase.P, elevation_m=0, distance_m=distance_m, depth_m=depth_m)
    gradient = 4_000 / 40_000
    argument = 1 + gradient**2 * (distance_m**2 + depth_m**2) / (
        2 * 4_000 * (4_000 + gradient * depth_m)
    )
    expected = np.arccosh(argument) / gradient
    # What stairs of 12.5 m/s cost.
    np.testing.assert_allclose(rays.time_s, expected, atol=1e-3)


@pytest.mark.parity
def test_gradient_agrees_with_the_eikonal_solver():
    import eikonalfm

    step_m = 100.0
    speed = 4_000 + 0.1 * np.arange(301)[None, :] * step_m + np.zeros((601, 1))
    factor = eikonalfm.factored_fast_marching(speed, (0, 0), (step_m, step_m), 2)
    tau0 = eikonalfm.distance((601, 301), (step_m, step_m), (0, 0), indexing="ij")
    eikonal_s = (factor * tau0)[10::50, ::50]
    rays = first_arrivals(
        GRADIENT, Phase.P, elevation_m=0, distance_m=np.arange(601)[10::50, None] * step_m,
        depth_m=np.arange(301)[::50] * step_m,
    )  # fmt: skip
    # The solver itself is good to 1 ms here, our stairs too.
    np.testing.assert_allclose(rays.time_s, eikonal_s, atol=2e-3)


@pytest.mark.parity
@pytest.mark.parametrize("depth_km", [1.0, 10.0, 25.0, 60.0])
@pytest.mark.parametrize("phase", list(Phase))
def test_ak135_agrees_with_taup(depth_km, phase):
    with warnings.catch_warnings():
        # ObsPy 1.5 reads entry points in a way that Python 3.11 deprecates.
        warnings.simplefilter("ignore")
        from obspy.taup import TauPyModel

    model = TauPyModel("ak135")
    names = ["p", "P", "Pn", "Pg"] if phase is Phase.P else ["s", "S", "Sn", "Sg"]
    for degrees in (0.2, 0.7, 1.5, 2.5, 4.0, 8.0, 12.0):
        arrivals = model.get_travel_times(depth_km, degrees, phase_list=names)
        rays = first_arrivals(
            built_in("ak135"), phase, elevation_m=0.0,
            distance_m=np.radians(degrees) * 6_371_000, depth_m=depth_km * 1_000,
        )  # fmt: skip
        assert rays.time_s == pytest.approx(arrivals[0].time, abs=0.005), degrees


@pytest.mark.parametrize("model", ["ak135", "hadley-kanamori"])
def test_source_and_station_can_change_places(model):
    generator = np.random.default_rng(4)
    one_m, other_m = generator.uniform(-2_000, 40_000, (2, 300))
    distance_m = generator.uniform(0, 300_000, 300)
    there = first_arrivals(
        built_in(model), Phase.P, elevation_m=-one_m, distance_m=distance_m, depth_m=other_m
    )
    back = first_arrivals(
        built_in(model), Phase.P, elevation_m=-other_m, distance_m=distance_m, depth_m=one_m
    )
    np.testing.assert_allclose(there.time_s, back.time_s, rtol=1e-9)


@given(
    distance_m=st.floats(1_000, 500_000),
    depth_m=st.floats(-2_000, 60_000),
    elevation_m=st.floats(-3_000, 4_000),
)
@settings(max_examples=60, deadline=None)
def test_slowness_is_the_slope_of_time(distance_m, depth_m, elevation_m):
    at = distance_m + np.array([-1.0, 0.0, 1.0])
    rays = first_arrivals(
        built_in("hadley-kanamori"),
        Phase.P,
        elevation_m=elevation_m,
        distance_m=at,
        depth_m=depth_m,
    )
    # The slope jumps at a crossover; there it lies between the slownesses of the two branches.
    slope = (rays.time_s[2] - rays.time_s[0]) / 2
    bounds = rays.slowness_s_per_m.min(), rays.slowness_s_per_m.max()
    assert bounds[0] - 1e-8 <= slope <= bounds[1] + 1e-8


def test_faster_way_is_never_missed_when_a_layer_is_cut_in_two():
    halves = EarthModel(
        name="cut",
        source="test",
        layers=(
            TWO_LAYERS.layers[0],
            Layer(top_m=4_000, p_speed_m_per_s=5_000, s_speed_m_per_s=3_000),
            TWO_LAYERS.layers[1],
        ),
    )
    arguments = {
        "elevation_m": 500.0,
        "distance_m": np.linspace(0, 150_000, 301),
        "depth_m": 6_000.0,
    }
    one = first_arrivals(TWO_LAYERS, Phase.P, **arguments)
    two = first_arrivals(halves, Phase.P, **arguments)
    np.testing.assert_allclose(one.time_s, two.time_s, rtol=1e-9)
