"""OpenVINO as an engine, from the extra `fast`; reads the same ONNX files."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ModelError, SpecError
from zilzal.infer.folders import user_cache_folder
from zilzal.infer.openvino_lstm import write_out_hard_lstms

logger = logging.getLogger(__name__)

Precision = Literal["f32", "bf16"]
_SLOW_S = 1.0
"""What took longer to compile is kept."""


class OpenVinoEngine:
    """OpenVINO on the processor.

    Args:
        model_bytes: of the ONNX file.
        threads: per process.
        shape: of the input: (batch, component, sample). OpenVINO is quickest where it knows it.
        precision: "bf16" computes with numbers of 8 significant bits where the processor has
            instructions for them, up to several times as fast; elsewhere it is "f32".
        kept: folder of compiled networks, for those that take long to compile; None for the
            user's cache.

    Raises:
        ModelError: OpenVINO is not installed, or cannot load the network.
    """

    def __init__(
        self,
        model_bytes: bytes,
        shape: tuple[int, int, int],
        *,
        threads: int = 1,
        precision: Precision = "f32",
        kept: Path | None = None,
    ) -> None:
        try:
            import openvino  # pyright: ignore[reportMissingImports]  extra fast
        except ImportError as error:
            raise ModelError("the engine openvino needs `pip install zilzal[fast]`") from error
        core = openvino.Core()
        if precision == "bf16" and not has_bf16():
            logger.warning("this processor has no bf16: OpenVINO computes in f32")
            precision = "f32"
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            self._compiled: Any = _compile(core, model_bytes, shape, settings, kept)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot load the network: {error}") from error
        if len(self._compiled.inputs) != 1 or len(self._compiled.outputs) != 1:
            raise SpecError("a network must have one input and one output")
        self._shapes = [
            list(port.get_shape()) for port in (self._compiled.input(0), self._compiled.output(0))
        ]

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
        return np.array(self._compiled(inputs, share_outputs=True)[0])


def has_bf16() -> bool:
    """Whether this processor computes in bf16 by itself."""
    import openvino  # pyright: ignore[reportMissingImports]  extra fast

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(
    core: Any,
    model_bytes: bytes,
    shape: tuple[int, int, int],
    settings: Mapping[str, Any],
    kept: Path | None,
) -> Any:
    """The compiled network, from the folder of those that took long or made now."""
    from openvino import get_version  # pyright: ignore[reportMissingImports]  extra fast

    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    made_of = f"{get_version()} {name} {shape} {sorted(settings.items())}".encode()
    key = hashlib.sha256(made_of + model_bytes).hexdigest()
    path = (kept or user_cache_folder()) / f"{key[:32]}.openvino"
    if path.is_file():
        try:
            return core.import_model(io.BytesIO(path.read_bytes()), "CPU", dict(settings))
        except (RuntimeError, OSError) as error:
            logger.info("compiled network %s cannot be used, compiling again: %s", path, error)
    begun = time.monotonic()
    model = core.read_model(io.BytesIO(model_bytes))
    model.reshape(_fitting(model, shape))
    compiled = core.compile_model(write_out_hard_lstms(model), "CPU", dict(settings))
    if time.monotonic() - begun > _SLOW_S:
        _keep(compiled, path)
    return compiled


def _fitting(model: Any, shape: tuple[int, int, int]) -> Any:
    """The shape where the network leaves it open; what it fixes itself stays."""
    own = model.input().get_partial_shape()
    fixed = [n.get_length() if n.is_static else None for n in own]
    if len(fixed) != len(shape):
        return own
    return [m if n is None else n for n, m in zip(fixed, shape, strict=True)]


def _keep(compiled: Any, path: Path) -> None:
    """Write it whole or not at all: other processes may look for it at this moment."""
    beside, content = path.with_suffix(f".{os.getpid()}"), io.BytesIO()
    try:
        compiled.export_model(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content.getvalue())
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        logger.info("the compiled network is not kept: %s", error)
        beside.unlink(missing_ok=True)
