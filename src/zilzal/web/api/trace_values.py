"""Traces and curves as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zilzal.app.display.traces import Segment
from zilzal.web.api.values import Answer, Instant

_DIGITS = 5
"""Of a sample: finer than any screen."""


class SegmentAnswer(Answer):
    """A gap-free piece: either `samples`, or the least and largest of each step.

    The first value belongs to `start`, each other one to `step_s` after the one before.
    """

    start: Instant
    step_s: float
    samples: list[float] | None = None
    minimum: list[float] | None = None
    maximum: list[float] | None = None

    @classmethod
    def of(cls, segment: Segment) -> SegmentAnswer:
        """From what is drawn."""
        lowest = numbers(segment.minimum)
        if segment.maximum is None:
            return cls(start=segment.start, step_s=segment.step_s, samples=lowest)
        highest = numbers(segment.maximum)
        return cls(start=segment.start, step_s=segment.step_s, minimum=lowest, maximum=highest)


def numbers(values: Sequence[float] | np.ndarray) -> list[float]:
    """Numbers with as many digits as can be seen; none may be NaN."""
    return [float(f"{value:.{_DIGITS}g}") for value in np.asarray(values, float).tolist()]


def holed(values: np.ndarray) -> list[float | None]:
    """The same where NaN, and what else JSON cannot say, is a hole."""
    return [
        float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        for value in np.asarray(values, float).tolist()
    ]
