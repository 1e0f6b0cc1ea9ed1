"""Stretches of flags; the rules on samples are tested with the gap policy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.signal.flaws import true_ranges


@pytest.mark.parametrize(
    ("flags", "ranges"),
    [
        ([], []),
        ([False, False], []),
        ([True], [[0, 1]]),
        ([True, True, False, True], [[0, 2], [3, 4]]),
        ([False, True, False, False, True, True, False], [[1, 2], [4, 6]]),
    ],
)
def test_ranges_are_first_and_end_of_set_flags(flags, ranges):
    found = true_ranges(np.array(flags, bool))
    assert found.tolist() == ranges
    assert found.shape == (len(ranges), 2)


@given(st.lists(st.booleans(), max_size=40))
def test_ranges_cover_set_flags_and_nothing_else(flags):
    ranges = true_ranges(np.array(flags, bool)).tolist()
    covered = [number for first, end in ranges for number in range(first, end)]
    assert covered == [number for number, flag in enumerate(flags) if flag]
    assert all(end < first for (_, end), (first, _) in itertools.pairwise(ranges))
