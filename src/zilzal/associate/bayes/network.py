"""The network as the search sees it: where stations are, where sources may be, travel times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from zilzal.associate.search import middle_longitude
from zilzal.core.arrays import Array
from zilzal.core.geo import coordinates
from zilzal.core.pick import Phase
from zilzal.core.station import Station
from zilzal.locate.frame import Frame, arc_lengths_m, surface_points_m
from zilzal.travel import TravelTimeTables, load_model

PHASES = (Phase.P, Phase.S)
"""A slot is a station and a phase, numbered 2 * station + phase."""
LEAST_OUTSIDE_M, LARGEST_OUTSIDE_M = 50_000.0, 100_000.0
"""Sources may be outside the stations' box by its longer side, within these bounds."""
TABLE_SPACING_M, REACH_STEP_M = 2_000.0, 100_000.0
_STEP_M = 200.0
"""Over which slopes of travel times are taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Stations on a chart, and the volume that is searched.

    Args:
        stations: in order of their codes.
        frame: the chart.
        east_m: of the stations on it.
        north_m: of the stations on it.
        elevation_m: of the stations.
        points_m: geocentric places of the stations.
        low_m: west, south and upper end of the volume.
        high_m: east, north and lower end of it.
        between_m: usual distance of a station to its nearest neighbour.
        travel: travel times.
    """

    stations: tuple[Station, ...]
    frame: Frame
    east_m: Float64[Array, " station"]
    north_m: Float64[Array, " station"]
    elevation_m: Float64[Array, " station"]
    points_m: Float64[Array, "3 station"]
    low_m: Float64[Array, " 3"]
    high_m: Float64[Array, " 3"]
    between_m: float
    travel: TravelTimeTables

    @property
    def n_slots(self) -> int:
        """Stations times phases."""
        return 2 * len(self.stations)

    @property
    def area_m2(self) -> float:
        """Of the volume, seen from above."""
        width = self.high_m - self.low_m
        return float(width[0] * width[1])

    @property
    def thickness_m(self) -> float:
        """Of the volume."""
        return float(self.high_m[2] - self.low_m[2])

    def distances_m(self, place_m: Float64[Array, "source 3"]) -> Float64[Array, "source station"]:
        """Epicentral distances."""
        latitude, longitude = self.frame.place(place_m[:, 0], place_m[:, 1])
        return arc_lengths_m(self.points_m, surface_points_m(latitude, longitude)).T

    def times_s(
        self, distance_m: Float64[Array, "source station"], depth_m: Float64[Array, " source"]
    ) -> Float64[Array, "source slot"]:
        """Travel times; beyond the model's reach those at its end."""
        within_m = np.minimum(distance_m, self.travel.max_distance_m).T
        times = [self.travel.times_at_s(p, self.elevation_m, within_m, depth_m) for p in PHASES]
        return np.stack([each.T for each in times], axis=2).reshape(len(depth_m), -1)

    def slopes(
        self,
        place_m: Float64[Array, "source 3"],
        distance_m: Float64[Array, "source station"],
        time_s: Float64[Array, "source slot"],
    ) -> Float64[Array, "source slot 3"]:
        """How travel times grow [s/m] as a source moves east, north and down."""
        depth_m = place_m[:, 2]
        outward = (self.times_s(distance_m + _STEP_M, depth_m) - time_s) / _STEP_M
        down = (self.times_s(distance_m, depth_m + _STEP_M) - time_s) / _STEP_M
        east = place_m[:, :1] - self.east_m
        north = place_m[:, 1:2] - self.north_m
        length = np.maximum(np.hypot(east, north), 1.0)
        return np.stack(
            [
                outward * np.repeat(east / length, 2, axis=1),
                outward * np.repeat(north / length, 2, axis=1),
                down,
            ],
            axis=2,
        )


@lru_cache(maxsize=4)
def network_of(stations: tuple[Station, ...], earth_model: str, max_depth_m: float) -> Network:
    """The network of some stations in an earth model; two stations at least."""
    ordered = tuple(sorted(stations, key=lambda station: station.station_id))
    latitude, longitude = coordinates(ordered)
    frame = Frame(float(latitude.min() + latitude.max()) / 2, middle_longitude(longitude))
    east_m, north_m = frame.metres(latitude, longitude)
    low, high = (np.array([f(east_m), f(north_m)]) for f in (np.min, np.max))
    outside_m = float(np.clip((high - low).max(), LEAST_OUTSIDE_M, LARGEST_OUTSIDE_M))
    apart_m = np.sort(np.hypot(east_m[:, None] - east_m, north_m[:, None] - north_m), axis=1)
    model = load_model(earth_model)
    # In steps, so that a network that grows by a station keeps its tables.
    across_m = float(np.hypot(*(high - low + 2 * outside_m)))
    reach_m = REACH_STEP_M * np.ceil(1.02 * across_m / REACH_STEP_M)
    travel = TravelTimeTables(
        model=model,
        max_distance_m=float(min(reach_m, model.max_distance_m)),
        max_depth_m=max_depth_m + 2 * _STEP_M,
        spacing_m=TABLE_SPACING_M,
    )
    return Network(
        stations=ordered,
        frame=frame,
        east_m=east_m,
        north_m=north_m,
        elevation_m=np.array([station.elevation_m for station in ordered], float),
        points_m=surface_points_m(latitude, longitude),
        low_m=np.array([*(low - outside_m), 0.0]),
        high_m=np.array([*(high + outside_m), max_depth_m]),
        between_m=float(np.median(apart_m[:, 1])),
        travel=travel,
    )


def stations_of(stations: Sequence[Station]) -> tuple[Station, ...]:
    """One station of each code, to be asked for with."""
    return tuple({station.station_id: station for station in stations}.values())
