"""Parts composed: forward, backward, and a flat vector of parameters (LECTURE.md 3, 4).

A `Network` is the architecture alone. Its parameters are one vector θ, in which each part has a
view, so that rules, line searches and landscapes see a function of θ like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import DTypeLike

from zilzal.core.arrays import Array
from zilzal.learn.initialise import He, Initialiser
from zilzal.learn.layers import ACTIVATIONS, Dense, Layer, Part

Parameters = Float[Array, " parameter"]


@dataclass(frozen=True, slots=True)
class Network:
    """A composition of parts, from the left to the right.

    Args:
        parts: the first takes the features; the widths must fit.

    Raises:
        ValueError: a layer does not take what the one before it gives.
    """

    parts: tuple[Part, ...]
    _slices: tuple[slice, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for left, right in pairwise(self.layers):
            if left.outputs != right.inputs:
                raise ValueError(f"{right} follows {left}; its inputs must be {left.outputs}")
        ends = list(accumulate((part.size for part in self.parts), initial=0))
        object.__setattr__(self, "_slices", tuple(slice(a, b) for a, b in pairwise(ends)))

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(part.size for part in self.parts)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The parts with weights."""
        return tuple(part for part in self.parts if isinstance(part, Layer))

    @property
    def inputs(self) -> int:
        """Features of a sample."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Outputs of a sample."""
        return self.layers[-1].outputs

    def initialise(
        self,
        generator: np.random.Generator,
        initialiser: Initialiser | None = None,
        *,
        bias: float = 0.0,
        dtype: DTypeLike = np.float32,
    ) -> Parameters:
        """Parameters to begin with.

        Args:
            generator: for the weights.
            initialiser: of the weights; `He()` by default.
            bias: of all units; a small positive one keeps ReLU units alive at first.
            dtype: of the parameters and so of all that is computed with them.
        """
        initialiser = He() if initialiser is None else initialiser
        theta = np.zeros(self.size, dtype)
        for weights, biases in self.split(theta):
            inputs, outputs = weights.shape
            weights[:] = initialiser.weights(inputs, outputs, generator)
            biases[:] = bias
        return theta

    def split(
        self, theta: Parameters
    ) -> list[tuple[Float[Array, "input output"], Float[Array, " output"]]]:
        """Views of W and b, layer by layer; of a gradient too."""
        pairs = zip(self.parts, self._slices, strict=True)
        return [part.split(theta[where]) for part, where in pairs if isinstance(part, Layer)]

    def forward(
        self, theta: Parameters, x: Float[Array, "sample feature"]
    ) -> Float[Array, "sample output"]:
        """The network's outputs; for a network to be trained these are logits, see `losses`."""
        for part, where in zip(self.parts, self._slices, strict=True):
            x = part.forward(theta[where], x)
        return x

    def values(self, theta: Parameters, x: Float[Array, "sample feature"]) -> list[Array]:
        """The input and the output of each part in turn: x, z1, a1, z2 and so on."""
        values = [x]
        for part, where in zip(self.parts, self._slices, strict=True):
            values.append(part.forward(theta[where], values[-1]))
        return values

    def backward(
        self,
        theta: Parameters,
        values: Sequence[Array],
        d_output: Float[Array, "sample output"],
        *,
        out: Parameters | None = None,
    ) -> Parameters:
        """Gradient of the loss with respect to θ, right to left.

        Args:
            theta: parameters.
            values: of `Network.values`.
            d_output: gradient of the loss with respect to the output.
            out: where to write the gradient; a new vector by default.
        """
        gradient = np.empty_like(theta) if out is None else out
        for k in range(len(self.parts) - 1, -1, -1):
            where = self._slices[k]
            d_output = self.parts[k].backward(
                theta[where],
                (values[k], values[k + 1]),
                d_output,
                into=gradient[where],
                wants_input=k > 0,
            )
        return gradient

    def deltas(
        self, theta: Parameters, values: Sequence[Array], d_output: Float[Array, "sample output"]
    ) -> list[Array]:
        """Gradients with respect to each of `values`: dx, dz1, da1, dz2, …, to be looked at."""
        deltas = [d_output]
        spare = np.empty_like(theta)
        for k in range(len(self.parts) - 1, -1, -1):
            where = self._slices[k]
            pair = (values[k], values[k + 1])
            deltas.append(self.parts[k].backward(theta[where], pair, deltas[-1], into=spare[where]))
        return deltas[::-1]


def multilayer(sizes: Sequence[int], hidden: str = "relu", *, head: str | None = None) -> Network:
    """The lecture's multilayer perceptron, as 6000-32-32-1.

    Args:
        sizes: features, units of each hidden layer, outputs; two sizes are a linear model.
        hidden: activation after each hidden layer, one of `ACTIVATIONS`.
        head: activation after the last layer. None, the default, leaves logits, as losses
            want them: these bring their own head.

    Raises:
        ValueError: fewer than two sizes, a size below one, or an unknown activation.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes are {tuple(sizes)}; give at least two, each at least 1")
    for name in (hidden, head):
        if name is not None and name not in ACTIVATIONS:
            raise ValueError(f"unknown activation {name!r}; choose one of {sorted(ACTIVATIONS)}")
    parts: list[Part] = []
    for inputs, outputs in pairwise(sizes):
        parts += [Dense(inputs, outputs), ACTIVATIONS[hidden]]
    return Network((*parts[:-1], *([ACTIVATIONS[head]] if head else [])))


def permute_hidden(
    network: Network, theta: Parameters, layer: int, order: Int[Array, " unit"]
) -> Parameters:
    """The same function with the units of a hidden layer in another order (identifiability).

    Args:
        network: whose layer.
        theta: its parameters.
        layer: number of the hidden layer; the first is 0.
        order: a permutation of its units.
    """
    permuted = theta.copy()
    old, new = network.split(theta), network.split(permuted)
    new[layer][0][:] = old[layer][0][:, order]
    new[layer][1][:] = old[layer][1][order]
    new[layer + 1][0][:] = old[layer + 1][0][order]
    return permuted
