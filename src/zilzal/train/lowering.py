"""Layers exchanged for equal ones that engines run faster, before a network is exported."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def lowered(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode that computes the same, to rounding.

    Transposed convolutions become convolutions that give several neighbouring samples as
    channels: OpenVINO has no bf16 instructions for the former, and took five times as long for
    PhaseNet. Loops over LSTM cells, as SeisBench writes those with hard-sigmoid gates, become one
    operator; written out they make thousands of nodes.
    """
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ConvTranspose1d) and _is_plain(child):
                setattr(module, name, _SubSample(child))
            elif type(child).__name__ == "CustomLSTM" and _gate(child) is not None:
                setattr(module, name, _LoopedLstm(child))
    return network


def _is_plain(layer: nn.ConvTranspose1d) -> bool:
    """Whether the convolution reaches as far as the transposed one, with its further samples."""
    spare = -layer.kernel_size[0] % layer.stride[0]
    return layer.groups == 1 and layer.dilation == (1,) and layer.output_padding[0] <= spare


class _SubSample(nn.Module):
    """A transposed convolution of stride s as a convolution with s times as many channels.

    Output sample s q + p is the sum over j of input sample q - j times tap s j + p: for each p a
    convolution with the taps p, s + p, 2 s + p, ... in reversed order.
    """

    def __init__(self, layer: nn.ConvTranspose1d) -> None:
        super().__init__()
        n_in, self.n_out, n_taps = layer.weight.shape
        self.stride, self.cut = layer.stride[0], int(layer.padding[0])
        self.longer = n_taps - self.stride + layer.output_padding[0]
        per_phase = -(-n_taps // self.stride)
        taps = nn.functional.pad(layer.weight.detach(), (0, per_phase * self.stride - n_taps))
        taps = taps.reshape(n_in, self.n_out, per_phase, self.stride).flip(2)
        kernel = taps.permute(1, 3, 0, 2).reshape(self.n_out * self.stride, n_in, per_phase)
        bias = layer.bias is not None
        self.conv = nn.Conv1d(n_in, len(kernel), per_phase, padding=per_phase - 1, bias=bias)
        self.conv.weight = nn.Parameter(kernel)
        if layer.bias is not None:
            self.conv.bias = nn.Parameter(layer.bias.detach().repeat_interleave(self.stride))

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1] * self.stride + self.longer
        y = self.conv(x).unflatten(1, (self.n_out, self.stride)).transpose(2, 3).flatten(2)
        return y[:, :, self.cut : length - self.cut]


def _gate(lstm: nn.Module) -> str | None:
    """ONNX name of the gates' activation; None where it is another."""
    activation: Any = lstm.cell_f.gate_activation  # pyright: ignore[reportAttributeAccessIssue]
    if activation is torch.sigmoid:
        return "Sigmoid"
    at = torch.tensor([-5.0, -1.0, 0.0, 0.7, 5.0])
    is_hard = torch.allclose(activation(at), torch.clip(0.2 * at + 0.5, 0, 1))
    return "HardSigmoid" if is_hard else None


class _LoopedLstm(nn.Module):
    """A loop over LSTM cells as the operator LSTM of ONNX: (step, batch, feature)."""

    def __init__(self, lstm: Any) -> None:
        super().__init__()
        cells = [lstm.cell_f, lstm.cell_b] if lstm.bidirectional else [lstm.cell_f]
        self.gate, self.n_hidden = _gate(lstm), int(cells[0].hidden_size)
        self.weights = nn.ParameterList(
            [
                nn.Parameter(torch.stack([_in_order(cell.weight_ih) for cell in cells])),
                nn.Parameter(torch.stack([_in_order(cell.weight_hh) for cell in cells])),
                nn.Parameter(torch.stack([_biases(cell) for cell in cells])),
            ]
        )
        self.n_directions = len(cells)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        n, hard = self.n_directions, self.gate == "HardSigmoid"
        attributes: dict[str, Any] = {
            "hidden_size": self.n_hidden,
            "direction": "bidirectional" if n == 2 else "forward",
            "activations": [self.gate, "Tanh", "Tanh"] * n,
        }
        if hard:
            attributes |= {"activation_alpha": [0.2] * n, "activation_beta": [0.5] * n}
        y = torch.onnx.ops.symbolic(
            "LSTM",
            (x, *self.weights),
            attributes,
            dtype=torch.float32,
            shape=(x.shape[0], n, x.shape[1], self.n_hidden),
            version=14,
        )
        return y.permute(0, 2, 1, 3).flatten(2), None


def _in_order(parameter: Tensor) -> Tensor:
    """Gates in ONNX's order (input, output, forget, cell) from (input, forget, cell, output)."""
    gates: Sequence[Tensor] = parameter.detach().chunk(4, 0)
    return torch.cat([gates[0], gates[3], gates[1], gates[2]], 0)


def _biases(cell: Any) -> Tensor:
    return torch.cat([_in_order(cell.bias_ih), _in_order(cell.bias_hh)])
