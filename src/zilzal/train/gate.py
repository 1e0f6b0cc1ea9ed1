"""Training of the gate before a picking network, which is told by that network itself.

What the gate has to know is where the picking network would say anything, so no labels are needed:
it learns the largest value of each of its curves in each cell of 32 samples (distillation).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, ModelError
from zilzal.infer.engine import Model
from zilzal.infer.gated import CELL
from zilzal.infer.spec import ModelSpec
from zilzal.learn.lengths import CosineCooling
from zilzal.train.labels import LABELS
from zilzal.train.loop import RISE, average, write_checkpoint
from zilzal.train.options import PickerTraining
from zilzal.train.pool import Pool, pools_of
from zilzal.train.training import SAVED_EVERY_S

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zilzal.models.gate import Gate

_SEEN_AT_ONCE = 4
"""Windows that the picking network is shown together; few enough for the processor's cache."""
_MEMORY = 1000
"""Steps over which the weights that are kept are averaged."""
_UNJUDGED_CELLS = 20
"""At the start of a crop, where most of what came before is missing."""
PHASE_SHARE, DETECTION_SHARE = 0.2, 0.9
"""Of the network's thresholds, from which on a gate is open: lower ones cost more and keep hardly
more picks, see `docs/reference/picker-model-card.md`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTraining:
    """All options of a gate's training.

    Args:
        windows: whose drawn windows are learnt from: records, bank, pools, teachers, seed. Its
            output folder is this training's too.
        network: shape; None for the usual one.
        rounds: how often a pool is shown.
        batch: windows of a step, of which `blank` are nothing but zeros.
        blank: a gap is no reason to look.
        cells: length of the crops that are shown.
        rate: largest learning rate, of AdamW.
        weight_decay: of its weights.
        clip_norm: longest gradient.
        phase_weight: of P and S in the loss; that of the detection is 1.
        phase_share: the gate opens where its P or S reaches so much of the network's threshold.
        detection_share: the same of its detection.
        threads: of PyTorch.
    """

    windows: PickerTraining
    network: Gate | None = None
    rounds: int = 600
    batch: int = 64
    blank: int = 1
    cells: int = 140
    rate: float = 3e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    phase_weight: float = 3.0
    phase_share: float = PHASE_SHARE
    detection_share: float = DETECTION_SHARE
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("phase_share", "detection_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} must be above 0 and at most 1, not {getattr(self, name):g}"
                )
        if not 0 <= self.blank < self.batch:
            raise ValueError(f"blank = {self.blank} must be 0 to below batch = {self.batch}")
        if self.windows.windows < self.batch - self.blank:
            raise ValueError(
                f"a pool has {self.windows.windows} windows, fewer than the "
                f"{self.batch - self.blank} of a step; give more windows, or a smaller batch"
            )
        if not _UNJUDGED_CELLS < self.cells <= self.windows.mixing.length // CELL:
            raise ValueError(f"cells = {self.cells} is not above {_UNJUDGED_CELLS} or too long")

    def opens_at(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Values of the gate's outputs from which on it is open, from the network's thresholds."""
        return {
            label: (self.detection_share if label == "detection" else self.phase_share) * threshold
            for label, threshold in thresholds.items()
        }

    @property
    def steps(self) -> int:
        """Of the whole training, with whole pools."""
        return self.rounds * (self.windows.windows // (self.batch - self.blank))


Told = Callable[[int, float], None]
"""Called after each round with its number and its mean loss."""


def train_gate(training: GateTraining, picker: Model, *, told: Told | None = None) -> nn.Module:
    """Train a gate for a picking network, going on from the last checkpoint in the output folder.

    Args:
        training: options.
        picker: without a gate.
        told: called after each round.

    Returns:
        The network with averaged weights, in evaluation mode; gives logits.

    Raises:
        ModelError: the picking network gives other curves, does not tell how far it looks, or
            looks less far than the gate.
        ConfigError: the output folder holds the training of another network's gate.
    """
    import torch

    from zilzal.models.gate import Gate

    torch.set_num_threads(training.threads)
    torch.manual_seed(training.windows.seed)
    network = (training.network or Gate()).build()
    _refuse_unfit(network, picker.spec)
    state = _State(network.to(memory_format=torch.channels_last), training, picker.sha256)  # pyright: ignore[reportCallIssue] - in its stubs, devices only
    output = training.windows.output
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = output / "gate.pt"
    if checkpoint.is_file():
        state.load(checkpoint)
    saved, said = time.monotonic(), dict[int, UInt8[Array, "window label cell"]]()
    with pools_of(training.windows) as take:
        for number in range(state.rounds_done, training.rounds):
            place = number % training.windows.pools
            pool = take(place).without(training.windows.without)
            if place not in said:
                said[place] = said_of(picker, pool)
            loss = _learn_round(state, pool, said[place], training, number)
            state.rounds_done = number + 1
            if time.monotonic() - saved >= SAVED_EVERY_S or number + 1 == training.rounds:
                state.save(checkpoint)
                saved = time.monotonic()
            if told is not None:
                told(number, loss)
    return state.averaged.eval()


def _refuse_unfit(gate: nn.Module, spec: ModelSpec) -> None:
    """What would come to light only after the training."""
    from zilzal.models.strided_unet import reach

    if spec.labels != LABELS or spec.reach_samples is None:
        raise ModelError(
            f"{spec.name} can have no gate: a network that has one gives the curves "
            f"{', '.join(LABELS)} and tells how far it looks, as those do that `zilzal train "
            "picker` writes"
        )
    # A cell is open for its neighbours too.
    looks = tuple(far + CELL for far in reach(gate, cell=CELL))
    if any(far > limit for far, limit in zip(looks, spec.reach_samples, strict=True)):
        raise ModelError(
            f"the gate looks {looks} samples before and after, and {spec.name} only "
            f"{spec.reach_samples}: take a gate with a smaller reach"
        )


def said_of(picker: Model, pool: Pool) -> UInt8[Array, "window label cell"]:
    """The largest value of each curve in each cell, in steps of 1/255."""
    n_windows, _, length = pool.samples.shape
    n_cells = -(-length // CELL)
    said = np.empty((n_windows, len(picker.spec.labels), n_cells), np.uint8)
    for first in range(0, n_windows, _SEEN_AT_ONCE):
        samples = pool.samples[first : first + _SEEN_AT_ONCE].astype(np.float32)
        padded = np.pad(samples, ((0, 0), (0, 0), (0, n_cells * CELL - length)))
        said[first : first + len(samples)] = np.rint(255 * highest(picker.engine.run(padded)))
    return said


def highest(curves: Float32[Array, "window label sample"]) -> Float32[Array, "window label cell"]:
    """The largest value in each cell of 32 samples."""
    return curves.reshape(*curves.shape[:2], -1, CELL).max(3)


class _State:
    """Everything that changes while training; written to and read from a checkpoint."""

    def __init__(self, network: nn.Module, training: GateTraining, picker: str) -> None:
        import torch

        self.network, self.averaged, self.picker = network, deepcopy(network), picker
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=training.rate, weight_decay=training.weight_decay
        )
        self.rounds_done, self.steps_done = 0, 0

    def save(self, path: Path) -> None:
        """Write a checkpoint whole or not at all."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        counts = {"rounds_done": self.rounds_done, "steps_done": self.steps_done}
        write_checkpoint(parts | counts | {"picker": self.picker}, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigError: it is of another network's gate.
        """
        import torch

        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["picker"] != self.picker:
            raise ConfigError(
                f"{path} is of the gate of another network (SHA-256 {saved['picker'][:12]}); give "
                "another folder"
            )
        for name in _PARTS:
            getattr(self, name).load_state_dict(saved[name])
        self.rounds_done, self.steps_done = saved["rounds_done"], saved["steps_done"]


_PARTS = ("network", "averaged", "optimiser")


def _learn_round(
    state: _State,
    pool: Pool,
    said: UInt8[Array, "window label cell"],
    training: GateTraining,
    number: int,
) -> float:
    """Show a pool once; the mean loss."""
    import torch

    rng = np.random.default_rng((training.windows.seed, 2, number))
    drawn, losses = training.batch - training.blank, list[float]()
    order = rng.permutation(len(pool))
    for first in range(0, len(order) - drawn + 1, drawn):
        samples, wanted = _batch(pool, said, order[first : first + drawn], training, rng)
        for group in state.optimiser.param_groups:
            group["lr"] = _rate(training, state.steps_done)
        state.optimiser.zero_grad()
        loss = gate_loss(state.network(samples), wanted, training.phase_weight)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.clip_norm)
        state.optimiser.step()
        state.steps_done += 1
        keep = min(1 - 1 / _MEMORY, state.steps_done / (state.steps_done + 9))
        average(state.averaged, state.network, keep)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _batch(
    pool: Pool,
    said: UInt8[Array, "window label cell"],
    rows: Array,
    training: GateTraining,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops at whole cells of some windows, then blank ones; and what is wanted of each cell."""
    import torch

    length = training.cells * CELL
    samples = np.zeros((training.batch, pool.samples.shape[1], length), np.float32)
    wanted = np.zeros((training.batch, said.shape[1], training.cells), np.float32)
    offset = int(rng.integers(said.shape[2] - training.cells + 1))
    crop = pool.samples[rows, :, offset * CELL : offset * CELL + length]
    samples[: len(rows), :, : crop.shape[2]] = crop
    wanted[: len(rows)] = said[rows, :, offset : offset + training.cells]
    # A neighbour's answer counts too, so that an arrival at a cell's edge does not hang on it.
    near = torch.nn.functional.max_pool1d(torch.from_numpy(wanted / 255), 3, 1, 1)
    return torch.from_numpy(samples), near


def gate_loss(logits: torch.Tensor, wanted: torch.Tensor, phase_weight: float) -> torch.Tensor:
    """Mean binary cross-entropy of the cells; all curves but the last are phases."""
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    each = cross_entropy(logits, wanted, reduction="none")[:, :, _UNJUDGED_CELLS:].mean((0, 2))
    return (phase_weight * each[:-1].sum() + each[-1]) / len(each)


def _rate(training: GateTraining, step: int) -> float:
    rise = round(RISE * training.steps)
    if step < rise:
        return training.rate * step / rise
    return CosineCooling(training.rate, max(1, training.steps - rise)).rate(step - rise)
