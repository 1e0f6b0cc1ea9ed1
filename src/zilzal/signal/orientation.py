"""From the directions in which a sensor's components point to vertical, north and east.

The inventory's azimuth and dip decide. Where it is silent, the letter does: Z points up, N and 1
north, E and 2 east, 3 up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.station import Channel

ASSUMED = {
    "Z": (0.0, -90.0),
    "N": (0.0, 0.0),
    "E": (90.0, 0.0),
    "1": (0.0, 0.0),
    "2": (90.0, 0.0),
    "3": (0.0, -90.0),
}
"""Azimuth and dip [deg] of a component without metadata."""

LEAST_DETERMINANT = 0.3
"""Three directions with a smaller triple product (1 is orthogonal) are not three directions:
inventories that give 0 and 0 for every component are common."""

_ROUNDING = 1e-9
_VERTICAL = 0.9
"""A component is vertical if the vertical part of its direction is at least this (26 degrees)."""


@dataclass(frozen=True, slots=True, eq=False)
class Orientation:
    """How ZNE are made of a sensor's components.

    Args:
        components: last letters of the channel codes, in the order of the matrix' columns.
        matrix: ZNE = matrix @ components; a row of zeros cannot be made.
        note: what was assumed, for people; "" where the inventory said it all.
    """

    components: tuple[str, ...]
    matrix: Float64[Array, "3 component"]
    note: str = ""

    @property
    def vertical(self) -> int | None:
        """The column that Z is mostly made of; None where there is no Z."""
        weights = np.abs(self.matrix[0])
        return int(np.argmax(weights)) if weights.size and weights.max() > 0 else None

    @property
    def is_exchange(self) -> bool:
        """Whether each of ZNE is one component, with either sign, or none: counts stay counts."""
        return bool(
            np.isin(self.matrix, (-1.0, 0.0, 1.0)).all()
            and (np.count_nonzero(self.matrix, axis=1) <= 1).all()
        )


def direction(azimuth_deg: float, dip_deg: float) -> Float64[Array, " 3"]:
    """Unit vector (up, north, east) of a sensing direction; dip is positive down."""
    azimuth, dip = np.radians(azimuth_deg), np.radians(dip_deg)
    return np.array([-np.sin(dip), np.cos(dip) * np.cos(azimuth), np.cos(dip) * np.sin(azimuth)])


def orient(components: Sequence[str], channels: Sequence[Channel] = ()) -> Orientation:
    """How to make ZNE of the components that a sensor has.

    Directions need not be orthogonal, left-handed pairs and down-pointing verticals included.
    One horizontal component alone goes, with its sign, to N or E, whichever is nearer.

    Args:
        components: last letters of the codes of the channels that have data. Of N and 1, E and
            2, Z and 3 the first is taken where both are there.
        channels: the sensor's epochs in the inventory; may lack some or all.
    """
    chosen = _choose(components)
    known = {c.channel_id.component: c for c in channels}
    vectors, notes = _directions(chosen, known)
    chosen = tuple(vectors)
    if len(chosen) == 3:
        rows = np.array([vectors[c] for c in chosen])
        if abs(np.linalg.det(rows)) >= LEAST_DETERMINANT:
            return Orientation(chosen, _rounded(np.linalg.inv(rows)), "; ".join(notes))
        if all(c in ASSUMED for c in chosen):
            notes.append("the inventory's directions are not independent; the letters are taken")
            vectors = {c: direction(*ASSUMED[c]) for c in chosen}
            inverse = np.linalg.inv(np.array(list(vectors.values())))
            return Orientation(chosen, _rounded(inverse), "; ".join(notes))
        notes.append("directions are not independent")
    return Orientation(chosen, _partial(vectors), "; ".join(notes))


def _choose(components: Sequence[str]) -> tuple[str, ...]:
    """At most three components, without two names for one direction."""
    present = list(dict.fromkeys(components))
    for letter, other in (("Z", "3"), ("N", "1"), ("E", "2")):
        if letter in present and other in present:
            present.remove(other)
    order = {letter: n for n, letter in enumerate("ZNE123")}
    return tuple(sorted(present, key=lambda c: (order.get(c, 9), c))[:3])


def _directions(
    components: Sequence[str], known: Mapping[str, Channel]
) -> tuple[dict[str, Float64[Array, " 3"]], list[str]]:
    """Each component's direction, and notes on what was assumed."""
    vectors: dict[str, Float64[Array, " 3"]] = {}
    notes: list[str] = []
    for component in components:
        channel = known.get(component)
        azimuth_deg = None if channel is None else channel.azimuth_deg
        dip_deg = None if channel is None else channel.dip_deg
        if dip_deg is not None and abs(dip_deg) == 90:
            vectors[component] = direction(azimuth_deg or 0.0, dip_deg)
        elif azimuth_deg is not None and dip_deg is not None:
            vectors[component] = direction(azimuth_deg, dip_deg)
        elif component in ASSUMED:
            vectors[component] = direction(*ASSUMED[component])
            if component not in "ZNE":
                azimuth_deg, dip_deg = ASSUMED[component]
                notes.append(
                    f"{component} is taken to point to azimuth {azimuth_deg:g}, dip {dip_deg:g}"
                )
        else:
            notes.append(f"{component} is left out: its direction is not known")
    return vectors, notes


def _partial(vectors: Mapping[str, Float64[Array, " 3"]]) -> Float64[Array, "3 component"]:
    """The matrix where there are no three independent directions."""
    columns = list(vectors)
    matrix = np.zeros((3, len(columns)))
    verticals = [n for n, c in enumerate(columns) if abs(vectors[c][0]) >= _VERTICAL]
    flats = [n for n, c in enumerate(columns) if abs(vectors[c][0]) <= 1 - _VERTICAL]
    if verticals:
        matrix[0, verticals[0]] = np.sign(vectors[columns[verticals[0]]][0])
    if len(flats) == 2:
        pair = np.array([vectors[columns[n]][1:] for n in flats])
        if abs(np.linalg.det(pair)) >= LEAST_DETERMINANT:
            matrix[1:, flats] = np.linalg.inv(pair)
            return _rounded(matrix)
    if flats:
        vector = vectors[columns[flats[0]]]
        row = 1 if abs(vector[1]) >= abs(vector[2]) else 2
        matrix[row, flats[0]] = np.sign(vector[row])
    return _rounded(matrix)


def _rounded(matrix: Float64[Array, "3 component"]) -> Float64[Array, "3 component"]:
    """Without what is there only because cos(90°) is not quite 0 in floating point."""
    matrix = np.where(np.abs(matrix) < _ROUNDING, 0.0, matrix)
    whole = np.rint(matrix)
    return np.where(np.abs(matrix - whole) < _ROUNDING, whole, matrix)
