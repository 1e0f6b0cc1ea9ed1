"""Robust means and station corrections: known answers, coverage, recovery."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.magnitude.made import MADE
from zilzal.core.event import Magnitude, StationMagnitude
from zilzal.core.ids import ChannelId
from zilzal.magnitude.network import (
    HUBER_TUNING,
    contradicted,
    estimate_corrections,
    huber_mean,
    outliers,
)


def test_mean_of_close_values_is_their_mean():
    values = np.array([2.0, 2.1, 2.2, 1.9, 1.8])
    mean = huber_mean(values, least_scale=1.0)
    assert mean.value == pytest.approx(2.0)
    assert mean.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(5))


def test_mean_solves_hubers_equation():
    values = np.random.default_rng(0).standard_t(2, size=40)
    mean = huber_mean(values)
    scale = 1.4826 * np.median(np.abs(values - np.median(values)))
    pull = np.clip((values - mean.value) / scale, -HUBER_TUNING, HUBER_TUNING)
    assert pull.sum() == pytest.approx(0, abs=1e-4)


def test_one_wild_value_moves_the_mean_little():
    values = np.array([2.0, 2.1, 1.9, 2.05, 1.95, 2.0, 9.0])
    assert abs(huber_mean(values).value - 2.0) < 0.05


def test_one_value_has_no_standard_error():
    assert huber_mean(np.array([1.5])).standard_error is None


def test_agreeing_values_do_not_claim_to_be_exact():
    assert huber_mean(np.array([1.5, 1.5, 1.5])).standard_error == pytest.approx(0.05 / np.sqrt(3))


def test_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        huber_mean(np.empty(0))


@given(st.lists(st.floats(-3, 8), min_size=1, max_size=30), st.floats(-2, 2))
def test_mean_moves_with_its_values_and_stays_among_them(values, shift):
    listed = np.array(values)
    mean = huber_mean(listed).value
    assert listed.min() - 1e-6 <= mean <= listed.max() + 1e-6
    assert huber_mean(listed + shift).value == pytest.approx(mean + shift, abs=1e-3)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_standard_error_covers_the_truth_as_often_as_it_says(n):
    generator = np.random.default_rng(n)
    inside = 0
    for _ in range(1500):
        mean = huber_mean(generator.normal(3.0, 0.3, size=n))
        assert mean.standard_error is not None
        inside += abs(mean.value - 3.0) < mean.standard_error
    # 68 % for a normal; Student's t with 4 degrees of freedom has 63 %. Counting errs by 1.2 %.
    assert 0.58 < inside / 1500 < 0.72


def test_far_value_is_an_outlier_and_near_ones_are_not():
    values = np.array([2.0, 2.2, 1.8, 2.1, 4.0])
    assert outliers(values, sigmas=3.0).tolist() == [False] * 4 + [True]


def test_two_values_cannot_tell_which_is_wrong():
    assert not outliers(np.array([1.0, 4.0]), sigmas=3.0).any()


def test_value_above_what_nearer_stations_allow_is_contradicted():
    # Three near stations saw nothing above noise that leaves room for 1.0.
    values = np.array([np.nan, np.nan, np.nan, 3.0, 2.9, 1.2])
    limits = np.array([1.0, 0.9, 1.1, 3.0, 2.9, 1.2])
    expected = [False, False, False, True, True, False]
    assert contradicted(values, limits, sigmas=3.0).tolist() == expected


def test_two_nearer_stations_are_too_few_to_contradict():
    values = np.array([np.nan, np.nan, 3.0])
    assert not contradicted(values, np.array([1.0, 1.0, 3.0]), sigmas=3.0).any()


def magnitudes_of(truth: np.ndarray, terms: np.ndarray, scatter: float) -> list[Magnitude]:
    generator = np.random.default_rng(7)
    found = []
    for number, size in enumerate(truth):
        seen = generator.random(len(terms)) < 0.7
        stations = tuple(
            StationMagnitude(
                channel_id=ChannelId("AA", f"S{s:02d}", "", "HHN"),
                magnitude=size - terms[s] + scatter * generator.normal(),
                type="ML",
                amplitude_m=1e-3,
                period_s=0.3,
                distance_m=3e4,
                snr=10.0,
                reason="outlier" if s == 0 and number % 7 == 0 else "",
            )
            for s in np.flatnonzero(seen)
        )
        found.append(
            Magnitude(
                id=f"magnitude/{number}",
                origin_id=f"origin/{number}",
                magnitude=None,
                type="ML",
                uncertainty=None,
                station_magnitudes=stations,
                provenance=MADE,
            )
        )
    return found


def test_station_corrections_are_recovered():
    terms = np.array([-0.5, -0.2, 0.0, 0.1, 0.2, 0.4])
    truth = np.random.default_rng(1).uniform(0, 4, size=120)
    found = estimate_corrections(magnitudes_of(truth, terms, 0.2))
    values = np.array([c.correction for c in found.values()])
    assert values.sum() == pytest.approx(0, abs=1e-6)
    # 84 events each with a scatter of 0.2: standard errors near 0.024.
    np.testing.assert_allclose(values, terms, atol=0.08)
    assert all(0.01 < c.uncertainty < 0.05 for c in found.values())


def test_station_with_few_events_gets_no_correction():
    magnitudes = magnitudes_of(np.array([1.0, 2.0, 3.0]), np.zeros(4), 0.1)
    assert estimate_corrections(magnitudes, minimum_events=5) == {}
