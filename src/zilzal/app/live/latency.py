"""How long things take, as histograms: few numbers, however many were counted."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

EDGES_S = tuple(0.01 * 10 ** (k / 8) for k in range(49))
"""Upper edges: eight to a decade, from 10 ms to about 10,000 s; beyond is one more."""


@dataclass(slots=True)
class Histogram:
    """Counts of spans of time.

    Args:
        counts: by edge, the last one for all above.
        sum_s: of all spans.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(EDGES_S) + 1))
    sum_s: float = 0.0

    def add(self, span_s: float) -> None:
        """Count one; a negative one, as after a step of the clock, counts as none."""
        span_s = max(span_s, 0.0)
        self.counts[bisect_left(EDGES_S, span_s)] += 1
        self.sum_s += span_s

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    def quantile_s(self, share: float) -> float | None:
        """The edge below which so many lie; None where nothing was counted, inf above the last."""
        wanted, seen = math.ceil(share * self.total), 0
        if not self.total:
            return None
        for edge, count in zip((*EDGES_S, math.inf), self.counts, strict=True):
            seen += count
            if seen >= wanted:
                return edge
        return math.inf

    def note(self) -> dict[str, object]:
        """For the store."""
        return {"counts": self.counts, "sum_s": self.sum_s}

    @classmethod
    def of(cls, note: Mapping[str, object]) -> Histogram:
        """From the store."""
        return cls(list(note["counts"]), float(note["sum_s"]))  # type: ignore[arg-type, call-overload]
