"""Attenuation laws: published values and inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.errors import ConfigError
from zilzal.magnitude.attenuation import (
    BAKUN_JOYNER,
    CISN,
    HUTTON_BOORE,
    LAWS,
    LUCKETT,
    attenuation_law,
)

laws = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())


@pytest.mark.parametrize("law", [HUTTON_BOORE, BAKUN_JOYNER])
def test_one_millimetre_at_100_km_is_magnitude_3(law):
    assert law.magnitude(1e-3, 100e3) == pytest.approx(3.0, abs=1e-12)


def test_hutton_and_boore_at_17_km_is_10_mm_for_magnitude_3():
    # They chose 17 km and 10 mm as the equivalent definition (p. 2084); their law gives 9.99.
    assert HUTTON_BOORE.amplitude_m(3.0, 17e3) == pytest.approx(10e-3, rel=0.05)


@pytest.mark.parametrize("distance_km", [10, 50, 100, 300, 700])
def test_hutton_and_boore_is_the_iaspei_equation_in_nanometres(distance_km):
    amplitude_nm = 500.0
    standard = np.log10(amplitude_nm) + 1.11 * np.log10(distance_km) + 0.00189 * distance_km - 2.09
    on_record_m = amplitude_nm * 1e-9 * 2080
    # The standard's constant is rounded to two decimals.
    assert HUTTON_BOORE.magnitude(on_record_m, 1e3 * distance_km) == pytest.approx(
        standard, abs=0.005
    )


def test_bakun_and_joyner_falls_faster_far_away():
    near, far = (BAKUN_JOYNER.minus_log_a0(d) - HUTTON_BOORE.minus_log_a0(d) for d in (50e3, 400e3))
    assert near < 0.01
    assert far == pytest.approx(0.27, abs=0.01)


def test_cisn_law_has_its_published_values():
    # At 8 and 60 km, between which its slope below 8 km is taken.
    np.testing.assert_allclose(
        CISN.minus_log_a0(np.array([8e3, 60e3])), [1.5429, 2.6182], atol=1e-4
    )
    # 1 mm at 100 km stays magnitude 3; the coefficients have three decimals.
    assert CISN.minus_log_a0(100e3) == pytest.approx(3.0, abs=1e-3)


def test_cisn_law_is_continuous_and_straight_below_8_km():
    assert CISN.minus_log_a0(7_999.9) == pytest.approx(CISN.minus_log_a0(8_000.1), abs=1e-4)
    at = CISN.minus_log_a0(np.array([1e3, 2e3, 4e3, 8e3]))
    np.testing.assert_allclose(np.diff(at), np.diff(at)[0])


def test_luckett_lowers_magnitudes_near_the_source_only():
    lowered = HUTTON_BOORE.minus_log_a0(np.array([2e3, 50e3])) - LUCKETT.minus_log_a0(
        np.array([2e3, 50e3])
    )
    # 1.16 exp(-0.4), and nothing but the rounding of -2.09.
    np.testing.assert_allclose(lowered, [0.778, 0.0], atol=2e-3)


@laws
@given(magnitude=st.floats(-2, 7), distance_km=st.floats(1, 700))
def test_amplitude_of_a_magnitude_gives_the_magnitude_back(law, magnitude, distance_km):
    amplitude_m = law.amplitude_m(magnitude, 1e3 * distance_km)
    assert law.magnitude(amplitude_m, 1e3 * distance_km) == pytest.approx(magnitude, abs=1e-9)


@laws
def test_correction_grows_with_distance(law):
    distance_m = np.geomspace(law.minimum_m, law.maximum_m, 500)
    assert np.all(np.diff(law.minus_log_a0(distance_m)) > 0)


@laws
def test_range_and_source_are_stated(law):
    assert law.covers(50e3)
    assert not law.covers(law.maximum_m + 1)
    assert "(19" in law.source or "(20" in law.source


def test_unknown_law_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="hutton-boore-1987"):
        attenuation_law("richter")
