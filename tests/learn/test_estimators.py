"""The estimators keep scikit-learn's contract, and learn."""

import numpy as np
import pytest

from zilzal.learn.clip import ClipNorm, ParameterAverage
from zilzal.learn.files import load_model, save_model
from zilzal.learn.lengths import Backtracking, CosineCooling, LinearCooling
from zilzal.learn.rules import DeltaBarDelta

pytest.importorskip("sklearn")

from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from zilzal.learn.estimators import LogisticRegression, MLPClassifier, MLPLabeller

WEIGHTS_AS_REPEATS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "mini-batches of repeated samples are other mini-batches"
    )
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "expected_failures"),
    [
        (LogisticRegression(), {}),
        (MLPClassifier(), WEIGHTS_AS_REPEATS),
        # All samples at once: weights are repeats, so nothing is excused.
        (
            MLPClassifier((8,), rule="gradient_descent", length=None, batch_size=None, epochs=40),
            {},
        ),
    ],
    ids=["logistic", "mini-batch", "batch"],
)
@pytest.mark.filterwarnings("ignore")  # scikit-learn's own checks warn of what they skip
def test_estimators_pass_scikit_learns_checks(estimator, expected_failures):
    results = check_estimator(
        estimator, expected_failed_checks=expected_failures, on_skip=None, on_fail=None
    )
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert failed == []
    assert skipped <= {"check_array_api_input"}
    assert sum(r["status"] == "passed" for r in results) > 50


def test_logistic_regression_finds_scikit_learns_optimum():
    x, y = make_blobs(120, centers=2, cluster_std=3.0, random_state=0)
    x = (x - x.mean(0)) / x.std(0)
    ours = LogisticRegression(penalty=0.01, tolerance=1e-9, epochs=5000).fit(x, y)
    # scikit-learn minimises C sum(loss) + |w|²/2, so C = 1 / (N penalty).
    peer = linear_model.LogisticRegression(C=1 / (120 * 0.01), tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(ours.predict_proba(x), peer.predict_proba(x), atol=1e-5)
    assert ours.history_[-1].stopped == "gradient"


def test_softmax_regression_finds_scikit_learns_optimum():
    x, y = make_blobs(150, centers=3, cluster_std=3.0, random_state=1)
    x = (x - x.mean(0)) / x.std(0)
    ours = LogisticRegression(penalty=0.01, tolerance=1e-8, epochs=5000).fit(x, y)
    peer = linear_model.LogisticRegression(C=1 / (150 * 0.01), tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(ours.predict_proba(x), peer.predict_proba(x), atol=1e-5)


def moons():
    return make_moons(200, noise=0.15, random_state=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rule": DeltaBarDelta(memory=0.7, largest=5.0), "length": 0.2, "epochs": 100},
        {"rule": "momentum", "length": LinearCooling(0.1, 1000), "clip": ClipNorm(1.0)},
        {"length": CosineCooling(0.02, 1500), "average": ParameterAverage(decay=0.99)},
        {"rule": "gradient_descent", "length": Backtracking(), "batch_size": None, "epochs": 400},
        {"activation": "tanh", "initialiser": "xavier", "bias": 0.1, "length": 0.01},
        {"validation_fraction": 0.2, "patience": 15, "epochs": 300, "length": 0.01},
    ],
)
def test_classifier_separates_the_moons_with_any_method(options):
    x, y = moons()
    model = MLPClassifier(**{"epochs": 60, "length": 0.01, "random_state": 0} | options).fit(x, y)
    assert model.score(x, y) > 0.95
    assert (model.predict(x) == (model.predict_proba(x)[:, 1] > 0.5)).all()


def test_classifier_works_inside_cross_validation_with_text_labels():
    x, y = moons()
    labels = np.array(["noise", "event"])[y]
    model = MLPClassifier((16,), length=0.01, epochs=40, random_state=0)
    assert cross_val_score(model, x, labels, cv=3).mean() > 0.9
    assert clone(model).get_params() == model.get_params()


def test_classifier_learns_in_single_precision_what_it_is_given_so():
    x, y = moons()
    model = MLPClassifier(epochs=2, random_state=0).fit(x.astype(np.float32), y)
    assert model.parameters_.dtype == model.predict_proba(x.astype(np.float32)).dtype == np.float32


def test_same_seed_gives_the_same_probabilities():
    x, y = moons()
    one, two, other = (
        MLPClassifier(epochs=3, random_state=seed).fit(x, y).predict_proba(x) for seed in (1, 1, 2)
    )
    assert one.tobytes() == two.tobytes() != other.tobytes()


def test_balanced_class_weights_move_the_boundary_towards_the_common_class():
    x, y = make_blobs([200, 10], centers=[[-0.7], [0.7]], random_state=0)
    plain = LogisticRegression().fit(x, y)
    balanced = LogisticRegression(class_weight="balanced").fit(x, y)
    by_hand = LogisticRegression(class_weight={0: 1.0, 1: 20.0}).fit(x, y)
    assert (plain.predict(x) == 1).sum() < (balanced.predict(x) == 1).sum()
    np.testing.assert_allclose(balanced.predict_proba(x), by_hand.predict_proba(x), atol=1e-9)


def test_partial_fit_goes_on_where_it_was():
    x, y = moons()
    model = MLPClassifier((16,), length=0.02, random_state=0)
    for _ in range(60):
        model.partial_fit(x, y, classes=[0, 1])
    assert model.score(x, y) > 0.95
    assert model.n_iter_ == 60


def test_partial_fit_needs_all_classes_first_and_knows_them_later():
    x, y = moons()
    with pytest.raises(ValueError, match="needs classes"):
        MLPClassifier().partial_fit(x, y)
    model = MLPClassifier().partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="unknown classes"):
        model.partial_fit(x, y + 5)


