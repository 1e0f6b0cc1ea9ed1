"""Recorded samples that picks to come may still be measured on, kept as they came."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array


class Recorded(NamedTuple):
    """Counts and which of them were recorded."""

    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    def part(self, first: int, end: int) -> Recorded:
        """Some of the samples; views."""
        return Recorded(self.samples[:, first:end], self.present[:, first:end])


class Counts(NamedTuple):
    """Consecutive stretches of samples; nothing is copied until a cut is wanted.

    Args:
        first: number of the first sample, counted from the epoch.
        end: number after the last.
        stretches: in order.
    """

    first: int
    end: int
    stretches: tuple[Recorded, ...] = ()

    def add(self, recorded: Recorded) -> Counts:
        """With more samples that follow."""
        if recorded.length == 0:
            return self
        return Counts(self.first, self.end + recorded.length, (*self.stretches, recorded))

    def cut(self, first: int, end: int) -> tuple[int, Recorded]:
        """Samples in [first, end) as far as they are there, and the number of the first."""
        parts = self._within(first, end)
        start = min(max(first, self.first), self.end)
        if len(parts) == 1:
            return start, parts[0]
        nothing = self.stretches[0].part(0, 0)
        samples, present = zip(*(parts or [nothing]), strict=True)
        return start, Recorded(np.concatenate(samples, axis=1), np.concatenate(present, axis=1))

    def since(self, first: int) -> Counts:
        """Without the samples before a number."""
        if first <= self.first:
            return self
        return Counts(min(first, self.end), self.end, tuple(self._within(first, self.end)))

    def _within(self, first: int, end: int) -> list[Recorded]:
        parts: list[Recorded] = []
        number = self.first
        for stretch in self.stretches:
            part = stretch.part(max(first - number, 0), max(end - number, 0))
            if part.length:
                parts.append(part)
            number += stretch.length
        return parts
