"""The spread of places and times that the picks allow, by importance sampling.

Points are drawn from two bells, one about the optimum as the linearised problem has it, one as
wide as all that the global search found; they are weighted by likelihood over proposal. The wide
bell is then fitted to the result, and all is drawn again. So the answer is not a linear one:
depth that runs into the surface, bent valleys and mirror images keep their share. The points
are a low-discrepancy sequence: the same picks always give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.locate.likelihood import Problem
from zilzal.locate.search import Found, Volume

SAMPLES = 700
ROUNDS = 3
_TAIL = 5.0
"""Degrees of freedom of the proposal: heavier tails than a bell, so that weights stay bounded."""
_INFLATION = 1.3
"""The proposal is made wider than the spread found so far, by this in variance."""
_LEAST_M = 20.0
"""Proposals are at least that wide."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Moments about a reported place and time.

    Args:
        covariance: second moments of east, north, depth [m] and time [s] about the report.
        deviation_m: standard deviations of east, north, depth about their own mean.
        effective: number of equally weighted samples that would be as good.
    """

    covariance: Float64[Array, "4 4"]
    deviation_m: Float64[Array, " 3"]
    effective: float


def sample(
    problem: Problem,
    volume: Volume,
    found: Found,
    report: Float64[Array, " 4"],
    sigma_s: Float64[Array, " pick"],
    *,
    linear: Float64[Array, "4 4"],
) -> Posterior:
    """Moments of the posterior about a report, with a flat prior in the volume.

    Args:
        problem: with the picks that are used.
        volume: outside of which there are no sources.
        found: where the proposals start from.
        report: east, north, depth [m] and time [s].
        sigma_s: scales of the residuals.
        linear: covariance of place and time about the report, as the linearised problem has it.
    """
    free = np.flatnonzero(volume.high > volume.low)
    local = _Bell.of(report[free], linear[free][:, free])
    wide = _Bell.of(found.mean[free], found.covariance[free][:, free])
    points, weights, profile = np.empty((3, 0)), np.empty(0), None
    for _ in range(ROUNDS):
        drawn = np.concatenate([bell.draw(SAMPLES // 2) for bell in (local, wide)], axis=1)
        low, high = volume.low[free, None], volume.high[free, None]
        drawn = drawn[:, np.all((drawn >= low) & (drawn <= high), axis=0)]
        points = np.repeat(report[:3, None], drawn.shape[1], axis=1)
        points[free] = drawn
        profile = problem.profile(points, sigma_s=sigma_s)
        log_proposal = np.logaddexp(local.log_density(drawn), wide.log_density(drawn))
        log_weight = profile.log_marginal - log_proposal
        weights = np.exp(log_weight - log_weight.max())
        weights /= weights.sum()
        mean = drawn @ weights
        centred = drawn - mean[:, None]
        wide = _Bell.of(mean, (centred * weights) @ centred.T)
    assert profile is not None
    offsets = np.vstack([points, profile.time_s]) - report[:, None]
    covariance = (offsets * weights) @ offsets.T
    covariance[3, 3] += weights @ profile.time_variance_s2
    deviation = np.sqrt(((points - (points @ weights)[:, None]) ** 2) @ weights)
    return Posterior(covariance, deviation, float(1 / np.sum(weights**2)))


@dataclass(frozen=True, slots=True, eq=False)
class _Bell:
    """A multivariate t with `_TAIL` degrees of freedom."""

    mean: Float64[Array, " free"]
    root: Float64[Array, "free free"]

    @classmethod
    def of(cls, mean: Float64[Array, " free"], spread: Float64[Array, "free free"]) -> _Bell:
        """Somewhat wider than a spread."""
        wider = _INFLATION * spread + np.eye(len(mean)) * _LEAST_M**2
        return cls(mean, np.linalg.cholesky(wider))

    def draw(self, count: int) -> Float64[Array, "free point"]:
        """The same points each time."""
        return self.mean[:, None] + self.root @ _draws(count, len(self.mean))

    def log_density(self, points: Float64[Array, "free point"]) -> Float64[Array, " point"]:
        """But for a constant that all bells of a dimension share."""
        scaled: Array = np.linalg.solve(self.root, points - self.mean[:, None])
        tail = (_TAIL + len(self.mean)) / 2 * np.log1p(np.sum(scaled**2, axis=0) / _TAIL)
        return -tail - np.sum(np.log(np.diag(self.root)))


@lru_cache(maxsize=4)
def _draws(count: int, dimension: int) -> Float64[Array, "dimension point"]:
    """Draws of a standard multivariate t.

    Source:
        Kronecker sequence of the generalised golden ratio, Roberts (2018), The unreasonable
        effectiveness of quasirandom sequences.
    """
    from scipy.special import (  # pyright: ignore[reportMissingTypeStubs]
        gammaincinv,
        ndtri,
    )

    dimensions = dimension + 1
    ratio = 2.0
    for _ in range(40):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    uniform = (0.5 + np.arange(1, count + 1)[None] * steps[:, None]) % 1
    chi_square = 2 * gammaincinv(_TAIL / 2, uniform[-1])
    return ndtri(uniform[:-1]) * np.sqrt(_TAIL / chi_square)
