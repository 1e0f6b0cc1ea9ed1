"""What is done to counts before a network sees them: the same code in training and operation.

Along time, causally and with carried state: the first sample's value is taken off (per
component and per gap-free run), the rate is changed, a Butterworth high-pass, division by the
recent level, compression. `window_std` and `window_max` normalise each window instead, as
networks from elsewhere expect; see `normalise_windows`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.signal.resample import (
    Ratio,
    ResamplerState,
    finish_resampler,
    start_resampler,
    step_resampler,
)

Normalisation = Literal["running", "window_std", "window_max"]
Compression = Literal["none", "asinh"]

_BLOCK = 16
"""Samples over which the running level is held; blocks are counted from the epoch."""
_RELATIVE_FLOOR = 1e-7
"""The level never sinks below this share of its highest value in the run: the resolution of
float32, below which a filter's rounding would be blown up to noise."""
_CHUNK = 1 << 15
"""Samples worked on at once, so that intermediate arrays stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How counts become a network's input; part of its `ModelSpec`.

    Args:
        sampling_rate: that the network was trained at.
        highpass_hz: corner of the causal Butterworth high-pass; None for none.
        highpass_order: number of its poles.
        normalisation: "running" divides each component by its root mean square over the recent
            past; "window_std" and "window_max" take the mean off each window and divide each
            component by its standard deviation or largest absolute value.
        time_constant_s: of the running mean square's exponential memory.
        compression: "asinh" keeps small values and takes large ones to their logarithm.

    Raises:
        ValueError: a value is out of range.
    """

    sampling_rate: float = 100.0
    highpass_hz: float | None = 1.0
    highpass_order: int = 2
    normalisation: Normalisation = "running"
    time_constant_s: float = 10.0
    compression: Compression = "asinh"

    def __post_init__(self) -> None:
        if not self.sampling_rate > 0:
            raise ValueError(f"sampling_rate must be above 0, not {self.sampling_rate}")
        if self.highpass_hz is not None and not 0 < self.highpass_hz < self.sampling_rate / 2:
            raise ValueError(f"highpass_hz must lie below Nyquist, not {self.highpass_hz}")
        if not 1 <= self.highpass_order <= 8:
            raise ValueError(f"highpass_order must be 1 to 8, not {self.highpass_order}")
        if not self.time_constant_s > 0:
            raise ValueError(f"time_constant_s must be above 0, not {self.time_constant_s}")
        if self.normalisation not in get_args(Normalisation):
            raise ValueError(f"unknown normalisation {self.normalisation!r}")
        if self.compression not in get_args(Compression):
            raise ValueError(f"unknown compression {self.compression!r}")


