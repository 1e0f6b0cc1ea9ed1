"""Travel times from tables, quick enough for a global search.

A table holds, for one phase and one station elevation, the effective slowness T/R on distance
and source depth: R is the straight distance, so that T/R is smooth where T itself has the cone
of the source. By reciprocity one table serves a station for all sources. The values come from
`zilzal.travel.rays`, exactly, rather than from an eikonal solver: in layers that is both more
accurate (finite differences smear the head waves of sharp interfaces) and as quick. Depth nodes
lie on the interfaces, where T bends; so only the crossovers between branches are rounded off.

Station elevations are rounded to `ELEVATION_STEP_M` in T/R, but not in R. The number of
tables, and with it the memory, is bounded by the range of elevations and not by the number of
stations. Tables that differ in their reach only are one, filled as far as was asked for.
Nothing is written to disk: filling a table takes tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import numpy as np
from jaxtyping import Float, Float64

from zilzal.core.arrays import Array
from zilzal.core.errors import RangeError
from zilzal.core.pick import Phase
from zilzal.core.station import Station
from zilzal.travel.model import EarthModel
from zilzal.travel.rays import first_arrivals

ELEVATION_STEP_M = 20.0
"""Station elevations are rounded to multiples of it when a table is chosen."""

PIECE_M = 75_000.0
"""Tables are filled in pieces of so much distance, each by itself: what a node holds does not
depend on how far a table was filled before."""

SHALLOWEST_M = -6_000.0
"""Sources may be that far above sea level."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeTable:
    """Travel times on a regular grid, for other programs.

    Args:
        distance_m: epicentral, from 0.
        depth_m: of the source below sea level, from 0.
        time_s: on distance and depth.
    """

    distance_m: Float64[Array, " distance"]
    depth_m: Float64[Array, " depth"]
    time_s: Float64[Array, "distance depth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelTimeTables:
    """Interpolated first-arrival times of one earth model; satisfies `core.stage.TravelTimes`.

    Args:
        model: the earth.
        max_distance_m: epicentral, at most what the model is valid for.
        max_depth_m: of sources below sea level.
        spacing_m: of distance; depth is sampled twice as finely.
    """

    model: EarthModel
    max_distance_m: float = 300_000.0
    max_depth_m: float = 60_000.0
    spacing_m: float = 500.0

    def __post_init__(self) -> None:
        if not 0 < self.max_distance_m <= self.model.max_distance_m:
            raise RangeError(
                f"distance {self.max_distance_m:.0f} m: earth model {self.model.name!r} holds to "
                f"{self.model.max_distance_m:.0f} m; take nearer stations or another model"
            )

    @property
    def name(self) -> str:
        """Of the earth model."""
        return self.model.name

    def times_s(
        self,
        phase: Phase,
        stations: Sequence[Station],
        distance_m: Float[Array, "station node"],
        depth_m: Float[Array, " node"],
    ) -> Float64[Array, "station node"]:
        """Travel times from every node to every station.

        Args:
            phase: P or S.
            stations: only their elevations matter.
            distance_m: epicentral.
            depth_m: of the node below sea level.

        Raises:
            RangeError: a distance or depth is outside the table.
        """
        elevations_m = np.array([station.elevation_m for station in stations])
        return self.times_at_s(phase, elevations_m, distance_m, depth_m)

    def times_at_s(
        self,
        phase: Phase,
        elevation_m: Float[Array, " station"],
        distance_m: Float[Array, "station node"],
        depth_m: Float[Array, " node"],
    ) -> Float64[Array, "station node"]:
        """As `times_s`, for stations given by their elevations."""
        self._check(distance_m, depth_m)
        shelf = self._shelf(phase)
        rows = shelf.rows(elevation_m, self._columns)
        nodes_m = shelf.depth_m
        step = np.clip(np.searchsorted(nodes_m, depth_m, "right") - 1, 0, len(nodes_m) - 2)
        down = (depth_m - nodes_m[step]) / (nodes_m[step + 1] - nodes_m[step])
        column = np.minimum(distance_m / self.spacing_m, self._columns - 1.000001)
        whole = column.astype(np.int64)
        out = column - whole
        at = (rows[:, None] * shelf.columns + whole) * len(nodes_m) + step
        flat = shelf.slowness.ravel()
        near = flat[at] * (1 - down) + flat[at + 1] * down
        at += len(nodes_m)
        far = flat[at] * (1 - down) + flat[at + 1] * down
        return (near + (far - near) * out) * _straight_m(elevation_m[:, None], distance_m, depth_m)

    def fill(self, stations: Sequence[Station]) -> None:
        """Work out now what the first question about these stations would wait for."""
        elevations_m = np.array([station.elevation_m for station in stations])
        for phase in Phase:
            self._shelf(phase).rows(elevations_m, self._columns)

    @property
    def _columns(self) -> int:
        """Nodes of distance."""
        return int(np.ceil(self.max_distance_m / self.spacing_m)) + 1

    def _shelf(self, phase: Phase) -> _Shelf:
        return _shelf(self.model, phase, self.max_depth_m, self.spacing_m)

    def table(
        self,
        phase: Phase,
        *,
        max_distance_m: float,
        max_depth_m: float,
        spacing_m: float,
        elevation_m: float = 0.0,
    ) -> TimeTable:
        """Exact travel times on a regular grid, for programs that want such a table."""
        distance_m = np.arange(round(max_distance_m / spacing_m) + 1) * spacing_m
        depth_m = np.arange(round(max_depth_m / spacing_m) + 1) * spacing_m
        rays = first_arrivals(
            self.model, phase, elevation_m=elevation_m, distance_m=distance_m[:, None],
            depth_m=depth_m[None, :],
        )  # fmt: skip
        return TimeTable(distance_m, depth_m, rays.time_s)

    def _check(self, distance_m: Array, depth_m: Array) -> None:
        farthest_m = np.max(distance_m, initial=0.0)
        if not farthest_m <= self.max_distance_m:
            raise RangeError(f"epicentral distance {farthest_m:.0f} m is outside the travel-time "
                             f"table, which ends at {self.max_distance_m:.0f} m")  # fmt: skip
        shallowest_m, deepest_m = np.min(depth_m, initial=0.0), np.max(depth_m, initial=0.0)
        if not (shallowest_m >= SHALLOWEST_M and deepest_m <= self.max_depth_m):
            raise RangeError(
                f"source depths {shallowest_m:.0f} to {deepest_m:.0f} m are outside the travel-"
                f"time table, which holds {SHALLOWEST_M:.0f} to {self.max_depth_m:.0f} m"
            )


@dataclass(slots=True, eq=False)
class _Shelf:
    """Tables of one phase, filled as elevations and distances are asked for; a cache and no more.

    There is room for as far as the model is valid, for more elevations than are filled: memory
    that nothing was written to is not taken.
    """

    model: EarthModel
    phase: Phase
    spacing_m: float
    depth_m: Float64[Array, " depth"]
    columns: int
    slowness: Array
    row_of: dict[int, int] = field(default_factory=dict[int, int])
    filled: dict[int, int] = field(default_factory=dict[int, int])
    lock: Lock = field(default_factory=Lock)

    def rows(self, elevation_m: Array, columns: int) -> Array:
        """Row of each station's table, filled so far at least."""
        steps = np.round(elevation_m / ELEVATION_STEP_M).astype(int).tolist()
        with self.lock:
            for step in sorted({s for s in steps if self.filled.get(s, 0) < columns}):
                self._fill(step, columns)
        return np.array([self.row_of[step] for step in steps], dtype=np.int64)

    def _fill(self, step: int, columns: int) -> None:
        if step not in self.row_of:
            self._make_room()
            self.row_of[step] = len(self.row_of)
        row, piece = self.slowness[self.row_of[step]], round(PIECE_M / self.spacing_m)
        while (first := self.filled.get(step, 0)) < columns:
            last = min(first + piece, self.columns)
            row[first:last] = self._piece(step * ELEVATION_STEP_M, first, last)
            self.filled[step] = last

    def _make_room(self) -> None:
        """For another row; those that are there are copied as far as they are filled."""
        if len(self.row_of) == len(self.slowness):
            shape = (2 * len(self.row_of) + 1, *self.slowness.shape[1:])
            room = np.empty(shape, self.slowness.dtype)
            for step, row in self.row_of.items():
                filled = self.filled.get(step, 0)
                room[row, :filled] = self.slowness[row, :filled]
            self.slowness = room

    def _piece(self, elevation_m: float, first: int, last: int) -> Array:
        distance_m = (np.arange(first, last) * self.spacing_m)[:, None]
        # A node at the very station has no T/R: that depth takes the one of sources just below.
        level = np.abs(self.depth_m + elevation_m) < 1.0
        depth_m = np.where(level, self.depth_m + 1.0, self.depth_m)
        straight_m = _straight_m(elevation_m, distance_m, depth_m)
        rays = first_arrivals(
            self.model, self.phase, elevation_m=elevation_m, distance_m=distance_m,
            depth_m=depth_m,
        )  # fmt: skip
        return (rays.time_s / straight_m).astype(np.float32)


@lru_cache(maxsize=16)
def _shelf(model: EarthModel, phase: Phase, max_depth_m: float, spacing_m: float) -> _Shelf:
    columns = int(np.ceil(model.max_distance_m / spacing_m)) + 1
    depth_m = _depth_nodes_m(model, max_depth_m, spacing_m)
    room = np.empty((0, columns, len(depth_m)), "f4")
    return _Shelf(model, phase, spacing_m, depth_m, columns, room)


def _depth_nodes_m(
    model: EarthModel, max_depth_m: float, spacing_m: float
) -> Float64[Array, " depth"]:
    """Depths from the top to the bottom of a table, with one on each interface."""
    tops_m = [layer.top_m for layer in model.layers[1:]]
    inside = [top_m for top_m in tops_m if SHALLOWEST_M < top_m < max_depth_m]
    anchors = [SHALLOWEST_M, *inside, max_depth_m]
    step_m = spacing_m / 2
    pieces = [
        np.linspace(a, b, int(np.ceil((b - a) / step_m)), endpoint=False)
        for a, b in pairwise(anchors)
    ]
    return np.append(np.concatenate(pieces), max_depth_m)


def _straight_m(elevation_m: Array | float, distance_m: Array, depth_m: Array) -> Array:
    """Length of the straight line from source to station."""
    height_m = depth_m + elevation_m
    return np.sqrt(distance_m * distance_m + height_m * height_m)
