"""Curves, weights, codas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.pick import Phase
from zilzal.train.dataset import Coda, Onset, Record, Unknown
from zilzal.train.labels import coda_end, target_curves, with_codas


def test_an_arrival_is_a_gaussian_of_ten_samples_cut_at_forty():
    targets, weights = target_curves(400, [Onset(phase=Phase.P, sample=200)], [], [])
    assert targets[0, 200] == 1
    assert targets[0, 210] == pytest.approx(np.exp(-0.5))
    assert targets[0, 190] == pytest.approx(np.exp(-0.5))
    assert targets[0, 240] == pytest.approx(np.exp(-8))
    assert not targets[0, 241:].any()
    assert not targets[1:].any()
    assert (weights[:3] == 1).all()
    assert not weights[3:].any()


@given(st.floats(50, 350))
def test_the_curve_peaks_where_the_arrival_is_between_samples(sample):
    targets, _ = target_curves(400, [Onset(phase=Phase.S, sample=sample)], [], [])
    curve = targets[1].astype(float)
    assert (curve * np.arange(400)).sum() / curve.sum() == pytest.approx(sample, abs=0.02)


def test_noise_stays_flat_at_zero():
    targets, weights = target_curves(400, [], [], [])
    assert not targets.any()
    assert (weights[:3] == 1).all()
    assert not weights[3:].any()


def test_unknown_spans_have_no_weight_save_at_labelled_arrivals():
    onset = Onset(phase=Phase.P, sample=200)
    unknown = [Unknown(phase=Phase.P, first=100, last=300)]
    _, weights = target_curves(400, [onset], unknown, [])
    assert weights[0, 110] == 0
    assert weights[0, 200] == 1
    assert weights[0, 320] == 1
    assert weights[1].all()
    assert not weights[2, 100:].any()  # the event would last longer than the window


def test_a_doubtful_arrival_takes_weight_from_its_surroundings():
    _, weights = target_curves(600, [Onset(phase=Phase.S, sample=300, weight=0.25)], [], [])
    assert weights[1, 300] == 0.25
    assert weights[1, 380] == 0.25
    assert weights[1, 420] == 1


def test_detection_lasts_as_the_coda():
    targets, _ = target_curves(400, [], [], [Coda(first=100.2, last=250)])
    assert np.flatnonzero(targets[2]).tolist() == list(range(100, 251))


def test_a_coda_ends_where_its_level_is_twice_the_noise():
    envelope = np.ones(60)
    envelope[20:] += 10 * np.exp(-np.arange(40) / 5)  # 11, ..., 2.01 after 11.5 s
    end = coda_end(envelope, 2000, None, 5999, sampling_rate=100)
    assert end == pytest.approx(2000 + 100 * np.ceil(5 * np.log(10)), abs=1)


def test_a_coda_outlasts_its_s():
    envelope = np.ones(60)
    end = coda_end(envelope, 2000, 3000, 5999, sampling_rate=100)
    assert end >= 3000 + 400


def test_a_coda_ends_at_the_next_p():
    envelope = np.full(60, 5.0)
    envelope[:20] = 1
    assert coda_end(envelope, 2000, None, 3000, sampling_rate=100) == 3000


def record(onsets, length=6000):
    samples = np.random.default_rng(0).normal(size=(3, length)).astype(np.float32)
    return Record(
        name="x", source="made", event="x", split="train", kind="earthquake", sampling_rate=100.0,
        samples=samples, present=np.ones_like(samples, bool), onsets=tuple(onsets),
    )  # fmt: skip


def test_an_s_without_its_p_leaves_the_detection_unknown():
    made = with_codas(record([Onset(phase=Phase.S, sample=3000)]))
    (coda,) = made.codas
    assert coda.weight == 0
    assert coda.first < 3000 < coda.last


def test_each_p_begins_a_detection():
    onsets = [Onset(phase=Phase.P, sample=s) for s in (1000, 3000)]
    made = with_codas(record(onsets))
    assert [coda.first for coda in made.codas] == [1000, 3000]
    assert made.codas[0].last <= 3000
