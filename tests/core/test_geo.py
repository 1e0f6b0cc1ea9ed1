"""Distances and directions, against PROJ's geodesics."""

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.geo import azimuth_deg, azimuthal_gap_deg, displace, distance_m

GEODESIC = pyproj.Geod(ellps="WGS84")
LATITUDES = st.floats(-80, 80)
LONGITUDES = st.floats(-180, 180)


@pytest.mark.parity
@given(LATITUDES, LONGITUDES, st.floats(0, 359.9), st.floats(1.0, 1e6))
def test_distance_and_azimuth_agree_with_proj(latitude, longitude, azimuth, length_m):
    to_longitude, to_latitude, _ = GEODESIC.fwd(longitude, latitude, azimuth, length_m)
    assert distance_m(latitude, longitude, to_latitude, to_longitude) == pytest.approx(
        length_m, rel=2e-5, abs=1e-3
    )
    if length_m > 100:
        turn = azimuth_deg(latitude, longitude, to_latitude, to_longitude) - azimuth
        # Near the poles the geocentric sphere turns a little more.
        assert abs((turn + 180) % 360 - 180) < 0.15


def test_coinciding_points_are_at_distance_zero():
    assert distance_m(35.0, -117.0, 35.0, -117.0) == 0


def test_arguments_broadcast():
    distances = distance_m(np.zeros((3, 1)), 0.0, 0.0, np.arange(4.0))
    assert distances.shape == (3, 4)
    assert (np.diff(distances, axis=1) > 0).all()


@given(st.floats(-70, 70), LONGITUDES, st.floats(-5e4, 5e4), st.floats(-5e4, 5e4))
def test_displaced_point_lies_where_it_was_sent(latitude, longitude, east_m, north_m):
    moved = displace(latitude, longitude, east_m, north_m)
    length_m = float(np.hypot(east_m, north_m))
    assert distance_m(latitude, longitude, *moved) == pytest.approx(length_m, rel=0.02, abs=1)


@pytest.mark.parametrize(
    ("azimuths", "gap"), [([], 360), ([10], 360), ([0, 90, 180, 270], 90), ([350, 10, 100], 250)]
)
def test_azimuthal_gap_is_the_largest_open_angle(azimuths, gap):
    assert azimuthal_gap_deg(np.array(azimuths, float)) == gap
