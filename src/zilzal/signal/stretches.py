"""Consecutive samples kept as they came: nothing is copied until a cut is wanted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array


class Stretch(NamedTuple):
    """Samples and which of them were recorded."""

    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    def part(self, first: int, end: int) -> Stretch:
        """Some of the samples; views."""
        return Stretch(self.samples[:, first:end], self.present[:, first:end])

    @classmethod
    def zeros(cls, n_components: int, length: int) -> Stretch:
        """Nothing recorded."""
        shape = n_components, length
        return cls(np.zeros(shape, np.float32), np.zeros(shape, bool))


class Stretches(NamedTuple):
    """Stretches that follow each other.

    Args:
        first: number of the first sample.
        end: number after the last.
        n_components: rows of each.
        parts: in order.
    """

    first: int
    end: int
    n_components: int
    parts: tuple[Stretch, ...] = ()

    @classmethod
    def none(cls, first: int, n_components: int) -> Stretches:
        """Nothing yet; what comes begins at a sample."""
        return cls(first, first, n_components)

    def add(self, part: Stretch) -> Stretches:
        """With samples that follow."""
        if part.length == 0:
            return self
        return self._replace(end=self.end + part.length, parts=(*self.parts, part))

    def cut(self, first: int, end: int) -> Stretch:
        """Samples in [first, end), as far as they are there; views where one part has them all."""
        found = self._within(first, end)
        if len(found) == 1:
            return found[0]
        if not found:
            return Stretch.zeros(self.n_components, 0)
        samples, present = zip(*found, strict=True)
        return Stretch(np.concatenate(samples, axis=1), np.concatenate(present, axis=1))

    def since(self, first: int) -> Stretches:
        """Without the samples before a number."""
        if first <= self.first:
            return self
        return self._replace(first=min(first, self.end), parts=tuple(self._within(first, self.end)))

    def _within(self, first: int, end: int) -> list[Stretch]:
        found: list[Stretch] = []
        number = self.first
        for part in self.parts:
            inside = part.part(max(first - number, 0), max(end - number, 0))
            if inside.length:
                found.append(inside)
            number += part.length
        return found
