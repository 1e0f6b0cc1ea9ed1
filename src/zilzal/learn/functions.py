"""Surfaces to descend on: what makes optimisation hard, one at a time (LECTURE.md 8, 11).

Values and gradients take points along the last axis, so grids for figures go in whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.layers import sigmoid

Point = Float[Array, " dimension"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A function of a point, with its gradient, its minima and a place to start.

    Args:
        name: of the surface.
        lesson: what it shows, in one line.
        function: values of points `(..., dimension)`.
        slope: gradients of them.
        minima: known local minima, the deepest first.
        start: a point from which the lesson shows.
        half_width: of the box around the origin worth drawing.
    """

    name: str
    lesson: str
    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    minima: tuple[tuple[float, ...], ...]
    start: tuple[float, ...]
    half_width: float = 2.0

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.start)

    def value(self, theta: Point) -> float:
        """See `descent.Objective`."""
        return float(self.function(theta))

    def value_and_gradient(self, theta: Point) -> tuple[float, Point]:
        """See `descent.Objective`."""
        return float(self.function(theta)), self.slope(theta)


def bowl(*, condition: float = 100.0, dimension: int = 2) -> Surface:
    """`½ sum λ_k x_k²` with λ from 1 to the condition number, evenly in their logarithm.

    Gradient descent at the rate `2 / (1 + condition)` is the best fixed one, and shrinks the
    distance by no more than `(condition - 1) / (condition + 1)` a step.
    """
    if condition < 1.0 or dimension < 1:
        raise ValueError(
            f"condition {condition} and dimension {dimension}; both must be at least 1"
        )
    curvature = np.geomspace(1.0, condition, dimension)
    return Surface(
        name="bowl",
        lesson=f"ill-conditioning: the condition number of the Hessian is {condition:g}",
        function=lambda x: 0.5 * (curvature * x * x).sum(axis=-1),
        slope=lambda x: curvature * x,
        minima=((0.0,) * dimension,),
        start=(1.5,) * dimension if dimension != 2 else (-1.8, 0.6),
    )


def double_well(*, tilt: float = 0.15, dimension: int = 1) -> Surface:
    """`x⁴/4 - x²/2 + tilt x`, plus a round bowl in the other coordinates: two local minima.

    Args:
        tilt: above 0 and below `2/(3 sqrt 3)`, at which the shallow well vanishes.
        dimension: number of coordinates.
    """
    if not 0.0 < tilt < 2.0 / 27.0**0.5:
        raise ValueError(f"tilt is {tilt}; it must be in (0, 0.3849)")
    # Roots of x³ - x + tilt by Viète: the deepest, the shallow one, the crest between.
    angle = np.arccos(-1.5 * tilt * np.sqrt(3.0)) / 3.0
    shallow, deep = (2.0 / np.sqrt(3.0) * np.cos(angle - k * 2.0 * np.pi / 3.0) for k in (0, 2))
    rest = (0.0,) * (dimension - 1)

    def function(x: Array) -> Array:
        u, others = x[..., 0], x[..., 1:]
        return u**4 / 4.0 - u**2 / 2.0 + tilt * u + 0.5 * (others * others).sum(axis=-1)

    def slope(x: Array) -> Array:
        gradient = x.copy()
        gradient[..., 0] = x[..., 0] ** 3 - x[..., 0] + tilt
        return gradient

    return Surface(
        name="double_well",
        lesson="local minima: the start decides which one is found",
        function=function,
        slope=slope,
        minima=((float(deep), *rest), (float(shallow), *rest)),
        start=(1.8, *((1.0,) * (dimension - 1))),
    )


def saddle() -> Surface:
    """`x²/2 - y²/2 + y⁴/4`: a saddle at the origin between minima at (0, ±1).

    The start lies almost on the ridge, along which the gradient leads to the saddle.
    """

    def slope(x: Array) -> Array:
        return np.stack([x[..., 0], x[..., 1] ** 3 - x[..., 1]], axis=-1)

    return Surface(
        name="saddle",
        lesson="saddle points: slow where the gradient vanishes, and then down at the side",
        function=lambda x: x[..., 0] ** 2 / 2 - x[..., 1] ** 2 / 2 + x[..., 1] ** 4 / 4,
        slope=slope,
        minima=((0.0, 1.0), (0.0, -1.0)),
        start=(1.5, 1e-3),
    )


def flat() -> Surface:
    """`1 - exp(-|x|²/2)`: a pit in a plain, where gradients vanish."""

    def depth(x: Array) -> Array:
        return np.exp(-0.5 * (x * x).sum(axis=-1))

    return Surface(
        name="flat",
        lesson="flat regions: the gradient vanishes far from the minimum",
        function=lambda x: 1.0 - depth(x),
        slope=lambda x: x * depth(x)[..., np.newaxis],
        minima=((0.0, 0.0),),
        start=(2.2, 1.2),
        half_width=3.0,
    )


def cliff(*, height: float = 3.0, steepness: float = 40.0) -> Surface:
    """`(x² + y²)/4 + height σ(steepness (x - 1))`: a gentle bowl with a wall at x = 1.

    The wall's gradient, up to `height steepness / 4`, throws a step of fixed rate far away. The
    minimum is the origin but for the wall's foot, `2 height steepness e^-steepness`.
    """

    def wall(x: Array) -> Array:
        return sigmoid(steepness * (x[..., 0] - 1.0))

    def slope(x: Array) -> Array:
        gradient = 0.5 * x
        share = wall(x)
        gradient[..., 0] += height * steepness * share * (1.0 - share)
        return gradient

    return Surface(
        name="cliff",
        lesson="cliffs: the gradient explodes; clip it",
        function=lambda x: 0.25 * (x * x).sum(axis=-1) + height * wall(x),
        slope=slope,
        minima=((0.0, 0.0),),
        start=(1.4, 1.0),
    )


def rosenbrock(*, dimension: int = 2) -> Surface:
    """`sum 100 (x_{k+1} - x_k²)² + (1 - x_k)²`: a curved valley.

    Source:
        Rosenbrock (1960), doi:10.1093/comjnl/3.3.175.
    """
    if dimension < 2:
        raise ValueError(f"dimension is {dimension}; it must be at least 2")

    def function(x: Array) -> Array:
        bend = x[..., 1:] - x[..., :-1] ** 2
        return (100.0 * bend**2 + (1.0 - x[..., :-1]) ** 2).sum(axis=-1)

    def slope(x: Array) -> Array:
        bend = x[..., 1:] - x[..., :-1] ** 2
        gradient = np.zeros_like(x)
        gradient[..., 1:] = 200.0 * bend
        gradient[..., :-1] -= 400.0 * bend * x[..., :-1] + 2.0 * (1.0 - x[..., :-1])
        return gradient

    return Surface(
        name="rosenbrock",
        lesson="a curved valley: the gradient points across it",
        function=function,
        slope=slope,
        minima=((1.0,) * dimension,),
        start=(-1.2, 1.0) * (dimension // 2) + (1.0,) * (dimension % 2),
    )


SURFACES = MappingProxyType(
    {
        "bowl": bowl,
        "double_well": double_well,
        "saddle": saddle,
        "flat": flat,
        "cliff": cliff,
        "rosenbrock": rosenbrock,
    }
)
"""Makers of surfaces by the name that a command gives."""
