"""Two pickers on the same events."""

import numpy as np
import pytest

from tests.evaluate.test_picks import onsets, records, rng
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.paired import compare_pickers
from zilzal.evaluate.picks import Onsets, score_picks


def every(n, *, off_s=0.0, of=None):
    chosen = np.arange(n) if of is None else np.array(of)
    return Onsets.labels(chosen, np.full(len(chosen), 10.0 + off_s))


def test_a_picker_does_not_differ_from_itself():
    picks = every(20, of=range(0, 20, 2))
    found = compare_pickers(records(20), every(20), picks, picks, rng())
    for value in (found.f1, found.precision, found.recall, found.mean_absolute_s):
        assert (value.value, value.low, value.high) == (0, 0, 0)
    assert found.n_shared == 10


def test_difference_is_that_of_the_scores():
    # All against half of 20 labels: recall 1 and 0.5, F1 1 and 2/3.
    found = compare_pickers(records(20), every(20), every(20), every(20, of=range(10)), rng())
    assert found.f1.value == pytest.approx(1 / 3)
    assert found.recall.value == pytest.approx(0.5)
    assert found.precision.value == 0
    assert 0 < found.f1.low < found.f1.value < found.f1.high


def test_residuals_are_compared_on_what_both_found():
    # The second is 0.1 s off where both found the label, and alone with a perfect pick elsewhere.
    first, second = every(10, off_s=0.02, of=range(8)), every(10, off_s=-0.12, of=range(5))
    found = compare_pickers(records(10), every(10), first, second, rng())
    assert found.n_shared == 5
    assert found.mean_absolute_s.value == pytest.approx(-0.1)
    assert found.mean_absolute_s.high < 0


def test_noise_is_compared_per_hour():
    # Sixty minutes of noise, three picks against one.
    spans = records(61, noise=range(1, 61))
    noisy = onsets((0, 10.0), (1, 5.0), (2, 5.0), (3, 5.0))
    quiet = onsets((0, 10.0), (1, 5.0))
    found = compare_pickers(spans, onsets((0, 10.0)), noisy, quiet, rng())
    assert found.false_per_noise_hour.value == pytest.approx(2.0)


def test_without_noise_nothing_is_said_of_it():
    found = compare_pickers(records(3), every(3), every(3), every(3), rng())
    assert np.isnan(found.false_per_noise_hour.value)


def test_pairs_are_more_telling_than_two_intervals():
    # Both miss the same hard half; the second misses one event in ten more. Apart, their intervals
    # overlap widely; as pairs, the difference is plain.
    n = 200
    easy = range(0, n, 2)
    first, second = every(n, of=easy), every(n, of=[k for k in easy if k % 20])
    spans, labels = records(n), every(n)
    resampling = Resampling(n_draws=2000)
    apart = [
        score_picks(spans, labels, picks, rng(), resampling=resampling).recall
        for picks in (first, second)
    ]
    assert apart[0].low < apart[1].high
    paired = compare_pickers(spans, labels, first, second, rng(), resampling=resampling).recall
    assert paired.low > 0


def test_records_of_one_event_tell_no_spread():
    spans = records(20)
    spans.group[:] = 7
    found = compare_pickers(spans, every(20), every(20), every(20, of=range(10)), rng())
    assert found.f1.value == pytest.approx(1 / 3)
    assert np.isnan([found.f1.low, found.recall.high, found.mean_absolute_s.low]).all()
