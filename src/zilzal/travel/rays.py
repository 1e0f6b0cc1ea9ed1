"""Exact first arrivals in layered models: direct rays and every refracted one.

The direct ray to a given distance has no closed form in layers. Its ray parameter p is found
by Newton's method on q = p v / sqrt(1 - p^2 v^2), v being the fastest speed on the way. In q
the distance X(q) is increasing and concave, so the iteration climbs to the root from any
starting point below it and cannot overshoot. Two straight lines that X stays under give that
starting point. Head waves have p = 1/v of the refractor and need no iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.travel.model import EarthModel, Stack, flat_stack

_DISTANCE_TOLERANCE_M = 0.1
"""The time is stationary in p, so that this misses it by less than a nanosecond or so."""
_MAX_ITERATIONS = 60
_LEAST_THICKNESS_M = 1e-3
"""Stands for nought where source and station are equally deep: the ray is then horizontal."""


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """First arrivals.

    Args:
        time_s: travel time.
        slowness_s_per_m: horizontal slowness at the station, the slope of time over distance.
        takeoff_angle_deg: at the source, 0 is down and 180 up.
        is_head_wave: whether it runs along a refractor.
    """

    time_s: Float64[Array, "*a"]
    slowness_s_per_m: Float64[Array, "*a"]
    takeoff_angle_deg: Float64[Array, "*a"]
    is_head_wave: Float64[Array, "*a"]


def first_arrivals(
    model: EarthModel,
    phase: Phase,
    *,
    elevation_m: Float[Array, "*a"] | float,
    distance_m: Float[Array, "*a"] | float,
    depth_m: Float[Array, "*a"] | float,
) -> Rays:
    """The earliest ray from sources to stations; arguments broadcast.

    Args:
        model: the earth.
        phase: P or S.
        elevation_m: of the station above sea level.
        distance_m: epicentral.
        depth_m: of the source below sea level.

    Source:
        The substitution q: Tian & Chen (2005), Acta Seismologica Sinica 18, 154-161. Head waves:
        Lay & Wallace (1995), Modern Global Seismology, section 3.2.
    """
    stack = flat_stack(model, phase)
    station_m = model.flat_depth_m(np.negative(elevation_m))
    source_m = model.flat_depth_m(np.asarray(depth_m, float))
    distance = np.asarray(distance_m, float)
    upper, lower = np.minimum(station_m, source_m), np.maximum(station_m, source_m)
    time, p = _direct(stack, upper, lower, distance)
    takeoff = _angle_deg(p * _speed_at(stack, source_m, above=source_m >= station_m))
    takeoff = np.where(source_m >= station_m, 180 - takeoff, takeoff)
    head_time, head_p = _head(stack, upper, lower, distance)
    is_head = head_time < time
    head_takeoff = _angle_deg(head_p * _speed_at(stack, source_m, above=np.zeros((), bool)))
    return Rays(
        np.where(is_head, head_time, time),
        np.where(is_head, head_p, p),
        np.where(is_head, head_takeoff, takeoff),
        is_head,
    )


def _direct(
    stack: Stack, upper: Array, lower: Array, distance: Array
) -> tuple[Float64[Array, "*a"], Float64[Array, "*a"]]:
    """Time and ray parameter of the ray that only goes up (or, from above, down)."""
    lower = np.maximum(lower, upper + _LEAST_THICKNESS_M)
    thicknesses = _overlaps(stack, upper, lower)
    fastest = np.zeros(np.shape(upper))
    for layer, thickness in thicknesses.items():
        fastest = np.where(thickness > 0, np.maximum(fastest, stack.speed_m_per_s[layer]), fastest)
    terms = []
    for layer, thickness in thicknesses.items():
        ratio = stack.speed_m_per_s[layer] / fastest
        terms.append((thickness * ratio, np.maximum(1 - ratio**2, 0.0)))
    q = _solve(terms, distance)
    p = q / np.sqrt(1 + q * q) / fastest
    time = p * distance
    for layer, thickness in thicknesses.items():
        speed = stack.speed_m_per_s[layer]
        time = time + thickness / speed * np.sqrt(np.maximum(1 - (p * speed) ** 2, 0.0))
    return time, p


def _solve(terms: list[tuple[Array, Array]], distance: Array) -> Float64[Array, "*a"]:
    """The q at which sum of a q / sqrt(1 + b q^2) is the distance."""
    slope_at_0 = sum(a for a, _ in terms)
    slope_far = sum(np.where(b > 0, 0.0, a) for a, b in terms)
    offset_far = sum(np.where(b > 0, a / np.sqrt(np.where(b > 0, b, 1.0)), 0.0) for a, b in terms)
    q = np.maximum(distance / slope_at_0, (distance - offset_far) / slope_far)
    for _ in range(_MAX_ITERATIONS):
        reached, slope = np.zeros(q.shape), np.zeros(q.shape)
        for a, b in terms:
            inverse = 1 / (1 + b * (q * q))
            leg = a * np.sqrt(inverse)
            reached += leg * q
            slope += leg * inverse
        missing = distance - reached
        if np.max(np.abs(missing), initial=0.0) < _DISTANCE_TOLERANCE_M:
            break
        q = np.maximum(q + missing / slope, 0.0)
    return q


def _head(
    stack: Stack, upper: Array, lower: Array, distance: Array
) -> tuple[Float64[Array, "*a"], Float64[Array, "*a"]]:
    """Earliest head wave, time infinite where there is none, and its ray parameter."""
    shape = np.broadcast_shapes(np.shape(lower), np.shape(distance))
    best, best_p = np.full(shape, np.inf), np.zeros(shape)
    delays, criticals = _refractions(stack, upper, lower)
    farthest = np.max(distance, initial=0.0)
    for speed, delay, critical in zip(stack.top_speed_m_per_s[1:], delays, criticals, strict=True):
        if np.min(critical, initial=np.inf) > farthest:
            continue
        time = np.where(distance >= critical, distance / speed + delay, np.inf)
        best_p = np.where(time < best, 1 / speed, best_p)
        best = np.minimum(time, best)
    return best, best_p


def _refractions(
    stack: Stack, upper: Array, lower: Array
) -> tuple[Float64[Array, "refractor *a"], Float64[Array, "refractor *a"]]:
    """Delay and critical distance of the head wave along the top of each layer but the first.

    Both legs go down from their end to the refractor through whole layers (but for the one
    that the end is in), so that all refractors share them. A source below the refractor, or a
    layer on the way that is as fast, makes the critical distance infinite.
    """
    shape = np.broadcast_shapes(np.shape(upper), np.shape(lower))
    upper, lower = np.broadcast_to(upper, shape), np.broadcast_to(lower, shape)
    wide = (slice(None), *(None,) * len(shape))
    top, bottom = stack.top_m[:-1][wide], stack.bottom_m[:-1][wide]
    legs = np.maximum(bottom - np.maximum(upper, top), 0.0)
    legs = legs + np.maximum(bottom - np.maximum(lower, top), 0.0)
    speed, refractor = stack.speed_m_per_s[None, :-1], stack.top_speed_m_per_s[1:, None]
    above = np.tri(len(top), dtype=bool)
    sine = np.minimum(speed / refractor, 1.0)
    passes = above & (sine < 1)
    cosine = np.sqrt(np.where(passes, 1 - sine**2, 1.0))
    delays = np.tensordot(np.where(passes, cosine / speed, 0.0), legs, 1)
    criticals = np.tensordot(np.where(passes, sine / cosine, 0.0), legs, 1)
    barred = np.tensordot((above & (sine >= 1)).astype(float), (legs > 0).astype(float), 1) > 0
    barred |= lower > bottom
    return delays, np.where(barred, np.inf, criticals)


def _overlaps(stack: Stack, upper: Array, lower: Array) -> dict[int, Float64[Array, "*a"]]:
    """Thickness of each layer between two depths, for the layers that any pair crosses."""
    crossed = np.flatnonzero(
        (stack.top_m < np.max(lower, initial=-np.inf))
        & (stack.bottom_m > np.min(upper, initial=np.inf))
    )
    return {
        int(k): np.maximum(
            np.minimum(lower, stack.bottom_m[k]) - np.maximum(upper, stack.top_m[k]), 0.0
        )
        for k in crossed
    }


def _speed_at(stack: Stack, depth: Array, *, above: Array) -> Float64[Array, "*a"]:
    """Speed at a depth; on an interface that of the layer above, or else below."""
    tops = stack.top_m[1:]
    upper, lower = np.searchsorted(tops, depth, "left"), np.searchsorted(tops, depth, "right")
    return stack.speed_m_per_s[np.where(above, upper, lower)]


def _angle_deg(sine: Array) -> Float64[Array, "*a"]:
    return np.degrees(np.arcsin(np.minimum(sine, 1.0)))
