"""From a good place to the best one: damped, reweighted Gauss–Newton."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.locate.likelihood import Problem
from zilzal.locate.search import Volume

_STEP_M = 100.0
"""Of the differences that stand for derivatives: well inside a cell of the tables."""
_ITERATIONS = 12
_CONVERGED_M = 2.0


def refine(
    problem: Problem, volume: Volume, start: Float64[Array, " 3"], sigma_s: Float64[Array, " pick"]
) -> Float64[Array, " 3"]:
    """The place of the largest likelihood near a start.

    Steps are those of Levenberg and Marquardt on the reweighted residuals; one that does not
    raise the likelihood is taken shorter. The place stays in the volume.
    """
    free = volume.high > volume.low
    point, damping = start, 1e-3
    value = float(problem.profile(point[:, None], sigma_s=sigma_s).log_likelihood[0])
    for _ in range(_ITERATIONS):
        step = np.zeros(3)
        step[free] = _step(problem, volume, point, sigma_s, damping)[free]
        trial = np.clip(point + step, volume.low, volume.high)
        trial_value = float(problem.profile(trial[:, None], sigma_s=sigma_s).log_likelihood[0])
        moved_m = float(np.linalg.norm(trial - point))
        if trial_value > value:
            point, value, damping = trial, trial_value, damping / 5
        else:
            damping *= 20
        if moved_m < _CONVERGED_M:
            break
    return point


def local_spread_m2(
    problem: Problem, volume: Volume, point: Float64[Array, " 3"], sigma_s: Float64[Array, " pick"]
) -> Float64[Array, "3 3"]:
    """Covariance of the place as linearised at a point; never wider than the volume."""
    normal, _ = _equations(problem, volume, point, sigma_s)
    width = np.maximum(volume.high - volume.low, 1.0)
    normal += np.diag(np.append(1 / width**2, 1e-9))
    spread: Array = np.linalg.inv(normal)
    return spread[:3, :3]


def _step(
    problem: Problem, volume: Volume, point: Array, sigma_s: Array, damping: float
) -> Float64[Array, " 3"]:
    """Damped step of the place."""
    normal, gradient = _equations(problem, volume, point, sigma_s)
    normal += damping * np.diag(np.diag(normal)) + 1e-16 * np.eye(4)
    steps: Array = np.linalg.solve(normal, gradient)
    return steps[:3]


def _equations(
    problem: Problem, volume: Volume, point: Array, sigma_s: Array
) -> tuple[Float64[Array, "4 4"], Float64[Array, " 4"]]:
    """Normal matrix and right side of reweighted least squares for place and time."""
    nu = problem.noise.degrees_of_freedom
    ends = point[:, None, None] + _STEP_M * np.array([-1.0, 1.0]) * np.eye(3)[:, :, None]
    ends = np.clip(ends, volume.low[:, None, None], volume.high[:, None, None])
    travel_s = problem.travel_s(np.concatenate([point[:, None], ends.reshape(3, 6)], axis=1))
    width = np.array([ends[axis, axis, 1] - ends[axis, axis, 0] for axis in range(3)])
    slope = (travel_s[:, 2::2] - travel_s[:, 1::2]) / np.maximum(width, 1e-6)
    time_s = problem.profile(point[:, None], sigma_s=sigma_s).time_s[0]
    residual = problem.observations.time_s - travel_s[:, 0] - time_s
    weight = np.sqrt((nu + 1) / (nu + (residual / sigma_s) ** 2)) / sigma_s
    matrix = np.column_stack([slope, np.ones(len(residual))]) * weight[:, None]
    return matrix.T @ matrix, matrix.T @ (residual * weight)
