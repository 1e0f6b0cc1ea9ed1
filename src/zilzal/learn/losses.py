"""What a network's output costs, with its gradient (LECTURE.md 1, 2).

A loss takes the network's last z (the logits) and owns the head that makes probabilities of it:
together their gradient is `a - y`, and neither a logarithm of zero nor an overflow can happen.
Values are means: over the outputs of a sample, then over samples, `sum_i w_i loss_i / N`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.layers import logistic_parts, sigmoid, softmax

Outputs = Float[Array, "sample output"]
Weights = Float[Array, " sample"]


class Loss(Protocol):
    """A mean over samples and its gradient."""

    @property
    def head(self) -> str:
        """Name of the function from z to what is predicted, one of `HEADS`."""
        ...

    def value_and_gradient(
        self, z: Outputs, y: Outputs, weights: Weights | None = None
    ) -> tuple[float, Outputs]:
        """The loss, and its gradient with respect to z.

        Args:
            z: outputs of the network.
            y: what they should be after the head.
            weights: of samples, with mean one; all one by default.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryCrossEntropy:
    """`-(p y log a + (1-y) log(1-a))` with `a = σ(z)` and y in [0, 1], for each output by itself.

    Computed as `q log(1 + e^-|z|) + z (q [z >= 0] - p y)` with `q = p y + 1 - y`.
    Its gradient is `q a - p y`, which is the lecture's `a - y` for p = 1.

    Args:
        positive_weight: p; the ratio of negatives to positives balances unequal classes.
    """

    positive_weight: float = 1.0

    @property
    def head(self) -> str:
        """The logistic function."""
        return "sigmoid"

    def value_and_gradient(
        self, z: Outputs, y: Outputs, weights: Weights | None = None
    ) -> tuple[float, Outputs]:
        """See `Loss.value_and_gradient`."""
        small, positive, sigma = logistic_parts(z)
        loss = np.log1p(small, out=small)
        if self.positive_weight != 1.0:
            factor = 1.0 + (self.positive_weight - 1.0) * y
            y = self.positive_weight * y
            for part in (loss, positive, sigma):
                np.multiply(part, factor, out=part)
        positive -= y
        positive *= z
        loss += positive
        gradient = np.subtract(sigma, y, out=sigma)
        return _mean(loss, gradient, weights)


@dataclass(frozen=True, slots=True)
class SoftmaxCrossEntropy:
    """`-sum_k y_k log a_k` with `a = softmax(z)`; y is one-hot or probabilities that sum to one.

    Computed as `sum_k y_k (log sum_j e^(z_j - max z) - (z_k - max z))`; its gradient is `a - y`.
    """

    @property
    def head(self) -> str:
        """The softmax."""
        return "softmax"

    def value_and_gradient(
        self, z: Outputs, y: Outputs, weights: Weights | None = None
    ) -> tuple[float, Outputs]:
        """See `Loss.value_and_gradient`."""
        shifted = z - z.max(axis=1, keepdims=True)
        gradient = np.exp(shifted)
        total = gradient.sum(axis=1, keepdims=True)
        loss = ((np.log(total) - shifted) * y).sum(axis=1, keepdims=True)
        gradient /= total
        gradient -= y
        return _mean(loss, gradient, weights)


@dataclass(frozen=True, slots=True)
class SquaredError:
    """`(z - y)² / 2` for each output, for heads of any range; its gradient is `z - y`."""

    @property
    def head(self) -> str:
        """The outputs as they are."""
        return "identity"

    def value_and_gradient(
        self, z: Outputs, y: Outputs, weights: Weights | None = None
    ) -> tuple[float, Outputs]:
        """See `Loss.value_and_gradient`."""
        gradient = z - y
        return _mean(0.5 * gradient * gradient, gradient, weights)


@dataclass(frozen=True, slots=True)
class ProbabilityCrossEntropy:
    """The lecture's chain spelt out: `L = -(y log a + (1-y) log(1-a))` of a network that ends in σ.

    `dL/da = -y/a + (1-y)/(1-a)`. To learn from and to check with: it is infinite where a
    reaches 0 or 1, which `BinaryCrossEntropy` never is.
    """

    @property
    def head(self) -> str:
        """The outputs are probabilities already."""
        return "identity"

    def value_and_gradient(
        self, z: Outputs, y: Outputs, weights: Weights | None = None
    ) -> tuple[float, Outputs]:
        """See `Loss.value_and_gradient`; here z are the probabilities a."""
        loss = -(y * np.log(z) + (1.0 - y) * np.log1p(-z))
        return _mean(loss, -y / z + (1.0 - y) / (1.0 - z), weights)


def identity(z: Outputs) -> Outputs:
    """The outputs as they are."""
    return z


HEADS = MappingProxyType({"sigmoid": sigmoid, "softmax": softmax, "identity": identity})
"""From the network's outputs to what is predicted, by name."""


def _mean(loss: Outputs, gradient: Outputs, weights: Weights | None) -> tuple[float, Outputs]:
    """Mean over outputs and weighted mean over samples; scales `gradient` in place."""
    if weights is not None:
        loss = loss * weights[:, np.newaxis]
        gradient *= weights[:, np.newaxis]
    # A loss that sums over the outputs itself has one column.
    gradient /= loss.size
    return float(loss.sum()) / loss.size, gradient
