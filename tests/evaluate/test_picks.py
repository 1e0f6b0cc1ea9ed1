"""Picks are counted strictly, as the shared script counts them."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.picks import (
    Onsets,
    PickTolerance,
    Records,
    match_picks,
    score_picks,
)
from zilzal.evaluate.sweep import precision_at_recall, score_by_bins, sweep_thresholds


def onsets(*rows, probability=None):
    record, time = np.array(rows, float).reshape(-1, 2).T
    if probability is None:
        return Onsets.labels(record.astype(int), time)
    return Onsets(record=record.astype(int), time_s=time, probability=np.array(probability))


def records(n, *, noise=(), length_s=60.0):
    is_noise = np.isin(np.arange(n), noise)
    return Records(
        group=np.arange(n), start_s=np.zeros(n), end_s=np.full(n, length_s), is_noise=is_noise
    )


def rng():
    return np.random.default_rng(1)


def test_second_pick_of_a_label_is_false():
    picks = onsets((0, 10.05), (0, 10.1), (1, 20.0), probability=[0.9, 0.8, 0.9])
    score = score_picks(records(2), onsets((0, 10.0), (1, 25.0)), picks, rng())
    assert (score.n_right, score.n_false, score.n_labels) == (1, 2, 2)
    assert score.precision.value == pytest.approx(1 / 3)
    assert score.recall.value == 0.5
    assert score.f1.value == pytest.approx(0.4)


def test_pick_at_the_tolerance_is_right():
    match = match_picks(
        records(1), onsets((0, 20.47)), onsets((0, 20.57), probability=[1.0]), tolerance_s=0.1
    )
    assert match.is_right.all()


def test_picks_of_another_record_do_not_count():
    match = match_picks(
        records(2), onsets((0, 10.0)), onsets((1, 10.0), probability=[1.0]), tolerance_s=0.5
    )
    assert match.label_pick.tolist() == [-1]


def test_two_near_labels_get_a_pick_each():
    # The pick between is nearest to both; the farther label keeps it, since the other has one.
    labels = onsets((0, 10.0), (0, 10.4))
    picks = onsets((0, 9.8), (0, 10.15), probability=[1.0, 1.0])
    match = match_picks(records(1), labels, picks, tolerance_s=0.3)
    assert match.label_pick.tolist() == [0, 1]


def test_noise_counts_per_hour_and_not_in_precision():
    picks = onsets((0, 10.0), (1, 5.0), (1, 30.0), probability=[1.0, 1.0, 1.0])
    score = score_picks(records(2, noise=[1]), onsets((0, 10.0)), picks, rng())
    assert score.precision.value == 1.0
    assert score.false_per_noise_hour == pytest.approx(2 * 60)
    assert score.false_per_station_hour == pytest.approx(60)


def test_label_in_noise_is_refused():
    with pytest.raises(ValueError, match="noise"):
        score_picks(records(1, noise=[0]), onsets((0, 1.0)), onsets((0, 1.0)), rng())


def test_picks_outside_the_scored_span_do_not_count():
    score = score_picks(
        records(1, length_s=8.0), onsets((0, 5.0)), onsets((0, 9.0), (0, 5.0)), rng()
    )
    assert (score.n_right, score.n_false) == (1, 0)


def test_residuals_have_known_moments():
    n = 5
    late = np.array([-0.1, 0.0, 0.1, 0.2, 0.4])
    labels = Onsets.labels(np.arange(n), np.full(n, 10.0))
    picks = Onsets.labels(np.arange(n), 10.0 + late)
    residuals = score_picks(records(n), labels, picks, rng()).residuals
    assert residuals.count == 5
    assert residuals.median_s.value == pytest.approx(0.1)
    assert residuals.mean_absolute_s == pytest.approx(0.16)
    assert residuals.mad_s == pytest.approx(0.1)
    assert residuals.outlier_share == pytest.approx(0.2)


@given(st.integers(0, 2**32 - 1))
def test_order_of_picks_and_records_does_not_matter(seed):
    random = np.random.default_rng(seed)
    n = 6
    labels = Onsets.labels(np.arange(n), random.uniform(5, 55, n))
    record = random.integers(0, n, 20)
    picks = Onsets(
        record=record, time_s=labels.time_s[record] + random.normal(0, 0.3, 20),
        probability=random.random(20),
    )  # fmt: skip
    order = random.permutation(20)
    shuffled = Onsets(
        record=record[order], time_s=picks.time_s[order], probability=picks.probability[order]
    )
    a, b = (score_picks(records(n), labels, p, rng()) for p in (picks, shuffled))
    assert (a.n_right, a.n_false) == (b.n_right, b.n_false)
    assert a.residuals.mean_absolute_s == pytest.approx(b.residuals.mean_absolute_s, nan_ok=True)


def test_bootstrap_interval_covers_the_binomial_truth():
    # 300 records with recall 0.8: the 95 % interval's half width is 1.96 sqrt(0.8 * 0.2 / 300).
    random = np.random.default_rng(5)
    n = 300
    found = np.flatnonzero(np.arange(n) % 5 != 0)
    labels = Onsets.labels(np.arange(n), np.full(n, 30.0))
    score = score_picks(
        records(n), labels, Onsets.labels(found, np.full(len(found), 30.0)), random,
        resampling=Resampling(n_draws=4000),
    )  # fmt: skip
    half = 1.96 * np.sqrt(0.8 * 0.2 / n)
    assert score.recall.value == pytest.approx(0.8)
    assert score.recall.low == pytest.approx(0.8 - half, abs=0.006)
    assert score.recall.high == pytest.approx(0.8 + half, abs=0.006)


def test_records_of_one_event_are_drawn_together():
    # Ten events of ten records, each wholly found or wholly missed: ten observations, not 100.
    n = 100
    together = Records(
        group=np.arange(n) // 10, start_s=np.zeros(n), end_s=np.full(n, 60.0),
        is_noise=np.zeros(n, bool),
    )  # fmt: skip
    labels = Onsets.labels(np.arange(n), np.full(n, 30.0))
    found = np.flatnonzero((np.arange(n) // 10) < 5)
    score = score_picks(together, labels, Onsets.labels(found, np.full(50, 30.0)), rng())
    assert score.recall.high - score.recall.low > 0.5


def test_sweep_falls_in_recall_and_finds_the_best_threshold():
    labels = onsets((0, 10.0), (1, 10.0), (2, 10.0), (3, 10.0))
    picks = onsets(
        (0, 10.0), (1, 10.0), (2, 10.0), (0, 40.0), (1, 40.0),
        probability=[0.9, 0.8, 0.6, 0.3, 0.5],
    )  # fmt: skip
    sweep = sweep_thresholds(records(4), labels, picks, [0.2, 0.4, 0.55, 0.95], tolerance_s=0.2)
    assert sweep.recall.tolist() == [0.75, 0.75, 0.75, 0.0]
    assert sweep.precision.tolist() == [0.6, 0.75, 1.0, 1.0]
    assert sweep.threshold[sweep.best] == 0.55
    assert sweep.precision_at_recall(0.7) == 1.0
    assert np.isnan(sweep.precision_at_recall(0.8))


def test_precision_at_recall_takes_the_highest_threshold_that_reaches_it():
    labels = onsets(*[(i, 10.0) for i in range(4)])
    picks = onsets(
        (0, 10.0), (1, 10.0), (1, 40.0), (2, 10.0), (3, 40.0), (3, 10.0),
        probability=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
    )  # fmt: skip
    at = [
        precision_at_recall(records(4), labels, picks, rng(), recall=r).value
        for r in (0.5, 0.75, 1.0)
    ]
    assert at == [1.0, 0.75, pytest.approx(4 / 6)]


def test_bins_take_their_records():
    labels = onsets((0, 10.0), (1, 10.0), (2, 10.0))
    picks = onsets((0, 10.0), (2, 30.0), probability=[1.0, 1.0])
    near, far = score_by_bins(
        records(3), labels, picks, np.array([5.0, 50.0, np.nan]), [0, 10, 100], rng()
    )
    assert (near.n_right, near.n_labels) == (1, 1)
    assert (far.n_right, far.n_labels, far.n_false) == (0, 1, 0)


@pytest.mark.parity
@pytest.mark.parametrize("peer", ["phasenet_original", "stalta_aic", "seist_l"])
@pytest.mark.parametrize("name", ["ncedc_phasenet", "martinique", "anza_noise"])
def test_scores_agree_with_the_shared_script(shared, peer, name):
    import pandas as pd

    path = shared / "peers" / "score_picks.py"
    spec = importlib.util.spec_from_file_location("score_picks", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    table = pd.read_csv(
        shared / "peers" / "picks" / f"{name}__{peer}.csv", dtype={"trace_name": str}
    )
    for phase in "PS":
        theirs = script.score(table, name, phase, 0.2, 0.3)
        ours = score_picks(
            *scored_set(script, table, name, phase, threshold=0.3), rng(),
            tolerance=PickTolerance(tolerance_s=0.2), resampling=Resampling(n_draws=50),
        )  # fmt: skip
        assert ours.n_labels == theirs["labels"]
        if theirs["labels"]:
            assert ours.precision.value == pytest.approx(theirs["precision"])
            assert ours.recall.value == pytest.approx(theirs["recall"])
            assert ours.f1.value == pytest.approx(theirs["f1"])
            assert ours.residuals.mean_absolute_s == pytest.approx(theirs["mae_s"])
            assert ours.residuals.median_s.value == pytest.approx(theirs["median_s"], abs=1e-9)
        if theirs["false_per_noise_hour"] is not None:
            assert ours.false_per_noise_hour == pytest.approx(theirs["false_per_noise_hour"])


def scored_set(script, table, name, phase, *, threshold):
    """The shared script's windows as records, labels and picks of ours."""
    import pandas as pd

    windows = script.window_table(name)
    label = pd.to_numeric(windows[f"{phase.lower()}_sample"], errors="coerce")
    is_noise = (windows.category == "noise").to_numpy()
    kept = is_noise | ((label >= 0) & (label < script.LENGTH)).to_numpy()
    windows, label, is_noise = windows[kept], label[kept].to_numpy(), is_noise[kept]
    number = {trace: i for i, trace in enumerate(windows.trace_name)}
    rows = table[
        (table.phase == phase) & (table.score >= threshold) & table.trace_name.isin(number)
    ]
    spans = Records(
        group=np.arange(len(windows)),
        start_s=(windows.live_first_sample.to_numpy() + script.EDGE) / 100,
        end_s=(windows.live_last_sample.to_numpy() - script.EDGE) / 100,
        is_noise=is_noise,
    )
    labelled = np.flatnonzero(~is_noise)
    picks = Onsets(
        record=rows.trace_name.map(number).to_numpy(int),
        time_s=rows.window_sample.to_numpy() / 100,
        probability=rows.score.to_numpy(),
    )
    return spans, Onsets.labels(labelled, label[labelled] / 100), picks
