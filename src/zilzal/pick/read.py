"""From curves of probability to peaks and intervals, as the curves come in.

"separated" peaks are the largest within a distance, the one peak finder's rule. "excursions" is
what other pickers do: of every stretch from where a curve reaches the threshold until it falls
below a share of it, the largest sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Polarity
from zilzal.infer.overlap import Curves
from zilzal.infer.spec import Peaks
from zilzal.signal.peak import find_peaks, refine_peak
from zilzal.signal.trigger import Interval, IntervalState, finish_intervals, hold, step_intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How curves are read.

    Args:
        labels: rows of the curves.
        thresholds: by label; of "detection" the upper one.
        release_share: an interval lasts until the curve falls below so much of its threshold.
        separation_samples: a separated peak is the largest within so many samples on either side.
        peaks: "separated" or "excursions".
    """

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    release_share: float
    separation_samples: int
    peaks: Peaks = "separated"

    @property
    def phases(self) -> tuple[str, ...]:
        """Labels whose peaks are picks."""
        return tuple(label for label in self.labels if label in ("P", "S"))


class Peak(NamedTuple):
    """A peak of a label's curve.

    Args:
        label: whose.
        number: of the sample.
        fraction: of a sample, beyond it.
        height: of the curve.
        polarity: of a P, where the network has curves of first motions.
    """

    label: str
    number: int
    fraction: float
    height: float
    polarity: Polarity | None = None


class ReaderState(NamedTuple):
    """What is carried along a segment.

    Args:
        first: number of the first kept sample of the curves.
        curves: kept samples: those not yet examined, and their neighbours.
        frontier: number of the next sample to examine; picks to come are not before it.
        intervals: by label, what is open above the threshold: detections, and excursions.
        waiting: peaks of excursions that have ended, not yet handed out.
    """

    first: int
    curves: Float32[Array, "label sample"]
    frontier: int
    intervals: Mapping[str, IntervalState]
    waiting: tuple[Peak, ...] = ()


def start_reading(reading: Reading, first_number: int) -> ReaderState:
    """Begin a segment whose curves start at a sample."""
    nothing = np.zeros((len(reading.labels), 0), np.float32)
    return ReaderState(first_number, nothing, first_number, {})


def step_reading(
    reading: Reading, state: ReaderState, curves: Curves, ready: int | None
) -> tuple[ReaderState, list[Peak], list[Interval]]:
    """Read on.

    Args:
        reading: how.
        state: from the step before.
        curves: that follow.
        ready: peaks are handed out only before this sample; None once the segment has ended.

    Returns:
        The state, peaks by place, and intervals that have ended.
    """
    if ready is not None and not curves.length and _is_read(reading, state, ready):
        return state, [], []
    values = np.concatenate((state.curves, *curves.parts), axis=1)
    new = Curves(curves.first_number, (values[:, state.curves.shape[1] :],))
    intervals = dict(state.intervals)
    found: dict[str, list[Interval]] = {}
    for label in reading.labels:
        if label == "detection" or (label in reading.phases and reading.peaks == "excursions"):
            opened = intervals.get(label, IntervalState())
            intervals[label], found[label] = _step_label(reading, opened, new, label)
            if ready is None:
                found[label] += finish_intervals(intervals[label], new.first_number + new.length)
    state = state._replace(curves=values, intervals=intervals)
    read = _read_excursions if reading.peaks == "excursions" else _read_separated
    state, peaks = read(reading, state, found, ready)
    return state, sorted(peaks, key=lambda p: (p.number, p.label)), found.get("detection", [])


def _is_read(reading: Reading, state: ReaderState, ready: int) -> bool:
    """Whether all has been examined that can be: short records bring curves only now and then."""
    margin = reading.separation_samples if reading.peaks == "separated" else 0
    return min(state.first + state.curves.shape[1] - margin, ready) <= state.frontier


def _step_label(
    reading: Reading, state: IntervalState, curves: Curves, label: str
) -> tuple[IntervalState, list[Interval]]:
    row = curves.values[reading.labels.index(label)]
    on = reading.thresholds[label]
    active = hold(state.open_from is not None, row, on=on, off=reading.release_share * on)
    return step_intervals(state, active, row, curves.first_number)


def _read_separated(
    reading: Reading, state: ReaderState, _found: Mapping[str, list[Interval]], ready: int | None
) -> tuple[ReaderState, list[Peak]]:
    """Peaks that no sample to come can outdo."""
    end = state.first + state.curves.shape[1]
    stop = end
    if ready is not None:
        stop = max(min(end - reading.separation_samples, ready), state.frontier)
    peaks = [
        _peak(reading, state, label, state.first + place)
        for label, row in zip(reading.labels, state.curves, strict=True)
        if label in reading.phases
        for place in _separated(reading, label, row)
        if state.frontier <= state.first + place < stop
    ]
    return _examined(state, stop, reading.separation_samples), peaks


MOTIONS = (Polarity.POSITIVE, Polarity.NEGATIVE)
"""Labels of the curves of first motions."""


def first_motion(reading: Reading, heights: Float32[Array, " label"]) -> Polarity | None:
    """The first motion of a P from the curves' heights at its peak.

    The larger of the two decides where it reaches its threshold; None without such curves.
    """
    if not set(MOTIONS) <= set(reading.labels):
        return None
    height = {motion: float(heights[reading.labels.index(motion)]) for motion in MOTIONS}
    likelier = max(MOTIONS, key=height.__getitem__)
    is_clear = height[likelier] >= reading.thresholds[likelier]
    return likelier if is_clear else Polarity.UNDECIDABLE


def _read_excursions(
    reading: Reading, state: ReaderState, found: Mapping[str, list[Interval]], ready: int | None
) -> tuple[ReaderState, list[Peak]]:
    """Peaks of the excursions that have ended."""
    peaks = list(state.waiting)
    for label in reading.phases:
        row = state.curves[reading.labels.index(label)]
        for interval in found[label]:
            place = interval.first - state.first
            top = int(np.argmax(row[place : interval.end - state.first]))
            peaks.append(_peak(reading, state, label, interval.first + top))
    end = state.first + state.curves.shape[1]
    stop = end if ready is None else max(min(end, ready), state.frontier)
    waiting = tuple(peak for peak in peaks if peak.number >= stop)
    opened = [state.intervals[label].open_from for label in reading.phases]
    needed = [n for n in opened if n is not None] + [peak.number for peak in waiting]
    state = _examined(state, min([stop, *needed]), 1)
    return state._replace(waiting=waiting), [peak for peak in peaks if peak.number < stop]


def _examined(state: ReaderState, frontier: int, n_neighbours: int) -> ReaderState:
    """Forget all but so many samples before the frontier."""
    first = max(frontier - n_neighbours, state.first)
    return state._replace(
        first=first, curves=state.curves[:, first - state.first :].copy(), frontier=frontier
    )


def _peak(reading: Reading, state: ReaderState, label: str, number: int) -> Peak:
    place = number - state.first
    row = state.curves[reading.labels.index(label)]
    return Peak(
        label=label,
        number=number,
        fraction=refine_peak(row, place),
        height=float(row[place]),
        polarity=first_motion(reading, state.curves[:, place]) if label == "P" else None,
    )


def _separated(reading: Reading, label: str, row: Float32[Array, " sample"]) -> list[int]:
    found = find_peaks(
        row, reading.thresholds[label], separation_samples=reading.separation_samples
    )
    return found.tolist()
