"""Characteristic functions and the intervals in which a curve is high; state is carried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64

from zilzal.core.arrays import Array
from zilzal.signal.flaws import true_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class StaLta:
    """Recursive short-term over long-term average of the energy.

    Args:
        sta_s: memory of the short-term average.
        lta_s: memory of the long-term average.

    Source:
        Withers et al. (1998), doi:10.1785/BSSA0880010095, recursive form.
    """

    sta_s: float = 0.3
    lta_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.sta_s < self.lta_s:
            raise ValueError(f"need 0 < sta_s < lta_s, not {self.sta_s} and {self.lta_s}")


class StaLtaState(NamedTuple):
    """Both averages of each component, and how many samples went into them."""

    sta: Float64[Array, " component"]
    lta: Float64[Array, " component"]
    n_samples: Float64[Array, " component"]


def start_sta_lta(n_components: int) -> StaLtaState:
    """Nothing averaged yet."""
    zeros = np.zeros(n_components)
    return StaLtaState(zeros, zeros, zeros)


def step_sta_lta(
    method: StaLta,
    state: StaLtaState,
    energy: Float[Array, "component sample"],
    sampling_rate: float,
) -> tuple[StaLtaState, Float64[Array, "component sample"]]:
    """Ratio of the averages; 0 until the long one has seen `lta_s`, and where nothing moves.

    Args:
        method: its memories.
        state: from the step before.
        energy: squared samples (not below 0) that follow.
        sampling_rate: of the samples.
    """
    if energy.shape[1] == 0:
        return state, np.zeros(energy.shape)
    sta = _average(energy, state.sta, 1.0 / (method.sta_s * sampling_rate))
    lta = _average(energy, state.lta, 1.0 / (method.lta_s * sampling_rate))
    ratio = np.zeros_like(sta)
    np.divide(sta, lta, out=ratio, where=lta > 0)
    unsettled = np.maximum(round(method.lta_s * sampling_rate) - state.n_samples, 0)
    for row, n_unsettled in zip(ratio, unsettled, strict=True):
        row[: int(n_unsettled)] = 0.0
    return StaLtaState(sta[:, -1], lta[:, -1], state.n_samples + energy.shape[1]), ratio


def _average(
    energy: Float[Array, "component sample"], last: Float64[Array, " component"], share: float
) -> Float64[Array, "component sample"]:
    """Exponential average that begins at 0: new = share * energy + (1 - share) * old."""
    from scipy.signal import lfilter

    carried = (1.0 - share) * last[:, None]
    return lfilter([share], [1.0, share - 1.0], energy, axis=-1, zi=carried)[0]


def hold(
    was_active: bool, curve: Float[Array, " sample"], *, on: float, off: float
) -> Bool[Array, " sample"]:
    """Hysteresis: active from where a curve reaches `on` until it falls below `off`.

    Args:
        was_active: before the first sample.
        curve: NaN counts as below.
        on: upper threshold.
        off: lower threshold, at most `on`.
    """
    active = np.zeros(len(curve), bool)
    rises = np.flatnonzero(curve >= on)
    if len(curve) == 0 or (len(rises) == 0 and not was_active):
        return active
    edges = true_ranges(curve >= off)
    begins = np.append(rises, len(curve))[np.searchsorted(rises, edges[:, 0])]
    if was_active and len(edges) and edges[0, 0] == 0:
        begins[0] = 0
    for begin, end in zip(begins.tolist(), edges[:, 1].tolist(), strict=True):
        active[begin:end] = True
    return active


class Interval(NamedTuple):
    """Sample numbers from `first` to before `end`, and the largest value between."""

    first: int
    end: int
    highest: float


class IntervalState(NamedTuple):
    """The interval that is open, if one is."""

    open_from: int | None = None
    highest: float = 0.0


def step_intervals(
    state: IntervalState,
    active: Bool[Array, " sample"],
    curve: Float[Array, " sample"],
    first_number: int,
) -> tuple[IntervalState, list[Interval]]:
    """Intervals that have ended within these samples.

    Args:
        state: from the step before; `IntervalState()` at first.
        active: which samples belong to an interval.
        curve: whose largest value to keep.
        first_number: of the first sample.
    """
    if len(active) == 0 or (state.open_from is None and not active.any()):
        return state, []
    edges = np.flatnonzero(active[1:] != active[:-1]) + 1
    if active[0] != (state.open_from is not None):
        edges = np.append(0, edges)
    closed: list[Interval] = []
    place = 0
    for edge in edges.tolist():
        if state.open_from is None:
            state, place = IntervalState(first_number + edge, -np.inf), edge
        else:
            highest = float(np.max(curve[place:edge], initial=state.highest))
            closed.append(Interval(state.open_from, first_number + edge, highest))
            state = IntervalState()
    if state.open_from is not None:
        highest = float(np.max(curve[place:], initial=state.highest))
        state = state._replace(highest=highest)
    return state, closed


def finish_intervals(state: IntervalState, end_number: int) -> list[Interval]:
    """Close the open interval at the end of the data."""
    if state.open_from is None:
        return []
    return [Interval(state.open_from, end_number, state.highest)]
