"""The one peak finder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.signal.peak import find_peaks, refine_peak


def test_largest_within_the_separation_wins_and_of_equal_ones_the_earliest():
    curve = np.array([0.0, 0.5, 0.0, 0.9, 0.9, 0.0, 0.0, 0.7, 0.0])
    assert find_peaks(curve, 0.3, separation_samples=1).tolist() == [1, 3, 7]
    assert find_peaks(curve, 0.3, separation_samples=2).tolist() == [3, 7]
    assert find_peaks(curve, 0.3, separation_samples=4).tolist() == [3]
    assert find_peaks(curve, 0.8, separation_samples=1).tolist() == [3]


def test_peak_at_an_end_counts_and_nan_is_below_everything():
    assert find_peaks(np.array([0.9, 0.1, np.nan, 0.8]), 0.5, separation_samples=1).tolist() == [
        0,
        3,
    ]
    assert find_peaks(np.full(5, np.nan), 0.5, separation_samples=1).tolist() == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.9, np.nan]), max_size=60),
    st.integers(1, 12),
)
def test_peaks_are_those_of_the_definition(values, separation):
    curve = np.array(values, dtype=np.float32)
    filled = np.nan_to_num(curve, nan=-1.0)
    expected = [
        i
        for i, value in enumerate(filled)
        if value >= np.float32(0.5)
        and (filled[max(i - separation, 0) : i] < value).all()
        and (filled[i + 1 : i + separation + 1] <= value).all()
    ]
    assert find_peaks(curve, 0.5, separation_samples=separation).tolist() == expected


def test_curve_keeps_its_values():
    curve = np.array([np.nan, 0.9, np.nan])
    find_peaks(curve, 0.5, separation_samples=1)
    assert np.isnan(curve[[0, 2]]).all()


@given(st.floats(-0.5, 0.5), st.floats(0.01, 0.1))
def test_top_of_a_parabola_is_found_between_samples(top, bend):
    curve = 1.0 - bend * np.square(np.arange(-3, 4) - top)
    assert refine_peak(curve, 3) == pytest.approx(top, abs=1e-6)


def test_peak_without_two_neighbours_stays_on_its_sample():
    assert refine_peak(np.array([0.9, 0.5]), 0) == 0.0
    assert refine_peak(np.array([np.nan, 0.9, 0.5]), 1) == 0.0
    assert refine_peak(np.array([0.9, 0.9, 0.9]), 1) == 0.0


def test_separation_below_one_is_refused():
    with pytest.raises(ValueError, match="separation"):
        find_peaks(np.zeros(3), 0.5, separation_samples=0)
