"""Fitting, merging, calibrating and cross-validating classifiers; the labels of samples."""

from dataclasses import replace

import numpy as np
import pytest

from tests.classify.made import event_record, noise_record
from zilzal.classify.features import Features
from zilzal.classify.model import read_class_model
from zilzal.core.pick import Phase
from zilzal.learn.estimators import MLPClassifier
from zilzal.learn.files import save_model
from zilzal.train.class_scores import best_threshold, binary_scores, class_scores
from zilzal.train.classifier import event_types
from zilzal.train.dataset import Coda, Onset, Record
from zilzal.train.excerpts import EVENT, NOISE, Excerpt, draw_window, random_table
from zilzal.train.fitting import (
    ClassifierTraining,
    best_correlation,
    best_temperature,
    crossed_folds,
    grouped_folds,
    merged,
    probabilities_of,
    tempered,
    train_classifier,
    train_model,
    with_scaling,
    with_temperature,
)
from zilzal.train.labels import LABELS
from zilzal.train.sample_labels import SampleTraining, labelling, sample_windows, train_labeller

TRAINING = ClassifierTraining(
    features=Features(blocks=("onset", "envelope")),
    members=2,
    hidden=(8,),
    epochs=60,
    batch_size=8,
    draws=2,
)


def excerpt(number, rng, *, stations=8):
    is_event = number % 2 == 0
    samples = event_record(rng, onset_s=20.0, height=20) if is_event else noise_record(rng)
    return Excerpt(
        samples=samples.astype(np.float32),
        present=np.ones(samples.shape, bool),
        sampling_rate=100.0,
        label=EVENT if is_event else NOISE,
        event=f"event {number // 4}",
        station=f"XX.S{number % stations}",
        source="made",
        split="train",
        onset=2000.0 if is_event else None,
    )


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    excerpts = [excerpt(number, rng) for number in range(48)]
    return random_table(TRAINING.features, excerpts, rng, draws=2)


@pytest.fixture(scope="module")
def trained(table):
    notes = {"name": "made", "event_types": event_types([EVENT, NOISE])}
    folds = grouped_folds(table, table.column("event"), 3, 0)
    return train_classifier(TRAINING, table, folds=folds, groups=table.column("event"), notes=notes)


def test_made_events_are_told_from_made_noise(trained, table):
    assert not np.isnan(trained.probabilities).any()
    scores = binary_scores(
        trained.probabilities[:, 0], table.labels == EVENT, table.column("event")
    )
    assert scores["f1"] > 0.95


def test_trained_file_runs_as_it_was_trained(trained, table, tmp_path):
    save_model(tmp_path / "made.npz", trained.model)
    model = read_class_model(tmp_path / "made.npz")
    assert model.classes == (EVENT, NOISE)
    assert model.features == TRAINING.features
    np.testing.assert_array_equal(
        model.probabilities(table.x), probabilities_of(trained.model, table.x)
    )


@pytest.mark.parametrize("hidden", [(5,), (6, 4)])
def test_merged_network_averages_its_members_logits(hidden):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 7)).astype(np.float32)
    y = np.digitize(x[:, 0], [-0.5, 0.5])
    members = [
        MLPClassifier(hidden, epochs=3, random_state=seed).fit(x, y).to_model() for seed in range(3)
    ]
    mean = np.mean([m.network.forward(m.parameters, x) for m in members], axis=0)
    one = merged(members)
    np.testing.assert_allclose(one.network.forward(one.parameters, x), mean, atol=1e-5)


def test_linear_members_cannot_be_merged():
    x = np.random.default_rng(0).normal(size=(20, 2))
    member = MLPClassifier((), epochs=1, random_state=0).fit(x, x[:, 0] > 0).to_model()
    with pytest.raises(ValueError, match="hidden layer"):
        merged([member, member])


