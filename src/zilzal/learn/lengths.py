"""How far to step: a schedule fixed ahead, or a search along the line (LECTURE.md 9, 13)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class Schedule(Protocol):
    """Rates fixed ahead."""

    def rate(self, iteration: int) -> float:
        """The rate α of a step; the first is 0."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A function along a direction, φ(α) = J(θ + α d), that falls at the start.

    Args:
        value: φ.
        slope: φ' = grad J(θ + α d) · d.
        value_at_start: φ(0).
        slope_at_start: φ'(0), below zero.
    """

    value: Callable[[float], float]
    slope: Callable[[float], float]
    value_at_start: float
    slope_at_start: float


@runtime_checkable
class LineSearch(Protocol):
    """Rates found by looking."""

    def search(self, line: Line) -> float:
        """A step length at which the function is not above its start; 0 where none is found."""
        ...


Length = Schedule | LineSearch


@dataclass(frozen=True, slots=True)
class Constant:
    """The same rate at every step."""

    initial: float

    def rate(self, iteration: int) -> float:  # noqa: ARG002 - the protocol's signature
        """See `Schedule.rate`."""
        return self.initial


@dataclass(frozen=True, slots=True)
class LinearCooling:
    """`α_i = (1-β) α_0 + β α_τ`, `β = i/τ` while `i < τ`, then `α_τ`.

    Args:
        initial: α_0.
        steps: τ, at least 1.
        final: α_τ; by default a hundredth of `initial`, as in the lecture.
    """

    initial: float
    steps: int
    final: float | None = None

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def rate(self, iteration: int) -> float:
        """See `Schedule.rate`."""
        final = self.initial / 100.0 if self.final is None else self.final
        if iteration >= self.steps:
            return final
        beta = iteration / self.steps
        return (1.0 - beta) * self.initial + beta * final


@dataclass(frozen=True, slots=True)
class StepCooling:
    """`α_0 factor^floor(i / every)`."""

    initial: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_steps(self.every)

    def rate(self, iteration: int) -> float:
        """See `Schedule.rate`."""
        return self.initial * self.factor ** (iteration // self.every)


@dataclass(frozen=True, slots=True)
class CosineCooling:
    """Half a cosine from `initial` to `final` in `steps`, then `final`.

    Source:
        Loshchilov & Hutter (2017), arXiv:1608.03983, equation 5, without restarts.
    """

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def rate(self, iteration: int) -> float:
        """See `Schedule.rate`."""
        beta = min(iteration / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1.0 + math.cos(math.pi * beta)) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtracking:
    """Shrink a first guess until the function has fallen enough.

    Enough is `φ(α) <= φ(0) + share α φ'(0)`.

    Args:
        initial: first length tried.
        shrink: factor between tries, in (0, 1).
        share: of the fall that the slope at the start promises, in (0, 1).
        tries: before giving up with length 0.

    Source:
        Armijo (1966), doi:10.2140/pjm.1966.16.1.
    """

    initial: float = 1.0
    shrink: float = 0.5
    share: float = 1e-4
    tries: int = 60

    def __post_init__(self) -> None:
        for name in ("shrink", "share"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in (0, 1)")

    def search(self, line: Line) -> float:
        """See `LineSearch.search`."""
        length = self.initial
        for _ in range(self.tries):
            bound = line.value_at_start + self.share * length * line.slope_at_start
            if line.value(length) <= bound:
                return length
            length *= self.shrink
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSearch:
    """The nearest found minimum along the line, where the slope is zero.

    The bracket [low, high] always holds a minimum: the function falls at `low`, and at `high` it
    rises or is higher. It grows by doubling, then shrinks by the secant of the slopes, which is
    exact at once on a quadratic, or by halves where the secant does too little.

    Args:
        initial: first length tried.
        tolerance: on the slope, as a share of the slope at the start.
        tries: evaluations before the best so far is taken.
    """

    initial: float = 1.0
    tolerance: float = 1e-9
    tries: int = 100

    def search(self, line: Line) -> float:
        """See `LineSearch.search`."""
        enough = self.tolerance * abs(line.slope_at_start)
        low = _Point(0.0, line.value_at_start, line.slope_at_start)
        high: _Point | None = None
        length, halve = self.initial, False
        for _ in range(self.tries):
            point = _Point(length, line.value(length), line.slope(length))
            rises = not point.value <= low.value  # also where it is not a number
            if abs(point.slope) <= enough and not rises:
                return length
            width = math.inf if high is None else high.length - low.length
            if rises or point.slope > 0.0:
                high = point
            else:
                low = point
            if high is None:
                length *= 2.0
                continue
            if high.length - low.length <= 4e-16 * high.length:
                break
            # After a cut of less than half, the next one is at the middle: the secant may creep.
            halve = not halve and high.length - low.length > width / 2.0
            length = low.between(high, halve=halve)
        return low.length


@dataclass(frozen=True, slots=True)
class _Point:
    length: float
    value: float
    slope: float

    def between(self, high: _Point, *, halve: bool) -> float:
        middle = 0.5 * (self.length + high.length)
        if halve or not 0.0 < high.slope < math.inf:
            return middle
        share = self.slope / (self.slope - high.slope)
        length = self.length + share * (high.length - self.length)
        return length if self.length < length < high.length else middle


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"{steps} steps; a schedule needs at least 1")
