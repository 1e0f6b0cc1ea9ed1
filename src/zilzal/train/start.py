"""The network that a training goes on from, made again from its ONNX file.

An exported file has each batch normalisation folded into the convolution before it. Made again, the
convolution has the folded weights and the normalisation is an identity with the folded bias; its
statistics, of which the file knows nothing, are held, its weight and bias learn on.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ModelError
from zilzal.infer.engine import Model, build_model
from zilzal.infer.spec import ModelSpec
from zilzal.signal.prepare import Preparation
from zilzal.train.labels import LABELS

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from zilzal.models.ensemble import PickerShape
    from zilzal.models.strided_unet import StridedUNet

GENTLE: Mapping[str, Any] = {"rate": 1e-3, "rounds": 20, "pools": 8, "windows": 1024,
                             "batch": 32, "test_every": 5}  # fmt: skip
"""What a training from a network has in the place of `PickerTraining`'s defaults; measured, see
`docs/how-to/tune-the-picker.md`."""

_PREFIX = "network."
"""Of the names of weights in an exported file."""
_AGREEMENT = 1e-4
"""Largest difference between what a file and its network made again give."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """A network that a training goes on from.

    Args:
        spec: of its file.
        sha256: of its file, in hexadecimal.
        shape: found from the sizes of its weights and the reach of its convolutions.
        weights: by the names of the network's own layers; `<layer>.weight_bias` is the bias that
            a batch normalisation left in the convolution before it.
    """

    spec: ModelSpec
    sha256: str
    shape: PickerShape
    weights: Mapping[str, Float32[Array, "..."]]

    def __str__(self) -> str:
        return f"{self.spec.name} {self.spec.version} (SHA-256 {self.sha256[:12]})"


def gentle_options(path: Path) -> dict[str, Any]:
    """Options of a training that goes on from a network, where nothing else is asked for.

    Raises:
        ModelError: the file holds no network that a training can go on from.
    """
    return {"start": path, "preparation": read_start(path).spec.preparation, **GENTLE}


def read_start(path: Path) -> Start:
    """The network of a file that `zilzal train picker` wrote.

    Raises:
        ModelError: the file is missing, or holds another kind of network.
    """
    import torch

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"no network to go on from: {error}") from error
    model = build_model(content, name=str(path), gated=False)
    _refuse_other_use(model.spec, path)
    try:
        shape, weights = _read_graph(content)
        start = Start(
            spec=model.spec, sha256=sha256(content).hexdigest(), shape=shape, weights=weights
        )
        network = build_from(start)
    except (KeyError, IndexError, ValueError) as error:
        raise _not_ours(path, f"its weights are not those of a StridedUNet ({error})") from error
    samples = np.random.default_rng(0).normal(size=(model.batch_size, 3, model.spec.window_samples))
    with torch.no_grad():
        made = torch.sigmoid(network.eval()(torch.from_numpy(samples.astype(np.float32)))).numpy()
    if not _agree(model, samples, made):
        raise _not_ours(path, "its weights give other curves in a StridedUNet")
    return start


def build_from(start: Start, *, labels: int = len(LABELS)) -> nn.Module:
    """The network with the weights of its file; curves beyond those of the file are fresh.

    Raises:
        ValueError: weights are missing, left over or of another size.
    """
    import torch
    from torch import nn

    network = start.shape.with_labels(labels).build()
    left, folded = dict(start.weights), ""

    def fill(parameter: Tensor, values: Float32[Array, "..."]) -> None:
        if parameter.shape != values.shape:
            raise ValueError(f"{tuple(values.shape)} in the place of {tuple(parameter.shape)}")
        parameter.copy_(torch.from_numpy(values))

    with torch.no_grad():
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Conv2d) and name.rpartition(".")[2] != "side":
                folded = f"{name}.weight_bias"
                fill(layer.weight, left.pop(f"{name}.weight"))
                if layer.bias is not None:
                    fill(layer.bias, left.pop(f"{name}.bias"))
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.fill_((1 + layer.eps) ** 0.5)
                fill(layer.bias, left.pop(folded))
    if left:
        raise ValueError(f"{', '.join(sorted(left))} left over")
    return network


def mixed_with_start(network: nn.Module, start: Start, share: float) -> nn.Module:
    """A copy whose every weight is `share` parts the start's and else the network's own.

    Most of what is new stays, and hardly anything is forgotten; both networks have the same
    statistics, so nothing else need be fitted.

    Args:
        network: of the start's shape, trained from it.
        start: what it began from.
        share: 0 for the network as it is, 1 for its start.

    Source:
        Wortsman et al. (2022), Robust fine-tuning of zero-shot models, arXiv:2109.01903.
    """
    import torch

    mixed, begun = deepcopy(network), build_from(start).state_dict()
    with torch.no_grad():
        for name, value in mixed.state_dict().items():
            if value.is_floating_point():
                value.lerp_(begun[name], share)
    return mixed


def hold_statistics(network: nn.Module) -> None:
    """Keep the statistics of batch normalisation as they are while the rest is in training mode."""
    from torch import nn

    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()


def _refuse_other_use(spec: ModelSpec, path: Path) -> None:
    if spec.labels != LABELS:
        raise _not_ours(path, f"its curves are {', '.join(spec.labels)}, not {', '.join(LABELS)}")
    if spec.sampling_rate != Preparation().sampling_rate:
        raise _not_ours(path, f"it takes {spec.sampling_rate:g} Hz, and sets are read at 100 Hz")


def _not_ours(path: Path, why: str) -> ModelError:
    return ModelError(
        f"cannot go on from {path}: {why}; give `zilzal`, the packaged network, or a file that "
        "`zilzal train picker` wrote"
    )


def _agree(model: Model, samples: Array, made: Array) -> bool:
    seen = model.engine.run(samples.astype(np.float32))
    return seen.shape == made.shape and bool(np.abs(seen - made).max() < _AGREEMENT)


def _read_graph(content: bytes) -> tuple[PickerShape, dict[str, Float32[Array, "..."]]]:
    import onnx
    from onnx import numpy_helper

    from zilzal.models.ensemble import Ensemble

    graph = onnx.load_from_string(content).graph
    weights = {
        tensor.name.removeprefix(_PREFIX): numpy_helper.to_array(tensor).copy()
        for tensor in graph.initializer
        if tensor.name.startswith(_PREFIX)
    }
    convolutions = {
        node.input[1].removeprefix(_PREFIX): node for node in graph.node if node.op_type == "Conv"
    }
    numbered = (f"members.{number}." for number in count())
    members = tuple(
        _read_shape(weights, convolutions, member)
        for member in takewhile(lambda member: f"{member}stem.0.weight" in weights, numbered)
    )
    shape = Ensemble(members=members) if members else _read_shape(weights, convolutions)
    return shape, weights


def _read_shape(
    weights: Mapping[str, Float32[Array, "..."]],
    convolutions: Mapping[str, onnx.NodeProto],
    member: str = "",
) -> StridedUNet:
    """The shape of the network whose layers' names begin so."""
    from zilzal.models.strided_unet import StridedUNet

    layers = ("stem.0", "down.0.0", "down.1.0", "down.2.0")
    a, b, c, d = (weights[f"{member}{layer}.weight"].shape[0] for layer in layers)
    along = (f"{member}lowest.{number}.along.0.conv.weight" for number in count())
    return StridedUNet(
        labels=weights[f"{member}head.weight"].shape[0] // 4,
        widths=(a, b, c, d),
        stem=weights[f"{member}stem.0.weight"].shape[3],
        taps=weights[f"{member}before.1.along.0.conv.weight"].shape[3],
        reach=tuple(_reach(convolutions[name]) for name in takewhile(weights.__contains__, along)),
    )


def _reach(convolution: onnx.NodeProto) -> tuple[int, int]:
    """Dilation along time, and how many taps look ahead."""
    attributes = {attribute.name: attribute.ints for attribute in convolution.attribute}
    dilation = attributes["dilations"][1]
    return dilation, attributes["pads"][3] // dilation
