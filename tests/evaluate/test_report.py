"""All that is measured of a picker on a phase, on windows written by hand."""

import numpy as np
import pytest

from tests.evaluate.made import picks, truth
from tests.evaluate.test_picks import rng
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.report import Judging, report_phase
from zilzal.evaluate.sets import mean_over_sets

JUDGING = Judging(resampling=Resampling(n_draws=200))


def report(of, found, *, threshold=0.5, names=("a",)):
    return report_phase(of, found, threshold, names, rng(), judging=JUDGING)


def test_a_small_set_counts_as_much_as_a_large_one():
    # Set 0: ninety labels, all found. Set 1: ten labels, none found.
    of = truth(100, source=[0] * 90 + [1] * 10)
    found = report(of, picks(range(90)), names=("large", "small"))
    assert found.pooled.by_tolerance[0.2].recall.value == pytest.approx(0.9)
    assert found.sets["large"].by_tolerance[0.2].recall.value == 1
    assert found.sets["small"].by_tolerance[0.2].recall.value == 0
    assert found.mean[0.2].recall.value == pytest.approx(0.5)
    assert found.mean[0.2].f1.value == pytest.approx(0.5)


def test_mean_leaves_out_sets_without_labels_and_precisions_without_picks():
    of = truth(30, source=[0] * 10 + [1] * 10 + [2] * 10, noise=range(20, 30))
    found = mean_over_sets(of, picks(range(10)).onsets, rng(), tolerance_s=0.2)
    assert found.n_sets == 2
    assert found.recall.value == pytest.approx(0.5)
    assert found.precision.value == 1


def test_interval_of_the_mean_draws_within_sets():
    # In each of two sets half of 50 labels are found: the recall of a set has the standard
    # deviation sqrt(0.25 / 50), their mean that over sqrt(2).
    of = truth(100, source=[0] * 50 + [1] * 50)
    found = mean_over_sets(
        of, picks(range(0, 100, 2)).onsets, rng(), tolerance_s=0.2,
        resampling=Resampling(n_draws=4000),
    ).recall  # fmt: skip
    half = 1.96 * np.sqrt(0.25 / 50 / 2)
    assert found.low == pytest.approx(0.5 - half, abs=0.01)
    assert found.high == pytest.approx(0.5 + half, abs=0.01)


def test_threshold_decides_what_is_scored_but_all_claims_are_judged():
    of = truth(10)
    found = report(of, picks(range(10), output=[0.9] * 5 + [0.1] * 5, claimed=0.8))
    assert found.pooled.by_tolerance[0.2].recall.value == 0.5
    assert sum(row.count for row in found.reliability) == 10
    assert found.calibration_error == pytest.approx(0.2)
    assert found.sweep.recall.max() == 1


def test_tolerances_count_apart():
    found = report(truth(4), picks(range(4), [0.05, 0.15, 0.3, 0.6]))
    recalls = [found.pooled.by_tolerance[t].recall.value for t in (0.1, 0.2, 0.5)]
    assert recalls == [0.25, 0.5, 0.75]
    assert sorted(found.residual_s) == pytest.approx([0.05, 0.15, 0.3])


def test_bins_hold_windows_of_their_kind():
    # 3 dB: all found 0.1 s late, with 0.05 s claimed. 20 dB: half found, exactly.
    of = truth(8, snr_db=[3.0] * 4 + [20.0] * 4)
    found = report(of, picks(range(6), [0.1] * 4 + [0.0] * 2, sigma_s=0.05))
    low, high = found.bins["snr_db"]
    assert (low.low, low.high, low.score.n_labels) == (-np.inf, 6.0, 4)
    assert (high.low, high.high, high.score.n_labels) == (18.0, 24.0, 4)
    assert (low.score.recall.value, high.score.recall.value) == (1.0, 0.5)
    assert (low.coverage.within_one.value, low.coverage.within_two.value) == (0.0, 1.0)
    assert (high.coverage.count, high.coverage.within_one.value) == (2, 1.0)
    assert "distance_km" not in found.bins


def test_windows_of_noise_alone_give_a_rate_and_no_f1():
    found = report(truth(6, noise=range(6)), picks([0, 0, 1]))
    score = found.pooled.by_tolerance[0.2]
    assert score.n_labels == 0
    assert np.isnan(score.f1.value)
    assert score.false_per_noise_hour == pytest.approx(30)
    assert found.mean[0.2].n_sets == 0
    assert np.isnan(found.mean[0.2].f1.value)


def test_a_picker_that_says_nothing_is_measured_too():
    found = report(truth(3), picks([]))
    score = found.pooled.by_tolerance[0.2]
    assert (score.recall.value, score.f1.value) == (0, 0)
    assert np.isnan(score.precision.value)
    assert np.isnan(found.pooled.precision_at_recall.value)
    assert np.isnan(found.calibration_error)


def test_positions_and_polarities_are_reported_where_there_are_any():
    plain = report(truth(4), picks(range(4)))
    assert plain.positions is None
    assert plain.polarity is None
    rich = report(
        truth(4, onset=[0, 0, 1, 1], polarity=[1, 1, -1, 0]), picks(range(4), polarity=1.0)
    )
    assert rich.positions.n_onsets == 2
    assert rich.polarity.confusion.tolist() == [[2, 0, 0], [1, 0, 0], [1, 0, 0]]
