"""How weights begin (LECTURE.md 5 to 7).

N is a layer's number of inputs. Numbers are drawn as float64 in the order of the layers, so one
seed gives the same network in every precision, up to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array


class Initialiser(Protocol):
    """Makes the weights of a layer; biases are a constant, see `Network.initialise`."""

    def weights(
        self, inputs: int, outputs: int, generator: np.random.Generator
    ) -> Float[Array, "input output"]:
        """Weights of one layer."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantWeights:
    """All weights alike: the symmetry problem, for units that begin equal stay equal for ever."""

    value: float = 0.0

    def weights(
        self,
        inputs: int,
        outputs: int,
        generator: np.random.Generator,  # noqa: ARG002 - the protocol's signature
    ) -> Float[Array, "input output"]:
        """See `Initialiser.weights`."""
        return np.full((inputs, outputs), self.value)


@dataclass(frozen=True, slots=True)
class NormalWeights:
    """`N(0, variance)`, whatever the size of the layer."""

    variance: float = 0.01

    def weights(
        self, inputs: int, outputs: int, generator: np.random.Generator
    ) -> Float[Array, "input output"]:
        """See `Initialiser.weights`."""
        return generator.normal(0.0, math.sqrt(self.variance), (inputs, outputs))


@dataclass(frozen=True, slots=True)
class UniformBySize:
    """`U(-1/sqrt N, 1/sqrt N)`."""

    def weights(
        self, inputs: int, outputs: int, generator: np.random.Generator
    ) -> Float[Array, "input output"]:
        """See `Initialiser.weights`."""
        bound = 1.0 / math.sqrt(inputs)
        return generator.uniform(-bound, bound, (inputs, outputs))


@dataclass(frozen=True, slots=True)
class Xavier:
    """`N(0, 1/N)`: keeps the variance of activations that are near linear.

    Source:
        Glorot & Bengio (2010), Proc. AISTATS 9, equation 10, in the lecture's form with the
        inputs alone.
    """

    def weights(
        self, inputs: int, outputs: int, generator: np.random.Generator
    ) -> Float[Array, "input output"]:
        """See `Initialiser.weights`."""
        return NormalWeights(1.0 / inputs).weights(inputs, outputs, generator)


@dataclass(frozen=True, slots=True)
class He:
    """`N(0, 2/N)`: keeps the variance when ReLU cuts half of it.

    Source:
        He et al. (2015), doi:10.1109/ICCV.2015.123, equation 10.
    """

    def weights(
        self, inputs: int, outputs: int, generator: np.random.Generator
    ) -> Float[Array, "input output"]:
        """See `Initialiser.weights`."""
        return NormalWeights(2.0 / inputs).weights(inputs, outputs, generator)


INITIALISERS = MappingProxyType(
    {
        "constant": ConstantWeights,
        "normal": NormalWeights,
        "uniform": UniformBySize,
        "xavier": Xavier,
        "he": He,
    }
)
"""Initialisers by the name that a command or a file gives."""
