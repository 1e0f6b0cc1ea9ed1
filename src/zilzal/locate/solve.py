"""One event: area, search, refinement, outliers, spread, and what to do about the depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.errors import RangeError
from zilzal.core.geo import coordinates, distance_m
from zilzal.core.pick import Phase
from zilzal.core.station import Station
from zilzal.locate.frame import Frame
from zilzal.locate.likelihood import Noise, Problem
from zilzal.locate.observations import Key, Observations, key_of
from zilzal.locate.posterior import Posterior, sample
from zilzal.locate.refine import linearise, refine
from zilzal.locate.search import Volume, search
from zilzal.locate.shared import SharedError, spread_of
from zilzal.travel import EarthModel, TravelTimeTables
from zilzal.travel.tables import SHALLOWEST_M

S_MINUS_P_SPEED_M_PER_S = 8_200.0
"""Distance over S-P time in a crust of 6 km/s and Vp/Vs 1.73: vp / (vp/vs - 1)."""
_TABLE_LADDER_M = (150e3, 300e3, 600e3, 1_200e3)
_LEAST_MARGIN_M = 20e3


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Where one event is most likely.

    Args:
        problem: with the picks that were used.
        everything: with all picks, for the residuals of those that were not.
        volume: that was searched.
        point: east, north, depth in the problem's frame.
        time_s: origin time after the reference.
        posterior: spread about `point` and `time_s`.
        depth_fixed: whether the depth was chosen and not found.
    """

    problem: Problem
    everything: Problem
    volume: Volume
    point: Float64[Array, " 3"]
    time_s: float
    posterior: Posterior
    depth_fixed: bool

    def residuals_s(self) -> tuple[Float64[Array, " pick"], Float64[Array, " pick"]]:
        """Residuals of all picks and their weights, 0 for those that were not used."""
        travel_s = self.everything.travel_s(self.point[:, None])[:, 0]
        seen, noise = self.everything.observations, self.everything.noise
        residual_s = seen.time_s - self.time_s - travel_s
        scaled = residual_s / noise.sigma_s(seen.uncertainty_s, travel_s)
        weight = noise.degrees_of_freedom / (noise.degrees_of_freedom + scaled**2)
        used: set[Key] = {key_of(pick) for pick in self.problem.observations.picks}
        return residual_s, np.where([key_of(pick) in used for pick in seen.picks], weight, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthPolicy:
    """What is known of depths before any pick.

    Args:
        max_depth_m: of any source.
        fixed_depth_m: taken where the picks cannot tell.
        max_error_m: standard deviation above which they cannot.
    """

    max_depth_m: float
    fixed_depth_m: float
    max_error_m: float


def solve(
    observations: Observations,
    model: EarthModel,
    noise: Noise,
    error: SharedError,
    depth: DepthPolicy,
    *,
    margin_m: float,
    outlier_weight: float,
) -> Solution:
    """The most likely place and time with their spread.

    Args:
        observations: enough of them for a place.
        model: the earth.
        noise: of the residuals.
        error: of the earth model, shared by neighbouring stations.
        depth: limits and fallback.
        margin_m: of the search beyond the stations, at least.
        outlier_weight: picks whose weight is below are taken out for good.

    Raises:
        RangeError: the stations are further apart than the earth model holds.
    """
    frame, volume, reach_m = plan_volume(observations, model, depth.max_depth_m, margin_m)
    tables = TravelTimeTables(model=model, max_distance_m=reach_m, max_depth_m=depth.max_depth_m)
    everything = Problem(observations=observations, tables=tables, noise=noise, frame=frame)
    free = _optimise(everything, volume, error, outlier_weight)
    if free.posterior.deviation_m[2] <= depth.max_error_m:
        return free
    level = replace(volume, top_m=depth.fixed_depth_m, bottom_m=depth.fixed_depth_m)
    fixed = _optimise(everything, level, error, outlier_weight)
    # The error of a fixed depth is not nought: what the free solution allows counts.
    moved = np.append(free.point - fixed.point, free.time_s - fixed.time_s)
    spread = free.posterior.covariance + np.outer(moved, moved)
    posterior = replace(free.posterior, covariance=spread)
    return replace(fixed, volume=volume, posterior=posterior, depth_fixed=True)


def plan_volume(
    observations: Observations, model: EarthModel, max_depth_m: float, margin_m: float
) -> tuple[Frame, Volume, float]:
    """Where to search, and how far travel times are needed.

    The box of the stations with picks, widened on every side by its longer side, but at least by
    `margin_m` and by 1.3 times the distance that the shortest S-P time speaks of, and at most as
    far as the earth model holds. Downwards from the highest station.

    Raises:
        RangeError: the stations are further apart than the earth model holds.
    """
    first = observations.stations[int(np.argmin(observations.time_s))]
    around = Frame(first.latitude, first.longitude)
    latitudes, longitudes = coordinates(observations.stations)
    east_m, north_m = around.metres(latitudes, longitudes)
    middle = [float(np.ptp(axis) / 2 + np.min(axis)) for axis in (east_m, north_m)]
    latitude, longitude = around.place(np.array(middle[:1]), np.array(middle[1:]))
    frame = Frame(float(latitude[0]), float((longitude[0] + 180) % 360 - 180))
    east_m, north_m = frame.metres(latitudes, longitudes)
    half_m = np.max(np.abs([east_m, north_m]), axis=1)
    diagonal_m = 2 * hypot(*half_m)
    room_m = 0.98 * (model.max_distance_m - diagonal_m) / np.sqrt(2)
    if room_m < _LEAST_MARGIN_M:
        raise RangeError(
            f"stations {diagonal_m / 1e3:.0f} km apart: earth model {model.name!r} holds to "
            f"{model.max_distance_m / 1e3:.0f} km; take another model or nearer stations"
        )
    wish_m = max(margin_m, 2 * float(max(half_m)), _distance_of_s_minus_p_m(observations))
    margin = min(wish_m, room_m)
    reach_m = (diagonal_m + np.sqrt(2) * margin) / 0.98
    reach_m = min((r for r in _TABLE_LADDER_M if r >= reach_m), default=model.max_distance_m)
    highest_m = max(station.elevation_m for station in observations.stations)
    volume = Volume(
        west_m=-half_m[0] - margin, east_m=half_m[0] + margin,
        south_m=-half_m[1] - margin, north_m=half_m[1] + margin,
        top_m=max(-highest_m, SHALLOWEST_M), bottom_m=max_depth_m,
    )  # fmt: skip
    return frame, volume, min(reach_m, model.max_distance_m)


def tables_of(
    stations: Sequence[Station], model: EarthModel, max_depth_m: float, margin_m: float
) -> Iterator[TravelTimeTables]:
    """All tables that sources within a network can need, the smallest first."""
    if not stations:
        return
    latitudes, longitudes = coordinates(stations)
    across_m = float(
        distance_m(latitudes.min(), longitudes.min(), latitudes.max(), longitudes.max())
    )
    farthest_m = (across_m + np.sqrt(2) * max(margin_m, across_m)) / 0.98
    for reach_m in _TABLE_LADDER_M:
        limit_m = min(reach_m, model.max_distance_m)
        yield TravelTimeTables(model=model, max_distance_m=limit_m, max_depth_m=max_depth_m)
        if limit_m < reach_m or reach_m >= farthest_m:
            return


def _distance_of_s_minus_p_m(observations: Observations) -> float:
    """1.3 times the shortest distance from a source to a station with P and S; 0 without one."""
    at = {key_of(pick): time for pick, time in
          zip(observations.picks, observations.time_s, strict=True)}  # fmt: skip
    delays = [
        at[station_id, Phase.S] - time
        for (station_id, phase), time in at.items()
        if phase is Phase.P and (station_id, Phase.S) in at
    ]
    return 1.3 * S_MINUS_P_SPEED_M_PER_S * max(min(delays, default=0.0), 0.0)


def _optimise(
    everything: Problem, volume: Volume, error: SharedError, outlier_weight: float
) -> Solution:
    """Search, refine, take outliers out, refine again, and sample."""
    found = search(everything, volume)
    sigma_s = _sigma_s(everything, found.best)
    point = refine(everything, volume, found.best, sigma_s)
    problem = _without_outliers(everything, point, outlier_weight)
    if problem is not everything:
        point = refine(problem, volume, point, _sigma_s(problem, point))
    sigma_s = _sigma_s(problem, point)
    optimum = linearise(problem, volume, point, sigma_s)
    report = np.append(point, optimum.time_s)
    posterior = sample(problem, volume, found, report, sigma_s, linear=optimum.inverse())
    covariance = posterior.covariance + spread_of(error, problem, optimum)
    posterior = replace(posterior, covariance=covariance)
    return Solution(
        problem, everything, volume, point, optimum.time_s, posterior, depth_fixed=False
    )


def _sigma_s(problem: Problem, point: Array) -> Float64[Array, " pick"]:
    """Scales of the residuals, by the travel times from one point."""
    travel_s = problem.travel_s(point[:, None])[:, 0]
    return problem.noise.sigma_s(problem.observations.uncertainty_s, travel_s)


def _without_outliers(problem: Problem, point: Array, least_weight: float) -> Problem:
    """The problem of the picks that fit; the same one if all do."""
    travel_s = problem.travel_s(point[:, None])[:, 0]
    seen = problem.observations
    sigma_s = problem.noise.sigma_s(seen.uncertainty_s, travel_s)
    delay_s = seen.time_s - travel_s
    time_s = problem.profile(point[:, None], sigma_s=sigma_s).time_s[0]
    nu = problem.noise.degrees_of_freedom
    keep = nu / (nu + ((delay_s - time_s) / sigma_s) ** 2) >= least_weight
    if keep.all() or not keep.any():
        return problem
    rows = np.flatnonzero(keep)
    kept = replace(
        seen,
        picks=tuple(seen.picks[row] for row in rows),
        stations=tuple(seen.stations[row] for row in rows),
        n_p=int(np.sum(keep[: seen.n_p])),
        time_s=seen.time_s[keep],
        uncertainty_s=seen.uncertainty_s[keep],
        correction_s=seen.correction_s[keep],
    )
    return replace(problem, observations=kept)
