"""Places near an event in metres, and distances without trigonometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from zilzal.core.arrays import Array
from zilzal.core.geo import EQUATORIAL_RADIUS_M, FLATTENING

_E2 = FLATTENING * (2 - FLATTENING)
_MEAN_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Frame:
    """East and north [m] about a centre, with the ellipsoid's two radii there.

    A chart, not a projection: distances are never taken on it, only steps and spreads.
    """

    latitude: float
    longitude: float

    def _metres_per_degree(self) -> tuple[float, float]:
        """East and north."""
        sine, cosine = np.sin(np.radians(self.latitude)), np.cos(np.radians(self.latitude))
        w = np.sqrt(1 - _E2 * sine**2)
        degree_m = np.radians(1.0) * EQUATORIAL_RADIUS_M
        return float(degree_m / w * cosine), float(degree_m * (1 - _E2) / w**3)

    def place(
        self, east_m: Float[Array, " node"], north_m: Float[Array, " node"]
    ) -> tuple[Float64[Array, " node"], Float64[Array, " node"]]:
        """Latitude and longitude [deg]."""
        per_east, per_north = self._metres_per_degree()
        return self.latitude + north_m / per_north, self.longitude + east_m / per_east

    def metres(
        self, latitude: Float[Array, " node"], longitude: Float[Array, " node"]
    ) -> tuple[Float64[Array, " node"], Float64[Array, " node"]]:
        """East and north [m]; the inverse of `place`, across the date line too."""
        per_east, per_north = self._metres_per_degree()
        turn = (np.asarray(longitude) - self.longitude + 180) % 360 - 180
        return turn * per_east, (np.asarray(latitude) - self.latitude) * per_north


def surface_points_m(
    latitude: Float[Array, " node"], longitude: Float[Array, " node"]
) -> Float64[Array, "3 node"]:
    """Geocentric coordinates of places on the ellipsoid."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    sine, cosine = np.sin(phi), np.cos(phi)
    normal = EQUATORIAL_RADIUS_M / np.sqrt(1 - _E2 * sine**2)
    return np.stack(
        [normal * cosine * np.cos(lam), normal * cosine * np.sin(lam), normal * (1 - _E2) * sine]
    )


def arc_lengths_m(
    one: Float64[Array, "3 station"], other: Float64[Array, "3 node"]
) -> Float64[Array, "station node"]:
    """Distances along the ellipsoid between points on it.

    From the chord c of a circle of the mean radius, 2R arcsin(c/2R) as a series: within 2 m of
    the geodesic below 500 km, and 0.01 % below 1,500 km.
    """
    square = (one[0][:, None] - other[0]) ** 2
    square += (one[1][:, None] - other[1]) ** 2
    square += (one[2][:, None] - other[2]) ** 2
    x = square * (1 / (4 * _MEAN_RADIUS_M**2))
    return np.sqrt(square) * (1 + x * (1 / 6 + x * (3 / 40 + x * (15 / 336))))
