"""Ellipse, letter, distances, station terms."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.locate.network import associate, make_picks, random_source, scattered_stations
from zilzal.core.geo import displace, distance_m
from zilzal.core.pick import Phase
from zilzal.locate import GridLocator, StationCorrection, estimate_corrections
from zilzal.locate.frame import Frame, arc_lengths_m, surface_points_m
from zilzal.locate.likelihood import profile_time
from zilzal.locate.quality import ellipse_of, letter


def test_ellipse_holds_its_share_of_a_normal_distribution():
    angle = np.radians(30)  # azimuth of the long axis
    along = np.array([np.sin(angle), np.cos(angle)])
    across = np.array([np.cos(angle), -np.sin(angle)])
    covariance = 9e6 * np.outer(along, along) + 1e6 * np.outer(across, across)
    ellipse = ellipse_of(covariance)
    assert ellipse.azimuth_deg == pytest.approx(30.0)
    assert ellipse.semi_major_m == pytest.approx(3_000 * 1.5096, rel=1e-3)
    assert ellipse.semi_minor_m == pytest.approx(1_000 * 1.5096, rel=1e-3)
    draws = np.random.default_rng(2).multivariate_normal([0, 0], covariance, 20_000)
    inside = (draws @ along / ellipse.semi_major_m) ** 2 + (
        draws @ across / ellipse.semi_minor_m
    ) ** 2 < 1
    assert inside.mean() == pytest.approx(0.68, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "A"),
        ({"gap_deg": 200.0}, "B"),
        ({"depth_error_m": 3_000.0}, "B"),
        ({"depth_error_m": np.inf}, "C"),
        ({"n_arrivals": 5}, "C"),
        ({"rms_s": 1.1}, "D"),
        ({"semi_major_m": 11_000.0}, "D"),
    ],
)
def test_letter_is_the_first_of_which_all_holds(changes, expected):
    good = {
        "semi_major_m": 500.0,
        "depth_error_m": 900.0,
        "gap_deg": 90.0,
        "rms_s": 0.1,
        "n_arrivals": 20,
    }
    assert letter(**(good | changes)) == expected


@given(
    latitude=st.floats(-80, 80), longitude=st.floats(-180, 180),
    east_m=st.floats(-350e3, 350e3), north_m=st.floats(-350e3, 350e3),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_chord_gives_the_geodesic_within_metres(latitude, longitude, east_m, north_m):
    other = displace(latitude, longitude, east_m, north_m)
    points = [
        surface_points_m(np.array([a]), np.array([b])) for a, b in ((latitude, longitude), other)
    ]
    arc_m = arc_lengths_m(points[0], points[1])[0, 0]
    # The reference itself is off by some metres.
    assert arc_m == pytest.approx(float(distance_m(latitude, longitude, *other)), abs=4.0)


@given(
    latitude=st.floats(-80, 80),
    longitude=st.floats(-180, 180),
    east=st.floats(-2e5, 2e5),
    north=st.floats(-2e5, 2e5),
)
@settings(max_examples=60, deadline=None)
def test_frame_turns_places_into_metres_and_back(latitude, longitude, east, north):
    frame = Frame(latitude, longitude)
    there = frame.place(np.array([east]), np.array([north]))
    np.testing.assert_allclose(np.ravel(frame.metres(*there)), [east, north], atol=1e-5)
    away = frame.metres(there[0], there[1] + 360)
    np.testing.assert_allclose(np.ravel(away), [east, north], atol=1e-4)


def test_origin_time_is_the_most_likely_one():
    from scipy.optimize import minimize_scalar

    generator = np.random.default_rng(3)
    delay_s = 5 + 0.1 * generator.standard_t(3, (30, 4))
    delay_s[:8] += 4.0
    scale_s = generator.uniform(0.05, 0.2, (30, 1))
    profile = profile_time(delay_s, scale_s, 4.0)
    for column in range(4):

        def cost(time_s, column=column):
            return 2.5 * np.sum(np.log1p(((delay_s[:, column] - time_s) / scale_s[:, 0]) ** 2 / 4))

        best = minimize_scalar(cost, bounds=(4.5, 5.5), method="bounded", options={"xatol": 1e-6})
        assert profile.time_s[column] == pytest.approx(
            best.x, abs=0.1 * profile.time_variance_s2[column] ** 0.5
        )
        expected = -best.fun - np.sum(np.log(scale_s))
        assert profile.log_likelihood[column] == pytest.approx(expected, abs=0.01)
        curvature = (cost(best.x + 1e-3) - 2 * best.fun + cost(best.x - 1e-3)) / 1e-6
        assert profile.time_variance_s2[column] == pytest.approx(1 / curvature, rel=0.05)


def test_station_terms_are_recovered():
    generator, stations = np.random.default_rng(4), scattered_stations(14)
    truth = {
        (s.station_id, p): float(generator.uniform(-0.3, 0.3)) for s in stations for p in Phase
    }
    middle = np.median(list(truth.values()))
    associations = []
    for _ in range(30):
        picks = make_picks(
            random_source(generator), stations, generator, uncertainty_s=0.03, s_share=1.0
        )
        late = [replace(p, time=p.time + truth[p.channel_id.station_id, p.phase]) for p in picks]
        associations.append(associate(late))
    locator = GridLocator(earth_model="hadley-kanamori")
    terms = estimate_corrections(locator, associations, stations, iterations=3)
    assert len(terms) == len(truth)
    names = {(str(station_id), phase): value for (station_id, phase), value in truth.items()}
    error_s = [t.correction_s - (names[t.station, t.phase] - middle) for t in terms]
    before_s = [value - middle for value in truth.values()]
    # A shift of all places takes a little of the terms with it; most of their variance must go.
    assert np.std(error_s) < 0.3 * np.std(before_s)


def test_few_residuals_give_no_term():
    generator, stations = np.random.default_rng(5), scattered_stations(10)
    associations = [
        associate(make_picks(random_source(generator), stations, generator)) for _ in range(3)
    ]
    old = (StationCorrection(station="XX.S01", phase=Phase.P, correction_s=0.0),)
    locator = GridLocator(earth_model="hadley-kanamori", corrections=old)
    assert estimate_corrections(locator, associations, stations, iterations=1) == old
