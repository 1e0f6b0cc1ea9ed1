"""LSTMs whose gates are hard sigmoids, which OpenVINO knows only as a graph of its steps.

ONNX Runtime has them as one operator. EQTransformer's weights were trained with them (Keras before
TensorFlow 2), and a true sigmoid in their place gives other probabilities.

Source:
    ONNX operator LSTM: i, o, f, c are gates, H the hidden state, C the cell's;
    C = f C + i g, H = o tanh(C); OpenVINO's opset keeps the gates in the order f, i, c, o.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_HARD = ["hardsigmoid", "tanh", "tanh"]


def write_out_hard_lstms(model: Any) -> Any:
    """The model, changed in place: each such LSTM as its steps, both directions side by side."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "LSTMSequence":
            attributes = node.get_attributes()
            if attributes["activations"][:3] == _HARD and not attributes["clip"]:
                outputs = _steps(node, attributes)
                for number, new in enumerate(outputs):
                    for target in node.output(number).get_target_inputs():
                        target.replace_source_output(new.output(0))
    model.validate_nodes_and_infer_types()
    return model


def _steps(node: Any, attributes: dict[str, Any]) -> tuple[Any, Any, Any]:
    """All hidden states (batch, direction, step, hidden), the last one, the last cell state."""
    from openvino import opset13 as op  # pyright: ignore[reportMissingImports]  extra fast

    x, h_first, c_first, _, w, r, b = (node.input_value(number) for number in range(7))
    n_steps = x.get_partial_shape()[1].get_length()
    both = attributes["direction"] == "bidirectional"
    backwards = attributes["direction"] == "reverse"
    alpha, beta = attributes["activations_alpha"][0], attributes["activations_beta"][0]

    def gate(value: Any) -> Any:
        return op.hard_sigmoid(value, np.float32(alpha), np.float32(beta))

    def in_time(value: Any) -> Any:
        """(direction, batch, step, ...) with the backward direction turned round, or back."""
        order = np.arange(n_steps - 1, -1, -1)
        if backwards:
            return op.gather(value, order, np.int64(2))
        if not both:
            return value
        forward, backward = op.split(value, 0, 2).outputs()
        return op.concat([forward, op.gather(backward, order, np.int64(2))], 0)

    swapped, per_direction = np.array([1, 0, 2]), np.int64(1)
    entering = op.add(
        op.matmul(op.unsqueeze(x, np.int64(0)), op.unsqueeze(w, per_direction), False, True),  # noqa: FBT003
        op.unsqueeze(op.unsqueeze(b, per_direction), per_direction),
    )
    h, c = op.transpose(h_first, swapped), op.transpose(c_first, swapped)
    states: list[Any] = []
    for step in op.split(in_time(entering), 2, n_steps).outputs():
        z = op.add(op.squeeze(step, np.int64(2)), op.matmul(h, r, False, True))  # noqa: FBT003
        f, i, g, o = op.split(z, 2, 4).outputs()
        c = op.add(op.multiply(gate(f), c), op.multiply(gate(i), op.tanh(g)))
        h = op.multiply(gate(o), op.tanh(c))
        states.append(op.unsqueeze(h, np.int64(2)))
    every = op.transpose(in_time(op.concat(states, 2)), np.array([1, 0, 2, 3]))
    return every, op.transpose(h, swapped), op.transpose(c, swapped)
