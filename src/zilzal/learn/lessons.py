"""The lecture's experiments on networks: the worked example, symmetry, spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.descent import Descent
from zilzal.learn.gradcheck import central_difference
from zilzal.learn.lengths import Constant
from zilzal.learn.losses import BinaryCrossEntropy, ProbabilityCrossEntropy
from zilzal.learn.network import Network, Parameters
from zilzal.learn.training import NetworkLoss, Samples

WORKED_PARAMETERS = (0.1, 0.3, -0.2, 0.4, 0.05, -0.1, 0.5, -0.6, 0.2)
"""Of the worked 2-2-1 example: W1 (feature, unit) row by row, b1, W2, b2."""

WORKED_INPUT = (1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a worked example.

    Args:
        name: what is computed, in the lecture's notation, as "dW2".
        formula: how.
        value: the result.
    """

    name: str
    formula: str
    value: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedExample:
    """Forward, backward and the check, of one sample.

    Args:
        network: ends in σ, as in the lecture.
        theta: its parameters.
        forward: x, z1, a1 and so on to the loss.
        backward: da, dz, dW, db from the last layer to the first.
        gradient: by backpropagation.
        steps: lengths h of central differences.
        differences: gradients by them, `(step, parameter)`.
    """

    network: Network
    theta: Parameters
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    gradient: Parameters
    steps: Float[Array, " step"]
    differences: Float[Array, "step parameter"]

    def names(self) -> list[str]:
        """Of the parameters, as "W1[2,1]" for the weight into unit 2 from feature 1."""
        names: list[str] = []
        for k, layer in enumerate(self.network.layers, start=1):
            inputs, outputs = range(1, layer.inputs + 1), range(1, layer.outputs + 1)
            names += [f"W{k}[{o},{i}]" for i in inputs for o in outputs]
            names += [f"b{k}[{o}]" for o in outputs]
        return names


def work_through(
    network: Network,
    theta: Parameters,
    x: Float[Array, " feature"],
    y: Float[Array, " output"],
    *,
    steps: Sequence[float],
) -> WorkedExample:
    """All intermediates of a network that ends in σ under the cross-entropy (LECTURE.md 4).

    Args:
        network: dense layers with an activation after each.
        theta: its parameters, float64.
        x: one sample.
        y: its labels, in [0, 1].
        steps: lengths h to check with.
    """
    loss = ProbabilityCrossEntropy()
    problem = NetworkLoss(network, loss, Samples(x[np.newaxis], y[np.newaxis]))
    values = network.values(theta, problem.samples.x)
    cost, da = loss.value_and_gradient(values[-1], problem.samples.y)
    gradient = network.backward(theta, values, da)
    return WorkedExample(
        network=network,
        theta=theta,
        forward=_forward_steps(network, values, cost),
        backward=_backward_steps(network, network.deltas(theta, values, da), gradient),
        gradient=gradient,
        steps=np.array(steps),
        differences=np.array([central_difference(problem, theta, step=h) for h in steps]),
    )


def _forward_steps(network: Network, values: Sequence[Array], cost: float) -> tuple[Step, ...]:
    lines = [Step(name="x", formula="the sample", value=values[0][0])]
    for k in range(1, len(network.layers) + 1):
        before = "x" if k == 1 else f"a{k - 1}"
        z, a = values[2 * k - 1][0], values[2 * k][0]
        activation = getattr(network.parts[2 * k - 1], "name", "")
        lines.append(Step(name=f"z{k}", formula=f"W{k} {before} + b{k}", value=z))
        lines.append(Step(name=f"a{k}", formula=f"{activation}(z{k})", value=a))
    last = len(network.layers)
    formula = f"-(y log a{last} + (1-y) log(1-a{last}))"
    return (*lines, Step(name="L", formula=formula, value=np.array([cost])))


