"""Reliability tables tell honest probabilities from dishonest ones."""

import numpy as np
import pytest

from zilzal.evaluate.calibration import brier_score, calibration_error, reliability_table
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
