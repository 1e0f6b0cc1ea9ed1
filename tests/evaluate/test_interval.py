"""Bootstrap intervals."""

import numpy as np
import pytest

from zilzal.evaluate import interval
from zilzal.evaluate.interval import Resampling, bootstrap_median, bootstrap_ratio, draw_sums


def rng():
    return np.random.default_rng(4)


def test_draws_in_parts_are_those_at_once(monkeypatch):
    counts = rng().random((2, 30))
    whole = draw_sums(counts, rng(), 100)
    monkeypatch.setattr(interval, "_DRAWN_AT_ONCE", 7 * 30)
    np.testing.assert_allclose(draw_sums(counts, rng(), 100), whole)


def test_kinds_are_drawn_together():
    counts = np.stack([np.arange(20.0), 2 * np.arange(20.0)])
    first, second = draw_sums(counts, rng(), 50)
    np.testing.assert_allclose(second, 2 * first)
    assert np.ptp(first) > 0


def test_median_s_interval_is_that_of_a_normal_sample():
    # The median of n normal values has the standard deviation sqrt(pi / 2 / n).
    values = rng().normal(size=2_000)
    found = bootstrap_median(values, rng(), resampling=Resampling(n_draws=2_000))
    assert found.value == np.median(values)
    width = 2 * 1.96 * np.sqrt(np.pi / 2 / 2_000)
    assert found.high - found.low == pytest.approx(width, rel=0.2)


def test_nothing_to_estimate_from_is_nan():
    for found in (
        bootstrap_median(np.zeros(0), rng()), bootstrap_ratio(np.zeros(3), np.zeros(3), rng())
    ):  # fmt: skip
        assert np.isnan([found.value, found.low, found.high]).all()


def test_one_group_tells_no_spread():
    counts, none = np.array([3.0, 0.0]), np.array([4.0, 0.0])
    found = bootstrap_ratio(counts, none, rng())
    assert found.value == 0.75
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(bootstrap_median(np.array([1.0]), rng()).low)
