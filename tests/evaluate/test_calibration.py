"""Reliability tables tell honest probabilities from dishonest ones."""

import numpy as np
import pytest

from zilzal.evaluate.calibration import (
    brier_score,
    calibration_error,
    reliability_table,
    uncertainty_coverage,
)
from zilzal.evaluate.interval import wilson


def test_honest_probabilities_lie_on_the_diagonal():
    rng = np.random.default_rng(2)
    claimed = rng.random(20_000)
    table = reliability_table(claimed, rng.random(20_000) < claimed)
    assert sum(row.count for row in table) == 20_000
    # 2,000 picks a bin: a share's standard deviation is 0.011 at most.
    assert all(abs(r.mean_probability - r.observed.value) < 0.045 for r in table)
    assert calibration_error(table) < 0.02


def test_overconfidence_shows_as_calibration_error():
    claimed = np.full(100, 0.95)
    is_right = np.arange(100) < 60
    table = reliability_table(claimed, is_right)
    assert calibration_error(table) == pytest.approx(0.35)
    assert brier_score(claimed, is_right) == pytest.approx(0.6 * 0.05**2 + 0.4 * 0.95**2)
    assert table[-1].observed.value == pytest.approx(0.6)
    assert table[0].count == 0
    assert np.isnan(table[0].mean_probability)


def test_wilson_interval_has_its_published_value():
    # 81 of 263, 95 %: 0.2553 to 0.3662 (Newcombe 1998, table I, method 3).
    share = wilson(81, 263)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 20).low == 0.0
    assert wilson(20, 20).high == 1.0


def test_normal_errors_lie_within_their_standard_deviations_as_they_should():
    rng = np.random.default_rng(3)
    sigma = rng.uniform(0.01, 0.2, 20_000)
    found = uncertainty_coverage(sigma * rng.normal(size=20_000), sigma)
    # A share of 20,000 has a standard deviation of 0.0033 and 0.0015.
    assert found.within_one.value == pytest.approx(0.683, abs=0.012)
    assert found.within_two.value == pytest.approx(0.954, abs=0.006)


def test_uncertainties_that_are_too_small_show():
    found = uncertainty_coverage(np.array([0.1, -0.1, 0.3, np.nan]), np.array([0.06] * 3 + [9.0]))
    assert found.count == 3
    assert (found.within_one.value, found.within_two.value) == (0.0, pytest.approx(2 / 3))
    assert found.median_uncertainty_s == pytest.approx(0.06)


def test_without_uncertainties_there_is_no_coverage():
    found = uncertainty_coverage(np.array([0.1]), np.array([np.nan]))
    assert found.count == 0
    assert np.isnan(found.within_one.value)
