"""Location by a global search with a robust likelihood, and its uncertainty by sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

import zilzal
from zilzal.core.errors import RangeError
from zilzal.core.event import Arrival, Association, Origin, Unlocated
from zilzal.core.geo import azimuth_deg, azimuthal_gap_deg, coordinates, distance_m
from zilzal.core.ids import StationId, derive_id
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.locate.likelihood import Noise
from zilzal.locate.observations import Key, StationCorrection, choose, key_of, observe
from zilzal.locate.quality import ellipse_of, letter
from zilzal.locate.shared import SharedError
from zilzal.locate.solve import DepthPolicy, Solution, solve, tables_of
from zilzal.travel import EarthModel, first_arrivals, load_model

EDGE_SHARE = 0.01
"""An optimum within this share of the area's width from its edge counts as at the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLocator:
    """Finds the most probable source; `docs/explanation/location.md` says how.

    Args:
        earth_model: name of a built-in model, or path of a TOML or CSV file.
        corrections: station terms.
        min_stations: fewer are not located.
        min_picks: fewer P and S together are not located.
        model_error_s: standard deviation of computed times, the part that every one has.
        model_error_share: the part that grows with the travel time.
        shared_error_share: errors of computed times that neighbouring stations share, as a share
            of the travel time: they widen the uncertainty and move nothing.
        shared_error_length_m: distance over which they fade.
        degrees_of_freedom: of Student's t of the residuals; smaller is more robust.
        outlier_weight: picks whose weight in [0, 1] falls below are not used.
        min_used_share: with fewer of the picks used there is no location.
        max_rms_s: with a larger weighted rms there is no location.
        max_depth_m: of the search.
        fixed_depth_m: taken where the picks cannot tell the depth.
        max_depth_error_m: standard deviation of the depth above which they cannot.
        search_margin_m: of the search beyond the stations, at least.
    """

    earth_model: str = "ak135"
    corrections: tuple[StationCorrection, ...] = ()
    min_stations: int = 3
    min_picks: int = 4
    model_error_s: float = 0.05
    model_error_share: float = 0.015
    shared_error_share: float = 0.03
    shared_error_length_m: float = 30_000.0
    degrees_of_freedom: float = 4.0
    outlier_weight: float = 0.1
    min_used_share: float = 0.5
    max_rms_s: float = 1.0
    max_depth_m: float = 45_000.0
    fixed_depth_m: float = 8_000.0
    max_depth_error_m: float = 10_000.0
    search_margin_m: float = 50_000.0

    def __post_init__(self) -> None:
        positive = ("model_error_s", "degrees_of_freedom", "max_rms_s", "max_depth_error_m",
                    "search_margin_m", "shared_error_length_m")  # fmt: skip
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; give a number above 0")
        for name in ("outlier_weight", "min_used_share", "model_error_share", "shared_error_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give a share in [0, 1)")
        if self.min_stations < 3 or self.min_picks < 4:
            raise ValueError("a place and a time need min_stations >= 3 and min_picks >= 4; "
                             f"got {self.min_stations} and {self.min_picks}")  # fmt: skip
        if not 0 <= self.fixed_depth_m < self.max_depth_m:
            raise ValueError(f"fixed_depth_m is {self.fixed_depth_m}; give 0 to max_depth_m, "
                             f"which is {self.max_depth_m}")  # fmt: skip

    def locate(self, association: Association, stations: Sequence[Station]) -> Origin | Unlocated:
        """The most probable origin with its covariance, or why there is none.

        Picks of stations that are not given are left out. Of several picks of one phase at one
        station the most probable is used, unless another fits much better.

        Raises:
            FormatError: the earth model cannot be read.
        """
        by_id = {station.station_id: station for station in stations}
        known = [p for p in association.picks if p.channel_id.station_id in by_id]
        groups = choose(known)
        chosen = {key: group[0] for key, group in groups.items()}
        missing = len(association.picks) - len(known)
        reason = self._too_few(chosen, f"; {missing} of unknown stations" if missing else "")
        if reason:
            return Unlocated(reason=reason, time=association.time)
        try:
            solution = self._solve(chosen, by_id)
            better = _better_duplicates(solution, groups, chosen)
            if better != chosen:
                chosen, solution = better, self._solve(better, by_id)
        except RangeError as error:
            return Unlocated(reason=str(error), time=association.time)
        origin = self._origin(solution)
        reason = self._refusal(solution, origin)
        return Unlocated(reason=reason, time=association.time) if reason else origin

    def prepare(self, stations: Sequence[Station]) -> Iterator[None]:
        """Fill the tables of travel times that sources within a network need.

        Raises:
            FormatError: the earth model cannot be read.
        """
        model = _model(self.earth_model)
        for tables in tables_of(stations, model, self.max_depth_m, self.search_margin_m):
            for station in stations:
                tables.fill([station])
                yield

    def _too_few(self, picks: dict[Key, Pick], note: str) -> str:
        n_stations = len({station_id for station_id, _ in picks})
        if n_stations < self.min_stations or len(picks) < self.min_picks:
            return (
                f"{len(picks)} picks of {n_stations} stations{note}; "
                f"at least {self.min_picks} of {self.min_stations} are needed"
            )
        return ""

    def _solve(self, picks: dict[Key, Pick], by_id: dict[StationId, Station]) -> Solution:
        terms = {
            (StationId(*c.station.split(".", 1)), c.phase): c.correction_s
            for c in self.corrections
        }  # fmt: skip
        return solve(
            observe(list(picks.values()), by_id, terms),
            _model(self.earth_model),
            Noise(
                degrees_of_freedom=self.degrees_of_freedom,
                model_error_s=self.model_error_s,
                model_error_share=self.model_error_share,
            ),
            SharedError(share=self.shared_error_share, length_m=self.shared_error_length_m),
            DepthPolicy(
                max_depth_m=self.max_depth_m,
                fixed_depth_m=self.fixed_depth_m,
                max_error_m=self.max_depth_error_m,
            ),
            margin_m=self.search_margin_m,
            outlier_weight=self.outlier_weight,
        )

    def _refusal(self, solution: Solution, origin: Origin) -> str:
        """Why a solution is not believed; empty if it is."""
        used = {key_of(pick): pick for pick in solution.problem.observations.picks}
        tried = len(solution.everything.observations.picks)
        few = self._too_few(used, " fit one source")
        if few or len(used) < self.min_used_share * tried:
            return few or f"only {len(used)} of {tried} picks fit one source"
        if origin.rms_s > self.max_rms_s:
            return f"residuals of {origin.rms_s:.2f} s rms; at most {self.max_rms_s} s are allowed"
        volume = solution.volume
        edge_m = EDGE_SHARE * (volume.high - volume.low)[:2]
        point = solution.point[:2]
        if np.any(point < volume.low[:2] + edge_m) or np.any(point > volume.high[:2] - edge_m):
            return "best at the edge of the searched area: the source is far outside the network"
        if not solution.depth_fixed and solution.point[2] > volume.bottom_m - 100.0:
            return f"best at the largest depth searched, {volume.bottom_m / 1e3:.0f} km"
        return ""

    def _origin(self, solution: Solution) -> Origin:
        frame, seen = solution.problem.frame, solution.everything.observations
        latitude, longitude = (
            float(axis[0]) for axis in frame.place(solution.point[:1], solution.point[1:2])
        )
        depth_m = float(solution.point[2])
        arrivals = _arrivals(solution, latitude, longitude, depth_m)
        used = [arrival for arrival in arrivals if arrival.weight > 0]
        weights = np.array([arrival.weight for arrival in used])
        residuals_s = np.array([arrival.residual_s for arrival in used])
        rms_s = float(np.sqrt(np.average(residuals_s**2, weights=weights))) if used else np.inf
        gap_deg = azimuthal_gap_deg(np.unique([arrival.azimuth_deg for arrival in used]))
        covariance = solution.posterior.covariance
        ellipse = ellipse_of(covariance[:2, :2])
        name = solution.everything.tables.name
        method = Provenance(method="grid", version=zilzal.__version__, model=name)
        return Origin(
            id=derive_id("origin", *sorted(a.pick_id for a in used), method, depth_m, latitude),
            time=seen.reference + solution.time_s,
            latitude=latitude,
            longitude=(longitude + 180) % 360 - 180,
            depth_m=depth_m,
            covariance=covariance,
            ellipse=ellipse,
            arrivals=arrivals,
            rms_s=rms_s,
            azimuthal_gap_deg=gap_deg,
            nearest_station_m=min((a.distance_m for a in used), default=np.inf),
            quality=letter(
                semi_major_m=ellipse.semi_major_m,
                depth_error_m=np.inf if solution.depth_fixed else float(covariance[2, 2]) ** 0.5,
                gap_deg=gap_deg,
                rms_s=rms_s,
                n_arrivals=len(used),
            ),
            depth_fixed=solution.depth_fixed,
            earth_model=name,
            provenance=method,
        )


