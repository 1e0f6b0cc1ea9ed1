"""Each window by itself: mean and trend off, one scale, tapered ends, as many networks expect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.signal.level import RELATIVE_FLOOR


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowScale:
    """How a window is scaled.

    Args:
        by: "std" is the standard deviation with one degree of freedom less than samples, "max"
            the largest absolute value.
        jointly: all components by one scale; samples that were not recorded count as at rest.
            Otherwise each component by its own, from recorded samples only.
        detrend: take a straight line off each component too.
        taper_samples: at either end of the window, a cosine from 0 to 1.
    """

    by: Literal["std", "max"]
    jointly: bool = False
    detrend: bool = False
    taper_samples: int = 0


def scale_windows(
    how: WindowScale,
    windows: Float32[Array, "batch component sample"],
    present: Bool[Array, "batch component sample"],
) -> Float32[Array, "batch component sample"]:
    """Scaled windows; a component without any motion becomes 0, and so do absent samples."""
    everywhere = bool(present.all())
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    mean = windows.sum(axis=-1, keepdims=True, dtype=np.float64) / count
    centred = windows - mean.astype(np.float32)
    if not everywhere:
        centred[~present] = 0
    if how.detrend:
        centred -= _line(centred, present)
    if how.by == "std":
        squares = np.einsum("bcs,bcs->bc", centred, centred, dtype=np.float64)[..., None]
        if how.jointly:
            squares, count = squares.sum(axis=1, keepdims=True), np.asarray(windows[0].size)
        scale = np.sqrt(squares / np.maximum(count - 1, 1))
    else:
        scale = np.abs(centred).max(axis=-1, keepdims=True, initial=0.0).astype(np.float64)
        if how.jointly:
            scale = scale.max(axis=1, keepdims=True)
    # Rounding left by taking a mean off is no signal, whatever the unit.
    alive = scale > RELATIVE_FLOOR * np.abs(mean)
    factor = np.divide(1.0, scale, out=np.zeros(alive.shape), where=alive)
    centred *= factor.astype(np.float32)
    return _tapered(centred, how.taper_samples)


def _line(
    centred: Float32[Array, "batch component sample"],
    present: Bool[Array, "batch component sample"],
) -> Float32[Array, "batch component sample"]:
    """The straight line through each component's recorded samples, whose mean is 0."""
    length = centred.shape[-1]
    place = np.where(present, np.linspace(-1.0, 1.0, length), 0.0)
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    place = np.where(present, place - place.sum(axis=-1, keepdims=True) / count, 0.0)
    squares = np.maximum(np.square(place).sum(axis=-1, keepdims=True), np.finfo(float).tiny)
    slope = (centred * place).sum(axis=-1, keepdims=True) / squares
    return (slope * place).astype(np.float32)


def _tapered(
    windows: Float32[Array, "batch component sample"], n_samples: int
) -> Float32[Array, "batch component sample"]:
    if n_samples > 0:
        ramp = _ramp(n_samples).astype(np.float32)
        windows[..., :n_samples] *= ramp
        windows[..., -n_samples:] *= ramp[::-1]
    return windows


@lru_cache(maxsize=8)
def _ramp(n_samples: int) -> Float64[Array, " sample"]:
    return 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, n_samples))
