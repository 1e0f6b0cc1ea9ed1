"""One round after another: batches, loss, steps, averaged weights, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.learn.clip import Clip, ClipNorm, ClipValue
from zilzal.learn.initialise import INITIALISERS
from zilzal.learn.lengths import Constant, CosineCooling, LinearCooling, Schedule, StepCooling
from zilzal.train.options import ADAMW, PickerTraining
from zilzal.train.pool import Pool
from zilzal.train.start import build_from, hold_statistics, read_start
from zilzal.train.teachers import TAUGHT

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zilzal.models.ensemble import PickerShape


class State:
    """Everything that changes while training; written to and read from a checkpoint."""

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        averaged: nn.Module,
        *,
        start: str = "",
    ) -> None:
        self.network, self.optimiser, self.averaged = network, optimiser, averaged
        self.start = start
        self.rounds_done, self.steps_done = 0, 0
        self.history: list[dict[str, Any]] = []

    @classmethod
    def fresh(cls, shape: PickerShape, training: PickerTraining) -> State:
        """Before the first step; weights are those to go on from, or of PyTorch's generator."""
        import torch

        start = None if training.start is None else read_start(training.start)
        if start is not None and start.spec.preparation != training.preparation:
            raise ConfigError(f"preparation must be that of {start}: {start.spec.preparation}")
        network = shape.build() if start is None else build_from(start, labels=shape.labels)
        if training.device == "cpu":
            # Channels last in memory: oneDNN then trains in 0.6 of the time.
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - in its stubs, devices only
        if training.initialiser:
            initialise(network, training)
        network = network.to(training.device).train()
        if start is not None:
            hold_statistics(network)
        return cls(
            network, _optimiser(network, training), deepcopy(network).eval(),
            start="" if start is None else str(start),
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write a checkpoint whole or not at all."""
        content = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "averaged": self.averaged.state_dict(),
            "start": self.start,
            "rounds_done": self.rounds_done,
            "steps_done": self.steps_done,
            "history": self.history,
        }
        write_checkpoint(content, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigError: it is of a training that began otherwise.
        """
        import torch

        saved = torch.load(path, map_location="cpu", weights_only=True)
        if (begun := saved.get("start", "")) != self.start:
            raise ConfigError(
                f"{path} is of a training from {begun or 'fresh weights'}, not from "
                f"{self.start or 'fresh weights'}; give another folder"
            )
        for name in ("network", "optimiser", "averaged"):
            getattr(self, name).load_state_dict(saved[name])
        for group in self.optimiser.param_groups:
            group["lr"], group["capturable"] = float(group["lr"]), False
        self.rounds_done, self.steps_done = saved["rounds_done"], saved["steps_done"]
        self.history = saved["history"]


def write_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Write whole or not at all."""
    import torch

    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)


def initialise(network: nn.Module, training: PickerTraining) -> None:
    """Draw the weights of all convolutions anew, N being the values that a filter sees."""
    import torch

    how = INITIALISERS[training.initialiser]()
    rng = np.random.default_rng(training.seed)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                outputs, seen = layer.weight.shape[0], layer.weight[0].numel()
                weights = how.weights(seen, outputs, rng).T.reshape(layer.weight.shape)
                layer.weight.copy_(torch.from_numpy(weights))


def _optimiser(network: nn.Module, training: PickerTraining) -> torch.optim.Optimizer:
    """AdamW of PyTorch, or one of the lecture's rules through the adapter."""
    import torch

    from zilzal.learn.torch_adapter import RuleOptimiser

    if training.rule != ADAMW:
        return RuleOptimiser(
            network.parameters(), training.choice().descent().rule, lr=training.rate
        )
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": weights, "weight_decay": training.weight_decay},
         {"params": others, "weight_decay": 0.0}], lr=training.rate,
    )  # fmt: skip


