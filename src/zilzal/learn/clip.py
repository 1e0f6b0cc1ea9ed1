"""Bounds on the gradient for cliffs (LECTURE.md 12), and averages of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zilzal.learn.vectors import State, Vector, discounted_count, discounted_sum, namespace, norm


class Clip(Protocol):
    """Bounds a gradient, which may be in several arrays."""

    def clip(self, gradients: Sequence[Vector]) -> list[Vector]:
        """The gradient within bounds; the arrays given are left untouched."""
        ...


@dataclass(frozen=True, slots=True)
class ClipValue:
    """Each element into [-threshold, threshold]; this may turn the direction.

    Args:
        threshold: above zero.
    """

    threshold: float

    def __post_init__(self) -> None:
        _check_positive(self.threshold)

    def clip(self, gradients: Sequence[Vector]) -> list[Vector]:
        """See `Clip.clip`."""
        bound = self.threshold
        return [namespace(g).clip(g, -bound, bound) for g in gradients]


@dataclass(frozen=True, slots=True)
class ClipNorm:
    """`g <- g threshold / |g|` where the Euclidean norm is above the threshold.

    The direction stays. The norm is that of all arrays together.

    Args:
        threshold: above zero.

    Source:
        Pascanu, Mikolov & Bengio (2013), Proc. ICML 28, algorithm 1.
    """

    threshold: float

    def __post_init__(self) -> None:
        _check_positive(self.threshold)

    def clip(self, gradients: Sequence[Vector]) -> list[Vector]:
        """See `Clip.clip`."""
        size = norm(gradients)
        if size <= self.threshold:
            return list(gradients)
        return [g * (self.threshold / size) for g in gradients]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterAverage:
    """The mean of the parameters along the way, recent ones weighing more.

    Args:
        decay: weight of a step against the next one, in [0, 1]; 1 is the plain mean.

    Source:
        Polyak & Juditsky (1992), doi:10.1137/0330046, for the plain mean.
    """

    decay: float = 0.999

    def init(self, parameters: Vector) -> State:
        """Nothing averaged yet."""
        return {"count": 0, "sum": namespace(parameters).zeros_like(parameters)}

    def update(self, state: State, parameters: Vector) -> State:
        """Take one more set of parameters in; takes `state` over."""
        total = discounted_sum(state["sum"], parameters, self.decay)
        return {"count": state["count"] + 1, "sum": total}

    def mean(self, state: State) -> Vector:
        """The weighted mean; at least one update must have been made."""
        if state["count"] == 0:
            raise ValueError("no parameters have been averaged yet; call update first")
        return state["sum"] / discounted_count(state["count"], self.decay)


def _check_positive(threshold: float) -> None:
    if not threshold > 0.0:
        raise ValueError(f"threshold is {threshold}; it must be above zero")
