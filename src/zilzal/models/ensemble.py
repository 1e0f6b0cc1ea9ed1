"""Several networks as one, which gives the mean of their logits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce

import torch
from torch import Tensor, nn

from zilzal.models.strided_unet import StridedUNet


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Shape of several networks that are used as one; `build` makes it.

    Args:
        members: their shapes, with equally many curves.

    Raises:
        ValueError: there are no members, or their curves differ in number.
    """

    members: tuple[StridedUNet, ...]

    def __post_init__(self) -> None:
        numbers = [member.labels for member in self.members]
        if len(set(numbers)) != 1:
            raise ValueError(f"the members must give equally many curves each, not {numbers}")

    @property
    def labels(self) -> int:
        """Number of curves."""
        return self.members[0].labels

    @property
    def stride(self) -> int:
        """The length of a window must be a multiple of it."""
        return max(member.stride for member in self.members)

    def with_labels(self, labels: int) -> Ensemble:
        """The shape with another number of curves."""
        return Ensemble(members=tuple(member.with_labels(labels) for member in self.members))

    def build(self) -> MeanLogits:
        """A module with fresh weights from PyTorch's generator: (batch, 3, sample) to logits."""
        return MeanLogits(member.build() for member in self.members)

    def to_dict(self) -> dict[str, object]:
        """For a record: `members` are what `StridedUNet(**value)` takes back."""
        return asdict(self)


PickerShape = StridedUNet | Ensemble
"""What a picking network may be."""


class MeanLogits(nn.Module):
    """Networks of which each gives logits for the same curves.

    Args:
        members: the networks; their weights are used, not copied.
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, sample) to logits (batch, label, sample)."""
        return reduce(torch.add, [member(x) for member in self.members]) / len(self.members)


def members_of(network: nn.Module) -> tuple[nn.Module, ...]:
    """The networks whose logits a network averages; one that averages none is its only member."""
    return tuple(network.members) if isinstance(network, MeanLogits) else (network,)
