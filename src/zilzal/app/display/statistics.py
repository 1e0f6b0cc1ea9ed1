"""A catalogue in numbers: counts along time and magnitude, completeness and slope."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from zilzal.core.errors import DataError
from zilzal.core.time import NS_PER_S, Time
from zilzal.evaluate.completeness import (
    MagnitudeDistribution,
    completeness_magnitude,
    fit_magnitudes,
)
from zilzal.io.store import EventColumns

BIN_WIDTH = 0.1
"""Of magnitudes."""
LEAST_FIT = 20
"""Fewer magnitudes tell no completeness."""
_STRETCHES_S = (60, 600, 3_600, 21_600, 86_400, 604_800, 2_629_800, 31_557_600)
"""Lengths of a stretch of time: from a minute to a year."""
_LARGEST_COUNT = 400
"""Stretches that a plot can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Of a selection of events.

    Args:
        total: events.
        bin_s: length of the stretches of time.
        counts: start, events in the stretch, events until its end.
        bin_width: of the magnitudes.
        magnitudes: centre of the bin, events in it, events of at least as much.
        fit: completeness and slope; None where they cannot be told.
        reason: why; empty where they can.
        by_type: events of each type.
        by_evaluation_mode: events that were judged by a person, and not.
    """

    total: int
    bin_s: float
    counts: tuple[tuple[Time, int, int], ...]
    bin_width: float
    magnitudes: tuple[tuple[float, int, int], ...]
    fit: MagnitudeDistribution | None
    reason: str
    by_type: dict[str, int]
    by_evaluation_mode: dict[str, int]


def describe(events: EventColumns) -> Statistics:
    """Numbers of a selection of events, in any order."""
    bin_s, counts = _along_time(np.array(events.time_ns, np.int64))
    magnitudes = np.array(events.magnitude, float)
    known = magnitudes[np.isfinite(magnitudes)]
    fit, reason = _fit(known)
    return Statistics(
        total=len(events.id),
        bin_s=bin_s,
        counts=counts,
        bin_width=BIN_WIDTH,
        magnitudes=_along_magnitude(known),
        fit=fit,
        reason=reason,
        by_type=dict(sorted(Counter(events.event_type).items())),
        by_evaluation_mode=dict(sorted(Counter(events.evaluation_mode).items())),
    )


def _along_time(time_ns: np.ndarray) -> tuple[float, tuple[tuple[Time, int, int], ...]]:
    if not len(time_ns):
        return float(_STRETCHES_S[0]), ()
    span_s = (int(time_ns.max()) - int(time_ns.min())) / NS_PER_S
    wide_enough = (s for s in _STRETCHES_S if span_s / s <= _LARGEST_COUNT)
    bin_s = next(wide_enough, _STRETCHES_S[-1])
    numbers = time_ns // (bin_s * NS_PER_S)
    first = int(numbers.min())
    counted = np.bincount(numbers - first)
    starts = (Time((first + n) * bin_s * NS_PER_S) for n in range(len(counted)))
    sums = np.cumsum(counted).tolist()
    return float(bin_s), tuple(zip(starts, counted.tolist(), sums, strict=True))


def _along_magnitude(known: np.ndarray) -> tuple[tuple[float, int, int], ...]:
    if not len(known):
        return ()
    numbers = np.floor(np.round(known / BIN_WIDTH, 6) + 0.5).astype(int)
    first = int(numbers.min())
    counted = np.bincount(numbers - first)
    at_least = np.cumsum(counted[::-1])[::-1].tolist()
    centres = [round((first + n) * BIN_WIDTH, 6) for n in range(len(counted))]
    return tuple(zip(centres, counted.tolist(), at_least, strict=True))


def _fit(known: np.ndarray) -> tuple[MagnitudeDistribution | None, str]:
    if len(known) < LEAST_FIT:
        return None, f"{len(known)} events have a magnitude; at least {LEAST_FIT} are needed"
    try:
        completeness = completeness_magnitude(known, bin_width=BIN_WIDTH)
        return fit_magnitudes(known, completeness, bin_width=BIN_WIDTH), ""
    except DataError as error:
        return None, str(error)
