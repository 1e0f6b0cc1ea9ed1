"""The loss around a network, along two directions (for figures)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.descent import Objective
from zilzal.learn.network import Network, Parameters


def filter_normalised(
    network: Network, theta: Parameters, generator: np.random.Generator
) -> Parameters:
    """A random direction in which each unit's incoming weights are as long as in θ.

    Without that, a landscape shows the weights' scale rather than the loss. Biases stay.

    Source:
        Li et al. (2018), arXiv:1712.09913, section 4.
    """
    direction = np.zeros_like(theta)
    for (way, _), (weights, _) in zip(network.split(direction), network.split(theta), strict=True):
        random = generator.standard_normal(way.shape)
        length = np.linalg.norm(random, axis=0)
        way[:] = random * (np.linalg.norm(weights, axis=0) / length)
    return direction


def loss_plane(
    objective: Objective,
    theta: Parameters,
    directions: tuple[Parameters, Parameters],
    *,
    half_width: float = 1.0,
    points: int = 41,
) -> tuple[Float[Array, " point"], Float[Array, "point point"]]:
    """J(θ + u d1 + v d2) on a square grid: the coordinates, and values as (v, u)."""
    axis = np.linspace(-half_width, half_width, points)
    first, second = directions
    values = [[objective.value(theta + u * first + v * second) for u in axis] for v in axis]
    return axis, np.array(values)
