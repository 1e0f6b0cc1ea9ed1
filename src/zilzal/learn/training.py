"""Training a network: batch, stochastic and mini-batch descent as one loop (LECTURE.md 10)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from zilzal.core.arrays import Array
from zilzal.learn.clip import ParameterAverage
from zilzal.learn.descent import Descent, Position, Record
from zilzal.learn.lengths import Constant
from zilzal.learn.losses import Loss
from zilzal.learn.network import Network, Parameters
from zilzal.learn.rules import Adam
from zilzal.learn.vectors import State


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs and what the network should make of them.

    Args:
        x: of the dtype of the parameters, else products are slow.
        y: after the loss's head.
        weights: of samples, with mean one; None is all one.

    Raises:
        ValueError: numbers of samples differ.
    """

    x: Float[Array, "sample feature"]
    y: Float[Array, "sample output"]
    weights: Float[Array, " sample"] | None = None

    def __post_init__(self) -> None:
        counts = {len(part) for part in (self.x, self.y, self.weights) if part is not None}
        if len(counts) != 1 or self.x.ndim != 2 or self.y.ndim != 2:
            raise ValueError(
                f"x is {self.x.shape} and y {self.y.shape}; "
                "both must be (sample, …) with as many samples, as the weights"
            )

    def __len__(self) -> int:
        return len(self.x)

    def take(self, chosen: Int[Array, " batch"]) -> Samples:
        """Some of them, in the order given."""
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.x[chosen], self.y[chosen], weights)


