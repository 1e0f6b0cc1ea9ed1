"""The best one-to-one assignment between two sets, of which only some pairs are allowed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from zilzal.core.arrays import Array


def assign(
    left: Int[Array, " pair"], right: Int[Array, " pair"], cost: Float[Array, " pair"]
) -> Int[Array, " chosen"]:
    """Indices of the pairs that together are best, in rising order.

    As many pairs as can be had at once without using a member twice; among such choices the one
    of least total cost. Exact: the allowed pairs fall apart into connected groups, and each group
    is solved by the Hungarian method.

    Args:
        left: member of the first set in each allowed pair, from 0.
        right: member of the second set in each allowed pair, from 0.
        cost: of each pair, not negative; a pair may be listed once only.

    Source:
        Kuhn (1955), doi:10.1002/nav.3800020109, as implemented in SciPy.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(left) == 0:
        return np.zeros(0, np.int64)
    n_left, n_right = int(left.max()) + 1, int(right.max()) + 1
    size = n_left + n_right
    graph = coo_array((np.ones(len(left)), (left, right + n_left)), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    pair_group = group[left]
    order = np.argsort(pair_group, kind="stable")
    bounds = np.flatnonzero(np.diff(pair_group[order])) + 1
    chosen = [_assign_group(left, right, cost, pairs) for pairs in np.split(order, bounds)]
    return np.sort(np.concatenate(chosen))


def _assign_group(
    left: Int[Array, " pair"],
    right: Int[Array, " pair"],
    cost: Float[Array, " pair"],
    pairs: Int[Array, " some"],
) -> Int[Array, " chosen"]:
    from scipy.optimize import linear_sum_assignment

    if len(pairs) == 1:
        return pairs
    rows, row = np.unique(left[pairs], return_inverse=True)
    columns, column = np.unique(right[pairs], return_inverse=True)
    # Leaving out one allowed pair must never pay, whatever the others cost.
    forbidden = cost[pairs].sum() * 2 + 1
    table = np.full((len(rows), len(columns)), forbidden)
    index = np.full((len(rows), len(columns)), -1)
    table[row, column] = cost[pairs]
    index[row, column] = pairs
    chosen = index[linear_sum_assignment(table)]
    return chosen[chosen >= 0]


def pairs_within(
    left: Float[Array, " left"], right: Float[Array, " right"], width: float
) -> tuple[Int[Array, " pair"], Int[Array, " pair"]]:
    """All pairs (left, right) whose values differ by at most `width`; neither need be sorted."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left - width, side="left")
    last = np.searchsorted(right[order], left + width, side="right")
    count = last - first
    which = np.repeat(np.arange(len(left)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return which, order[np.repeat(first, count) + offset]
