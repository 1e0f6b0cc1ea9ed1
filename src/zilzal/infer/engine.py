"""Runs networks. The engine is behind a protocol; ONNX Runtime is the one in the box."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ModelError, SpecError
from zilzal.core.waveform import COMPONENTS
from zilzal.infer.gated import GatedEngine, gate_of, gate_thresholds
from zilzal.infer.spec import ModelSpec, spec_of
from zilzal.signal.prepare import normalise_windows

logger = logging.getLogger(__name__)

EngineName = Literal["onnxruntime", "openvino", "openvino-bf16"]
"""In 32-bit floats, except the last."""

_BATCH_SAMPLES = 1 << 15
"""Samples of a component in a batch, or in windows that are joined: few enough for activations to
stay in the cache."""
_GATED_SAMPLES = 3 << 15
"""The same of windows that a gate sees, which has fewer channels."""
_OPENVINO_BATCH_SAMPLES = 1 << 16
"""More for OpenVINO, to which each run by itself costs half a millisecond."""
_OPENVINO_LSTM_BATCH = 16
"""Windows in a batch are at least so many where there is an LSTM, whose steps cost alike."""
BF16_LIMIT = 0.15
"""A network whose outputs change by more than this in bf16 is not run so."""


class Engine(Protocol):
    """A network that is ready to run."""

    @property
    def input_shape(self) -> Sequence[int | None]:
        """(batch, component, sample); None where any length is taken."""
        ...

    @property
    def output_shape(self) -> Sequence[int | None]:
        """(batch, label, sample) or (batch, label); None where it is not fixed."""
        ...

    def run(self, inputs: Float32[Array, "batch component sample"]) -> Float32[Array, "batch ..."]:
        """The network's output."""
        ...


