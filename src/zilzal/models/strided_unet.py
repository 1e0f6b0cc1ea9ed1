"""A U-Net that works at a quarter of the sampling rate and below: quick, with a long memory."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn

_SLOWEST = 32
"""Samples to one at the lowest rate."""
_LONGEST_REACH = 1 << 14
_SHARP = 3
"""So many curves look aside in the last layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StridedUNet:
    """Shape of the network; `build` makes it.

    The record enters at full rate and leaves the first layer at a quarter of it; three further
    halvings follow. Blocks at the lowest rate reach far along time. The way up adds what the
    way down knew, and the last layer gives four neighbouring samples at once, so that the
    curves have the full rate again.

    Args:
        labels: number of curves. Those beyond the first three, which need no sharp edges, have a
            last layer that does not look aside.
        widths: channels at 1/4, 1/8, 1/16 and 1/32 of the sampling rate; multiples of 16, which
            ONNX Runtime pads others to.
        stem: taps of the first layer.
        taps: of the depthwise layers.
        reach: of each block at the lowest rate, its dilation and how many taps look ahead.
            Fewer ahead than behind keep the delay of a live pick short.
    """

    labels: int = 3
    widths: tuple[int, int, int, int] = (32, 32, 32, 64)
    stem: int = 12
    taps: int = 5
    reach: tuple[tuple[int, int], ...] = ((1, 2), (2, 2), (4, 1), (8, 0), (2, 1), (8, 0))

    @property
    def stride(self) -> int:
        """The length of a window must be a multiple of it."""
        return _SLOWEST

    def with_labels(self, labels: int) -> StridedUNet:
        """The shape with another number of curves."""
        return replace(self, labels=labels)

    def build(self) -> nn.Module:
        """A module with fresh weights from PyTorch's generator: (batch, 3, sample) to logits."""
        return _StridedUNet(self)

    def to_dict(self) -> dict[str, object]:
        """For a checkpoint; `StridedUNet(**value)` takes it back."""
        return asdict(self)


