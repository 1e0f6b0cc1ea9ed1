"""How well a place explains the picks, whatever the origin time.

Residuals follow Student's t, whose tails grow like a power: a wild pick costs a constant and
pulls with a force that fades with its distance. The origin time is the one that maximises the
likelihood at each place; integrating over it (Laplace) gives the place's own likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.geo import coordinates
from zilzal.core.pick import Phase
from zilzal.locate.frame import Frame, arc_lengths_m, surface_points_m
from zilzal.locate.observations import Observations
from zilzal.travel import TravelTimeTables

_TIME_ITERATIONS = 4
"""Of the reweighted mean; from the median this leaves under a tenth of its standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What residuals are expected to be.

    Args:
        degrees_of_freedom: of Student's t.
        model_error_s: standard deviation of computed times, the part that every one has.
        model_error_share: the part that grows with the travel time, as a share of it.
    """

    degrees_of_freedom: float
    model_error_s: float
    model_error_share: float

    def sigma_s(
        self, uncertainty_s: Float64[Array, "*pick"], travel_s: Float64[Array, "*pick"]
    ) -> Float64[Array, "*pick"]:
        """Scale of each residual."""
        return np.sqrt(
            uncertainty_s**2 + self.model_error_s**2 + (self.model_error_share * travel_s) ** 2
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One event's picks with the earth that they passed.

    Points are east [m], north [m] in `frame` and depth [m], of shape (3, point).
    """

    observations: Observations
    tables: TravelTimeTables
    noise: Noise
    frame: Frame

    def travel_s(self, points: Float64[Array, "3 point"]) -> Float64[Array, "pick point"]:
        """Computed times, station corrections added."""
        seen = self.observations
        stations = seen.stations
        at = surface_points_m(*coordinates(stations))
        elevation_m = np.array([station.elevation_m for station in stations])
        distance_m = arc_lengths_m(at, surface_points_m(*self.frame.place(points[0], points[1])))
        times = [
            self.tables.times_at_s(phase, elevation_m[rows], distance_m[rows], points[2])
            for phase, rows in ((Phase.P, slice(seen.n_p)), (Phase.S, slice(seen.n_p, None)))
            if rows.start is None or rows.start < len(stations)
        ]
        return np.concatenate(times) + seen.correction_s[:, None]

    def profile(
        self,
        points: Float64[Array, "3 point"],
        *,
        sigma_s: Float64[Array, " pick"] | None = None,
        blur_s: Float64[Array, " pick"] | float = 0.0,
    ) -> Profile:
        """The likelihood of places.

        Args:
            points: to try.
            sigma_s: scales of the residuals, the same everywhere; None takes those that the
                travel times at each point give.
            blur_s: added to the scales in squares, for points that stand for wide cells.
        """
        travel_s = self.travel_s(points)
        if sigma_s is None:
            scale = self.noise.sigma_s(self.observations.uncertainty_s[:, None], travel_s)
            scale = np.sqrt(scale**2 + np.square(blur_s)[..., None]) if np.any(blur_s) else scale
        else:
            scale = sigma_s[:, None]
        return profile_time(
            self.observations.time_s[:, None] - travel_s, scale, self.noise.degrees_of_freedom
        )


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Places with the origin time taken out.

    Args:
        time_s: most likely origin time after the reference.
        time_variance_s2: of it, the place given.
        log_likelihood: of the place and its best time.
    """

    time_s: Float64[Array, " point"]
    time_variance_s2: Float64[Array, " point"]
    log_likelihood: Float64[Array, " point"]

    @property
    def log_marginal(self) -> Float64[Array, " point"]:
        """Log-likelihood of the place, integrated over the origin time (Laplace)."""
        return self.log_likelihood + 0.5 * np.log(self.time_variance_s2)


def profile_time(
    delay_s: Float64[Array, "pick point"],
    scale_s: Float64[Array, "pick #point"],
    degrees_of_freedom: float,
) -> Profile:
    """Most likely origin time of each place, from the origin times that each pick implies.

    From their median by iteratively reweighted means, which for Student's t is the EM algorithm.

    Source:
        Lange, Little & Taylor (1989), doi:10.1080/01621459.1989.10478852.
    """
    nu = degrees_of_freedom
    precision = 1 / scale_s**2
    time = np.median(delay_s, axis=0)
    for _ in range(_TIME_ITERATIONS):
        weight = precision / (nu + (delay_s - time) ** 2 * precision)
        time = np.sum(weight * delay_s, axis=0) / np.sum(weight, axis=0)
    square = (delay_s - time) ** 2 * precision
    penalty = np.sum(np.log1p(square / nu), axis=0)
    likelihood = -(nu + 1) / 2 * penalty - np.sum(np.log(scale_s), axis=0)
    weight = (nu + 1) * precision / (nu + square)
    curvature = np.sum(weight * (nu - square) / (nu + square), axis=0)
    # Two clusters of delays can make the curvature vanish; the weights bound it from below.
    curvature = np.maximum(curvature, 0.25 * np.sum(weight, axis=0))
    return Profile(time, 1 / curvature, likelihood)
