"""Earth models that vary with depth only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase

EARTH_RADIUS_M = 6_371_000.0
"""Of the sphere that spherical models are flattened from."""

SPEED_STEP_M_PER_S = 12.5
STAIR_M = 2_500.0
"""Gradients become stairs of at most these steps of speed and depth. The error that is left is
measured in `tests/travel/test_rays.py` against a closed form and against TauP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of constant speeds, or of speeds that change evenly down to the next layer.

    Args:
        top_m: depth of its top below sea level; the first layer reaches up without end.
        p_speed_m_per_s: at the top.
        s_speed_m_per_s: at the top.
        p_speed_bottom_m_per_s: at the bottom; None where it is as at the top.
        s_speed_bottom_m_per_s: at the bottom; None where it is as at the top.
    """

    top_m: float
    p_speed_m_per_s: float
    s_speed_m_per_s: float
    p_speed_bottom_m_per_s: float | None = None
    s_speed_bottom_m_per_s: float | None = None

    def speeds_m_per_s(self, phase: Phase) -> tuple[float, float]:
        """Speeds at its top and bottom."""
        if phase is Phase.P:
            top, bottom = self.p_speed_m_per_s, self.p_speed_bottom_m_per_s
        else:
            top, bottom = self.s_speed_m_per_s, self.s_speed_bottom_m_per_s
        return top, top if bottom is None else bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class EarthModel:
    """Speeds of P and S by depth.

    Args:
        name: as results carry it.
        layers: from the top down; the last one is a half-space.
        source: citation.
        spherical: True applies the earth-flattening transformation; False takes the earth as
            flat, as most local networks do with their own models.
        max_distance_m: epicentral, how far its first arrivals hold.

    Raises:
        ValueError: tops do not increase, a speed is not positive, S is not slower than P, or
            the last layer has a gradient.
    """

    name: str
    layers: tuple[Layer, ...]
    source: str
    spherical: bool = False
    max_distance_m: float = 600_000.0

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError(f"earth model {self.name!r} has no layers; give at least one")
        tops = [layer.top_m for layer in self.layers]
        if any(lower <= upper for upper, lower in pairwise(tops)):
            raise ValueError(f"earth model {self.name!r}: tops {tops} must increase downwards")
        for layer in self.layers:
            for p, s in zip(*map(layer.speeds_m_per_s, Phase), strict=True):
                if not 0 < s < p < 20_000:
                    raise ValueError(
                        f"earth model {self.name!r}, layer at {layer.top_m} m: speeds P {p}, S {s} "
                        "m/s; expected 0 < S < P < 20000"
                    )
        last = self.layers[-1]
        if last.p_speed_bottom_m_per_s is not None or last.s_speed_bottom_m_per_s is not None:
            raise ValueError(f"earth model {self.name!r}: the last layer is a half-space and has "
                             "no bottom; drop its bottom speeds")  # fmt: skip

    def flat_depth_m(self, depth_m: Float64[Array, "*a"]) -> Float64[Array, "*a"]:
        """Depth in the flat model that is equivalent to this one.

        Source:
            Earth flattening: Aki & Richards (2002), Quantitative Seismology, box 9.2.
        """
        if not self.spherical:
            return np.asarray(depth_m, float)
        return -EARTH_RADIUS_M * np.log1p(-np.asarray(depth_m, float) / EARTH_RADIUS_M)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Uniform flat layers, which is what rays are traced in.

    Args:
        top_m: of each layer; the first is minus infinity.
        bottom_m: of each layer; the last is infinity.
        speed_m_per_s: of each layer; within a gradient that of the middle of the step.
        top_speed_m_per_s: of each layer, at its top: what a head wave runs with. In a gradient its
            line is then a tangent to the curve of the rays that turn there, and not a chord.
    """

    top_m: Float64[Array, " layer"]
    bottom_m: Float64[Array, " layer"]
    speed_m_per_s: Float64[Array, " layer"]
    top_speed_m_per_s: Float64[Array, " layer"]


@lru_cache(maxsize=64)
def flat_stack(model: EarthModel, phase: Phase) -> Stack:
    """The model for one phase as uniform flat layers; gradients as stairs."""
    bottoms_m = [*(layer.top_m for layer in model.layers[1:]), None]
    parts = [
        _stairs(model, layer.top_m, bottom_m, layer.speeds_m_per_s(phase))
        for layer, bottom_m in zip(model.layers, bottoms_m, strict=True)
    ]
    edges_m, speed, top_speed = map(np.concatenate, zip(*parts, strict=True))
    top_m = model.flat_depth_m(edges_m)
    bottom_m = np.append(top_m[1:], np.inf)
    top_m[0] = -np.inf
    return Stack(top_m, bottom_m, speed, top_speed)


def _stairs(
    model: EarthModel, top_m: float, bottom_m: float | None, speeds: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Tops, flat speeds and flat speeds at the tops of the steps that stand for one layer."""

    def flat_speed(depth_m: Array) -> Array:
        share = (depth_m - top_m) / (1.0 if bottom_m is None else bottom_m - top_m)
        speed = speeds[0] + share * (speeds[1] - speeds[0])
        return speed / (1 - depth_m / EARTH_RADIUS_M) if model.spherical else speed

    if bottom_m is None:
        top = np.array([float(top_m)])
        return top, flat_speed(top), flat_speed(top)
    ends = flat_speed(np.array([top_m, bottom_m]))
    change = abs(ends[1] - ends[0])
    count = max(ceil(change / SPEED_STEP_M_PER_S), ceil((bottom_m - top_m) / STAIR_M))
    count = count if change > 0 else 1
    edges = np.linspace(top_m, bottom_m, count + 1)
    return edges[:-1], flat_speed((edges[1:] + edges[:-1]) / 2), flat_speed(edges[:-1])
