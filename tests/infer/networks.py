"""Tiny networks as ONNX files, made on the spot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zilzal.infer.gated import CELL, attach_gate
from zilzal.infer.spec import ModelSpec, attach_spec
from zilzal.signal.prepare import Preparation

SPEC = ModelSpec(
    name="tiny",
    version="1",
    task="pick",
    sampling_rate=100.0,
    labels=("P", "S", "detection"),
    window_samples=800,
    hop_samples=500,
    blind_samples=100,
    preparation=Preparation(time_constant_s=2.0),
    thresholds={"P": 0.6, "S": 0.6, "detection": 0.7},
    uncertainty={"P": ((0.3, 0.2), (1.0, 0.02)), "S": ((0.3, 0.3), (1.0, 0.05))},
    training_data="none: random weights",
    licence="CC0-1.0",
    seed=0,
    commit="",
    created="2026-11-22",
)


def tiny_network(
    rng: np.random.Generator,
    *,
    n_components: int = 3,
    n_labels: int = 3,
    samples: int | str = "sample",
    width: int = 4,
) -> bytes:
    """Two random convolutions and a sigmoid; sees 31 samples around each sample."""
    kernels = {
        "first": 0.4 * rng.standard_normal((width, n_components, 15)),
        "second": 0.12 * rng.standard_normal((n_labels, width, 17)),
    }
    initialisers = [
        numpy_helper.from_array(kernel.astype(np.float32), name) for name, kernel in kernels.items()
    ]
    nodes = [
        helper.make_node("Conv", ["waveforms", "first"], ["a"], pads=[7, 7]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["c"], pads=[8, 8]),
        helper.make_node("Sigmoid", ["c"], ["probabilities"]),
    ]
    shape = ["batch", n_components, samples]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("waveforms", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(
                "probabilities", TensorProto.FLOAT, ["batch", n_labels, samples]
            )
        ],
        initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def lstm_network(rng: np.random.Generator, direction: str) -> bytes:
    """One LSTM with hard-sigmoid gates: (batch, 3, sample) to (direction times 4, sample)."""
    n, hidden, features = 2 if direction == "bidirectional" else 1, 4, 3
    shapes = {"w": (n, 4 * hidden, features), "r": (n, 4 * hidden, hidden), "b": (n, 8 * hidden)}
    parameters = [
        numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[2, 0, 1]),
        helper.make_node(
            "LSTM", ["steps", "w", "r", "b"], ["hidden"], hidden_size=hidden, direction=direction,
            activations=["HardSigmoid", "Tanh", "Tanh"] * n,
            activation_alpha=[0.2] * n, activation_beta=[0.5] * n,
        ),
        helper.make_node("Transpose", ["hidden"], ["y4"], perm=[2, 1, 3, 0]),
        helper.make_node("Reshape", ["y4", "shape"], ["y"]),
    ]  # fmt: skip
    parameters.append(numpy_helper.from_array(np.array([0, n * hidden, -1]), "shape"))
    graph = helper.make_graph(
        nodes,
        "lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", features, 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", n * hidden, 12])],
        parameters,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def save_network(folder: Path, spec: ModelSpec = SPEC, **changes: object) -> Path:
    """A tiny random network with a specification, in a file."""
    spec = replace(spec, **changes)
    path = folder / f"{spec.name}.onnx"
    network = tiny_network(np.random.default_rng(5), n_labels=len(spec.labels))
    path.write_bytes(attach_spec(network, spec))
    return path


def windows(n_windows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise for the network of `SPEC`, and its masks."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((n_windows, 3, SPEC.window_samples)).astype(np.float32)
    return samples, np.ones(samples.shape, bool)


def gate_network(rng: np.random.Generator, *, n_labels: int = 3) -> bytes:
    """The largest value in each cell of 32 samples of what `tiny_network` says."""
    model = onnx.load_from_string(tiny_network(rng, n_labels=n_labels))
    graph = model.graph
    graph.node.append(
        helper.make_node(
            "MaxPool", ["probabilities"], ["highest"], kernel_shape=[CELL], strides=[CELL]
        )
    )
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info("highest", TensorProto.FLOAT, ["batch", n_labels, "cell"])
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def save_gated(folder: Path, spec: ModelSpec) -> Path:
    """The network of `save_network` with a gate inside that knows exactly what it says."""
    path = save_network(folder, spec)
    gate = gate_network(np.random.default_rng(5), n_labels=len(spec.labels))
    path.write_bytes(attach_gate(path.read_bytes(), gate))
    return path
