"""A quantity as it is now, against what is usual of it: few numbers, however long the history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

HOUR_S, WEEK_S = 3_600.0, 7 * 86_400.0
LEAST_HISTORY_S = 6 * HOUR_S
"""What has been seen for less than this has no usual value yet."""


@dataclass(slots=True)
class Average:
    """A mean that forgets: what was seen a time constant ago counts 1/e of what is seen now.

    Args:
        constant_s: the time constant.
        sum: of the weighted values.
        weight: of all of them, 1 in the long run.
    """

    constant_s: float
    sum: float = 0.0
    weight: float = 0.0

    def add(self, value: float, span_s: float) -> None:
        """A value that held for some time."""
        kept = math.exp(-span_s / self.constant_s)
        self.sum = kept * self.sum + (1.0 - kept) * value
        self.weight = kept * self.weight + (1.0 - kept)

    @property
    def value(self) -> float | None:
        """The mean; None where nothing has been seen."""
        return self.sum / self.weight if self.weight else None

    @property
    def seen_s(self) -> float:
        """How long values have been seen; inf where that has been forgotten."""
        return -self.constant_s * math.log1p(-self.weight) if self.weight < 1.0 else math.inf


@dataclass(slots=True)
class Habit:
    """A quantity over two spans of time.

    Args:
        recent: the mean over a short one.
        long: the mean over a long one.
    """

    recent: Average
    long: Average

    @classmethod
    def over(cls, recent_s: float, long_s: float = WEEK_S) -> Habit:
        """Nothing seen yet."""
        return cls(Average(recent_s), Average(long_s))

    def add(self, value: float, span_s: float) -> None:
        """A value that held for some time."""
        for average in (self.recent, self.long):
            average.add(value, span_s)

    @property
    def now(self) -> float | None:
        """As it is now; None where nothing has been seen."""
        return self.recent.value

    @property
    def usual(self) -> float | None:
        """As it mostly is; None where too little has been seen."""
        return self.long.value if self.long.seen_s >= LEAST_HISTORY_S else None

    def note(self) -> list[float]:
        """For the store."""
        return [self.recent.sum, self.recent.weight, self.long.sum, self.long.weight]

    def recall(self, note: Sequence[float]) -> None:
        """From the store."""
        self.recent.sum, self.recent.weight, self.long.sum, self.long.weight = note
