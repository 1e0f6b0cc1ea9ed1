"""What errors of the earth model that neighbouring stations share do to a place.

The likelihood takes the errors of computed times as independent, so that many stations average
them out. Those of stations near each other are alike, since their rays pass the same ground, and
do not average out. They say nothing of where the source is, but widen what is said of it: a
linear estimator A, the one that the likelihood amounts to at its optimum, maps errors e of the
times to errors A e of place and time, so that their covariance C adds A C Aᵀ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.geo import coordinates
from zilzal.locate.likelihood import Problem
from zilzal.locate.refine import Linearised


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedError:
    """Errors of computed times that fade with the distance between stations.

    Args:
        share: standard deviation, as a share of the travel time; P and S are early or late
            together.
        length_m: distance between stations over which the correlation sinks to 1/e.
    """

    share: float
    length_m: float

    def covariance_s2(
        self, travel_s: Float64[Array, " pick"], apart_m: Float64[Array, "pick pick"]
    ) -> Float64[Array, "pick pick"]:
        """Of the computed times.

        Args:
            travel_s: of each pick.
            apart_m: between the stations of two picks.
        """
        error_s = self.share * travel_s
        return np.outer(error_s, error_s) * np.exp(-apart_m / self.length_m)


def spread_of(
    error: SharedError,
    problem: Problem,
    optimum: Linearised,
) -> Float64[Array, "4 4"]:
    """Covariance of place [m] and time [s] that shared errors cause.

    Args:
        error: shared by the stations.
        problem: with the picks that were used.
        optimum: the same at its most likely place.

    Source:
        Menke (2012), Geophysical data analysis, 3rd ed., equation 4.29, for the mapping of
        covariances by a linear inverse.
    """
    estimator = optimum.inverse() @ optimum.matrix.T * optimum.weight
    at_m = np.array(problem.frame.metres(*coordinates(problem.observations.stations)))
    apart_m = np.linalg.norm(at_m[:, :, None] - at_m[:, None], axis=0)
    return estimator @ error.covariance_s2(optimum.travel_s, apart_m) @ estimator.T