class _Ahead(nn.Module):
    """Depthwise convolution of which `ahead` taps look ahead and the others back."""

    def __init__(self, channels: int, taps: int, dilation: int, ahead: int) -> None:
        super().__init__()
        behind, before = (taps - 1 - ahead) * dilation, ahead * dilation
        both = min(behind, before)
        self.pad = (behind - both, before - both, 0, 0)
        self.conv = nn.Conv2d(
            channels, channels, (1, taps), padding=(0, both), dilation=(1, dilation),
            groups=channels, bias=False,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(nn.functional.pad(x, self.pad) if any(self.pad) else x)


class Block(nn.Module):
    """Along time within each channel, then across channels; added to what came in.

    Args:
        channels: that come in and go out.
        taps: along time.
        dilation: of the taps.
        ahead: so many of them look ahead; half where it is below 0.
        sum_first: add before the last ReLU, which ONNX Runtime does within the convolution.
    """

    def __init__(
        self,
        channels: int,
        taps: int,
        dilation: int = 1,
        ahead: int = -1,
        *,
        sum_first: bool = False,
    ) -> None:
        super().__init__()
        ahead = (taps - 1) // 2 if ahead < 0 else ahead
        self.along = nn.Sequential(
            _Ahead(channels, taps, dilation, ahead), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        self.across = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        if not sum_first:
            self.across.append(nn.ReLU(inplace=True))
        self.sum_first = sum_first

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, 1, sample) to the same."""
        both = x + self.across(self.along(x))
        return torch.relu(both) if self.sum_first else both


def strided_layer(channels: tuple[int, int], taps: int, stride: int = 1) -> nn.Sequential:
    """A convolution along time with batch normalisation and ReLU."""
    pad = (taps - stride) // 2 if stride > 1 else (taps - 1) // 2
    return nn.Sequential(
        nn.Conv2d(*channels, (1, taps), stride=(1, stride), padding=(0, pad), bias=False),
        nn.BatchNorm2d(channels[1]),
        nn.ReLU(inplace=True),
    )


class _StridedUNet(nn.Module):
    """Convolutions are two-dimensional with a height of one.

    ONNX Runtime has its fast kernels (blocked channels) for these only, and takes 1.7 times as
    long with one-dimensional ones.
    """

    def __init__(self, shape: StridedUNet) -> None:
        super().__init__()
        a, b, c, d = shape.widths
        self.labels = shape.labels
        self.stem = strided_layer((3, a), shape.stem, 4)
        self.down = nn.ModuleList([strided_layer(pair, 4, 2) for pair in ((a, b), (b, c), (c, d))])
        self.before = nn.ModuleList([nn.Identity(), Block(b, shape.taps), Block(c, shape.taps)])
        self.lowest = nn.Sequential(*[Block(d, shape.taps, *reach) for reach in shape.reach])
        self.up = nn.ModuleList([nn.Conv2d(*pair, 1) for pair in ((d, c), (c, b), (b, a))])
        self.after = nn.ModuleList(
            [Block(c, shape.taps), Block(b, shape.taps), strided_layer((a, a), 3)]
        )
        sharp = min(shape.labels, _SHARP)
        self.head = nn.Conv2d(a, 4 * sharp, (1, 3), padding=(0, 1))
        self.side = nn.Conv2d(a, 4 * (shape.labels - sharp), 1) if shape.labels > sharp else None
        for layer in (self.head, self.side):
            if layer is not None and layer.bias is not None:
                # Nearly everywhere there is no arrival: begin with saying so.
                nn.init.constant_(layer.bias, -4.0)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, sample) to logits (batch, label, sample)."""
        x = self.stem(x.unsqueeze(2))
        kept: list[Tensor] = []
        for block, down in zip(self.before, self.down, strict=True):
            x = block(x)
            kept.append(x)
            x = down(x)
        x = self.lowest(x)
        for up, block, beside in zip(self.up, self.after, reversed(kept), strict=True):
            wide = nn.functional.interpolate(up(x), scale_factor=(1.0, 2.0), mode="nearest")
            x = block(torch.relu(wide + beside))
        quads = self.head(x)
        if self.side is not None:
            quads = torch.cat((quads, self.side(x)), 1)
        quads = quads.unflatten(1, (self.labels, 4)).squeeze(3)
        return quads.transpose(2, 3).flatten(2)


def without_curves(module: nn.Module, labels: int) -> nn.Module:
    """A copy of a built network that gives only the first so many curves, at least three.

    Of networks within another each is cut.
    """
    kept = deepcopy(module)
    for network in kept.modules():
        if isinstance(network, _StridedUNet):
            _cut_curves(network, labels)
    return kept


def _cut_curves(network: _StridedUNet, labels: int) -> None:
    network.labels = labels
    if network.side is not None:
        first = 4 * (labels - _SHARP)
        network.side.weight = nn.Parameter(network.side.weight[:first].detach().clone())
        assert network.side.bias is not None
        network.side.bias = nn.Parameter(network.side.bias[:first].detach().clone())
        network.side.out_channels = first
        network.side = network.side if first else None


def multiply_adds(module: nn.Module, samples: int = 3008) -> float:
    """Multiply-adds of the convolutions on one window, per 3001 samples (PhaseNet: 19.5 M)."""
    counted = 0

    def count(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal counted
        counted += layer.weight.numel() * output.shape[-1]

    hooks = [layer.register_forward_hook(count) for layer in _convolutions(module)]
    with torch.no_grad():
        module(torch.zeros(1, 3, samples))
    for hook in hooks:
        hook.remove()
    return counted * 3001 / samples


def reach(module: nn.Module, *, cell: int = 1) -> tuple[int, int]:
    """How many samples before and after one its output depends on, in whole strides.

    Of windows that begin at multiples of the stride, the outputs from so far after the start to
    so far before the end are those of any longer window.

    All weights are made positive, so that nothing cancels: what ones beyond an edge let through
    is what the network sees beyond it. It is looked for up to 164 s away.

    Args:
        module: the network.
        cell: samples that have one output in common.
    """
    seen = deepcopy(module).cpu().float().eval()
    with torch.no_grad():
        for parameter in seen.parameters():
            parameter.fill_(0.01 if parameter.dim() > 1 else 0.0)
        for layer in seen.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_parameters()
        before = torch.zeros(1, 3, 2 * _LONGEST_REACH)
        before[:, :, :_LONGEST_REACH] = 1
        reached = [seen(samples)[0].ne(0).any(0) for samples in (before, before.flip(2))]
    back, ahead = (int(far.sum()) * cell - _LONGEST_REACH for far in reached)
    return -(-back // _SLOWEST) * _SLOWEST, -(-ahead // _SLOWEST) * _SLOWEST


def _convolutions(module: nn.Module) -> Iterator[nn.Conv2d]:
    return (layer for layer in module.modules() if isinstance(layer, nn.Conv2d))