def test_validation_by_the_caller_stops_the_training():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((40, 10)), generator.integers(0, 2, 40)
    model = MLPClassifier(epochs=500, patience=4, random_state=0)
    model.fit(x[:25], y[:25], validation=(x[25:], y[25:]))
    assert model.history_[-1].stopped == "patience"
    assert model.n_iter_ < 500


def test_saved_classifier_predicts_without_scikit_learn(tmp_path):
    x, y = moons()
    model = MLPClassifier(epochs=3, random_state=0).fit(x, np.array(["noise", "event"])[y])
    save_model(tmp_path / "model.npz", model.to_model({"seed": 0}))
    loaded = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.predict(x)[:, 0], model.predict_proba(x)[:, 1])
    assert loaded.notes == {"classes": ["event", "noise"], "seed": 0}


def bumps(count=300, length=40):
    """Windows of noise with a bump somewhere, and where it is."""
    generator = np.random.default_rng(0)
    place = generator.integers(5, length - 5, count)
    distance = np.arange(length) - place[:, np.newaxis]
    x = 4 * np.exp(-0.5 * (distance / 2) ** 2) + 0.3 * generator.standard_normal((count, length))
    return x, np.exp(-0.5 * (distance / 1.5) ** 2), place


@pytest.mark.parametrize("options", [{}, {"positive_weight": 3.0, "validation_fraction": 0.1}])
def test_labeller_finds_the_place_in_the_window(options):
    x, y, place = bumps()
    model = MLPLabeller((32, 32), epochs=40, length=3e-3, random_state=0, **options)
    model.fit(x[:250], y[:250])
    probabilities = model.predict_proba(x[250:])
    assert probabilities.shape == (50, 40)
    assert (abs(probabilities.argmax(axis=1) - place[250:]) <= 2).mean() > 0.9
    np.testing.assert_array_equal(model.predict(x[250:]), probabilities >= 0.5)
    assert model.to_model().predict(x).shape == (300, 40)


def test_labeller_refuses_labels_that_are_no_probabilities():
    x, y, _ = bumps(10)
    for wrong in (y[:, 0], 2 * y, y - 0.5):
        with pytest.raises(ValueError, match=r"within \[0, 1\]"):
            MLPLabeller().fit(x, wrong)


def test_unknown_names_are_refused_with_the_choices():
    x, y = moons()
    for options in ({"rule": "newton"}, {"initialiser": "zero"}, {"activation": "swish"}):
        with pytest.raises(ValueError, match="choose one of"):
            MLPClassifier(**options).fit(x, y)
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="even").fit(x, y)


def test_divergence_warns():
    x, y = moons()
    with pytest.warns(ConvergenceWarning, match="no longer finite"):
        MLPClassifier(rule="gradient_descent", length=1e300, epochs=5, random_state=0).fit(x, y)
