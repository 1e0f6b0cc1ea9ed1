"""Picks of one onset in windows placed otherwise."""

import numpy as np
import pytest

from tests.evaluate.made import picks, truth
from zilzal.evaluate.position import position_scatter


def test_scatter_is_the_standard_deviation_over_positions():
    # Onset 0 is picked 0.00, 0.02, 0.04 s late: 0.02 s. Onset 1 moves between 0 and 0.2 s: 0.141.
    of = truth(5, onset=[0, 0, 0, 1, 1])
    found = position_scatter(of, picks(range(5), [0.0, 0.02, 0.04, 0.0, 0.2]).onsets)
    assert found.n_onsets == 2
    assert found.median_s == pytest.approx((0.02 + 0.2 / np.sqrt(2)) / 2)
    assert found.beyond == 0.5


def test_a_constant_delay_is_no_scatter():
    of = truth(4, onset=[0, 0, 1, 1])
    found = position_scatter(of, picks(range(4), [0.3, 0.3, -0.1, -0.1]).onsets)
    assert (found.median_s, found.beyond) == (pytest.approx(0.0), 0.0)


def test_onsets_are_found_always_sometimes_or_never():
    of = truth(8, onset=[0, 0, 1, 1, 2, 2, 3, 4])
    found = position_scatter(of, picks([0, 1, 2, 6]).onsets)
    assert found.n_onsets == 3
    assert (found.always, found.sometimes, found.never) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_onsets_outside_the_scored_span_do_not_count():
    of = truth(4, onset=[0, 0, 1, 1])
    of.records.start_s[0] = 20.0
    assert position_scatter(of, picks(range(4)).onsets).n_onsets == 1


def test_order_of_the_windows_does_not_matter():
    off = np.array([0.0, 0.03, 0.1, 0.0, 0.07, 0.2])
    straight = position_scatter(truth(6, onset=[0, 0, 0, 1, 1, 1]), picks(range(6), off).onsets)
    mixed = position_scatter(
        truth(6, onset=[0, 1, 0, 1, 0, 1]), picks(range(6), off[[0, 3, 1, 4, 2, 5]]).onsets
    )
    assert mixed == straight


def test_nothing_found_gives_no_scatter():
    found = position_scatter(truth(2, onset=[0, 0]), picks([]).onsets)
    assert found.never == 1
    assert np.isnan(found.median_s)
