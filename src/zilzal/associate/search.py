"""How widely and how strictly to search for events, derived from the network and its picks.

Nobody should have to tune an associator by trial and error. The volume comes from the stations,
the tolerances from the picks' uncertainties and the earth model's, the kinds of picks from what
the network can see, and the number of picks that make an event from a null test (`null.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zilzal.core.geo import azimuth_deg, coordinates, displace, distance_m
from zilzal.core.pick import Phase, Pick
from zilzal.core.station import Station

MODEL_ERROR = 0.03
"""Relative standard error of travel times in a 1-D model of a region: a few per cent is what
station terms of local networks amount to (as in Lin et al. 2007, doi:10.1029/2007JB004977)."""
LEAST_PICKS = 5
"""Four picks fix time and place; only a fifth can contradict them."""
LEAST_STATIONS = 3
LARGE_NETWORK = 8
"""Stations from which on an event needs one pick more, and two of each kind."""


def check_strictness(min_picks: int | None, false_share: float) -> None:
    """Whether an associator can be so strict.

    Raises:
        ValueError: it cannot.
    """
    if min_picks is not None and min_picks < LEAST_PICKS:
        raise ValueError(
            f"min_picks is {min_picks}; at least {LEAST_PICKS} are needed for a fit that "
            "can be wrong"
        )
    if not 0 < false_share < 1:
        raise ValueError(f"false_share is {false_share}; give a share in (0, 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A plane that touches the earth in the middle of a network; x is east, y is north [m]."""

    latitude: float
    longitude: float

    def to_xy_m(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Azimuthal equidistant coordinates of a place."""
        distance = float(distance_m(self.latitude, self.longitude, latitude, longitude))
        azimuth = np.radians(azimuth_deg(self.latitude, self.longitude, latitude, longitude))
        return distance * float(np.sin(azimuth)), distance * float(np.cos(azimuth))

    def to_place(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Latitude and longitude of a point of the plane."""
        return displace(self.latitude, self.longitude, x_m, y_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where to look for sources, and how well picks must fit.

    Args:
        plane: of the coordinates.
        x_limits_m: west and east end of the volume.
        y_limits_m: south and north end.
        max_depth_m: lower end; the upper one is sea level.
        node_m: edge at which a volume with enough picks becomes a candidate.
        tolerance_s: largest misfit of a pick.
        least_picks: picks that a candidate needs.
        least_p: P picks that an event needs.
        least_s: S picks that an event needs.
        least_both: stations with P and S that an event needs.
    """

    plane: Plane
    x_limits_m: tuple[float, float]
    y_limits_m: tuple[float, float]
    max_depth_m: float
    node_m: float
    tolerance_s: float
    least_picks: int
    least_p: int
    least_s: int
    least_both: int

    @property
    def reach_m(self) -> float:
        """Longest horizontal distance inside the volume."""
        return float(
            np.hypot(
                self.x_limits_m[1] - self.x_limits_m[0], self.y_limits_m[1] - self.y_limits_m[0]
            )
        )


def plan_search(
    picks: Sequence[Pick],
    stations: Sequence[Station],
    *,
    max_depth_m: float,
    s_speed_m_per_s: float,
    tolerance_s: float | None = None,
) -> Search:
    """Derive the search from the network's geometry and the picks' uncertainties.

    The volume is the stations' box, widened by a quarter of its size within 15 to 50 km.
    Candidates are nodes of half the usual distance between neighbours, within 1 to 10 km. The
    tolerance is three standard errors: the picks' median uncertainty with `MODEL_ERROR` of the
    S time to the fifth nearest station. S picks are asked for where at least a tenth of the picks
    are S.

    Args:
        picks: that will be associated; at least one.
        stations: of the network; at least two.
        max_depth_m: of the deepest event that is looked for.
        s_speed_m_per_s: typical of the upper crust.
        tolerance_s: overrides the derived one.
    """
    latitudes, longitudes = coordinates(stations)
    plane = Plane(
        latitude=float((latitudes.min() + latitudes.max()) / 2),
        longitude=middle_longitude(longitudes),
    )
    xy = np.array([plane.to_xy_m(s.latitude, s.longitude) for s in stations])
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = float(np.clip(0.25 * max(high - low), 15e3, 50e3))
    between = np.sort(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)), axis=1)
    neighbour = float(np.median(between[:, 1]))
    fifth = float(np.median(between[:, min(5, len(stations) - 1)]))
    if tolerance_s is None:
        pick_error = float(np.median([pick.uncertainty_s for pick in picks]))
        tolerance_s = 3 * float(np.hypot(pick_error, MODEL_ERROR * fifth / s_speed_m_per_s))
    sees_s = sum(pick.phase is Phase.S for pick in picks) >= 0.1 * len(picks)
    pairs = 2 if len(stations) >= LARGE_NETWORK else 1
    return Search(
        plane=plane,
        x_limits_m=(float(low[0]) - margin, float(high[0]) + margin),
        y_limits_m=(float(low[1]) - margin, float(high[1]) + margin),
        max_depth_m=max_depth_m,
        node_m=float(np.clip(neighbour / 2, 1e3, 10e3)),
        tolerance_s=max(tolerance_s, 0.3),
        least_picks=LEAST_PICKS + (len(stations) >= LARGE_NETWORK),
        least_p=pairs + 1,
        least_s=pairs if sees_s else 0,
        least_both=pairs if sees_s else 0,
    )


def middle_longitude(longitudes: np.ndarray) -> float:
    """Centre of the stations' span, also across the date line."""
    reference = longitudes[0]
    offset = (longitudes - reference + 180) % 360 - 180
    middle = reference + (offset.min() + offset.max()) / 2
    return float((middle + 180) % 360 - 180)
