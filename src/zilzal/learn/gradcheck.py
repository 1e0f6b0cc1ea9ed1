"""Gradients by central differences, to check those by hand against (LECTURE.md 4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.learn.descent import Objective


def central_difference(
    objective: Objective, theta: Float[Array, " parameter"], *, step: float = 1e-5
) -> Float[Array, " parameter"]:
    """`(J(θ + h e_k) - J(θ - h e_k)) / 2h` for each k; its error falls with h² until rounding."""
    gradient = np.empty_like(theta)
    for k in range(len(theta)):
        ahead, behind = theta.copy(), theta.copy()
        ahead[k] += step
        behind[k] -= step
        gradient[k] = (objective.value(ahead) - objective.value(behind)) / (ahead[k] - behind[k])
    return gradient


def relative_error(
    gradient: Float[Array, " parameter"], reference: Float[Array, " parameter"]
) -> float:
    """`|g - r| / (|g| + |r|)` by Euclidean norms; 0 where both vanish."""
    size = float(np.linalg.norm(gradient) + np.linalg.norm(reference))
    return float(np.linalg.norm(gradient - reference)) / size if size else 0.0
