"""From a trained network to one ONNX file that says how it is to be used."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zilzal.infer.spec import ModelSpec, attach_spec

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

OPSET = 18
STRIDE = 32
"""Windows are a multiple of this long."""
INPUT, OUTPUT = "samples", "probabilities"


def to_onnx(network: nn.Module, spec: ModelSpec) -> bytes:
    """The network's ONNX file with its specification: probabilities, any number of windows.

    Args:
        network: in evaluation mode; gives logits.
        spec: what to write into the file.
    """
    return attach_spec(curves_to_onnx(network, spec), spec)


def curves_to_onnx(network: nn.Module, spec: ModelSpec) -> bytes:
    """The same without its specification.

    Batch normalisation is folded into the convolutions and padding into their attributes.
    """
    import torch

    class Probabilities(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, samples: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(self.network(samples))

    example = torch.zeros(2, len(spec.components), spec.window_samples)
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = STRIDE * torch.export.Dim("steps", min=4, max=1 << 16)
    return export(Probabilities().eval(), example, {0: batch, 2: length})


def export(network: nn.Module, example: Tensor, dynamic: Mapping[int, object]) -> bytes:
    """A network's ONNX file, without a specification.

    Args:
        network: in evaluation mode, from samples to what the file shall give.
        example: an input.
        dynamic: axes of the input that may have any length, see `torch.export.Dim`.
    """
    import torch

    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    with warnings.catch_warnings():
        # The exporter and the libraries below it warn of their own future, and of torchvision.
        warnings.simplefilter("ignore")
        registration.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                network,
                (example,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
                dynamic_shapes=(dict(dynamic),),
            )
        finally:
            registration.setLevel(level)
    assert program is not None
    return _folded(program.model_proto.SerializeToString())


def _folded(model_bytes: bytes) -> bytes:
    """Pad nodes made an attribute of the convolution that follows.

    ONNX Runtime keeps activations in blocks of channels; a Pad between two convolutions would
    make it unpack and pack them again.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(model_bytes)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    makers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        pad = makers.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None or pad.op_type != "Pad":
            continue
        before_after = constants[pad.input[1]].tolist()
        _add_pads(node, [int(n) for n in before_after])
        node.input[0] = pad.input[0]
    used = {name for node in model.graph.node for name in node.input}
    for node in [n for n in model.graph.node if n.op_type == "Pad" and n.output[0] not in used]:
        model.graph.node.remove(node)
    _forget_origin(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _forget_origin(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of its own run: names of source files, stack traces."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer,
                 *graph.value_info):  # fmt: skip
        part.doc_string = ""
        del part.metadata_props[:]


def _add_pads(conv: onnx.NodeProto, before_after: list[int]) -> None:
    """Add the pads of (batch, channel, height, time) to a convolution's own."""
    half = len(before_after) // 2
    extra = before_after[2:half] + before_after[half + 2 :]
    pads = next(attribute for attribute in conv.attribute if attribute.name == "pads")
    total = [own + more for own, more in zip(pads.ints, extra, strict=True)]
    del pads.ints[:]
    pads.ints.extend(total)
