"""A small network that tells where a picking network would say anything at all."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from zilzal.infer.gated import CELL
from zilzal.models.strided_unet import Block, strided_layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Shape of the network; `build` makes it.

    It has the picking network's way down and its long memory, narrower, and no way up: one answer
    for each cell of 32 samples, for as many curves as the picking network has. It sees everything,
    so every operation counts: few blocks with long kernels take the place of many with short ones.

    Args:
        labels: number of curves.
        widths: channels at 1/4, 1/8 and 1/32 of the sampling rate.
        stem: taps of the first layer.
        taps: of the depthwise layers.
        reach: of each block at the lowest rate, its dilation and how many taps look ahead; no
            farther than the picking network looks, see `ModelSpec.reach_samples`.
    """

    labels: int = 3
    widths: tuple[int, int, int] = (16, 16, 32)
    stem: int = 8
    taps: int = 9
    reach: tuple[tuple[int, int], ...] = ((1, 4), (2, 3), (4, 0), (5, 0))

    def build(self) -> nn.Module:
        """A module with fresh weights: (batch, 3, sample) to logits (batch, label, cell)."""
        return _Gate(self)


class _Gate(nn.Module):
    def __init__(self, shape: Gate) -> None:
        super().__init__()
        a, b, c = shape.widths
        self.down = nn.Sequential(
            strided_layer((3, a), shape.stem, 4),
            strided_layer((a, b), 4, 2),
            strided_layer((b, c), CELL // 4, CELL // 8),
        )
        self.lowest = nn.Sequential(
            *[Block(c, shape.taps, *reach, sum_first=True) for reach in shape.reach]
        )
        self.head = nn.Conv2d(c, shape.labels, 1)
        assert self.head.bias is not None
        # Nearly everywhere there is nothing: begin with saying so.
        nn.init.constant_(self.head.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lowest(self.down(x.unsqueeze(2))))[:, :, 0]
