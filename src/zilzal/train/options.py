"""All options of a picker's training."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zilzal.signal.prepare import Preparation
from zilzal.train.mixture import Mixing

if TYPE_CHECKING:
    from zilzal.models.strided_unet import StridedUNet


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerTraining:
    """All options of a training; the defaults make the shipped network.

    Args:
        shared: folder with `data` and `peers`.
        output: folder for checkpoints, the history and the exported network.
        without: sets left out of training, for tests on regions held out.
        seed: of everything drawn.
        rounds: how often new windows are drawn; the schedule of the rate ends with the last.
        windows: drawn in a round.
        passes: how often each is shown, each time as another crop.
        crop: samples of what is shown.
        batch: windows of a step.
        rate: largest learning rate; it rises over the first 5 % of steps, then falls as a cosine.
        weight_decay: of AdamW, on the weights of convolutions only.
        clip_norm: longest gradient.
        memory: rounds over which weights are averaged for the network that is kept.
        label_weights: of P, S and detection in the loss.
        network: shape; None for the shipped one.
        preparation: of the input, in training and operation.
        mixing: of the windows.
        false_per_hour: noise picks per hour that a threshold may let through.
        test_every: rounds between tests on the development records.
        threads: of PyTorch.
    """

    shared: Path
    output: Path
    without: tuple[str, ...] = ()
    seed: int = 20260
    rounds: int = 80
    windows: int = 4096
    passes: int = 2
    crop: int = 4096
    batch: int = 32
    rate: float = 3e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    memory: float = 3.0
    label_weights: tuple[float, float, float] = (1.0, 1.0, 0.15)
    network: StridedUNet | None = None
    preparation: Preparation = field(default_factory=Preparation)
    mixing: Mixing = field(default_factory=Mixing)
    false_per_hour: float = 2.0
    test_every: int = 5
    threads: int = 1

    def __post_init__(self) -> None:
        if self.windows < self.batch:
            raise ValueError(f"windows ({self.windows}) must be at least batch ({self.batch})")
        if not 0 < self.crop <= self.mixing.length:
            raise ValueError(f"crop must be 1 to {self.mixing.length} samples, not {self.crop}")

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.rounds * self.passes * (self.windows // self.batch)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for the record beside a result."""
        return json.loads(json.dumps(asdict(self), default=str))