def test_scaling_and_temperature_are_part_of_the_network(table):
    model = train_model(TRAINING, table)
    centre, spread = np.full(table.x.shape[1], 0.3), np.full(table.x.shape[1], 2.0)
    plain = model.network.forward(model.parameters, ((table.x - centre) / spread).astype("f4"))
    scaled = with_scaling(model, centre, spread)
    np.testing.assert_allclose(
        scaled.network.forward(scaled.parameters, table.x), plain, rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(
        probabilities_of(with_temperature(model, 2.5), table.x),
        tempered(probabilities_of(model, table.x), 2.5),
        atol=1e-5,
    )


def test_temperature_of_made_overconfidence_is_found():
    rng = np.random.default_rng(3)
    logits = rng.normal(scale=2, size=4000)
    number = (rng.random(4000) > 1 / (1 + np.exp(-logits))).astype(int)
    honest = 1 / (1 + np.exp(-logits))
    cocky = tempered(np.stack([honest, 1 - honest], axis=1), 1 / 3)
    assert best_temperature(cocky, number) == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize(("copies", "low", "high"), [(1, 0.0, 0.15), (6, 0.85, 1.0)])
def test_correlation_of_records_is_found(copies, low, high):
    """Six records of an event: independent ones, or one record six times."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 600)
    opinions = 600 * 6 // copies
    of = np.repeat(truth, 6 // copies)
    seen = rng.normal(loc=np.where(of == 1, -0.7, 0.7), size=opinions)
    first = np.repeat(1 / (1 + np.exp(-1.4 * seen)), copies)
    probabilities = np.stack([first, 1 - first], axis=1)
    groups = np.repeat(np.arange(600), 6)
    assert low <= best_correlation(probabilities, np.repeat(truth, 6), groups) <= high


def test_crossed_folds_share_neither_station_nor_event(table):
    stations, events = table.column("station"), table.column("event")
    folds = crossed_folds(table, 4, 0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(table.labels)))
    for train, test in folds:
        assert not set(stations[train]) & set(stations[test])
        assert not set(events[train]) & set(events[test])


def test_drawn_window_keeps_the_onset_and_cuts_both_classes_alike():
    rng = np.random.default_rng(5)
    event, noise = excerpt(0, rng), excerpt(1, rng)
    marked = replace(event, samples=np.zeros_like(event.samples))
    marked.samples[:, 2000] = 1.0
    spans = {}
    for name, chosen in ((EVENT, marked), (NOISE, noise)):
        windows = [draw_window(chosen, TRAINING.features, rng) for _ in range(200)]
        spans[name] = np.sort([present[0].sum() / 100 for _, present in windows])
        if name == EVENT:
            places = [np.flatnonzero(s[0])[0] for s, _ in windows]
            assert min(places) >= 500
            assert len(set(places)) > 100
    np.testing.assert_allclose(np.mean(spans[EVENT]), np.mean(spans[NOISE]), atol=4)
    assert spans[EVENT][0] < 30 < 59 < spans[EVENT][-1]


def test_scores_of_a_known_confusion():
    number = np.array([0, 0, 0, 1, 1, 2])
    told = np.eye(3)[[0, 0, 1, 1, 1, 0]]
    scores = class_scores(told, number, ["a", "b", "c"])
    assert scores["confusion (rows truth, columns told)"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert scores["f1"] == pytest.approx({"a": 2 / 3, "b": 0.8, "c": 0.0})
    assert scores["macro f1"] == pytest.approx((2 / 3 + 0.8) / 3)


def test_best_threshold_parts_two_heaps():
    score = np.concatenate([np.linspace(0, 1, 50), np.linspace(2, 3, 50)])
    assert 1 < best_threshold(score, score > 1.5) <= 2


def test_classes_that_quakeml_knows_keep_their_word():
    assert event_types(["quarry blast", "explosion", "harmonic tremor"]) == {
        "quarry blast": "quarry blast",
        "explosion": "explosion",
        "harmonic tremor": "other event",
    }


def made_record(number, rng):
    is_event = number % 2 == 0
    onset = float(rng.uniform(3000, 4000))
    samples = (
        event_record(rng, seconds=90.0, onset_s=onset / 100) if is_event else noise_record(rng)
    )
    last = samples.shape[1] - 1
    return Record(
        name=str(number), source="made", event=str(number), split="train",
        kind="earthquake" if is_event else "noise", sampling_rate=100.0,
        samples=samples.astype(np.float32), present=np.ones(samples.shape, bool),
        onsets=(Onset(phase=Phase.P, sample=onset), Onset(phase=Phase.S, sample=onset + 400))
        if is_event else (),
        codas=(Coda(first=onset, last=onset + 2000),) if is_event else (),
        quiet=() if is_event else ((0, last),),
    )  # fmt: skip


def test_sample_labels_mark_the_arrival_and_stay_flat_in_noise():
    rng = np.random.default_rng(6)
    records = [made_record(number, rng) for number in range(6)]
    training = SampleTraining(label="P")
    x, y = sample_windows(training, records, np.random.default_rng(0))
    assert x.shape == y.shape == (6, 6000)
    for row in (0, 2, 4):
        peak = int(y[row].argmax())
        assert y[row, peak] > 0.99
        # Gaussian of 10 samples, cut at 40.
        assert y[row, peak + 10] == pytest.approx(np.exp(-0.5), abs=0.05)
        assert not y[row, peak + 42 :].any()
        # What comes after the P is louder than what came before.
        assert x[row, peak : peak + 800].std() > 3 * x[row, peak - 250 : peak - 10].std()
    assert not y[1::2].any()


def test_sample_labels_are_learnt_on_what_was_seen():
    rng = np.random.default_rng(7)
    records = [made_record(number, rng) for number in range(8)]
    training = SampleTraining(
        hidden=(32, 64), epochs=200, batch_size=2, rate=3e-4, validation_fraction=0.0
    )
    model, curve = train_labeller(training, records)
    assert curve[-1][0] < 0.35 * curve[0][0]
    x, y = sample_windows(training, records, np.random.default_rng(training.seed))
    # Never saying "event" would be right in 84 %.
    assert np.mean((model.predict(x) > 0.5) == (y > 0.5)) > 0.88
    curves = labelling(training, {"detection": model})(records[1].samples, np.ones((3, 6000), bool))
    assert curves.shape == (len(LABELS), 6000)
    assert not curves[[0, 1]].any()
