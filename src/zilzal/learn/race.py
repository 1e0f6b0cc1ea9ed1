"""Descents side by side on one surface, and how each of them ended (for figures and pages)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.choices import Choice
from zilzal.learn.descent import Path, follow
from zilzal.learn.functions import SURFACES, Point, Surface, bowl, double_well
from zilzal.learn.vectors import norm

NEAR = 0.01
"""Distance to a minimum within which a descent has arrived."""

SETTLED = 5
"""Steps that a descent must have stayed near; one that swings through has not arrived."""

TOLERANCE = 1e-12
"""Gradient norm at which a descent ends."""

STILL = 1e-6
"""Gradient norm below which a descent stands still."""


@dataclass(frozen=True, slots=True)
class Noisy:
    """A surface whose gradients are seen with Gaussian noise, as those of mini-batches are.

    Args:
        surface: the truth, which `value` gives.
        deviation: standard deviation of the noise in each coordinate.
        generator: of the noise.
    """

    surface: Surface
    deviation: float
    generator: np.random.Generator

    def value(self, theta: Point) -> float:
        """See `descent.Objective`."""
        return self.surface.value(theta)

    def value_and_gradient(self, theta: Point) -> tuple[float, Point]:
        """See `descent.Objective`."""
        value, gradient = self.surface.value_and_gradient(theta)
        return value, gradient + self.generator.normal(0.0, self.deviation, gradient.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Racer:
    """One descent of a race.

    Args:
        choice: how it went.
        path: where.
        ending: "arrived", "on the way", "stands still" or "diverged".
        minimum: the nearest of the surface's minima at the end, 0 the deepest.
        distance: to that one.
        arrival: first step from which it stayed within `NEAR`; None where it did not arrive.
    """

    choice: Choice
    path: Path
    ending: str
    minimum: int
    distance: float
    arrival: int | None


def make_surface(name: str, *, condition: float = 100.0, dimension: int = 2) -> Surface:
    """A surface by name, with what bowl and double well can be told.

    Raises:
        ValueError: the condition number is below 1, or only 2 dimensions exist.
    """
    if name == "bowl":
        return bowl(condition=condition, dimension=dimension)
    if name == "double_well":
        return double_well(dimension=dimension)
    if dimension != 2:
        raise ValueError(f"{name} has 2 dimensions; bowl and double_well can have {dimension}")
    return SURFACES[name]()


def race(
    surface: Surface,
    choice: Choice,
    start: Point,
    *,
    noise: float = 0.0,
    seed: int = 0,
) -> Racer:
    """One descent from a start; `choice.steps` at most.

    Args:
        surface: to descend on.
        choice: how.
        start: from where.
        noise: standard deviation of what is added to each coordinate of the gradient.
        seed: of the noise; equal seeds give all racers the same noise.
    """
    objective = surface if noise == 0.0 else Noisy(surface, noise, np.random.default_rng(seed))
    path = follow(choice.descent(), objective, start, steps=choice.steps, tolerance=TOLERANCE)
    return judge(surface, choice, path)


def judge(surface: Surface, choice: Choice, path: Path) -> Racer:
    """How a path ended."""
    minima = np.array(surface.minima)
    with np.errstate(over="ignore", invalid="ignore"):
        offsets = path.points[:, np.newaxis] - minima
        distances = np.sqrt((offsets * offsets).sum(axis=-1))
    last = path.points[-1]
    reach = 1e3 * (1.0 + surface.half_width)
    if not (np.isfinite(distances[-1]).all() and norm([last]) < reach):
        return Racer(
            choice=choice, path=path, ending="diverged", minimum=0, distance=np.inf, arrival=None
        )
    nearest = int(distances[-1].argmin())
    distance = float(distances[-1, nearest])
    outside = np.flatnonzero(~(distances[:, nearest] < NEAR))
    arrival = int(outside[-1]) + 1 if len(outside) else 0
    still = norm([surface.slope(last)]) < STILL
    arrived = len(path.points) - arrival > SETTLED or (distance < NEAR and still)
    ending = "arrived" if arrived else "stands still" if still else "on the way"
    return Racer(
        choice=choice,
        path=path,
        ending=ending,
        minimum=nearest,
        distance=distance,
        arrival=arrival if arrived else None,
    )


def curvatures(surface: Surface, theta: Point, *, step: float = 1e-5) -> Float[Array, " dimension"]:
    """Eigenvalues of the Hessian, ascending, by central differences of the gradient."""
    columns = [
        (surface.slope(theta + step * e) - surface.slope(theta - step * e)) / (2.0 * step)
        for e in np.eye(len(theta))
    ]
    hessian = np.array(columns)
    return np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
