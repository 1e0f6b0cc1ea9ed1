"""Division by the running root mean square: strictly causal, with carried state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.signal.blocks import BLOCK, Blocks, Place, combine

RELATIVE_FLOOR = 1e-7
"""The level never sinks below this share of its highest value in the run: the resolution of
float32, below which a filter's rounding would be blown up to noise."""
_RAMP = np.stack((np.ones(BLOCK), np.arange(1, BLOCK + 1) / BLOCK)).astype(np.float32)
"""From a gain and its rise over a block to the gain at each of its samples."""


class Level(NamedTuple):
    """The running level of each component, from complete blocks.

    `squares` and `weight` are exponentially forgotten sums of x² and of the number of samples;
    their ratio is the bias-corrected mean square, right from the first block on.
    """

    open_count: Float64[Array, " component"]
    squares: Float64[Array, " component"]
    weight: Float64[Array, " component"]
    highest: Float64[Array, " component"]
    gain_before: Float32[Array, " component"]
    gain: Float32[Array, " component"]

    @classmethod
    def none(cls, n_components: int) -> Level:
        """Nothing is known yet."""
        sums, gains = np.zeros(n_components), np.zeros(n_components, np.float32)
        return cls(sums, sums, sums, sums, gains, gains)

    def forget(self, which: Bool[Array, " component"]) -> Level:
        """The same with nothing known of some components."""
        return Level(*(np.where(which, 0, row).astype(row.dtype) for row in self))


def forget_per_block(time_constant_s: float, sampling_rate: float) -> float:
    """Share of what is known that is left after a block."""
    return float(np.exp(-BLOCK / (time_constant_s * sampling_rate)))


def step_level(
    level: Level,
    blocks: Blocks,
    place: Place,
    mask: Bool[Array, " component"],
    forget: float,
) -> tuple[Level, Blocks]:
    """Divide by the running root mean square.

    Over a block the gain goes in a straight line from what was known one block earlier to what
    is known at the block's start: strictly causal, smooth, and an onset meets the gain of the
    noise before it. The first block of a run, where nothing is known, becomes 0.

    Args:
        level: at the start of the block that the first new sample falls into.
        blocks: as laid out for `place`; 0 where a component is absent.
        place: of the new samples.
        mask: which components are present throughout.
        forget: see `forget_per_block`.
    """
    whole = blocks[:, place.whole]
    squares = np.einsum("cbs,cbs->cb", whole, whole).astype(np.float64)
    counts = np.where(mask, float(BLOCK), 0.0)
    first_counts = level.open_count + np.where(mask, float(BLOCK - place.n_open), 0.0)
    level, gains = _update_gains(level, squares, first_counts, counts, forget)
    if place.n_whole:
        left = place.n_open + place.n_samples - place.n_whole * BLOCK
        level = level._replace(open_count=np.where(mask, float(left), 0.0))
    else:
        grown = level.open_count + np.where(mask, float(place.n_samples), 0.0)
        level = level._replace(open_count=grown)
    n_rows = place.rows.stop - place.first
    lines = np.zeros((len(blocks), 2, blocks.shape[1]), np.float32)
    lines[:, 0, place.rows] = gains[:, :n_rows]
    np.subtract(gains[:, 1 : n_rows + 1], gains[:, :n_rows], out=lines[:, 1, place.rows])
    scaled = combine(lines, _RAMP)
    scaled *= blocks
    return level, scaled


def _update_gains(
    level: Level,
    squares: Float64[Array, "component block"],
    first_counts: Float64[Array, " component"],
    counts: Float64[Array, " component"],
    forget: float,
) -> tuple[Level, Float32[Array, "component boundary"]]:
    """Gains at the boundaries of the blocks, from one block before the first to after the last.

    Args:
        level: before.
        squares: sum of squares of each block.
        first_counts: present samples in the first block.
        counts: present samples in each later one.
        forget: see `forget_per_block`.
    """
    from scipy.signal import lfilter

    if squares.shape[1] == 0:
        return level, np.stack((level.gain_before, level.gain), axis=1)
    recursion = ([1.0], [1.0, -forget])
    sums, _ = lfilter(*recursion, squares, axis=-1, zi=forget * level.squares[:, None])
    if (first_counts == counts).all() and (counts + forget * level.weight == level.weight).all():
        weights = level.weight[:, None]  # the memory is full: no block changes it any more
    else:
        present = np.repeat(counts[:, None], squares.shape[1], axis=1)
        present[:, 0] = first_counts
        weights, _ = lfilter(*recursion, present, axis=-1, zi=forget * level.weight[:, None])
    mean_square = sums / np.maximum(weights, 1.0)
    floored, highest = _floor(mean_square, level.highest)
    gains = np.zeros((len(squares), squares.shape[1] + 2), np.float32)
    gains[:, 0], gains[:, 1] = level.gain_before, level.gain
    np.divide(1.0, np.sqrt(floored), out=gains[:, 2:], where=floored > 0, casting="same_kind")
    carried = level._replace(
        squares=sums[:, -1].copy(),
        weight=weights[:, -1].copy(),
        highest=highest,
        gain_before=gains[:, -2].copy(),
        gain=gains[:, -1].copy(),
    )
    return carried, gains


def _floor(
    mean_square: Float64[Array, "component block"], highest: Float64[Array, " component"]
) -> tuple[Float64[Array, "component block"], Float64[Array, " component"]]:
    """Mean squares held above the floor, and the highest ones so far.

    Args:
        mean_square: of each block.
        highest: before the first.
    """
    now_highest = np.maximum(highest, mean_square.max(axis=1))
    if (mean_square.min(axis=1) > RELATIVE_FLOOR**2 * now_highest).all():
        return mean_square, now_highest
    with_before = np.concatenate((highest[:, None], mean_square), axis=1)
    floor = RELATIVE_FLOOR**2 * np.maximum.accumulate(with_before, axis=1)[:, 1:]
    return np.maximum(mean_square, floor), now_highest
