"""Global search: cells that halve, the likely ones only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.locate.likelihood import Problem
from zilzal.travel.model import flat_stack

BEAM = 48
"""Cells that are divided on each level."""
FIRST_COLUMNS, FIRST_ROWS = 18, 5
"""Cells of the first level along each horizontal side, and downwards."""
FINEST_M = 150.0
"""Cells are no longer divided when their side is below."""
_CORNERS = np.array(list(product((-0.5, 0.5), repeat=3))).T


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Where sources are looked for, in the problem's frame; the depths may be equal."""

    west_m: float
    east_m: float
    south_m: float
    north_m: float
    top_m: float
    bottom_m: float

    @property
    def low(self) -> Float64[Array, " 3"]:
        """West, south, top."""
        return np.array([self.west_m, self.south_m, self.top_m])

    @property
    def high(self) -> Float64[Array, " 3"]:
        """East, north, bottom."""
        return np.array([self.east_m, self.north_m, self.bottom_m])


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the search leaves.

    Args:
        best: the most likely cell's centre.
        mean: of the likely cells, weighted by their probability.
        covariance: of the likely cells about `mean`.
    """

    best: Float64[Array, " 3"]
    mean: Float64[Array, " 3"]
    covariance: Float64[Array, "3 3"]


def search(problem: Problem, volume: Volume) -> Found:
    """Divide the likeliest cells again and again, over the whole volume.

    A cell is judged at its centre with the travel time across it added to the residuals'
    scale, so that no narrow peak hides between two coarse points. The cells that are not
    divided further cover the volume; their masses give a first idea of the spread, with all
    places that fit, however far from each other.
    """
    size = (volume.high - volume.low) / (FIRST_COLUMNS, FIRST_COLUMNS, FIRST_ROWS)
    counts = [FIRST_COLUMNS, FIRST_COLUMNS, FIRST_ROWS if size[2] > 0 else 1]
    axes = [
        low + (np.arange(n) + 0.5) * (high - low) / n
        for low, high, n in zip(volume.low, volume.high, counts, strict=True)
    ]
    cells = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    corners = np.unique(_CORNERS * (size > 0)[:, None], axis=1)
    slowness = _slowness_s_per_m(problem)
    leaves: list[Array] = []
    masses: list[Array] = []
    while True:
        # A uniform cell has a standard deviation of its side over sqrt(12) along each axis.
        blur_s = slowness * np.sqrt(np.sum(size**2) / 12)
        log_mass = problem.profile(cells, blur_s=blur_s).log_marginal
        order = np.argsort(-log_mass, kind="stable")
        if max(size) < FINEST_M:
            leaves.append(cells)
            masses.append(log_mass + np.log(np.prod(np.where(size > 0, size, 1.0))))
            break
        leaves.append(cells[:, order[BEAM:]])
        masses.append(log_mass[order[BEAM:]] + np.log(np.prod(np.where(size > 0, size, 1.0))))
        size = size / 2
        parents = cells[:, order[:BEAM]]
        cells = (parents[:, :, None] + corners[:, None, :] * size[:, None, None]).reshape(3, -1)
    return _summary(np.concatenate(leaves, axis=1), np.concatenate(masses), cells[:, order[0]])


def _summary(leaves: Array, log_mass: Array, best: Array) -> Found:
    mass = np.exp(log_mass - log_mass.max())
    mass /= mass.sum()
    mean = leaves @ mass
    centred = leaves - mean[:, None]
    return Found(best, mean, (centred * mass) @ centred.T)


def _slowness_s_per_m(problem: Problem) -> Float64[Array, " pick"]:
    """Of each pick's phase at the top of the model, for the time across a cell."""
    seen, model = problem.observations, problem.tables.model
    p, s = (float(1 / flat_stack(model, phase).speed_m_per_s[0]) for phase in Phase)
    return np.repeat([p, s], [seen.n_p, len(seen.picks) - seen.n_p])
