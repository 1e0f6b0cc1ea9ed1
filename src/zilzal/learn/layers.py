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


@dataclass(frozen=True, slots=True)
class Convolution:
    """One dense layer on overlapping runs of the input: `z_r = x[r step : r step + taps] W + b`.

    A sample is read place by place, the channels of a place side by side; so is what comes out,
    with the units as its channels. Parameters are as those of `Dense`.

    Args:
        places: of the input, along time.
        channels: of each place.
        taps: places that a run holds.
        units: at each run.
        step: places from one run to the next.

    Raises:
        ValueError: a number is below one, or a run is longer than the input.
    """

    places: int
    channels: int
    taps: int
    units: int
    step: int = 1

    def __post_init__(self) -> None:
        if min(self.places - self.taps + 1, self.channels, self.taps, self.units, self.step) < 1:
            raise ValueError(f"{self}: numbers must be at least 1, and taps at most places")

    @property
    def runs(self) -> int:
        """Places of the output."""
        return (self.places - self.taps) // self.step + 1

    @property
    def inputs(self) -> int:
        """Features of a sample."""
        return self.places * self.channels

    @property
    def outputs(self) -> int:
        """Features of what comes out."""
        return self.runs * self.units

    @property
    def size(self) -> int:
        """Weights and biases."""
        return (self.taps * self.channels + 1) * self.units

    def split(
        self, theta: Float[Array, " parameter"]
    ) -> tuple[Float[Array, "tap unit"], Float[Array, " unit"]]:
        """W and b as views."""
        seen = self.taps * self.channels
        return theta[: seen * self.units].reshape(seen, self.units), theta[seen * self.units :]

    def forward(
        self, theta: Float[Array, " parameter"], x: Float[Array, "sample input"]
    ) -> Float[Array, "sample output"]:
        """See `Part.forward`."""
        weights, bias = self.split(theta)
        z = self._runs(x) @ weights
        z += bias
        return z.reshape(len(x), self.outputs)

    def backward(
        self,
        theta: Float[Array, " parameter"],
        values: tuple[Float[Array, "sample input"], Float[Array, "sample output"]],
        dy: Float[Array, "sample output"],
        *,
        into: Float[Array, " parameter"],
        wants_input: bool = True,
    ) -> Float[Array, "sample input"]:
        """As `Dense.backward`, summed over the runs; where these overlap, dx is a sum too."""
        x, dz = values[0], dy.reshape(-1, self.units)
        d_weights, d_bias = self.split(into)
        np.matmul(self._runs(x).T, dz, out=d_weights)
        np.sum(dz, axis=0, out=d_bias)
        if not wants_input:
            return x
        d_runs = (dz @ self.split(theta)[0].T).reshape(len(x), self.runs, -1)
        dx = np.zeros_like(x)
        for run in range(self.runs):
            first = run * self.step * self.channels
            dx[:, first : first + d_runs.shape[2]] += d_runs[:, run]
        return dx

    def _runs(self, x: Float[Array, "sample input"]) -> Float[Array, "run tap"]:
        """The runs of all samples, one below the other."""
        seen = self.taps * self.channels
        runs = np.lib.stride_tricks.sliding_window_view(x, seen, axis=1)
        return runs[:, :: self.step * self.channels].reshape(-1, seen)


Layer = Dense | Convolution
"""A part with weights."""


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
