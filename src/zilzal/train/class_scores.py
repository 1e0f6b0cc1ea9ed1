"""How well a classifier tells classes apart, and the classifiers it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from zilzal.core.arrays import Array
from zilzal.evaluate.calibration import brier_score, calibration_error, reliability_table
from zilzal.evaluate.interval import Estimate, bootstrap_ratio
from zilzal.signal.filter import bandpass, start_filter, step_filter
from zilzal.signal.trigger import StaLta, start_sta_lta, step_sta_lta
from zilzal.train.excerpts import Excerpt, Table
from zilzal.train.fitting import Fit


def binary_scores(
    probability: Float[Array, " sample"],
    truth: Bool[Array, " sample"],
    groups: Array,
    *,
    threshold: float = 0.5,
) -> dict[str, Any]:
    """Confusion, precision, recall, F1 with its 95 % interval by groups, ROC, reliability.

    Args:
        probability: of the positive class, or any score.
        truth: whether it is.
        groups: what is drawn together for the interval, as events.
        threshold: from which it is told.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    told = probability >= threshold
    confusion = confusion_matrix(truth.astype(int), told.astype(int), 2)
    hit, false, missed = confusion[1, 1], confusion[0, 1], confusion[1, 0]
    low, high = f1_interval(truth, told, groups)
    rates = roc_curve(truth, probability)
    kept = np.unique(np.linspace(0, len(rates[0]) - 1, 60).astype(int))
    scores = {
        "n": len(truth),
        "threshold": float(threshold),
        "confusion (rows truth, columns told; negative first)": confusion.tolist(),
        "accuracy": float(np.mean(truth == told)),
        "precision": float(hit / max(hit + false, 1)),
        "recall": float(hit / max(hit + missed, 1)),
        "f1": float(2 * hit / max(2 * hit + false + missed, 1)),
        "f1 interval": [low, high],
        "f1 of the negative class": float(
            2 * confusion[0, 0] / max(2 * confusion[0, 0] + false + missed, 1)
        ),
        "area under ROC": float(roc_auc_score(truth, probability)),
        "ROC": {
            "false positive rate": rates[0][kept].round(4).tolist(),
            "true positive rate": rates[1][kept].round(4).tolist(),
        },
    }
    if probability.min() >= 0 and probability.max() <= 1:
        table = reliability_table(probability, truth)
        scores["expected calibration error"] = calibration_error(table)
        scores["Brier score"] = brier_score(probability, truth)
        scores["reliability (claimed, observed, n)"] = [
            [round(b.mean_probability, 4), round(b.observed.value, 4), b.count]
            for b in table
            if b.count
        ]
    return scores


def f1_interval(
    truth: Bool[Array, " sample"], told: Bool[Array, " sample"], groups: Array
) -> tuple[float, float]:
    """95 % interval of F1, drawing whole groups."""
    _, inverse = np.unique(groups, return_inverse=True)
    hit = np.bincount(inverse, 2.0 * (truth & told))
    either = hit + np.bincount(inverse, 1.0 * (truth ^ told))
    estimate: Estimate = bootstrap_ratio(hit, either, np.random.default_rng(0))
    return estimate.low, estimate.high


def class_scores(
    probabilities: Float[Array, "sample class"],
    number: Int[Array, " sample"],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Confusion, F1 by class and their mean (macro), accuracy, calibration of the told class."""
    told = probabilities.argmax(axis=1)
    confusion = confusion_matrix(number, told, len(classes))
    hits = np.diag(confusion)
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = 2 * hits / np.maximum(either, 1)
    table = reliability_table(probabilities.max(axis=1), told == number)
    return {
        "n": len(number),
        "accuracy": float(np.mean(told == number)),
        "macro f1": float(f1.mean()),
        "f1": {name: float(value) for name, value in zip(classes, f1, strict=True)},
        "confusion (rows truth, columns told)": confusion.tolist(),
        "expected calibration error": calibration_error(table),
    }


def confusion_matrix(
    truth: Int[Array, " sample"], told: Int[Array, " sample"], n_classes: int
) -> Int[Array, "class class"]:
    """Counts by true class (row) and told class (column)."""
    return np.bincount(truth * n_classes + told, minlength=n_classes**2).reshape(n_classes, -1)


def forest_fit(seed: int) -> Fit:
    """scikit-learn's random forest, classes balanced."""
    from sklearn.ensemble import RandomForestClassifier

    return _sklearn_fit(
        lambda: RandomForestClassifier(
            300, min_samples_leaf=2, class_weight="balanced", random_state=seed
        )
    )


def boosting_fit(seed: int) -> Fit:
    """scikit-learn's histogram gradient boosting, classes balanced."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _sklearn_fit(
        lambda: HistGradientBoostingClassifier(
            max_iter=100, class_weight="balanced", random_state=seed
        )
    )


def _sklearn_fit(make: Callable[[], Any]) -> Fit:
    def fit(table: Table) -> Callable[[Array], Array]:
        return make().fit(table.x, table.labels).predict_proba

    return fit


STA_LTA_CHOICES = (
    StaLta(sta_s=0.3, lta_s=5.0),
    StaLta(sta_s=0.5, lta_s=5.0),
    StaLta(sta_s=1.0, lta_s=5.0),
    StaLta(sta_s=2.0, lta_s=5.0),
)
"""Memories tried for the comparison; the long one fits before the earliest P."""


def highest_ratios(
    excerpts: Sequence[Excerpt],
    draw: Callable[[Excerpt], tuple[Array, Array]],
    methods: Sequence[StaLta] = STA_LTA_CHOICES,
) -> Float[Array, "excerpt method"]:
    """Largest recursive STA/LTA of a window of each excerpt, 1 to 15 Hz, best component."""
    result = np.zeros((len(excerpts), len(methods)))
    for row, excerpt in enumerate(excerpts):
        samples, present = draw(excerpt)
        span = np.flatnonzero(present.any(axis=0))
        rate = excerpt.sampling_rate
        cut = samples[:, span[0] : span[-1] + 1].astype(np.float64)
        sections = bandpass(1.0, 15.0, order=4, sampling_rate=rate)
        _, filtered = step_filter(sections, start_filter(sections, len(cut)), cut - cut[:, :1])
        for column, method in enumerate(methods):
            ratio = step_sta_lta(method, start_sta_lta(len(cut)), filtered**2, rate)[1]
            result[row, column] = ratio.max(initial=0.0)
    return result


def best_threshold(score: Float[Array, " sample"], truth: Bool[Array, " sample"]) -> float:
    """The threshold of the best F1."""
    choices = np.unique(np.quantile(score, np.linspace(0, 1, 400)))
    f1 = [2 * np.sum(truth & (score >= c)) / (truth.sum() + np.sum(score >= c)) for c in choices]
    return float(choices[int(np.argmax(f1))])
