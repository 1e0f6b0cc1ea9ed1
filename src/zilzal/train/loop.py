"""One round after another: batches, loss, steps, averaged weights, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zilzal.train.mixture import Pool
from zilzal.train.options import PickerTraining

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zilzal.models.strided_unet import StridedUNet


class State:
    """Everything that changes while training; written to and read from a checkpoint."""

    def __init__(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, averaged: nn.Module
    ) -> None:
        self.network, self.optimiser, self.averaged = network, optimiser, averaged
        self.rounds_done, self.steps_done = 0, 0
        self.history: list[dict[str, Any]] = []

    @classmethod
    def fresh(cls, shape: StridedUNet, training: PickerTraining) -> State:
        """Before the first step; weights come from PyTorch's generator."""
        import torch

        # Channels last in memory: oneDNN then trains in 0.6 of the time.
        network = shape.build().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - in its stubs, devices only
        weights = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        optimiser = torch.optim.AdamW(
            [{"params": weights, "weight_decay": training.weight_decay},
             {"params": others, "weight_decay": 0.0}], lr=training.rate,
        )  # fmt: skip
        return cls(network, optimiser, deepcopy(network).eval())

    def save(self, path: Path) -> None:
        """Write a checkpoint whole or not at all."""
        import torch

        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "averaged": self.averaged.state_dict(),
                "rounds_done": self.rounds_done,
                "steps_done": self.steps_done,
                "history": self.history,
            },
            part,
        )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        import torch

        saved = torch.load(path, weights_only=True)
        for name in ("network", "optimiser", "averaged"):
            getattr(self, name).load_state_dict(saved[name])
        self.rounds_done, self.steps_done = saved["rounds_done"], saved["steps_done"]
        self.history = saved["history"]


def learn_round(
    state: State, pool: Pool, training: PickerTraining, rng: np.random.Generator
) -> float:
    """Show a pool `passes` times; the mean loss."""
    import torch

    state.network.train()
    losses = []
    for samples, targets, weights in _batches(pool, training, rng):
        for group in state.optimiser.param_groups:
            group["lr"] = training.rate * _schedule(state.steps_done / training.steps)
        state.optimiser.zero_grad()
        loss = picking_loss(
            state.network(samples), targets, weights, label_weights=training.label_weights
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.clip_norm)
        state.optimiser.step()
        state.steps_done += 1
        _average(state, training)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _schedule(share: float, *, rise: float = 0.05, last: float = 0.01) -> float:
    """Factor on the rate: a straight rise, then half a cosine down to `last`."""
    if share < rise:
        return share / rise
    return last + (1 - last) * 0.5 * (1 + float(np.cos(np.pi * (share - rise) / (1 - rise))))


def _average(state: State, training: PickerTraining) -> None:
    """Exponential mean of the weights, and of batch normalisation's statistics."""
    import torch

    span = training.memory * training.steps / training.rounds
    keep = min(1 - 1 / span, state.steps_done / (state.steps_done + 9))
    with torch.no_grad():
        averaged, current = state.averaged.state_dict(), state.network.state_dict()
        for name, value in averaged.items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name], 1 - keep)
            else:
                value.copy_(current[name])


Batch = tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]


def _batches(pool: Pool, training: PickerTraining, rng: np.random.Generator) -> Iterator[Batch]:
    """Random crops of the pool's windows in random order, each window `passes` times."""
    import torch

    slack = pool.samples.shape[2] - training.crop
    for _ in range(training.passes):
        order = rng.permutation(len(pool.samples))
        for first in range(0, len(order) - training.batch + 1, training.batch):
            rows = order[first : first + training.batch]
            offsets = rng.integers(slack + 1, size=len(rows))
            crops = [
                tuple(
                    array[row, :, offset : offset + training.crop]
                    for array in (pool.samples, pool.targets, pool.weights)
                )
                for row, offset in zip(rows, offsets, strict=True)
            ]
            samples, targets, weights = (np.stack(part) for part in zip(*crops, strict=True))
            yield (
                torch.from_numpy(samples.astype(np.float32)),
                torch.from_numpy(targets.astype(np.float32) / 255),
                torch.from_numpy(weights.astype(np.float32) / 255),
            )


def picking_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    label_weights: Sequence[float],
) -> torch.Tensor:
    """Binary cross-entropy of each curve, summed over a window's seconds, mean over windows."""
    import torch

    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    by_label = (each * weights).sum(2).mean(0) / 100
    return (by_label * torch.tensor(label_weights)).sum()
