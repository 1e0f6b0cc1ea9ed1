"""A training, and the loss around where it ends (LECTURE.md 11, for figures)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.landscape import filter_normalised, loss_plane
from zilzal.learn.network import Parameters, permute_hidden
from zilzal.learn.training import Epoch, NetworkLoss, Samples, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """The loss around the end of a training.

    Args:
        theta: the end.
        epochs: of the training.
        axis: coordinates in the plane, both ways; the end is at the origin.
        plane: the loss there, as (v, u).
        path: coordinates of the training within the plane, epoch by epoch.
        explained: share of the path's squared length that lies in the plane.
        profile: the loss on the straight way to the same network with permuted hidden units.
        along_path: whether the plane is that of the path.
    """

    theta: Parameters
    epochs: tuple[Epoch, ...]
    axis: Float[Array, " point"]
    plane: Float[Array, "point point"]
    path: Float[Array, "epoch 2"]
    explained: float
    profile: Float[Array, " step"]
    along_path: bool


def survey(
    training: Training,
    problem: NetworkLoss,
    theta: Parameters,
    validation: Samples,
    generator: np.random.Generator,
    *,
    along_path: bool = False,
    half_width: float = 1.0,
    points: int = 41,
) -> Landscape:
    """Train, then look around.

    Args:
        training: how.
        problem: on what.
        theta: where to begin.
        validation: samples to watch.
        generator: of the order of samples, of directions and of the permutation.
        along_path: look along the two principal components of the path rather than along
            random filter-normalised directions. The plane then holds the path, and its axes are
            in units of the path's largest extent.
        half_width: of the plane along random directions.
        points: on each axis.

    Source:
        Li et al. (2018), arXiv:1712.09913, sections 4 and 7.
    """
    progress = training.start(theta, generator)
    trail, epochs = [theta.copy()], list[Epoch]()
    for epoch in training.run(progress, problem, validation=validation):
        epochs.append(epoch)
        trail.append(progress.position.parameters.copy())
    end = trail[-1]
    offsets = np.array(trail) - end
    if along_path:
        _, _, rows = np.linalg.svd(offsets, full_matrices=False)
        reach = max(float(np.abs(offsets @ rows[:2].T).max()), 1e-9)
        first, second = rows[0] * reach, rows[1] * reach
        half_width = 1.3
    else:
        first, second = (filter_normalised(problem.network, end, generator) for _ in range(2))
    axis, plane = loss_plane(problem, end, (first, second), half_width=half_width, points=points)
    path, *_ = np.linalg.lstsq(np.column_stack([first, second]), offsets.T, rcond=None)
    inside = np.outer(path[0], first) + np.outer(path[1], second)
    return Landscape(
        theta=end,
        epochs=tuple(epochs),
        axis=axis,
        plane=plane,
        path=path.T,
        explained=float((inside**2).sum() / max((offsets**2).sum(), 1e-300)),
        profile=_way_to_twin(problem, end, generator),
        along_path=along_path,
    )


def _way_to_twin(
    problem: NetworkLoss, theta: Parameters, generator: np.random.Generator, *, points: int = 61
) -> Float[Array, " step"]:
    """Loss between a network and itself with the first hidden layer's units in another order."""
    network = problem.network
    order = generator.permutation(network.layers[0].outputs)
    twin = permute_hidden(network, theta, 0, order)
    return np.array(
        [problem.value((1 - s) * theta + s * twin) for s in np.linspace(0.0, 1.0, points)]
    )