def _backward_steps(
    network: Network, deltas: Sequence[Array], gradient: Parameters
) -> tuple[Step, ...]:
    lines: list[Step] = []
    pairs = network.split(gradient)
    last = len(pairs)
    for k in range(last, 0, -1):
        weights, bias = pairs[k - 1]
        before = "x" if k == 1 else f"a{k - 1}"
        ahead = f"-y/a{k} + (1-y)/(1-a{k})" if k == last else f"W{k + 1}ᵀ dz{k + 1}"
        activation = getattr(network.parts[2 * k - 1], "name", "")
        chain = f"da{k} {activation}'(z{k})"
        if k == last and activation == "sigmoid":
            chain += f" = a{k} - y"
        lines += [
            Step(name=f"da{k}", formula=ahead, value=deltas[2 * k][0]),
            Step(name=f"dz{k}", formula=chain, value=deltas[2 * k - 1][0]),
            # The lecture's W is (unit, feature); ours is its transpose.
            Step(name=f"dW{k}", formula=f"dz{k} {before}ᵀ", value=weights.T),
            Step(name=f"db{k}", formula=f"dz{k}", value=bias),
        ]
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """A small network's training, watched unit by unit.

    Args:
        weights: of the first layer, `(step, feature, unit)`.
        losses: before each step.
    """

    weights: Float[Array, "step feature unit"]
    losses: Float[Array, " step"]

    def spread(self) -> Float[Array, " step"]:
        """Largest difference between units' weights from one feature, at each step."""
        return np.ptp(self.weights, axis=2).max(axis=1)


def train_and_watch(
    network: Network, theta: Parameters, samples: Samples, *, rate: float, steps: int
) -> Symmetry:
    """Batch gradient descent on the cross-entropy, with the first layer's weights kept."""
    problem = NetworkLoss(network, BinaryCrossEntropy(), samples)
    descent = Descent(length=Constant(rate))
    position = descent.start(theta)
    weights, losses = list[Array](), list[float]()
    # That training diverges is one of the lessons, not a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            weights.append(network.split(position.parameters)[0][0].copy())
            losses.append(descent.step(position, problem).loss)
    return Symmetry(weights=np.array(weights), losses=np.array(losses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How an initialisation carries signals through depth.

    Args:
        activations: standard deviation after each hidden layer.
        gradients: standard deviation of dL/dz of each hidden layer, for a unit gradient at the
            output.
        saturated: share of the last hidden layer's units that pass no gradient on.
    """

    activations: Float[Array, " layer"]
    gradients: Float[Array, " layer"]
    saturated: float


def spread_by_layer(
    network: Network,
    theta: Parameters,
    x: Float[Array, "sample feature"],
    generator: np.random.Generator,
) -> Spread:
    """Send samples forward and unit gradients `N(0, 1)` backward through a fresh network."""
    values = network.values(theta, x)
    deltas = network.deltas(theta, values, generator.standard_normal(values[-1].shape))
    hidden = range(1, len(network.layers))
    passed = deltas[2 * len(hidden) - 1]
    arrived = np.abs(deltas[2 * len(hidden)])
    blocked = np.abs(passed) < 1e-3 * np.maximum(arrived, np.finfo(float).tiny)
    return Spread(
        activations=np.array([values[2 * k].std() for k in hidden]),
        gradients=np.array([deltas[2 * k - 1].std() for k in hidden]),
        saturated=float(blocked.mean()),
    )


def two_moons(count: int, generator: np.random.Generator, *, noise: float = 0.15) -> Samples:
    """Two interleaved half circles, one a class: little to learn, but not by a straight line."""
    angle = np.pi * generator.random(count)
    label = np.arange(count) % 2
    x = np.column_stack(
        [np.cos(angle) * (1 - 2 * label) + label, np.sin(angle) * (1 - 2 * label) + 0.5 * label]
    )
    x += generator.normal(0.0, noise, x.shape) - x.mean(axis=0)
    return Samples(x, label[:, np.newaxis].astype(float))


def four_corners(count: int, generator: np.random.Generator, *, noise: float = 0.25) -> Samples:
    """Clouds at (±1, ±1), opposite ones of one class: one hidden unit cannot tell them apart."""
    signs = generator.choice([-1.0, 1.0], (count, 2))
    label = (signs.prod(axis=1) > 0).astype(float)
    return Samples(signs + generator.normal(0.0, noise, signs.shape), label[:, np.newaxis])
