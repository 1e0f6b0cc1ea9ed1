"""OpenVINO as an engine, from the extra `fast`; reads the same ONNX files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ModelError, SpecError


class OpenVinoEngine:
    """OpenVINO on the processor, in 32-bit floats.

    Raises:
        ModelError: OpenVINO is not installed, or cannot load the network.
    """

    def __init__(self, model_bytes: bytes, *, threads: int = 1) -> None:
        try:
            import openvino  # pyright: ignore[reportMissingImports]  extra fast
        except ImportError as error:
            raise ModelError("the engine openvino needs `pip install zilzal[fast]`") from error
        try:
            model: Any = openvino.Core().read_model(io.BytesIO(model_bytes))
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot load the network: {error}") from error
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise SpecError("a network must have one input and one output")
        self._shapes = [
            _shape(port.get_partial_shape()) for port in (model.input(), model.output())
        ]
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._compiled: Any = openvino.Core().compile_model(model, "CPU", settings)

    @property
    def input_shape(self) -> Sequence[int | None]:
        """(batch, component, sample); None where any length is taken."""
        return self._shapes[0]

    @property
    def output_shape(self) -> Sequence[int | None]:
        """(batch, label, sample) or (batch, label); None where it is not fixed."""
        return self._shapes[1]

    def run(self, inputs: Float32[Array, "batch component sample"]) -> Float32[Array, "batch ..."]:
        """The network's output."""
        # A copy: OpenVINO hands out its own buffer and fills it again at the next run.
        return np.array(self._compiled(inputs)[0])


def _shape(partial: Any) -> list[int | None]:
    return [n.get_length() if n.is_static else None for n in partial]
