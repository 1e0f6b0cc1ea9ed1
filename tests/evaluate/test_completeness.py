"""Completeness and b-value come out as they went in."""

import numpy as np
import pytest

from zilzal.core.errors import DataError
from zilzal.evaluate.completeness import completeness_magnitude, fit_magnitudes


def gutenberg_richter(n, b, lowest, seed):
    """Continuous magnitudes above `lowest`, rounded to 0.1."""
    rng = np.random.default_rng(seed)
    return np.round(lowest + rng.exponential(np.log10(np.e) / b, n), 1)


@pytest.mark.parametrize("b", [0.7, 1.0, 1.4])
def test_slope_of_a_made_catalogue_comes_back(b):
    fit = fit_magnitudes(gutenberg_richter(20_000, b, 0.95, seed=3), 1.0)
    # The half bin leaves a bias of (b ln(10) bin)^2 / 24, 0.4 % at b = 1.4 (Utsu).
    assert fit.b == pytest.approx(b, abs=4 * b / np.sqrt(20_000) + 0.005 * b)
    assert fit.count == 20_000
    assert fit.a - fit.b * 0.95 == pytest.approx(np.log10(20_000))


def test_uncertainty_is_the_spread_of_many_catalogues():
    fits = [fit_magnitudes(gutenberg_richter(400, 1.0, 0.95, seed), 1.0) for seed in range(300)]
    spread = np.std([fit.b for fit in fits])
    # The spread of 300 values is itself known to 4 %.
    assert np.mean([fit.b_uncertainty for fit in fits]) == pytest.approx(spread, rel=0.15)


def test_slope_of_four_magnitudes_by_hand():
    # mean 1.35; b = 0.43429 / (1.35 - 0.95); Shi & Bolt: 2.3026 b^2 sqrt(0.49 / 12)
    magnitudes = np.array([1.0, 1.1, 1.4, 1.9, 0.4])
    fit = fit_magnitudes(magnitudes, 1.0)
    assert fit.b == pytest.approx(1.08574, abs=1e-4)
    assert fit.b_uncertainty == pytest.approx(2.302585 * 1.08574**2 * np.sqrt(0.49 / 12), rel=1e-4)


def test_completeness_is_the_fullest_bin_plus_the_correction():
    rng = np.random.default_rng(4)
    magnitudes = gutenberg_richter(50_000, 1.0, -0.05, seed=5)
    seen = rng.random(50_000) < 1 / (1 + np.exp(-(magnitudes - 1.0) / 0.08))
    # Nearly everything from 1.2 on is seen, so the fullest bin is 1.1 or 1.2.
    assert completeness_magnitude(magnitudes[seen]) in (pytest.approx(1.3), pytest.approx(1.4))


def test_missing_magnitudes_are_left_out():
    magnitudes = np.array([np.nan, 1.0, 1.0, 2.0])
    assert completeness_magnitude(magnitudes) == pytest.approx(1.2)
    with pytest.raises(DataError):
        completeness_magnitude(np.array([np.nan]))


def test_one_magnitude_has_no_slope():
    with pytest.raises(DataError, match="slope"):
        fit_magnitudes(np.array([1.0, 1.0]), 1.0)
