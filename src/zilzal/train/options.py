"""All options of a picker's training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zilzal.learn.choices import Choice, check_name
from zilzal.learn.initialise import INITIALISERS
from zilzal.signal.prepare import Preparation
from zilzal.train.labels import LABELS
from zilzal.train.mixture import Mixing

if TYPE_CHECKING:
    from zilzal.models.strided_unet import StridedUNet

ADAMW = "adamw"
"""Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101), PyTorch's."""

SCHEDULES = ("cosine", "cooling", "step", "constant")
"""Lengths of steps that need no search along the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerTraining:
    """All options of a training; the defaults make the wider of the two shipped networks.

    Args:
        shared: the project's folder with `data` and `peers`; None for none.
        sets: folders in SeisBench's format, to learn from and to test on by their splits.
        output: folder for checkpoints, the history and the exported network.
        bank: folder of the drawn windows; None for `pools` in the output folder. One that was
            drawn from all sets also serves trainings `without` some.
        without: sets left out of training, for tests on regions held out.
        start: file of the network to go on from, see `zilzal.train.start`; None for fresh weights.
            It keeps its shape, and `preparation` must be its own.
        keep: share of the start's weights in the network that is kept, against forgetting.
        teachers: files of published networks whose curves are learnt beside the labels.
        seed: of everything drawn.
        pools: how many different pools of windows are drawn.
        windows: of a pool.
        drawers: processes that draw them, ahead of their use.
        rounds: how often a pool is shown; after the last one the first comes again.
        passes: how often each window is shown in a round, each time as another crop.
        crop: samples of what is shown.
        batch: windows of a step.
        rule: "adamw", or one of `zilzal.learn.choices.TITLES`: the lecture's own.
        length: how the rate goes on after its rise over the first 5 % of steps: "cosine",
            "cooling", "step" or "constant".
        rate: largest learning rate.
        momentum: of the rules `momentum` and `nesterov`.
        weight_decay: of AdamW, on the weights of convolutions only.
        clip_norm: longest gradient; None for no bound.
        clip_value: largest element of it; None for no bound.
        initialiser: of the convolutions, a name in `zilzal.learn.initialise.INITIALISERS`; "" for
            PyTorch's.
        memory: rounds over which weights are averaged for the network that is kept; at most a
            tenth of all.
        label_weights: of `LABELS` in the loss.
        teaching: weight of the curves that stand for the teachers'.
        belief: weight of the teachers' mean where P and S are not labelled.
        network: shape; None for the wider of the two shipped ones.
        preparation: of the input, in training and operation.
        mixing: of the windows.
        false_per_hour: noise picks per hour that a threshold may let through.
        test_every: rounds between tests on the development records.
        threads: of PyTorch.
        device: "cpu" or "cuda"; on the latter with products in TF32.
    """

    shared: Path | None = None
    sets: tuple[Path, ...] = ()
    output: Path
    bank: Path | None = None
    without: tuple[str, ...] = ()
    start: Path | None = None
    keep: float = 0.25
    teachers: tuple[Path, ...] = ()
    seed: int = 20260
    pools: int = 96
    windows: int = 2048
    drawers: int = 1
    rounds: int = 1500
    passes: int = 1
    crop: int = 4096
    batch: int = 128
    rule: str = "adamw"
    length: str = "cosine"
    rate: float = 3e-3
    momentum: float = 0.9
    weight_decay: float = 0.01
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    initialiser: str = ""
    memory: float = 12.0
    label_weights: tuple[float, ...] = (1.0, 1.0, 0.15)
    teaching: float = 0.25
    belief: float = 0.3
    network: StridedUNet | None = None
    preparation: Preparation = field(default_factory=Preparation)
    mixing: Mixing = field(default_factory=Mixing)
    false_per_hour: float = 2.0
    test_every: int = 100
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.shared is None and not self.sets:
            raise ValueError("there is nothing to learn from; give the shared folder, or sets")
        if self.windows < self.batch:
            raise ValueError(f"windows ({self.windows}) must be at least batch ({self.batch})")
        if not 0 <= self.keep < 1:
            raise ValueError(f"keep must be at least 0 and below 1, not {self.keep:g}")
        if not 0 < self.crop <= self.mixing.length:
            raise ValueError(f"crop must be 1 to {self.mixing.length} samples, not {self.crop}")
        if len(self.label_weights) != len(LABELS):
            raise ValueError(f"label_weights {self.label_weights} must be one for each of {LABELS}")
        check_name("length", self.length, SCHEDULES)
        if self.rule != ADAMW:
            self.choice()
        elif self.clip_norm is not None and self.clip_value is not None:
            raise ValueError("both clip_norm and clip_value are given; choose one of them")
        if self.start is not None and (self.initialiser or self.network is not None):
            raise ValueError("a network to go on from has its own weights and shape; give no other")
        if self.initialiser:
            check_name("initialiser", self.initialiser, INITIALISERS)

    @property
    def pools_folder(self) -> Path:
        """Where the drawn windows lie."""
        return self.bank or self.output / "pools"

    def choice(self) -> Choice:
        """The lecture's rule, rate and clipping.

        Raises:
            ConfigError: a name is unknown, or a number out of range.
        """
        return Choice(
            rule=self.rule, length=self.length, rate=self.rate, momentum=self.momentum,
            clip_norm=self.clip_norm, clip_value=self.clip_value, steps=self.steps,
        )  # fmt: skip

    def drawing(self) -> dict[str, Any]:
        """What the drawn windows depend on, beside the records."""
        names = ("seed", "windows", "teachers", "sets", "preparation", "mixing")
        told = self.to_dict()
        told |= {name: [path.name for path in getattr(self, name)] for name in ("teachers", "sets")}
        return {name: told[name] for name in names}

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.rounds * self.passes * (self.windows // self.batch)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for the record beside a result."""
        return json.loads(json.dumps(asdict(self), default=str))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PickerTraining:
        """Take back what `to_dict` gave; what another version did not write has its default.

        Raises:
            ValueError: values are missing, of another kind or out of range.
        """
        from pydantic import TypeAdapter

        from zilzal.models.strided_unet import StridedUNet  # noqa: F401 - the type of `network`

        return TypeAdapter(cls).validate_python(values)
