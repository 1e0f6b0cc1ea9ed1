"""The training of one network of a classifier, watched, and resumed where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.io.table_file import whole_file
from zilzal.learn.files import Model, load_checkpoint, save_checkpoint
from zilzal.learn.initialise import INITIALISERS, Initialiser
from zilzal.learn.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from zilzal.learn.network import multilayer
from zilzal.learn.training import Epoch, NetworkLoss, Progress, Samples, Training

Told = Callable[[str, Epoch], None]
"""Called with the name of a network and its epoch just done."""

_ABOUT = "training.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who is told of a training, and where it is kept so that it can go on.

    Args:
        told: called after each epoch, also for those that are read back; None is nobody.
        folder: for a checkpoint and a history of each network; None keeps none.
    """

    told: Told | None = None
    folder: Path | None = None

    def claim(self, about: Mapping[str, Any]) -> None:
        """Take the folder for a training, or go on with what is in it.

        Args:
            about: whatever the result depends on; JSON must hold it.

        Raises:
            ConfigError: the folder is of another training.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _ABOUT
        text = json.dumps(about, indent=1, sort_keys=True) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") != text:
            raise ConfigError(
                f"{self.folder} is of a training with other options or data (see {_ABOUT} there); "
                "remove it, or write elsewhere"
            )
        path.write_text(text, encoding="utf-8")

    def resume(self, name: str) -> tuple[Progress | None, list[Epoch]]:
        """A network's training as far as it went; None where it has not begun."""
        path = self._path(name, ".npz")
        if path is None or not path.is_file():
            return None, []
        progress = load_checkpoint(path)
        lines = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        # A stop between the two writes leaves one epoch too many in the history.
        history = [Epoch(**line) for line in lines[: progress.epoch]]
        for epoch in history:
            self._tell(name, epoch)
        return progress, history

    def passed(self, name: str, progress: Progress, history: Sequence[Epoch]) -> None:
        """Keep what the last epoch left, then tell."""
        path = self._path(name, ".npz")
        if path is not None:
            lines = [asdict(epoch) for epoch in history]
            with whole_file(path.with_suffix(".json")) as file:
                file.write(json.dumps(lines, indent=1).encode())
            save_checkpoint(path, progress)
        self._tell(name, history[-1])

    def _path(self, name: str, ending: str) -> Path | None:
        return None if self.folder is None else self.folder / (name.replace(" ", "-") + ending)

    def _tell(self, name: str, epoch: Epoch) -> None:
        if self.told is not None:
            self.told(name, epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One network to train.

    Args:
        name: for whoever watches.
        hidden: units of each hidden layer.
        initialiser: name in `zilzal.learn.initialise.INITIALISERS`.
        seed: of weights and shuffling.
    """

    name: str
    hidden: tuple[int, ...]
    initialiser: str
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Scaled features, and the class of each row."""

    x: Float32[Array, "sample feature"]
    labels: Array


def fit_member(
    member: Member, training: Training, rows: Rows, watch: Watch, *, held_out: Rows | None = None
) -> tuple[Model, Epoch]:
    """A network that tells the labels, and its last epoch; classes count alike.

    Args:
        member: which.
        training: how.
        rows: to learn from.
        watch: told of each epoch.
        held_out: whose loss is measured after each epoch and told, but never acted upon.

    Raises:
        ConfigError: the initialiser is unknown, or the loss is no longer finite.
        ValueError: there is one class only, or no epoch.
    """
    if member.initialiser not in INITIALISERS:
        known = ", ".join(INITIALISERS)
        raise ConfigError(f"unknown initialiser {member.initialiser!r}; choose one of {known}")
    classes = np.unique(rows.labels)
    samples, loss = _samples(rows, classes)
    watched = None if held_out is None else _samples(held_out, classes)[0]
    network = multilayer((rows.x.shape[1], *member.hidden, samples.y.shape[1]))
    progress, history = watch.resume(member.name)
    if progress is None:
        generator = np.random.default_rng(member.seed)
        initialiser: Initialiser = INITIALISERS[member.initialiser]()
        theta = network.initialise(generator, initialiser, dtype=rows.x.dtype)
        progress = training.start(theta, generator)
    for epoch in training.run(progress, NetworkLoss(network, loss, samples)):
        if epoch.stopped == "diverged":
            raise ConfigError(
                f"{member.name}: the loss is no longer finite in epoch {epoch.number}; "
                "use a smaller rate or a clip"
            )
        if watched is not None:
            # With the penalty, to be compared with the loss that is learnt from.
            unseen = NetworkLoss(network, loss, watched, training.penalty)
            measured = unseen.value(progress.position.parameters)
            epoch = replace(epoch, validation_loss=measured)  # noqa: PLW2901
        history.append(epoch)
        watch.passed(member.name, progress, history)
    if not history:
        raise ValueError("a training needs at least one epoch")
    model = Model(
        network=network,
        parameters=training.result(progress),
        head=loss.head,
        notes={"classes": classes.tolist()},
    )
    return model, history[-1]


def _samples(rows: Rows, classes: Array) -> tuple[Samples, Loss]:
    """One output for two classes, one a class for more; each class has the same weight in all."""
    number, count = np.searchsorted(classes, rows.labels), len(classes)
    if count < 2:
        raise ValueError(f"there is one class only, {classes.tolist()}; at least two are needed")
    x = rows.x
    weights = (len(x) / (count * np.bincount(number)[number])).astype(x.dtype)
    weights /= weights.mean()
    if count == 2:
        return Samples(x, number[:, np.newaxis].astype(x.dtype), weights), BinaryCrossEntropy()
    return Samples(x, np.eye(count, dtype=x.dtype)[number], weights), SoftmaxCrossEntropy()