class OnnxEngine:
    """ONNX Runtime on the processor.

    Raises:
        ModelError: the bytes are no network that ONNX Runtime can load.
    """

    def __init__(self, model_bytes: bytes, *, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would take the core from other processes between two batches.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model_bytes, options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime raises its own exceptions, whose classes it does not publish.
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load the network: {error}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise SpecError(
                f"a network must have one input and one output, not {len(inputs)} and "
                f"{len(outputs)}"
            )
        self._input, self._output = inputs[0], outputs[0]

    @property
    def input_shape(self) -> Sequence[int | None]:
        """(batch, component, sample); None where any length is taken."""
        return [n if isinstance(n, int) else None for n in self._input.shape]

    @property
    def output_shape(self) -> Sequence[int | None]:
        """(batch, label, sample) or (batch, label); None where it is not fixed."""
        return [n if isinstance(n, int) else None for n in self._output.shape]

    def run(self, inputs: Float32[Array, "batch component sample"]) -> Float32[Array, "batch ..."]:
        """The network's output."""
        return self._session.run([self._output.name], {self._input.name: inputs})[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network with its specification.

    Args:
        spec: what it is.
        sha256: of its file; the provenance of all it says.
        engine: that runs it.
        joined: so many windows that follow each other are run as one long window; 1 for each by
            itself, unless the network's reach is known.
    """

    spec: ModelSpec
    sha256: str
    engine: Engine
    joined: int = 1

    @property
    def batch_size(self) -> int:
        """Windows per run; fixed, for engines round otherwise when the batch is another."""
        fixed = self.engine.input_shape[0]
        if fixed is None and self.spec.reach_samples is not None:
            return 1
        return fixed or max(_BATCH_SAMPLES // self.spec.window_samples, 1)

    def predict(
        self,
        windows: Sequence[Float32[Array, "component sample"]],
        present: Sequence[Bool[Array, "component sample"]],
    ) -> Float32[Array, "window ..."]:
        """Outputs for windows of any number; which windows come together changes nothing.

        Args:
            windows: prepared, components in the order ZNE, all of one length.
            present: their masks.

        Returns:
            (window, label, sample), or (window, label) where there is one value for each.
        """
        outputs = self.predict_each(windows, present)
        return np.stack(outputs) if outputs else np.zeros((0, *self.spec.output_shape), np.float32)

    def predict_each(
        self,
        windows: Sequence[Float32[Array, "component sample"]],
        present: Sequence[Bool[Array, "component sample"]],
    ) -> list[Float32[Array, "..."]]:
        """The same as `predict`, window by window and not copied into one array.

        Where the network's reach is known, windows may be longer by whole hops, see `joined`.
        """
        size = self.batch_size
        outputs: list[Float32[Array, "..."]] = []
        for first in range(0, len(windows), size):
            chosen = windows[first : first + size]
            batch = self._batch(chosen)
            if self.spec.preparation.normalisation != "running":
                masks = self._batch(present[first : first + size]).astype(bool)
                batch = normalise_windows(self.spec.preparation, batch, masks)
            told = self.engine.run(batch)[: len(chosen)]
            if self.spec.reach_samples is None:
                outputs += list(told)
            else:
                outputs += [o[:, : w.shape[1]] for o, w in zip(told, chosen, strict=True)]
        return outputs

    def _batch(self, windows: Sequence[Array]) -> Float32[Array, "batch component sample"]:
        """Windows in the network's order of components, filled up with zeros."""
        components = [COMPONENTS.index(c) for c in self.spec.components]
        length = self.engine.input_shape[2] or max(window.shape[1] for window in windows)
        if (
            self.batch_size == 1
            and windows[0].shape[1] == length
            and self.spec.components == COMPONENTS
        ):
            return np.ascontiguousarray(windows[0], np.float32)[None]
        batch = np.empty((self.batch_size, len(components), length), np.float32)
        for row, window in zip(batch, windows, strict=False):
            n_samples = window.shape[1]
            for place, component in enumerate(components):
                row[place, :n_samples] = window[component]
            row[:, n_samples:] = 0
        batch[len(windows) :] = 0
        return batch


def load_model(
    path: Path | str,
    *,
    threads: int = 1,
    engine: EngineName = "onnxruntime",
    window_samples: int | None = None,
    gated: bool = True,
) -> Model:
    """A network from its file, loaded once per process.

    Args:
        path: of the ONNX file.
        threads: of the engine; one per process scales best.
        engine: "onnxruntime", or with the extra `fast` "openvino" and "openvino-bf16"; without
            it ONNX Runtime takes their place, and a warning is logged.
        window_samples: length of a window in place of the specification's; windows overlap by as
            many samples as the specification has it, and are not joined.
        gated: a network with a gate is run only where it is open; otherwise everywhere.

    Raises:
        ModelError: the file cannot be loaded, the network takes no windows of that length, or
            bf16 is known to spoil it.
        SpecError: it has no specification, or one that contradicts the network.
    """
    if engine not in get_args(EngineName):
        raise ValueError(f"unknown engine {engine!r}; there are {get_args(EngineName)}")
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no network at {path}")
    status = path.stat()
    changed = status.st_mtime_ns, status.st_size
    return _load(path.absolute(), changed, threads, engine, window_samples, gated)


@lru_cache(maxsize=8)
def _load(
    path: Path,
    _changed: tuple[int, int],
    threads: int,
    engine_name: EngineName,
    window_samples: int | None,
    gated: bool,
) -> Model:
    model_bytes = path.read_bytes()
    if engine_name == "openvino-bf16":
        _refuse_bf16(spec_of(model_bytes, str(path)))
    return build_model(
        model_bytes,
        threads=threads,
        engine=engine_name,
        name=str(path),
        window_samples=window_samples,
        gated=gated,
    )


def build_model(
    model_bytes: bytes,
    *,
    threads: int = 1,
    engine: EngineName = "onnxruntime",
    name: str = "the model",
    window_samples: int | None = None,
    gated: bool = True,
) -> Model:
    """A network from the bytes of its file; as `load_model`, but bf16 is not refused."""
    spec = spec_of(model_bytes, name)
    if window_samples is not None:
        hop_samples = window_samples - (spec.window_samples - spec.hop_samples)
        spec = replace(spec, window_samples=window_samples, hop_samples=hop_samples)
    joined = 1
    if spec.reach_samples is not None and window_samples is None:
        samples = _GATED_SAMPLES if gated and spec.gate else _BATCH_SAMPLES
        joined = max((samples - sum(spec.reach_samples)) // spec.hop_samples, 1)
    length = spec.window_samples + (joined - 1) * spec.hop_samples
    window = len(spec.components), length
    if gated and spec.gate:
        started = _start_gated(engine, model_bytes, spec, window, threads, name)
    else:
        started = _start(engine, model_bytes, window, threads)
    _refuse_contradiction(spec, length, started, name)
    sha256 = hashlib.sha256(model_bytes).hexdigest()
    return Model(spec=spec, sha256=sha256, engine=started, joined=joined)


def _start_gated(
    engine: EngineName,
    model_bytes: bytes,
    spec: ModelSpec,
    window: tuple[int, int],
    threads: int,
    name: str,
) -> Engine:
    """The gate for whole windows, and the network for pieces of them."""
    gate_bytes = gate_of(model_bytes, name)
    if gate_bytes is None or spec.reach_samples is None:
        raise SpecError(f"{name}: its specification tells of a gate that is not in the file")
    piece = window[0], min(window[1], spec.window_samples)
    network = _start(engine, model_bytes, piece, threads, batch=1)
    _refuse_contradiction(spec, piece[1], network, name)
    return GatedEngine(
        network,
        _start(engine, gate_bytes, window, threads),
        gate_thresholds(spec.gate, spec.labels),
        spec.reach_samples,
    )


def _start(
    name: EngineName,
    model_bytes: bytes,
    window: tuple[int, int],
    threads: int,
    *,
    batch: int | None = None,
) -> Engine:
    """An engine for windows of so many components and samples, or any where it takes any."""
    if name != "onnxruntime" and find_spec("openvino") is None:
        logger.warning(
            "the engine %s needs `pip install zilzal[fast]`; ONNX Runtime takes its place", name
        )
        name = "onnxruntime"
    if name == "onnxruntime":
        return OnnxEngine(model_bytes, threads=threads)
    from zilzal.infer.openvino import OpenVinoEngine

    # Names of operations stand in the file as they are.
    least = _OPENVINO_LSTM_BATCH if b"LSTM" in model_bytes else 1
    shape = (batch or max(_OPENVINO_BATCH_SAMPLES // window[1], least), *window)
    precision = "bf16" if name == "openvino-bf16" else "f32"
    return OpenVinoEngine(model_bytes, shape, threads=threads, precision=precision)


def _refuse_bf16(spec: ModelSpec) -> None:
    if spec.bf16_difference is None:
        logger.warning(
            "nobody has measured what bf16 does to %s; `zilzal models check` does", spec.name
        )
    elif spec.bf16_difference > BF16_LIMIT:
        raise ModelError(
            f"in bf16 outputs of {spec.name!r} change by up to {spec.bf16_difference:.2f}, more "
            f"than {BF16_LIMIT}: its picks would be others; use the engine openvino"
        )


def _refuse_contradiction(spec: ModelSpec, length: int, engine: Engine, name: str) -> None:
    """Compare the shapes that the network declares, then those of a run on zeros."""
    batch = engine.input_shape[0] or 1
    inputs = (batch, len(spec.components), length)
    n_labels, *samples = spec.output_shape
    outputs = (batch, n_labels, *(length for _ in samples))
    declared = tuple(engine.input_shape)
    if len(declared) != 3 or any(n not in (None, m) for n, m in zip(declared, inputs, strict=True)):
        raise SpecError(f"{name}: the network takes {declared}, its specification says {inputs}")
    try:
        seen = engine.run(np.zeros(inputs, np.float32)).shape
    # Engines raise exceptions of their own.
    except Exception as error:
        raise ModelError(f"{name}: the network does not run on {inputs}: {error}") from error
    if seen != outputs:
        raise SpecError(f"{name}: the network gives {seen}, its specification says {outputs}")
