"""How classifiers are fitted, cross-validated and calibrated.

Networks are trained by `zilzal.learn` and need NumPy alone to run.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from zilzal.classify.features import Features
from zilzal.classify.fusion import fuse
from zilzal.core.arrays import Array
from zilzal.learn.choices import Choice
from zilzal.learn.files import Model
from zilzal.learn.network import multilayer
from zilzal.learn.training import Training
from zilzal.train.excerpts import Table
from zilzal.train.members import Member, Rows, Watch, fit_member

logger = logging.getLogger(__name__)

UNWATCHED = Watch()
"""Nobody is told, and nothing is kept."""

Fit = Callable[[Table], Callable[[Float[Array, "sample feature"]], Float[Array, "sample class"]]]
"""Learns from a table; what it gives tells probabilities in the order of the sorted classes."""

Fold = tuple[Int[Array, " train"], Int[Array, " test"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierTraining:
    """How a classifier is trained.

    Args:
        features: its input.
        hidden: units of each hidden layer of a member.
        members: networks from different seeds, whose logits are averaged: one network in the end.
        rule: of descent, one of `zilzal.learn.choices.TITLES`.
        length: of steps, one of `zilzal.learn.choices.LENGTHS`; those that cool do so to the end.
        rate: of the first step; a line search does without.
        momentum: of the rules `momentum` and `nesterov`.
        clip_norm: bound on the gradient's norm; None is no bound.
        clip_value: bound on each element of it; None is no bound.
        initialiser: of the weights, a name in `zilzal.learn.initialise.INITIALISERS`.
        batch_size: of mini-batches; 0 is all rows.
        epochs: passes over the table.
        penalty: adds `penalty/2 |W|²`.
        draws: random windows taken of each excerpt.
        n_folds: of the cross-validation.
        seed: of everything.
    """

    features: Features = field(default_factory=Features)
    hidden: tuple[int, ...] = (32,)
    members: int = 3
    rule: str = "adam"
    length: str = "constant"
    rate: float = 1e-3
    momentum: float = 0.9
    clip_norm: float | None = None
    clip_value: float | None = None
    initialiser: str = "he"
    batch_size: int = 64
    epochs: int = 30
    penalty: float = 1e-3
    draws: int = 4
    n_folds: int = 5
    seed: int = 222

    def of_rows(self, rows: int) -> Training:
        """The training of a network on so many rows.

        Raises:
            ConfigError: a name is unknown, or a number out of range.
        """
        batch = self.batch_size or rows
        choice = Choice(
            rule=self.rule,
            length=self.length,
            rate=self.rate,
            momentum=self.momentum,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            steps=max(1, self.epochs * -(-rows // batch)),
        )
        return Training(
            descent=replace(choice.descent(), measures_rates=False),
            epochs=self.epochs,
            batch_size=self.batch_size or None,
            penalty=self.penalty,
        )


def mlp_fit(
    training: ClassifierTraining, watch: Watch = UNWATCHED, held_out: Iterable[Table] = ()
) -> Fit:
    """The fit by `zilzal.learn`, to be compared with others.

    Args:
        training: options.
        watch: told of each epoch.
        held_out: of the first table that is learnt, of the second, and so on: only watched.
    """
    left = iter(held_out)
    numbers = count(1)

    def fit(table: Table) -> Callable[[Array], Array]:
        name = f"fold {next(numbers)}"
        model = train_model(training, table, watch=watch, name=name, held_out=next(left, None))
        return lambda x: probabilities_of(model, x)

    return fit


def train_model(
    training: ClassifierTraining,
    table: Table,
    *,
    watch: Watch = UNWATCHED,
    name: str = "all",
    held_out: Table | None = None,
) -> Model:
    """A network that takes features as they come: their scaling is part of its first layer.

    Classes count alike, however many rows they have.

    Args:
        training: options.
        table: rows to learn from.
        watch: told of each epoch.
        name: of the network for that; " member 1" and so on follows.
        held_out: rows whose loss is told too.
    """
    centre = table.x.mean(axis=0)
    spread = table.x.std(axis=0) + 1e-3

    def scaled(rows: Table) -> Rows:
        return Rows(((rows.x - centre) / spread).astype(np.float32), rows.labels)

    learnt, watched = scaled(table), None if held_out is None else scaled(held_out)
    how = training.of_rows(len(table.labels))
    members: list[Model] = []
    for number in range(training.members):
        member = Member(
            name=f"{name} member {number + 1}",
            hidden=training.hidden,
            initialiser=training.initialiser,
            seed=training.seed + number,
        )
        model, last = fit_member(member, how, learnt, watch, held_out=watched)
        members.append(model)
        logger.info("member %d: loss %.4f after %d epochs", number + 1, last.loss, last.number)
    return with_scaling(merged(members), centre, spread)


def merged(members: Sequence[Model]) -> Model:
    """One network whose logits are the mean of the members' logits.

    Hidden layers stand side by side (block by block), and the last layer averages.

    Raises:
        ValueError: the members have no hidden layer or differ in shape.
    """
    layers = [member.network.split(member.parameters) for member in members]
    depth = len(layers[0])
    shapes = {tuple(w.shape for w, _ in pairs) for pairs in layers}
    if depth < 2 or len(shapes) != 1:
        raise ValueError(f"members must have a hidden layer and one shape; got {sorted(shapes)}")
    n = len(members)
    sizes = [layers[0][0][0].shape[0]]
    sizes += [n * w.shape[1] for w, _ in layers[0][:-1]] + [layers[0][-1][0].shape[1]]
    network = multilayer(sizes)
    theta = np.zeros(network.size, members[0].parameters.dtype)
    for k, (weights, bias) in enumerate(network.split(theta)):
        for number, pairs in enumerate(layers):
            w, b = pairs[k]
            rows = slice(None) if k == 0 else slice(number * w.shape[0], (number + 1) * w.shape[0])
            if k == depth - 1:
                weights[rows], bias[:] = w / n, bias + b / n
            else:
                columns = slice(number * w.shape[1], (number + 1) * w.shape[1])
                weights[rows, columns], bias[columns] = w, b
    return replace(members[0], network=network, parameters=theta)


def with_scaling(model: Model, centre: Array, spread: Array) -> Model:
    """The network for `x` from one for `(x - centre) / spread`."""
    theta = model.parameters.copy()
    weights, bias = model.network.split(theta)[0]
    weights /= spread[:, np.newaxis]
    bias -= centre @ weights
    return replace(model, parameters=theta)


def with_temperature(model: Model, temperature: float) -> Model:
    """The network whose logits are divided by a temperature.

    Source:
        Guo et al. (2017), On calibration of modern neural networks, section 4.2.
    """
    theta = model.parameters.copy()
    weights, bias = model.network.split(theta)[-1]
    weights /= temperature
    bias /= temperature
    return replace(model, parameters=theta)


def probabilities_of(
    model: Model, x: Float[Array, "sample feature"]
) -> Float[Array, "sample class"]:
    """One column a class, also where the network has one output."""
    told = model.predict(x.astype(model.parameters.dtype, copy=False)).astype(np.float64)
    return np.hstack([1 - told, told]) if told.shape[1] == 1 else told


def tempered(
    probabilities: Float[Array, "sample class"], temperature: float
) -> Float[Array, "sample class"]:
    """What a network's probabilities would be at another temperature."""
    told = np.log(np.maximum(probabilities, 1e-12)) / temperature
    told = np.exp(told - told.max(axis=1, keepdims=True))
    return told / told.sum(axis=1, keepdims=True)


