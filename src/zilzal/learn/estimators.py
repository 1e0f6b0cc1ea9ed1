"""Classifiers in the manner of scikit-learn on top of this room (needs the extra `train`).

What they learn runs without scikit-learn: `to_model` gives a `files.Model`.
"""
# pyright: standard
# scikit-learn has no complete types.

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from zilzal.core.arrays import Array
from zilzal.learn.clip import Clip, ParameterAverage
from zilzal.learn.descent import Descent
from zilzal.learn.files import Model
from zilzal.learn.initialise import INITIALISERS, Initialiser
from zilzal.learn.lengths import Backtracking, Constant, Length
from zilzal.learn.losses import HEADS, BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from zilzal.learn.network import Network, multilayer
from zilzal.learn.rules import RULES, Rule
from zilzal.learn.training import Epoch, NetworkLoss, Progress, Samples, Training

Features = Float[Array, "sample feature"]
Labels = Shaped[Array, " sample"]
Targets = Float[Array, "sample output"]


class _Estimator(BaseEstimator):
    """What the estimators share; scikit-learn's contract is by inheritance.

    Options that a subclass does not offer have the value given here.
    """

    hidden_layer_sizes: tuple[int, ...] = ()
    activation: str = "relu"
    initialiser: str | Initialiser = "constant"
    bias: float = 0.0
    rule: str | Rule
    length: float | Length | None
    clip: Clip | None
    batch_size: int | None
    epochs: int
    tolerance: float
    penalty: float
    validation_fraction: float = 0.0
    patience: int | None = None
    average: ParameterAverage | None = None
    random_state: Any

    classes_: Array
    n_features_in_: int
    n_iter_: int
    network_: Network
    loss_: Loss
    progress_: Progress
    history_: list[Epoch]
    parameters_: Array

    def _checked(self, x: Any, *, reset: bool) -> Features:
        checked: Any = validate_data(self, x, reset=reset, dtype=[np.float64, np.float32])
        return checked

    def _begin(self, x: Features, outputs: int, loss: Loss) -> None:
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        generator = np.random.default_rng(int(seed))
        network = multilayer((x.shape[1], *self.hidden_layer_sizes, outputs), self.activation)
        self.network_, self.loss_, self.history_ = network, loss, []
        initialiser: Initialiser = _named(self.initialiser, INITIALISERS)
        theta = network.initialise(generator, initialiser, bias=self.bias, dtype=x.dtype)
        self.progress_ = self._training().start(theta, generator)

    def _train(self, samples: Samples, training: Training, held_out: Samples | None) -> None:
        problem = NetworkLoss(self.network_, self.loss_, samples)
        self.history_ += training.run(self.progress_, problem, validation=held_out)
        self.parameters_ = training.result(self.progress_)
        self.n_iter_ = self.progress_.epoch
        if self.progress_.stopped == "diverged":
            warnings.warn(
                "the loss is no longer finite; use a smaller length or a clip",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _hold_out(self, samples: Samples) -> tuple[Samples, Samples | None]:
        count = round(self.validation_fraction * len(samples))
        if count == 0:
            return samples, None
        order = self.progress_.generator.permutation(len(samples))
        return samples.take(order[count:]), samples.take(order[:count])

    def _training(self) -> Training:
        return Training(
            descent=Descent(
                rule=_named(self.rule, RULES), length=_length(self.length), clip=self.clip
            ),
            epochs=self.epochs,
            batch_size=self.batch_size,
            penalty=self.penalty,
            patience=self.patience,
            gradient_tolerance=self.tolerance,
            average=self.average,
        )

    def _logits(self, x: Any) -> Targets:
        check_is_fitted(self)
        return self.network_.forward(self.parameters_, self._like_parameters(x))

    def _like_parameters(self, x: Any) -> Features:
        return self._checked(x, reset=False).astype(self.parameters_.dtype, copy=False)

    def to_model(self, notes: Mapping[str, Any] | None = None) -> Model:
        """What was learnt, to be saved and run without scikit-learn.

        Args:
            notes: kept with it; the classes are added as "classes", in the order of the outputs.
        """
        check_is_fitted(self)
        labels = {"classes": self.classes_.tolist()} if hasattr(self, "classes_") else {}
        return Model(
            network=self.network_,
            parameters=self.parameters_,
            head=self.loss_.head,
            notes=labels | dict(notes or {}),
        )


class _Classifier(ClassifierMixin, _Estimator):
    """From labels to targets and back."""

    class_weight: str | Mapping[Any, float] | None

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Learn from the start.

        Args:
            X: samples first.
            y: one label a sample.
            sample_weight: of each sample; all alike by default.
            validation: samples and labels to watch for early stopping, as of other events or
                stations; replaces `validation_fraction`.
        """
        x, labels = self._checked_pair(X, y, reset=True)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has one class only, {self.classes_[0]!r}; give at least two classes"
            )
        samples = self._samples(x, labels, sample_weight)
        self._begin(x, *self._ending())
        held_out = None
        if validation is not None:
            held_out = self._samples(*self._checked_pair(*validation, reset=False), None)
        else:
            samples, held_out = self._hold_out(samples)
        self._train(samples, self._training(), held_out)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Iterable[Any] | None = None, sample_weight: Any = None
    ) -> Self:
        """Learn one more epoch from these samples.

        Args:
            X: samples first.
            y: one label a sample.
            classes: all labels that will ever come; needed at the first call.
            sample_weight: of each sample.
        """
        first = not hasattr(self, "progress_")
        x, labels = self._checked_pair(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError("the first call of partial_fit needs classes, all of them")
            self.classes_ = np.unique(np.asarray(list(classes)))
            self._begin(x, *self._ending())
        if isinstance(self.class_weight, str):
            raise ValueError("partial_fit cannot balance unseen classes; give class_weight a dict")
        self.progress_.stopped = ""
        training = replace(self._training(), epochs=self.progress_.epoch + 1)
        self._train(self._samples(x, labels, sample_weight), training, None)
        return self

    def decision_function(self, X: Any) -> Float[Array, "..."]:
        """Logits: `(sample,)` of the second of two classes, else `(sample, class)`."""
        logits = self._logits(X)
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> Float[Array, "sample class"]:
        """Probabilities in the order of `classes_`."""
        logits = self._logits(X)
        a = HEADS[self.loss_.head](logits)
        return np.hstack([1.0 - a, a]) if len(self.classes_) == 2 else a

    def predict(self, X: Any) -> Labels:
        """The most probable class."""
        logits = self._logits(X)
        chosen = (logits[:, 0] > 0.0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
        return self.classes_[chosen]

    def _ending(self) -> tuple[int, Loss]:
        """Number of outputs and loss by the number of classes."""
        count = len(self.classes_)
        return (1, BinaryCrossEntropy()) if count == 2 else (count, SoftmaxCrossEntropy())

    def _checked_pair(self, x: Any, y: Any, *, reset: bool) -> tuple[Features, Labels]:
        pair: Any = validate_data(self, x, y, reset=reset, dtype=[np.float64, np.float32])
        check_classification_targets(pair[1])
        return pair

    def _samples(self, x: Features, labels: Labels, sample_weight: Any) -> Samples:
        known = np.isin(labels, self.classes_)
        if not known.all():
            raise ValueError(f"unknown classes {np.unique(labels[~known])}; fitted {self.classes_}")
        number = np.searchsorted(self.classes_, labels)
        if len(self.classes_) == 2:
            targets = number[:, np.newaxis].astype(x.dtype)
        else:
            targets = np.eye(len(self.classes_), dtype=x.dtype)[number]
        weights: Array | None = None
        if sample_weight is not None or self.class_weight is not None:
            weights = _sample_weights(sample_weight, x)
            weights *= _class_weights(self.class_weight, self.classes_, number, weights)[number]
            weights /= weights.mean()
        return Samples(x, targets, weights)


class LogisticRegression(_Classifier):
    """A linear model by descent on the cross-entropy; softmax for more than two classes.

    The default is the lecture's batch gradient descent with backtracking, from zero.

    Args:
        rule: name in `RULES`, or a `Rule`.
        length: a fixed rate, a `Schedule` or a `LineSearch`; None is backtracking from 8.
        clip: bound on the gradient.
        batch_size: None is all samples, 1 is stochastic.
        epochs: at most.
        tolerance: stop when the gradient's norm is not above it.
        penalty: adds `penalty/2 |W|²`.
        class_weight: "balanced", weights by class, or None.
        random_state: seed of the shuffling.
    """

    def __init__(
        self,
        *,
        rule: str | Rule = "gradient_descent",
        length: float | Length | None = None,
        clip: Clip | None = None,
        batch_size: int | None = None,
        epochs: int = 1000,
        tolerance: float = 1e-4,
        penalty: float = 1e-4,
        class_weight: str | Mapping[Any, float] | None = None,
        random_state: Any = None,
    ) -> None:
        self.rule = rule
        self.length = length
        self.clip = clip
        self.batch_size = batch_size
        self.epochs = epochs
        self.tolerance = tolerance
        self.penalty = penalty
        self.class_weight = class_weight
        self.random_state = random_state


class MLPClassifier(_Classifier):
    """The lecture's multilayer perceptron; one sigmoid for two classes, softmax for more.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: name in `ACTIVATIONS`.
        initialiser: name in `INITIALISERS`, or an `Initialiser`.
        bias: of all units at the start.
        rule: name in `RULES`, or a `Rule`.
        length: a fixed rate, a `Schedule` or a `LineSearch`; None is backtracking from 8.
        clip: bound on the gradient.
        batch_size: None is all samples, 1 is stochastic.
        epochs: at most.
        tolerance: stop when the mean gradient norm of an epoch is not above it.
        penalty: adds `penalty/2 |W|²`.
        validation_fraction: of the samples, kept apart by chance for early stopping.
        patience: epochs without a lower validation loss before stopping; None never stops.
        average: running mean of the parameters to result in.
        class_weight: "balanced", weights by class, or None.
        random_state: seed of weights and shuffling.
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (32, 32),
        *,
        activation: str = "relu",
        initialiser: str | Initialiser = "he",
        bias: float = 0.0,
        rule: str | Rule = "adam",
        length: float | Length | None = 1e-3,
        clip: Clip | None = None,
        batch_size: int | None = 8,
        epochs: int = 100,
        tolerance: float = 0.0,
        penalty: float = 0.0,
        validation_fraction: float = 0.0,
        patience: int | None = None,
        average: ParameterAverage | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.initialiser = initialiser
        self.bias = bias
        self.rule = rule
        self.length = length
        self.clip = clip
        self.batch_size = batch_size
        self.epochs = epochs
        self.tolerance = tolerance
        self.penalty = penalty
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.average = average
        self.class_weight = class_weight
        self.random_state = random_state


class MLPLabeller(_Estimator):
    """A perceptron with many sigmoids: a probability for each sample of a window (19, 20).

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: name in `ACTIVATIONS`.
        initialiser: name in `INITIALISERS`, or an `Initialiser`.
        bias: of all units at the start.
        rule: name in `RULES`, or a `Rule`.
        length: a fixed rate, a `Schedule` or a `LineSearch`; None is backtracking from 8.
        clip: bound on the gradient.
        batch_size: None is all windows, 1 is stochastic.
        epochs: at most.
        tolerance: stop when the mean gradient norm of an epoch is not above it.
        penalty: adds `penalty/2 |W|²`.
        positive_weight: of labels of one against zero, see `BinaryCrossEntropy`.
        validation_fraction: of the windows, kept apart by chance for early stopping.
        patience: epochs without a lower validation loss before stopping; None never stops.
        average: running mean of the parameters to result in.
        threshold: of `predict`.
        random_state: seed of weights and shuffling.
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (32, 64, 128),
        *,
        activation: str = "relu",
        initialiser: str | Initialiser = "he",
        bias: float = 0.0,
        rule: str | Rule = "adam",
        length: float | Length | None = 1e-3,
        clip: Clip | None = None,
        batch_size: int | None = 8,
        epochs: int = 100,
        tolerance: float = 0.0,
        penalty: float = 0.0,
        positive_weight: float = 1.0,
        validation_fraction: float = 0.0,
        patience: int | None = None,
        average: ParameterAverage | None = None,
        threshold: float = 0.5,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.initialiser = initialiser
        self.bias = bias
        self.rule = rule
        self.length = length
        self.clip = clip
        self.batch_size = batch_size
        self.epochs = epochs
        self.tolerance = tolerance
        self.penalty = penalty
        self.positive_weight = positive_weight
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.average = average
        self.threshold = threshold
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Learn from the start.

        Args:
            X: windows first.
            y: labels `(window, output)` in [0, 1].
            sample_weight: of each window; all alike by default.
            validation: windows and labels to watch; replaces `validation_fraction`.

        Raises:
            ValueError: y is not two-dimensional or leaves [0, 1].
        """
        x = self._checked(X, reset=True)
        samples = _labelled(x, y)
        if sample_weight is not None:
            weights = _sample_weights(sample_weight, x)
            samples = replace(samples, weights=weights / weights.mean())
        loss = BinaryCrossEntropy(positive_weight=self.positive_weight)
        self._begin(x, samples.y.shape[1], loss)
        if validation is not None:
            watched = _labelled(self._checked(validation[0], reset=False), validation[1])
        else:
            samples, watched = self._hold_out(samples)
        self._train(samples, self._training(), watched)
        return self

    def predict_proba(self, X: Any) -> Float[Array, "window output"]:
        """A probability for each output."""
        logits = self._logits(X)
        return HEADS[self.loss_.head](logits)

    def predict(self, X: Any) -> Shaped[Array, "window output"]:
        """1 where the probability reaches the threshold, else 0."""
        return (self.predict_proba(X) >= self.threshold).astype(int)


def _sample_weights(weights: Any, x: Features) -> Array:
    return np.array(_check_sample_weight(weights, x, dtype=x.dtype))


def _labelled(x: Features, y: Any) -> Samples:
    targets = np.asarray(y, x.dtype)
    if targets.ndim != 2 or not ((targets >= 0.0) & (targets <= 1.0)).all():
        raise ValueError(f"y is {targets.shape}; it must be (window, output), within [0, 1]")
    return Samples(x, targets)


def _class_weights(
    choice: str | Mapping[Any, float] | None, classes: Array, number: Array, weights: Array
) -> Array:
    """A factor for each class; "balanced" makes the classes' sums of weights equal."""
    if choice is None:
        return np.ones(len(classes), weights.dtype)
    if isinstance(choice, str):
        if choice != "balanced":
            raise ValueError(f"class_weight is {choice!r}; give 'balanced', a dict or None")
        sums = np.bincount(number, weights, minlength=len(classes))
        return weights.sum() / (len(classes) * np.where(sums > 0.0, sums, 1.0))
    return np.array([choice.get(label, 1.0) for label in classes.tolist()], weights.dtype)


def _named(choice: Any, known: Mapping[str, Any]) -> Any:
    """The choice itself, or the default of the kind it names."""
    if not isinstance(choice, str):
        return choice
    if choice not in known:
        raise ValueError(f"unknown {choice!r}; choose one of {sorted(known)}")
    return known[choice]()


def _length(choice: float | Length | None) -> Length:
    if choice is None:
        return Backtracking(initial=8.0)
    return Constant(float(choice)) if isinstance(choice, int | float) else choice
