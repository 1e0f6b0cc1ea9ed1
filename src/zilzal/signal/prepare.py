"""What is done to counts before a network sees them: the same code in training and operation.

Along time, causally and with carried state: the rate is changed, a Butterworth high-pass (or,
without one, the first sample's value is taken off, per component and gap-free run), division by
the recent level, compression. `window_std` and `window_max` normalise each window instead, as
networks from elsewhere expect; see `normalise_windows`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.signal.blocks import Past, Place, Section, differenced_highpass, step_section
from zilzal.signal.filter import bandpass, lowpass, start_filter, step_filter
from zilzal.signal.level import Level, forget_per_block, step_level
from zilzal.signal.resample import (
    Ratio,
    ResamplerState,
    finish_resampler,
    start_resampler,
    step_resampler,
)
from zilzal.signal.scale import WindowScale, scale_windows

Normalisation = Literal["running", "window_std", "window_max"]
Compression = Literal["none", "asinh"]

_CHUNK = 1 << 16
"""Samples worked on at once, so that intermediate arrays stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How counts become a network's input; part of its `ModelSpec`.

    Args:
        sampling_rate: that the network was trained at.
        highpass_hz: corner of the causal Butterworth high-pass; None for none.
        highpass_order: number of its poles, and of those of the low-pass.
        lowpass_hz: upper corner, which makes the high-pass a Butterworth band-pass; None for none.
        normalisation: "running" divides each component by its root mean square over the recent
            past; "window_std" and "window_max" take the mean off each window and divide it by its
            standard deviation or largest absolute value.
        jointly: windows have one scale for all components instead of one for each.
        detrend: take a straight line off each component of a window before.
        taper_samples: at either end of a window, after.
        time_constant_s: of the running mean square's exponential memory.
        compression: "asinh" keeps small values and takes large ones to their logarithm.

    Raises:
        ValueError: a value is out of range.
    """

    sampling_rate: float = 100.0
    highpass_hz: float | None = 1.0
    highpass_order: int = 2
    lowpass_hz: float | None = None
    normalisation: Normalisation = "running"
    jointly: bool = False
    detrend: bool = False
    taper_samples: int = 0
    time_constant_s: float = 10.0
    compression: Compression = "asinh"

    def __post_init__(self) -> None:
        if not self.sampling_rate > 0:
            raise ValueError(f"sampling_rate must be above 0, not {self.sampling_rate}")
        if self.highpass_hz is not None and not 0 < self.highpass_hz < self.sampling_rate / 2:
            raise ValueError(f"highpass_hz must lie below Nyquist, not {self.highpass_hz}")
        if self.lowpass_hz is not None and not (self.highpass_hz or 0) < self.lowpass_hz:
            raise ValueError(f"lowpass_hz must lie above highpass_hz, not {self.lowpass_hz}")
        if not 1 <= self.highpass_order <= 8:
            raise ValueError(f"highpass_order must be 1 to 8, not {self.highpass_order}")
        if not self.time_constant_s > 0:
            raise ValueError(f"time_constant_s must be above 0, not {self.time_constant_s}")
        if self.normalisation not in get_args(Normalisation):
            raise ValueError(f"unknown normalisation {self.normalisation!r}")
        for_windows = self.jointly or self.detrend or self.taper_samples
        if self.taper_samples < 0 or (self.normalisation == "running" and for_windows):
            raise ValueError(
                f"jointly = {self.jointly}, detrend = {self.detrend} and taper_samples = "
                f"{self.taper_samples} (not below 0) belong to windows that are normalised singly"
            )
        if self.compression not in get_args(Compression):
            raise ValueError(f"unknown compression {self.compression!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationState:
    """What is carried along one sensor's data; restarts by component after a gap of it.

    Args:
        number: of the next prepared sample, counted from the epoch.
        offset: value of the first sample of each component's present run.
        was_present: whether the last input sample of each component was recorded.
        resampler: None where the rate stays.
        was_prepared: the same as `was_present`, at the output's rate.
        last: sample before the next one, at the output's rate.
        open_block: what the filters have taken of the block that is not complete yet.
        filters: the high-pass, section by section; empty for none.
        band: the filter where there is a low-pass too; None for none.
        level: for the running normalisation.
    """

    number: int
    ratio: Ratio
    sampling_rate: float
    offset: Float32[Array, " component"]
    was_present: Bool[Array, " component"]
    resampler: ResamplerState | None
    was_prepared: Bool[Array, " component"]
    last: Float64[Array, " component"]
    open_block: Float32[Array, "component sample"]
    filters: tuple[Past, ...]
    band: Float64[Array, "section component 2"] | None
    level: Level


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
    absent = np.zeros(n_components, bool)
    return PreparationState(
        number=number,
        ratio=ratio,
        sampling_rate=rate,
        offset=np.zeros(n_components, np.float32),
        was_present=absent,
        resampler=resampler,
        was_prepared=absent,
        last=np.zeros(n_components),
        open_block=np.zeros((n_components, Place.of(number, 0).n_open), np.float32),
        filters=tuple(Past.none(n_components) for _ in _sections(preparation, rate)),
        band=_start_band(preparation, rate, n_components),
        level=Level.none(n_components),
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
    chunks = [slice(first, first + _CHUNK) for first in range(0, samples.shape[1], _CHUNK)]
    if state.resampler is not None:
        pieces: list[Prepared] = []
        for chunk in chunks:
            state, piece = _step_resampled(preparation, state, samples[:, chunk], present[:, chunk])
            pieces.append(piece)
        return state, _join(pieces, len(samples))
    prepared = np.empty(samples.shape, np.float32)
    for chunk in chunks:
        here, there = samples[:, chunk], present[:, chunk]
        if not state.filters:
            state, here = _take_offset(state, here, there)
        state = _normalise_along(preparation, state, here, there, prepared[:, chunk])
    return state, (prepared, present)


def finish_preparation(preparation: Preparation, state: PreparationState) -> Prepared:
    """What the resampler still held back; nothing where the rate stays."""
    if state.resampler is None:
        return _join([], len(state.offset))
    samples, present = finish_resampler(state.ratio, state.resampler)
    prepared = np.empty(samples.shape, np.float32)
    _normalise_along(preparation, state, samples, present, prepared)
    return prepared, present


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
    """Normalise each window by itself, see `scale`; "running" needs nothing here."""
    if preparation.normalisation == "running":
        return windows
    how = WindowScale(
        by="std" if preparation.normalisation == "window_std" else "max",
        jointly=preparation.jointly,
        detrend=preparation.detrend,
        taper_samples=preparation.taper_samples,
    )
    scaled = scale_windows(how, windows, present)
    _compress(preparation, scaled, scaled)
    return scaled


def _sections(preparation: Preparation, rate: float) -> tuple[Section, ...]:
    if preparation.highpass_hz is None or preparation.lowpass_hz is not None:
        return ()
    return differenced_highpass(
        preparation.highpass_hz, order=preparation.highpass_order, sampling_rate=rate
    )


def _band(preparation: Preparation, rate: float) -> Float64[Array, "section 6"]:
    order, high_hz = preparation.highpass_order, preparation.lowpass_hz
    assert high_hz is not None
    if preparation.highpass_hz is None:
        return lowpass(high_hz, order=order, sampling_rate=rate)
    return bandpass(preparation.highpass_hz, high_hz, order=order, sampling_rate=rate)


def _start_band(
    preparation: Preparation, rate: float, n_components: int
) -> Float64[Array, "section component 2"] | None:
    if preparation.lowpass_hz is None:
        return None
    return start_filter(_band(preparation, rate), n_components)


def _join(pieces: list[Prepared], n_components: int) -> Prepared:
    filled = [piece for piece in pieces if piece[0].shape[1]]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        empty = np.zeros((n_components, 0), np.float32)
        return empty, empty.astype(bool)
    samples, present = zip(*filled, strict=True)
    return np.concatenate(samples, axis=1), np.concatenate(present, axis=1)


def _compress(
    preparation: Preparation,
    samples: Float32[Array, "*batch component sample"],
    compressed: Float32[Array, "*batch component sample"],
) -> None:
    if preparation.compression == "none":
        compressed[...] = samples
    else:
        np.arcsinh(samples, out=compressed)


def even_pieces(present: Bool[Array, "component sample"]) -> list[tuple[int, int]]:
    """First and end of the stretches in which no component comes or goes."""
    if present.all():
        return [(0, present.shape[1])]
    changes = np.flatnonzero((present[:, 1:] != present[:, :-1]).any(axis=0)) + 1
    edges = [0, *changes.tolist(), present.shape[1]]
    return list(pairwise(edges))


def _step_resampled(
    preparation: Preparation,
    state: PreparationState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Prepared]:
    state, centred = _take_offset(state, samples, present)
    assert state.resampler is not None
    resampler, centred, present = step_resampler(state.ratio, state.resampler, centred, present)
    state = replace(state, resampler=resampler)
    prepared = np.empty(centred.shape, np.float32)
    return _normalise_along(preparation, state, centred, present, prepared), (prepared, present)


def _take_offset(
    state: PreparationState,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[PreparationState, Float32[Array, "component sample"]]:
    """Take off the value that each component's run began with; a stuck channel becomes 0."""
    centred = np.empty_like(samples)
    offset, was_present = state.offset, state.was_present
    for first, end in even_pieces(present):
        mask = present[:, first].copy()
        offset = np.where(mask & ~was_present, samples[:, first], offset)
        np.subtract(samples[:, first:end], offset[:, None], out=centred[:, first:end])
        centred[~mask, first:end] = 0
        was_present = mask
    return replace(state, offset=offset, was_present=was_present), centred