def cross_validate(fit: Fit, table: Table, folds: Sequence[Fold]) -> Float[Array, "sample class"]:
    """Out-of-fold probabilities; NaN for rows in no fold's test."""
    classes = np.unique(table.labels)
    told = np.full((len(table.labels), len(classes)), np.nan)
    for number, (train, test) in enumerate(folds, 1):
        learnt = table.take(train)
        if len(np.unique(learnt.labels)) < len(classes):
            continue
        told[test] = fit(learnt)(table.x[test])
        logger.info("fold %d of %d", number, len(folds))
    return told


def grouped_folds(table: Table, groups: Array, n_folds: int, seed: int) -> list[Fold]:
    """Folds that divide no group and keep the classes' shares as well as that allows."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(table.x, table.labels, groups))


def crossed_folds(table: Table, n_folds: int, seed: int) -> list[Fold]:
    """Folds by station, from whose training rows the events of the test rows are left out too."""
    stations, events = table.column("station"), table.column("event")
    folds = []
    for train, test in grouped_folds(table, stations, n_folds, seed):
        folds.append((train[~np.isin(events[train], np.unique(events[test]))], test))
    return folds


def source_folds(table: Table) -> list[Fold]:
    """One set after the other is left out: other instruments, another region."""
    sources = table.column("source")
    return [
        (np.flatnonzero(sources != name), np.flatnonzero(sources == name))
        for name in np.unique(sources)
    ]


def best_temperature(
    probabilities: Float[Array, "sample class"], number: Int[Array, " sample"]
) -> float:
    """The temperature at which the true classes are likeliest; classes count alike.

    Args:
        probabilities: out of fold.
        number: of the true class of each row.
    """
    weight = 1 / np.bincount(number)[number]
    choices = np.geomspace(0.25, 8, 61)
    losses = []
    for temperature in choices:
        told = tempered(probabilities, float(temperature))
        right = told[np.arange(len(number)), number]
        losses.append(-np.average(np.log(np.maximum(right, 1e-12)), weights=weight))
    return float(choices[int(np.argmin(losses))])


def fused_rows(
    probabilities: Float[Array, "sample class"], groups: Array, correlation: float
) -> tuple[Float[Array, "group class"], Int[Array, " group"]]:
    """Fused probabilities of each group of rows, and the number of its first row."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    told = [fuse(probabilities[inverse == g], correlation) for g in range(len(first))]
    return np.array(told), first