@dataclass(frozen=True, slots=True)
class NetworkLoss:
    """A network's loss on samples as a function of its parameters: a `descent.Objective`.

    Args:
        network: to be evaluated.
        loss: of its outputs.
        samples: a batch, or all.
        penalty: adds `penalty/2 |W|²` over all weights, not biases.
        buffer: where gradients are written; each call overwrites it. By default each is new.
    """

    network: Network
    loss: Loss
    samples: Samples
    penalty: float = 0.0
    buffer: Parameters | None = None

    def value(self, theta: Parameters) -> float:
        """See `descent.Objective`."""
        z = self.network.forward(theta, self.samples.x)
        loss, _ = self.loss.value_and_gradient(z, self.samples.y, self.samples.weights)
        return loss + self._penalty(theta)

    def value_and_gradient(self, theta: Parameters) -> tuple[float, Parameters]:
        """See `descent.Objective`."""
        values = self.network.values(theta, self.samples.x)
        loss, dz = self.loss.value_and_gradient(values[-1], self.samples.y, self.samples.weights)
        gradient = self.network.backward(theta, values, dz, out=self.buffer)
        if self.penalty:
            pairs = zip(self.network.split(gradient), self.network.split(theta), strict=True)
            for (d_weights, _), (weights, _) in pairs:
                np.add(d_weights, self.penalty * weights, out=d_weights)
        return loss + self._penalty(theta), gradient

    def _penalty(self, theta: Parameters) -> float:
        if not self.penalty:
            return 0.0
        squares = (float(np.vdot(weights, weights)) for weights, _ in self.network.split(theta))
        return 0.5 * self.penalty * sum(squares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One pass over the samples.

    Args:
        number: of the epoch; the first is 1.
        loss: mean of the steps' losses, each before its step.
        validation_loss: after the epoch, on the validation samples; None without them.
        gradient_norm: mean over the steps.
        length: step length of the last step.
        rates: lowest and highest rate at the last step, see `Record.rates`.
        steps: made so far.
        stopped: why training ended here: "" (it goes on), "epochs", "patience", "gradient" or
            "diverged".
    """

    number: int
    loss: float
    validation_loss: float | None
    gradient_norm: float
    length: float
    rates: tuple[float, float] | None
    steps: int
    stopped: str


@dataclass(slots=True, kw_only=True)
class Progress:
    """A training under way: all it needs to go on as if it had not stopped.

    Args:
        position: parameters and the rule's state.
        generator: that shuffles.
        epoch: epochs done.
        best: parameters with the lowest validation loss so far, and that loss.
        waited: epochs since.
        average: state of the parameters' average; empty where none is kept.
        stopped: why it ended, "" while it goes on.
    """

    position: Position
    generator: np.random.Generator
    epoch: int = 0
    best: tuple[Parameters, float]
    waited: int = 0
    average: State = field(default_factory=dict[str, Any])
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a network is trained.

    Args:
        descent: each step.
        epochs: passes over the samples, at most.
        batch_size: N_b: None is batch descent (all samples), 1 stochastic, else mini-batch. The
            last batch of an epoch may be smaller.
        shuffles: draw a new order for each epoch.
        penalty: see `NetworkLoss`.
        patience: stop after so many epochs without a lower validation loss; None never stops.
        margin: by which a validation loss must be lower to count.
        gradient_tolerance: stop when the mean gradient norm of an epoch is not above it.
        average: keep a running mean of the parameters and result in it; None keeps none.
    """

    descent: Descent = field(default_factory=lambda: Descent(rule=Adam(), length=Constant(1e-3)))
    epochs: int = 100
    batch_size: int | None = 8
    shuffles: bool = True
    penalty: float = 0.0
    patience: int | None = None
    margin: float = 0.0
    gradient_tolerance: float = 0.0
    average: ParameterAverage | None = None

    def __post_init__(self) -> None:
        if self.epochs < 0 or (self.batch_size is not None and self.batch_size < 1):
            raise ValueError(
                f"epochs {self.epochs} must not be negative, "
                f"and batch_size {self.batch_size} must be at least 1, or None for all samples"
            )

    def start(self, parameters: Parameters, generator: np.random.Generator) -> Progress:
        """Training that begins at (a copy of) the parameters."""
        position = self.descent.start(parameters)
        average = {} if self.average is None else self.average.init(position.parameters)
        best = (position.parameters.copy(), math.inf)
        return Progress(position=position, generator=generator, best=best, average=average)

    def steps(self, progress: Progress, problem: NetworkLoss) -> Iterator[Record]:
        """One epoch, step by step; `progress` moves."""
        samples, buffer = problem.samples, np.empty_like(progress.position.parameters)
        count = len(samples)
        size = self.batch_size or count
        order = progress.generator.permutation(count) if self.shuffles else np.arange(count)
        for start in range(0, count, size):
            batch = samples if size >= count else samples.take(order[start : start + size])
            objective = replace(problem, samples=batch, penalty=self.penalty, buffer=buffer)
            yield self.descent.step(progress.position, objective)
            if self.average is not None:
                progress.average = self.average.update(
                    progress.average, progress.position.parameters
                )
        progress.epoch += 1

    def run(
        self, progress: Progress, problem: NetworkLoss, *, validation: Samples | None = None
    ) -> Iterator[Epoch]:
        """Train to the end, epoch by epoch; `progress` moves, and may be saved at each yield.

        Args:
            progress: of `start` or of a checkpoint.
            problem: network, loss and samples to learn from.
            validation: samples to watch, for early stopping.

        A training that has stopped yields nothing more, unless it had run out of epochs and is
        now given more.
        """
        if progress.stopped == "epochs" and progress.epoch < self.epochs:
            progress.stopped = ""
        while not progress.stopped and progress.epoch < self.epochs:
            # Divergence is a result that is reported, not a warning.
            with np.errstate(over="ignore", invalid="ignore"):
                records = list(self.steps(progress, problem))
                watched = self._watch(progress, problem, validation)
            epoch = self._summarise(progress, records, watched)
            progress.stopped = epoch.stopped
            yield epoch

    def result(self, progress: Progress) -> Parameters:
        """A copy of what was learnt: the best by validation, else the average, else the last."""
        parameters, lowest = progress.best
        return (parameters if lowest < math.inf else self._current(progress)).copy()

    def _current(self, progress: Progress) -> Parameters:
        if self.average is not None and progress.average["count"]:
            return self.average.mean(progress.average)
        return progress.position.parameters

    def _watch(
        self, progress: Progress, problem: NetworkLoss, validation: Samples | None
    ) -> float | None:
        if validation is None:
            return None
        parameters = self._current(progress)
        loss = NetworkLoss(problem.network, problem.loss, validation).value(parameters)
        progress.waited += 1
        if loss < progress.best[1] - self.margin:
            progress.best, progress.waited = (parameters.copy(), loss), 0
        return loss

    def _summarise(self, progress: Progress, records: list[Record], watched: float | None) -> Epoch:
        loss = float(np.mean([record.loss for record in records]))
        size = float(np.mean([record.gradient_norm for record in records]))
        if not (math.isfinite(loss) and math.isfinite(size)):
            stopped = "diverged"
        elif size <= self.gradient_tolerance:
            stopped = "gradient"
        elif self.patience is not None and progress.waited >= self.patience:
            stopped = "patience"
        else:
            stopped = "epochs" if progress.epoch >= self.epochs else ""
        return Epoch(
            number=progress.epoch,
            loss=loss,
            validation_loss=watched,
            gradient_norm=size,
            length=records[-1].length,
            rates=records[-1].rates,
            steps=progress.position.iteration,
            stopped=stopped,
        )