class _Level(NamedTuple):
    """The running level of each component, from complete blocks.

    `squares` and `weight` are exponentially forgotten sums of x² and of the number of samples;
    their ratio is the bias-corrected mean square, right from the first block on.
    """

    open_block: Float32[Array, "component sample"]
    open_count: Float64[Array, " component"]
    squares: Float64[Array, " component"]
    weight: Float64[Array, " component"]
    highest: Float64[Array, " component"]
    gain_before: Float32[Array, " component"]
    gain: Float32[Array, " component"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationState:
    """What is carried along one sensor's data; restarts by component after a gap of it.

    Args:
        number: of the next prepared sample, counted from the epoch.
        offset: value of the first sample of each component's present run.
        was_present: whether the last input sample of each component was recorded.
        resampler: None where the rate stays.
        was_prepared: the same as `was_present`, at the output's rate.
        sections: of the filter at rest, empty for none.
    """

    number: int
    ratio: Ratio
    sampling_rate: float
    offset: Float32[Array, " component"]
    was_present: Bool[Array, " component"]
    resampler: ResamplerState | None
    was_prepared: Bool[Array, " component"]
    filter: Float64[Array, "section component 2"] | None
    level: _Level


Prepared = tuple[Float32[Array, "component sample"], Bool[Array, "component sample"]]


def start_preparation(
    preparation: Preparation, sampling_rate: float, first_number: int, n_components: int = 3
) -> PreparationState:
    """Begin at an input sample.

    Args:
        preparation: the network's.
        sampling_rate: of the input.
        first_number: of the first input sample, counted from the epoch at the input's rate.
        n_components: rows of what will come.
    """
    ratio = Ratio.between(sampling_rate, preparation.sampling_rate)
    resampler = None if ratio.is_one else start_resampler(ratio, first_number, n_components)
    number = first_number if resampler is None else resampler.next_output
    rate = sampling_rate * ratio.up / ratio.down
    at_rest = None
    if preparation.highpass_hz is not None:
        at_rest = start_filter(_sections(preparation, rate), n_components)
    absent = np.zeros(n_components, bool)
    return PreparationState(
        number=number,
        ratio=ratio,
        sampling_rate=rate,
        offset=np.zeros(n_components, np.float32),
        was_present=absent,
        resampler=resampler,
        was_prepared=absent,
        filter=at_rest,
        level=_start_level(n_components, number % _BLOCK),
    )


def step_preparation(
    preparation: Preparation,
    state: PreparationState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Prepared]:
    """Prepare more; cutting the input elsewhere gives the same samples bit for bit.

    Args:
        preparation: as given to `start_preparation`.
        state: from the step before.
        samples: that follow; their unit does not matter.
        present: which were recorded; a component that returns after a gap starts anew.

    Returns:
        The state, and what can be prepared so far with its mask. It starts at `state.number`
        (of the state given) at the rate `state.sampling_rate`; absent samples are 0.
    """
    pieces: list[Prepared] = []
    for start in range(0, samples.shape[1], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        state, piece = _step_chunk(preparation, state, samples[:, chunk], present[:, chunk])
        pieces.append(piece)
    return state, _join(pieces, len(samples))


def finish_preparation(preparation: Preparation, state: PreparationState) -> Prepared:
    """What the resampler still held back; nothing where the rate stays."""
    if state.resampler is None:
        return _join([], len(state.offset))
    samples, present = finish_resampler(state.ratio, state.resampler)
    return _normalise_along(preparation, state, samples, present)[1]


def prepare_record(
    preparation: Preparation,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
    sampling_rate: float,
) -> Float32[Array, "component output"]:
    """Prepare a whole record, as one window where the normalisation goes by windows.

    Args:
        preparation: the network's.
        samples: counts or any other unit; any value where absent.
        present: which samples were recorded.
        sampling_rate: of the record.

    Returns:
        float32 at the preparation's rate; 0 where absent.
    """
    samples = np.asarray(samples, np.float32)
    state = start_preparation(preparation, sampling_rate, 0, len(samples))
    state, begun = step_preparation(preparation, state, samples, present)
    prepared, mask = _join([begun, finish_preparation(preparation, state)], len(samples))
    return normalise_windows(preparation, prepared[None], mask[None])[0]


def normalise_windows(
    preparation: Preparation,
    windows: Float32[Array, "batch component sample"],
    present: Bool[Array, "batch component sample"],
) -> Float32[Array, "batch component sample"]:
    """Normalise each component of each window by itself; "running" needs nothing here.

    Statistics are over present samples only. A component without any motion stays 0.
    """
    if preparation.normalisation == "running":
        return windows
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    mean = windows.sum(axis=-1, keepdims=True, dtype=np.float64) / count
    centred = np.where(present, windows - mean, 0.0)
    if preparation.normalisation == "window_std":
        scale = np.sqrt(np.square(centred).sum(axis=-1, keepdims=True) / count)
    else:
        scale = np.abs(centred).max(axis=-1, keepdims=True, initial=0.0)
    # A relative floor: rounding left by taking a mean off is no signal, whatever the unit.
    floor = _RELATIVE_FLOOR * np.abs(mean)
    alive = scale > floor
    normalised = np.where(alive, centred / np.where(alive, scale, 1.0), 0.0)
    return _compress(preparation, normalised.astype(np.float32))


def _sections(preparation: Preparation, rate: float) -> Float64[Array, "section 6"]:
    assert preparation.highpass_hz is not None
    return highpass(preparation.highpass_hz, order=preparation.highpass_order, sampling_rate=rate)


def _join(pieces: list[Prepared], n_components: int) -> Prepared:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        empty = np.zeros((n_components, 0), np.float32)
        return empty, empty.astype(bool)
    samples, present = zip(*pieces, strict=True)
    return np.concatenate(samples, axis=1), np.concatenate(present, axis=1)


def _compress(
    preparation: Preparation, samples: Float32[Array, "*batch component sample"]
) -> Float32[Array, "*batch component sample"]:
    return samples if preparation.compression == "none" else np.arcsinh(samples)


def even_pieces(present: Bool[Array, "component sample"]) -> list[tuple[int, int]]:
    """First and end of the stretches in which no component comes or goes."""
    if present.all():
        return [(0, present.shape[1])]
    changes = np.flatnonzero((present[:, 1:] != present[:, :-1]).any(axis=0)) + 1
    edges = [0, *changes.tolist(), present.shape[1]]
    return list(pairwise(edges))


def _step_chunk(
    preparation: Preparation,
    state: PreparationState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Prepared]:
    state, centred = _take_offset(state, samples, present)
    if state.resampler is not None:
        resampler, centred, present = step_resampler(state.ratio, state.resampler, centred, present)
        state = replace(state, resampler=resampler)
    return _normalise_along(preparation, state, centred, present)


def _take_offset(
    state: PreparationState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Float32[Array, "component sample"]]:
    """Take off the value that each component's run began with; a stuck channel becomes 0."""
    centred = np.empty_like(samples)
    offset, was_present = state.offset, state.was_present
    for first, end in even_pieces(present):
        mask = present[:, first]
        offset = np.where(mask & ~was_present, samples[:, first], offset)
        np.subtract(samples[:, first:end], offset[:, None], out=centred[:, first:end])
        centred[~mask, first:end] = 0
        was_present = mask
    return replace(state, offset=offset, was_present=was_present), centred


def _normalise_along(
    preparation: Preparation,
    state: PreparationState,
    samples: Float64[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Prepared]:
    """High-pass and running normalisation, at the network's rate."""
    pieces: list[Prepared] = []
    for first, end in even_pieces(present) if samples.shape[1] else []:
        mask = present[:, first]
        state = _restart(state, mask != state.was_prepared)
        state, prepared = _filter_piece(preparation, state, samples[:, first:end], mask)
        state = replace(state, was_prepared=mask, number=state.number + end - first)
        pieces.append((prepared, present[:, first:end]))
    return state, _join(pieces, len(samples))


def _filter_piece(
    preparation: Preparation,
    state: PreparationState,
    samples: Float64[Array, "component sample"],
    mask: Bool[Array, " component"],
) -> tuple[PreparationState, Float32[Array, "component sample"]]:
    """Prepare a piece throughout which the same components are present."""
    if state.filter is not None:
        sections = _sections(preparation, state.sampling_rate)
        at_end, samples = step_filter(sections, state.filter, samples)
        state = replace(state, filter=at_end)
    prepared = samples.astype(np.float32)
    if not mask.all():
        prepared[~mask] = 0
    if preparation.normalisation == "running":
        forget = float(np.exp(-_BLOCK / (preparation.time_constant_s * state.sampling_rate)))
        level, prepared = _step_level(state.level, prepared, mask, forget)
        state = replace(state, level=level)
        prepared = _compress(preparation, prepared)
    return state, prepared


def _restart(state: PreparationState, changed: Bool[Array, " component"]) -> PreparationState:
    """Forget the past of components that come or go; what is absent stays at rest."""
    if not changed.any():
        return state
    at_rest = state.filter
    if at_rest is not None:
        at_rest = np.where(changed[None, :, None], 0.0, at_rest)
    level = state.level
    forgotten = [np.where(changed, 0, row).astype(row.dtype) for row in level[1:]]
    open_block = np.where(changed[:, None], np.float32(0), level.open_block)
    return replace(state, filter=at_rest, level=_Level(open_block, *forgotten))


def _start_level(n_components: int, n_open: int) -> _Level:
    sums, gains = np.zeros(n_components), np.zeros(n_components, np.float32)
    open_block = np.zeros((n_components, n_open), np.float32)
    return _Level(open_block, sums, sums, sums, sums, gains, gains)


def _step_level(
    level: _Level,
    samples: Float32[Array, "component sample"],
    mask: Bool[Array, " component"],
    forget: float,
) -> tuple[_Level, Float32[Array, "component sample"]]:
    """Divide by the running root mean square.

    Over a block the gain goes in a straight line from what was known one block earlier to what
    is known at the block's start: strictly causal, smooth, and an onset meets the gain of the
    noise before it. The first block of a run, where nothing is known, becomes 0.
    """
    n_components, n_open = level.open_block.shape
    length = n_open + samples.shape[1]
    n_whole = length // _BLOCK
    blocks = np.zeros((n_components, -(-length // _BLOCK), _BLOCK), np.float32)
    flat = blocks.reshape(n_components, -1)
    flat[:, :n_open] = level.open_block
    flat[:, n_open:length] = samples
    whole = blocks[:, :n_whole]
    squares = np.einsum("cbs,cbs->cb", whole, whole).astype(np.float64)
    counts = np.repeat(np.where(mask, float(_BLOCK), 0.0)[:, None], n_whole, axis=1)
    still_open = level.open_count + np.where(mask, float(samples.shape[1]), 0.0)
    if n_whole:
        counts[:, 0] = level.open_count + np.where(mask, float(_BLOCK - n_open), 0.0)
        still_open = np.where(mask, float(length - n_whole * _BLOCK), 0.0)
    level, gains = _update_gains(level, squares, counts, forget)
    gain, rise = gains[:, :-1, None], np.diff(gains, axis=1)[:, :, None]
    ramp = np.arange(1, _BLOCK + 1, dtype=np.float32) / _BLOCK
    n_blocks = blocks.shape[1]
    scaled = (gain[:, :n_blocks] + rise[:, :n_blocks] * ramp) * blocks
    open_block = flat[:, n_whole * _BLOCK : length].copy()
    level = level._replace(open_block=open_block, open_count=still_open)
    return level, scaled.reshape(n_components, -1)[:, n_open:length]


def _update_gains(
    level: _Level,
    squares: Float64[Array, "component block"],
    counts: Float64[Array, "component block"],
    forget: float,
) -> tuple[_Level, Float32[Array, "component boundary"]]:
    """Gains at the boundaries of the blocks, from one block before the first to after the last."""
    from scipy.signal import lfilter

    if squares.shape[1] == 0:
        return level, np.stack((level.gain_before, level.gain), axis=1)
    recursion = ([1.0], [1.0, -forget])
    sums, _ = lfilter(*recursion, squares, axis=-1, zi=forget * level.squares[:, None])
    weights, _ = lfilter(*recursion, counts, axis=-1, zi=forget * level.weight[:, None])
    mean_square = sums / np.maximum(weights, 1.0)
    highest = np.maximum.accumulate(
        np.concatenate((level.highest[:, None], mean_square), axis=1), axis=1
    )[:, 1:]
    floored = np.maximum(mean_square, _RELATIVE_FLOOR**2 * highest)
    gain = np.zeros_like(floored)
    np.divide(1.0, np.sqrt(floored), out=gain, where=floored > 0)
    gains = np.concatenate(
        (level.gain_before[:, None], level.gain[:, None], gain), axis=1, dtype=np.float32,
        casting="same_kind",
    )  # fmt: skip
    carried = level._replace(
        squares=sums[:, -1],
        weight=weights[:, -1],
        highest=highest[:, -1],
        gain_before=gains[:, -2],
        gain=gains[:, -1],
    )
    return carried, gains