def best_correlation(
    probabilities: Float[Array, "sample class"], number: Int[Array, " sample"], groups: Array
) -> float:
    """The correlation of `fuse` at which the groups' true classes are likeliest."""
    choices = np.linspace(0, 1, 21)
    losses = []
    for correlation in choices:
        told, first = fused_rows(probabilities, groups, float(correlation))
        truth = number[first]
        weight = 1 / np.bincount(truth)[truth]
        right = told[np.arange(len(first)), truth]
        losses.append(-np.average(np.log(np.maximum(right, 1e-12)), weights=weight))
    return float(choices[int(np.argmin(losses))])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What a training leaves.

    Args:
        model: calibrated, with all that operation needs in its notes.
        table: rows of the cross-validation.
        probabilities: of those rows, out of fold and calibrated.
        groups: what was fused to one opinion: an event.
    """

    model: Model
    table: Table
    probabilities: Float[Array, "sample class"]
    groups: Array


def train_classifier(
    training: ClassifierTraining,
    table: Table,
    *,
    folds: Sequence[Fold],
    groups: Array,
    notes: Mapping[str, Any],
    watch: Watch = UNWATCHED,
) -> Trained:
    """A network on all rows, calibrated on what networks said of rows they had not seen.

    Args:
        training: options.
        table: rows to learn from.
        folds: of the cross-validation that calibrates; rows in none do not count.
        groups: of each row, what is fused.
        notes: for the file, beside what operation needs.
        watch: told of each epoch of each network; what it keeps is gone on with.

    Raises:
        ConfigError: an option is out of range, or what is kept is of another training.
        ValueError: there is one class only, or the folds leave a class without a test.
    """
    watch.claim(
        {
            "training": asdict(training),
            "x": hashlib.sha256(np.ascontiguousarray(table.x).tobytes()).hexdigest(),
            "labels": hashlib.sha256("\n".join(table.labels.tolist()).encode()).hexdigest(),
        }
    )
    classes, number = np.unique(table.labels, return_inverse=True)
    folds = [fold for fold in folds if len(np.unique(number[fold[0]])) == len(classes)]
    tests = [table.take(test) for _, test in folds]
    told = cross_validate(mlp_fit(training, watch, tests), table, folds)
    seen: Bool[Array, " sample"] = ~np.isnan(told[:, 0])
    if len(np.unique(number[seen])) < max(2, len(classes)):
        raise ValueError(
            f"cross-validation needs each of {classes.tolist()} (at least two) in both parts of "
            "its folds; give more events or stations, or fewer folds"
        )
    temperature = best_temperature(told[seen], number[seen])
    told[seen] = tempered(told[seen], temperature)
    correlation = best_correlation(told[seen], number[seen], groups[seen])
    logger.info("temperature %.2f, correlation %.2f", temperature, correlation)
    model = with_temperature(train_model(training, table, watch=watch), temperature)
    own = {
        "classes": classes.tolist(),
        "features": training.features.to_notes(),
        "correlation": correlation,
        "training": {k: v for k, v in asdict(training).items() if k != "features"},
    }
    model = replace(model, notes=dict(notes) | own)
    return Trained(model=model, table=table, probabilities=told, groups=groups)
