"""From a good place to the best one: damped, reweighted Gauss–Newton."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """Least squares for place and time near a point, reweighted as Student's t wants.

    Args:
        matrix: derivatives of the times by east, north, depth [s/m] and origin time.
        weight: of each squared residual [1/s²].
        travel_s: computed times from the point.
        time_s: origin time that is best there.
        residual_s: at the point and that time.
        width_m: of the volume along each axis.
    """

    matrix: Float64[Array, "pick 4"]
    weight: Float64[Array, " pick"]
    travel_s: Float64[Array, " pick"]
    time_s: float
    residual_s: Float64[Array, " pick"]
    width_m: Float64[Array, " 3"]

    def normal(self) -> Float64[Array, "4 4"]:
        """The normal matrix."""
        return self.matrix.T * self.weight @ self.matrix

    def gradient(self) -> Float64[Array, " 4"]:
        """The right side."""
        return self.matrix.T @ (self.weight * self.residual_s)

    def inverse(self) -> Float64[Array, "4 4"]:
        """Covariance of place and time; never wider than the volume."""
        prior = np.append(1 / np.maximum(self.width_m, 1.0) ** 2, 1e-9)
        return np.linalg.inv(self.normal() + np.diag(prior))


def linearise(
    problem: Problem, volume: Volume, point: Float64[Array, " 3"], sigma_s: Float64[Array, " pick"]
) -> Linearised:
    """The problem as straight lines through a point."""
    nu = problem.noise.degrees_of_freedom
    ends = point[:, None, None] + _STEP_M * np.array([-1.0, 1.0]) * np.eye(3)[:, :, None]
    ends = np.clip(ends, volume.low[:, None, None], volume.high[:, None, None])
    travel_s = problem.travel_s(np.concatenate([point[:, None], ends.reshape(3, 6)], axis=1))
    width = np.array([ends[axis, axis, 1] - ends[axis, axis, 0] for axis in range(3)])
    slope = (travel_s[:, 2::2] - travel_s[:, 1::2]) / np.maximum(width, 1e-6)
    time_s = float(problem.profile(point[:, None], sigma_s=sigma_s).time_s[0])
    residual_s = problem.observations.time_s - travel_s[:, 0] - time_s
    return Linearised(
        matrix=np.column_stack([slope, np.ones(len(residual_s))]),
        weight=(nu + 1) / (nu + (residual_s / sigma_s) ** 2) / sigma_s**2,
        travel_s=travel_s[:, 0],
        time_s=time_s,
        residual_s=residual_s,
        width_m=volume.high - volume.low,
    )


def _step(
    problem: Problem, volume: Volume, point: Array, sigma_s: Array, damping: float
) -> Float64[Array, " 3"]:
    """Damped step of the place."""
    line = linearise(problem, volume, point, sigma_s)
    normal = line.normal()
    normal += damping * np.diag(np.diag(normal)) + 1e-16 * np.eye(4)
    steps: Array = np.linalg.solve(normal, line.gradient())
    return steps[:3]
