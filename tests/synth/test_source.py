"""Sources have the moments, corners and patterns of the books."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.synth.source import (
    RMS_RADIATION_P,
    RMS_RADIATION_S,
    Mechanism,
    corner_frequency_hz,
    draw_mechanism,
    moment_magnitude,
    moment_of_local_magnitude,
    omega_square,
    radiate,
)


def test_moment_of_magnitude_four_is_that_of_hanks_and_kanamori():
    # log10 M0 = 1.5 * 4 + 9.1
    assert moment_magnitude(1.2589e15) == pytest.approx(4.0, abs=1e-4)


def test_bakuns_lines_meet_at_three_and_a_third():
    assert np.log10(moment_of_local_magnitude(2.0)) == pytest.approx(12.4)
    assert np.log10(moment_of_local_magnitude(5.0)) == pytest.approx(16.5)
    assert np.log10(moment_of_local_magnitude(10 / 3)) == pytest.approx(14.0)


def test_corner_of_a_magnitude_three_by_hand():
    # M0 = 3.981e13: r^3 = 7 M0 / (16 * 3e6), r = 179.7 m; fc = 2.34 * 3464 / (2 pi r) = 7.18 Hz
    assert corner_frequency_hz(3.981e13, 3e6, 3464.0) == pytest.approx(7.18, abs=0.01)


def test_spectrum_is_half_at_the_corner_and_falls_by_the_square():
    assert omega_square(np.array([0.0, 5.0, 5000.0]), 5.0).tolist() == pytest.approx(
        [1.0, 0.5, 1e-6], rel=1e-5
    )


@given(
    st.floats(0, 360), st.floats(0, 90), st.floats(-180, 180), st.floats(0, 360), st.floats(0, 180)
)
def test_patterns_equal_the_closed_formulas(strike, dip, rake, azimuth, takeoff):
    # Aki & Richards (2002), 4.89 to 4.91, written out.
    a, d, r, i = np.radians((azimuth - strike, dip, rake, takeoff))
    p = (
        np.cos(r) * np.sin(d) * np.sin(i) ** 2 * np.sin(2 * a)
        - np.cos(r) * np.cos(d) * np.sin(2 * i) * np.cos(a)
        + np.sin(r) * np.sin(2 * d) * (np.cos(i) ** 2 - np.sin(i) ** 2 * np.sin(a) ** 2)
        + np.sin(r) * np.cos(2 * d) * np.sin(2 * i) * np.sin(a)
    )
    sv = (
        np.sin(r) * np.cos(2 * d) * np.cos(2 * i) * np.sin(a)
        - np.cos(r) * np.cos(d) * np.cos(2 * i) * np.cos(a)
        + 0.5 * np.cos(r) * np.sin(d) * np.sin(2 * i) * np.sin(2 * a)
        - 0.5 * np.sin(r) * np.sin(2 * d) * np.sin(2 * i) * (1 + np.sin(a) ** 2)
    )
    sh = (
        np.cos(r) * np.cos(d) * np.cos(i) * np.sin(a)
        + np.cos(r) * np.sin(d) * np.sin(i) * np.cos(2 * a)
        + np.sin(r) * np.cos(2 * d) * np.cos(i) * np.cos(a)
        - 0.5 * np.sin(r) * np.sin(2 * d) * np.sin(i) * np.sin(2 * a)
    )
    mechanism = Mechanism(strike_deg=strike, dip_deg=dip, rake_deg=rake)
    assert radiate(mechanism, azimuth, takeoff) == pytest.approx((p, sv, sh), abs=1e-9)


def test_patterns_have_the_known_mean_squares_over_the_sphere():
    rng = np.random.default_rng(1)
    rows = np.array(
        [
            radiate(
                draw_mechanism(rng), rng.uniform(0, 360), np.degrees(np.arccos(rng.uniform(-1, 1)))
            )
            for _ in range(4000)
        ]
    )
    p, sv, sh = (rows**2).mean(axis=0)
    # 4,000 draws know a mean square to about 2 %.
    assert p == pytest.approx(RMS_RADIATION_P**2, rel=0.07)
    assert sv + sh == pytest.approx(RMS_RADIATION_S**2, rel=0.05)
