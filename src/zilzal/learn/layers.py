"""Parts of a network, each with its forward and its backward side by side (LECTURE.md 2 to 4).

A part maps `x (sample, feature)` to `y`. Backward takes `dy`, the gradient of the loss with
respect to `y`, to `dx`, and writes that of the part's own parameters into `into`. Composed, the
forwards run left to right and the backwards right to left: the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array


class Part(Protocol):
    """A differentiable function with parameters, or with none."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        ...

    def forward(
        self, theta: Float[Array, " parameter"], x: Float[Array, "sample feature"]
    ) -> Float[Array, "sample output"]:
        """The part's output."""
        ...

    def backward(
        self,
        theta: Float[Array, " parameter"],
        values: tuple[Float[Array, "sample feature"], Float[Array, "sample output"]],
        dy: Float[Array, "sample output"],
        *,
        into: Float[Array, " parameter"],
        wants_input: bool = True,
    ) -> Float[Array, "sample feature"]:
        """Gradient with respect to the input, `values` being input and output of forward.

        Without `wants_input` what is returned means nothing: a first layer saves that product.
        """
        ...


@dataclass(frozen=True, slots=True)
class Dense:
    """`z = x W + b`; parameters are `W (input, output)` row by row, then `b`.

    Args:
        inputs: features of a sample.
        outputs: units.
    """

    inputs: int
    outputs: int

    @property
    def size(self) -> int:
        """Weights and biases."""
        return (self.inputs + 1) * self.outputs

    def split(
        self, theta: Float[Array, " parameter"]
    ) -> tuple[Float[Array, "input output"], Float[Array, " output"]]:
        """W and b as views."""
        weights = self.inputs * self.outputs
        return theta[:weights].reshape(self.inputs, self.outputs), theta[weights:]

    def forward(
        self, theta: Float[Array, " parameter"], x: Float[Array, "sample input"]
    ) -> Float[Array, "sample output"]:
        """See `Part.forward`."""
        weights, bias = self.split(theta)
        z = x @ weights
        z += bias
        return z

    def backward(
        self,
        theta: Float[Array, " parameter"],
        values: tuple[Float[Array, "sample input"], Float[Array, "sample output"]],
        dy: Float[Array, "sample output"],
        *,
        into: Float[Array, " parameter"],
        wants_input: bool = True,
    ) -> Float[Array, "sample input"]:
        """`dW = xᵀ dz`, `db = 1ᵀ dz`, `dx = dz Wᵀ`."""
        d_weights, d_bias = self.split(into)
        np.matmul(values[0].T, dy, out=d_weights)
        np.sum(dy, axis=0, out=d_bias)
        return dy @ self.split(theta)[0].T if wants_input else values[0]


def sigmoid(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`σ(z) = 1 / (1 + e^-z)`, with no exponent above zero."""
    return logistic_parts(z)[2]


def logistic_parts(
    z: Float[Array, "*shape"],
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"], Float[Array, "*shape"]]:
    """`e^-|z|`, `[z >= 0]` and `σ(z)`, of which the cross-entropy needs all three.

    σ is `1 / (1 + e^-|z|)` or, below zero, `e^-|z| / (1 + e^-|z|)`.
    """
    small = np.exp(-np.abs(z))
    positive = (z >= 0.0).astype(small.dtype)
    sigma = np.maximum(small, positive)
    sigma /= 1.0 + small
    return small, positive, sigma


def sigmoid_back(a: Float[Array, "*shape"], da: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`σ' = σ (1 - σ)`."""
    return da * (a * (1.0 - a))


def tanh_back(a: Float[Array, "*shape"], da: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`tanh' = 1 - tanh²`."""
    return da * (1.0 - a * a)


def relu(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`max(z, 0)`."""
    return np.maximum(z, 0.0)


def relu_back(a: Float[Array, "*shape"], da: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 above zero, 0 elsewhere (at zero too)."""
    return da * (a > 0.0)


def softmax(z: Float[Array, "*sample unit"]) -> Float[Array, "*sample unit"]:
    """`e^z_k / sum_j e^z_j` along the last axis, shifted so that no exponent is above zero."""
    a = np.exp(z - z.max(axis=-1, keepdims=True))
    a /= a.sum(axis=-1, keepdims=True)
    return a


def softmax_back(
    a: Float[Array, "*sample unit"], da: Float[Array, "*sample unit"]
) -> Float[Array, "*sample unit"]:
    """`dz_k = a_k (da_k - sum_j a_j da_j)`."""
    return a * (da - (a * da).sum(axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Activation:
    """A part without parameters, whose derivative follows from its output alone.

    Args:
        name: as in a saved network.
        activate: from z to a.
        pull_back: from a and da to dz.
    """

    name: str
    activate: Callable[[Array], Array]
    pull_back: Callable[[Array, Array], Array]

    @property
    def size(self) -> int:
        """No parameters."""
        return 0

    def forward(
        self,
        theta: Float[Array, " 0"],  # noqa: ARG002 - the protocol's signature
        x: Float[Array, "sample unit"],
    ) -> Float[Array, "sample unit"]:
        """See `Part.forward`."""
        return self.activate(x)

    def backward(
        self,
        theta: Float[Array, " 0"],  # noqa: ARG002 - the protocol's signature
        values: tuple[Float[Array, "sample unit"], Float[Array, "sample unit"]],
        dy: Float[Array, "sample unit"],
        *,
        into: Float[Array, " 0"],  # noqa: ARG002 - the protocol's signature
        wants_input: bool = True,  # noqa: ARG002 - the protocol's signature
    ) -> Float[Array, "sample unit"]:
        """See `Part.backward`."""
        return self.pull_back(values[1], dy)


SIGMOID = Activation("sigmoid", sigmoid, sigmoid_back)
TANH = Activation("tanh", np.tanh, tanh_back)
RELU = Activation("relu", relu, relu_back)
SOFTMAX = Activation("softmax", softmax, softmax_back)

ACTIVATIONS = MappingProxyType({part.name: part for part in (SIGMOID, TANH, RELU, SOFTMAX)})
"""Activations by the name that a command or a file gives."""
