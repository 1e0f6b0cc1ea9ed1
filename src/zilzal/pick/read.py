"""From curves of probability to peaks and intervals, as the curves come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Polarity
from zilzal.infer.overlap import Curves
from zilzal.signal.peak import find_peaks, refine_peak
from zilzal.signal.trigger import Interval, IntervalState, finish_intervals, hold, step_intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How curves are read.

    Args:
        labels: rows of the curves.
        thresholds: by label; of "detection" the upper one.
        release_share: an interval lasts until the curve falls below so much of its threshold.
        separation_samples: a peak is the largest within so many samples on either side.
    """

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    release_share: float
    separation_samples: int


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
        frontier: number of the next sample to examine.
        interval: the open interval of the detection curve.
    """

    first: int
    curves: Float32[Array, "label sample"]
    frontier: int
    interval: IntervalState


def start_reading(reading: Reading, first_number: int) -> ReaderState:
    """Begin a segment whose curves start at a sample."""
    nothing = np.zeros((len(reading.labels), 0), np.float32)
    return ReaderState(first_number, nothing, first_number, IntervalState())


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
    kept = np.concatenate((state.curves, curves.values), axis=1)
    end = state.first + kept.shape[1]
    stop = end
    if ready is not None:
        stop = max(min(end - reading.separation_samples, ready), state.frontier)
    peaks = [
        Peak(
            label=label,
            number=state.first + place,
            fraction=refine_peak(row, place),
            height=float(row[place]),
            polarity=first_motion(reading, kept[:, place]) if label == "P" else None,
        )
        for label, row in zip(reading.labels, kept, strict=True)
        if label in ("P", "S")
        for place in _peaks(reading, label, row)
        if state.frontier <= state.first + place < stop
    ]
    interval, intervals = _read_intervals(reading, state.interval, curves)
    if ready is None:
        intervals += finish_intervals(interval, end)
    first = max(stop - reading.separation_samples, state.first)
    rest = ReaderState(first, kept[:, first - state.first :].copy(), stop, interval)
    return rest, sorted(peaks, key=lambda peak: (peak.number, peak.label)), intervals


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


def _peaks(reading: Reading, label: str, row: Float32[Array, " sample"]) -> list[int]:
    found = find_peaks(
        row, reading.thresholds[label], separation_samples=reading.separation_samples
    )
    return found.tolist()


def _read_intervals(
    reading: Reading, state: IntervalState, curves: Curves
) -> tuple[IntervalState, list[Interval]]:
    if "detection" not in reading.labels:
        return state, []
    row = curves.values[reading.labels.index("detection")]
    on = reading.thresholds["detection"]
    active = hold(state.open_from is not None, row, on=on, off=reading.release_share * on)
    return step_intervals(state, active, row, curves.first_number)