def _normalise_along(
    preparation: Preparation,
    state: PreparationState,
    samples: Float[Array, "component sample"],
    present: Bool[Array, "component sample"],
    prepared: Float32[Array, "component sample"],
) -> PreparationState:
    """High-pass and running normalisation, at the network's rate, into `prepared`."""
    for first, end in even_pieces(present) if samples.shape[1] else []:
        mask = present[:, first].copy()
        state = _restart(state, mask != state.was_prepared, samples[:, first])
        state, piece = _filter_piece(preparation, state, samples[:, first:end], mask)
        if preparation.normalisation == "running":
            _compress(preparation, piece, prepared[:, first:end])
        else:
            prepared[:, first:end] = piece
    return state


def _filter_piece(
    preparation: Preparation,
    state: PreparationState,
    samples: Float[Array, "component sample"],
    mask: Bool[Array, " component"],
) -> tuple[PreparationState, Float32[Array, "component sample"]]:
    """High-pass and normalise a piece throughout which the same components are present."""
    band = state.band
    if band is not None:
        band, samples = step_filter(_band(preparation, state.sampling_rate), band, samples)
    place = Place.of(state.number, samples.shape[1])
    blocks = place.lay_out(state.open_block)
    entering = place.new(blocks)
    if state.filters:
        np.subtract(samples[:, 0], state.last, out=entering[:, 0], casting="same_kind")
        np.subtract(samples[:, 1:], samples[:, :-1], out=entering[:, 1:], casting="same_kind")
    else:
        entering[:] = samples
    if not mask.all():
        entering[~mask] = 0
    still_open = place.still_open(blocks)
    filters: list[Past] = []
    sections = _sections(preparation, state.sampling_rate)
    for section, before in zip(sections, state.filters, strict=True):
        past, blocks = step_section(section, before, blocks, place)
        filters.append(past)
    level = state.level
    if preparation.normalisation == "running":
        forget = forget_per_block(preparation.time_constant_s, state.sampling_rate)
        level, blocks = step_level(level, blocks, place, mask, forget)
    state = replace(
        state,
        number=state.number + samples.shape[1],
        was_prepared=mask,
        last=samples[:, -1].astype(np.float64),
        open_block=still_open,
        filters=tuple(filters),
        band=band,
        level=level,
    )
    return state, place.new(blocks)


def _restart(
    state: PreparationState,
    changed: Bool[Array, " component"],
    first: Float[Array, " component"],
) -> PreparationState:
    """Forget the past of components that come or go; what is absent stays at rest."""
    if not changed.any():
        return state
    band = state.band
    return replace(
        state,
        band=None if band is None else np.where(changed[None, :, None], 0.0, band),
        last=np.where(changed, first, state.last),
        open_block=np.where(changed[:, None], np.float32(0), state.open_block),
        filters=tuple(past.forget(changed) for past in state.filters),
        level=state.level.forget(changed),
    )
