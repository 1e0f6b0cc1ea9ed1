"""The assignment is one to one, as large as can be, then as cheap as can be."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zilzal.evaluate.assignment import assign, pairs_within


def test_more_pairs_beat_cheaper_pairs():
    # 0-0 alone costs nothing, but then 1 has nobody: two dear pairs are better.
    left, right = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert assign(left, right, np.array([0.0, 5.0, 5.0])).tolist() == [1, 2]


def test_no_allowed_pair_gives_no_pair():
    assert len(assign(np.zeros(0, int), np.zeros(0, int), np.zeros(0))) == 0


@given(st.integers(0, 2**32 - 1))
def test_assignment_equals_exhaustive_search(seed):
    rng = np.random.default_rng(seed)
    allowed = rng.random((4, 4)) < 0.5
    cost = rng.random((4, 4))
    left, right = np.nonzero(allowed)
    chosen = assign(left, right, cost[left, right])

    def value(order):
        pairs = [(i, j) for i, j in enumerate(order) if allowed[i, j]]
        return -len(pairs), sum(cost[i, j] for i, j in pairs)

    best_count, best_cost = min(value(order) for order in permutations(range(4)))
    assert len(chosen) == -best_count
    assert np.isclose(cost[left[chosen], right[chosen]].sum(), best_cost)
    assert len(set(left[chosen])) == len(set(right[chosen])) == len(chosen)


@given(
    st.lists(st.integers(-20, 20), max_size=12),
    st.lists(st.integers(-20, 20), max_size=12),
    st.integers(0, 8),
)
def test_pairs_within_finds_each_near_pair_once(left, right, width):
    a, b = np.array(left, float), np.array(right, float)
    found = sorted(zip(*(x.tolist() for x in pairs_within(a, b, width)), strict=True))
    expected = [(i, j) for i in range(len(a)) for j in range(len(b)) if abs(a[i] - b[j]) <= width]
    assert found == expected