def learn_round(
    state: State, pool: Pool, training: PickerTraining, rng: np.random.Generator
) -> float:
    """Show a pool `passes` times; the mean loss."""
    clip = _clip(training)
    n_batches = training.passes * (len(pool) // training.batch)
    losses: list[float] = []
    for crops in _batches(pool, training, rng):
        samples, *curves = (part.to(training.device) for part in crops)
        for group in state.optimiser.param_groups:
            group["lr"] = rate_at(training, state.rounds_done + len(losses) / n_batches)
        state.optimiser.zero_grad()
        loss = whole_loss(state.network(samples), *curves, training=training)
        loss.backward()
        if clip is not None:
            _bound(state.network, clip)
        state.optimiser.step()
        keep = keep_at(training, state.steps_done + 1)
        state.steps_done += 1
        average(state.averaged, state.network, keep)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


RISE = 0.05
"""Share of the steps in which the rate rises from zero."""


_MEMORY = 0.1
"""Share of the steps that weights are averaged over at most."""


def rate_at(training: PickerTraining, rounds: float) -> float:
    """The learning rate after so many rounds: a straight rise, then what `length` says.

    It goes by rounds, not steps, since pools that lack some sets have fewer windows.
    """
    step = round(rounds / training.rounds * training.steps)
    rise = round(RISE * training.steps)
    rate, left = training.rate, max(1, training.steps - rise)
    schedules: dict[str, Schedule] = {
        "cosine": CosineCooling(rate, left, 0.01 * rate),
        "cooling": LinearCooling(rate, left),
        "step": StepCooling(rate, max(1, left // 3)),
        "constant": Constant(rate),
    }
    return rate * step / rise if step < rise else schedules[training.length].rate(step - rise)


def _clip(training: PickerTraining) -> Clip | None:
    if training.clip_norm is not None:
        return ClipNorm(training.clip_norm)
    return None if training.clip_value is None else ClipValue(training.clip_value)


def _bound(network: nn.Module, clip: Clip) -> None:
    """Put bounded gradients in the place of the network's."""
    moving = [p for p in network.parameters() if p.grad is not None]
    gradients = clip.clip([p.grad for p in moving])
    for parameter, gradient in zip(moving, gradients, strict=True):
        parameter.grad = gradient


def keep_at(training: PickerTraining, steps: int) -> float:
    """What the averaged weights keep of themselves in a step, the first being number 1.

    A short training forgets faster: its first weights are no part of what it ends with.
    """
    span = min(training.memory / training.rounds, _MEMORY) * training.steps
    return min(1 - 1 / span, steps / (steps + 9))


def average(averaged: nn.Module, network: nn.Module, keep: float | torch.Tensor) -> None:
    """Move an exponential mean of the weights, and of batch normalisation's statistics."""
    current = network.state_dict()
    for name, value in averaged.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(current[name], 1 - keep)
        else:
            value.copy_(current[name])


def order_of(
    n_windows: int, training: PickerTraining, slack: int, rng: np.random.Generator
) -> Iterator[tuple[Int64[Array, " row"], Int64[Array, " row"]]]:
    """Windows of each step of a round, and at which sample the crop of each begins.

    Each window comes `passes` times, in random order.

    Args:
        n_windows: of the pool.
        training: options.
        slack: samples that a window has more than a crop.
        rng: of the round.

    Raises:
        ConfigError: the pool has fewer windows than a step needs.
    """
    if n_windows < training.batch:
        left_out = f" without {', '.join(training.without)}" if training.without else ""
        raise ConfigError(
            f"a pool has {n_windows} windows{left_out}, fewer than a batch of {training.batch}; "
            "give more windows, or a smaller batch"
        )
    for _ in range(training.passes):
        order = rng.permutation(n_windows)
        for first in range(0, len(order) - training.batch + 1, training.batch):
            rows = order[first : first + training.batch]
            yield rows, rng.integers(slack + 1, size=len(rows))


Batch = tuple["torch.Tensor", ...]
"""Samples, then curves as `PARTS` has them, in 0 to 1."""

PARTS = ("samples", "targets", "weights", "taught")
"""Arrays of a pool that a step needs."""


def _batches(pool: Pool, training: PickerTraining, rng: np.random.Generator) -> Iterator[Batch]:
    """Random crops of the pool's windows, as `order_of` has them."""
    import torch

    slack = pool.samples.shape[2] - training.crop
    for rows, offsets in order_of(len(pool), training, slack, rng):
        crops = [
            [getattr(pool, part)[row, :, offset : offset + training.crop] for part in PARTS]
            for row, offset in zip(rows, offsets, strict=True)
        ]
        samples, *curves = (np.stack(part) for part in zip(*crops, strict=True))
        yield (
            torch.from_numpy(samples.astype(np.float32)),
            *(torch.from_numpy(each.astype(np.float32) / 255) for each in curves),
        )


def whole_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    taught: torch.Tensor,
    *,
    training: PickerTraining,
) -> torch.Tensor:
    """What a step makes smaller: `picking_loss` and `teaching_loss`."""
    picking = picking_loss(logits, targets, weights, label_weights=training.label_weights)
    return picking + teaching_loss(logits, taught, weights, training)


def picking_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    label_weights: Sequence[float],
) -> torch.Tensor:
    """Binary cross-entropy of each curve, summed over a window's seconds, mean over windows.

    Curves of `logits` beyond those of `targets` stand for teachers and do not count here.
    """
    import torch

    each = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:, : targets.shape[1]], targets, reduction="none"
    )
    by_label = (each * weights).sum(2).mean(0) / 100
    return torch.stack([w * loss for w, loss in zip(label_weights, by_label, strict=True)]).sum()


def teaching_loss(
    logits: torch.Tensor,
    taught: torch.Tensor,
    weights: torch.Tensor,
    training: PickerTraining,
) -> torch.Tensor:
    """Binary cross-entropy against what teachers say, in the measure of `picking_loss`.

    Each teacher's P and S have curves of their own, whose only use is that the layers below
    must know what the teacher knows; they are not exported. The P and S that are kept follow the
    teachers' mean only as far as labels have no weight.

    Source:
        Hinton, Vinyals & Dean (2015), arXiv:1503.02531, for learning from probabilities.
    """
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    if not taught.shape[1]:
        return logits.new_zeros(())
    own = logits[:, -taught.shape[1] :]
    as_taught = cross_entropy(own, taught, reduction="none").sum(2).mean(0) / 100
    mean = taught.unflatten(1, (-1, len(TAUGHT))).mean(1)
    unlabelled = 1 - weights[:, : len(TAUGHT)]
    believed = cross_entropy(logits[:, : len(TAUGHT)], mean, reduction="none") * unlabelled
    return training.teaching * as_taught.sum() + training.belief * believed.sum((1, 2)).mean() / 100