@lru_cache(maxsize=4)
def _model(name_or_path: str) -> EarthModel:
    return load_model(name_or_path)


def _better_duplicates(
    solution: Solution, groups: dict[Key, list[Pick]], chosen: dict[Key, Pick]
) -> dict[Key, Pick]:
    """The choice with those picks exchanged whose rival lies within half their residual."""
    residuals_s, _ = solution.residuals_s()
    better = dict(chosen)
    for pick, residual_s in zip(solution.everything.observations.picks, residuals_s, strict=True):
        for rival in groups[key_of(pick)][1:]:
            rival_s = abs(residual_s + (rival.time - pick.time))
            taken_s = abs(residual_s + (better[key_of(pick)].time - pick.time))
            if rival_s < 0.5 * taken_s - rival.uncertainty_s:
                better[key_of(pick)] = rival
    return better


def _arrivals(
    solution: Solution, latitude: float, longitude: float, depth_m: float
) -> tuple[Arrival, ...]:
    """All picks that were tried, in order of travel time."""
    seen = solution.everything.observations
    there = coordinates(seen.stations)
    elevations_m = np.array([station.elevation_m for station in seen.stations])
    distances_m = distance_m(latitude, longitude, *there)
    azimuths_deg = azimuth_deg(latitude, longitude, *there)
    takeoffs_deg = np.concatenate([
        first_arrivals(
            solution.everything.tables.model, phase, elevation_m=elevations_m[rows],
            distance_m=distances_m[rows], depth_m=np.full(len(elevations_m[rows]), depth_m),
        ).takeoff_angle_deg
        for phase, rows in ((Phase.P, slice(seen.n_p)), (Phase.S, slice(seen.n_p, None)))
    ])  # fmt: skip
    residuals_s, weights = solution.residuals_s()
    order: list[int] = np.argsort(seen.time_s - residuals_s, kind="stable").tolist()
    return tuple(
        Arrival(
            pick_id=seen.picks[row].id,
            station_id=seen.stations[row].station_id,
            phase=seen.picks[row].phase,
            distance_m=float(distances_m[row]),
            azimuth_deg=float(azimuths_deg[row]),
            takeoff_angle_deg=float(takeoffs_deg[row]),
            residual_s=float(residuals_s[row]),
            weight=float(weights[row]),
            correction_s=float(seen.correction_s[row]),
        )
        for row in order
    )
