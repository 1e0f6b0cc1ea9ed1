"""What rules, clipping and averages need of an array, be it of NumPy or of PyTorch."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

Vector = Any
"""A floating-point NumPy array or torch tensor of any shape, or a block of one."""

State = dict[str, Any]
"""What a rule remembers: arrays shaped as the parameters, and whole numbers, by name."""


def namespace(array: Vector) -> Any:
    """The module of an array's functions: `numpy`, `torch`, or what the array-API names."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    return sys.modules[type(array).__module__.partition(".")[0]]


def discounted_sum(total: Vector, newest: Vector, decay: float) -> Vector:
    """Continue `newest + decay * previous + decay² * the one before + …`; reuses `total`.

    Momentum, AdaGrad (decay 1), RMSProp, Adam, Jacobs' trace and averages of parameters all
    remember the past by this sum; divided by `discounted_count` it is a weighted mean.
    """
    if decay != 1.0:
        total *= decay
    total += newest
    return total


def discounted_count(count: int, decay: float) -> float:
    """The discounted sum of `count` ones: `1 + decay + … = (1 - decay^count) / (1 - decay)`."""
    return float(count) if decay == 1.0 else (1.0 - decay**count) / (1.0 - decay)


def norm(vectors: Sequence[Vector]) -> float:
    """Euclidean norm of all elements of all arrays together; squares do not overflow."""
    plain = math.sqrt(sum(float((v * v).sum()) for v in vectors))
    if 0.0 < plain < math.inf:
        return plain
    largest = max((float(abs(v).max()) for v in vectors if math.prod(v.shape)), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(float(((v / largest) ** 2).sum()) for v in vectors))
