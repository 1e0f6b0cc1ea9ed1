"""The windows that are flush with a segment's ends."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.signal.edge import finish_edges, start_edges, step_edges
from zilzal.signal.frame import FrameGrid

GRID = FrameGrid(window_samples=10, hop_samples=4, whole=True)


def edges_of(grid, first_number, samples, blinding, cuts=()):
    present = np.ones(samples.shape, bool)
    state = start_edges(grid, first_number, len(samples))
    found = []
    places = sorted([0, *cuts, samples.shape[1]])
    for first, end in itertools.pairwise(places):
        state, opening = step_edges(
            grid, state, samples[:, first:end], present[:, first:end], blinding=blinding
        )
        found.append(opening)
    found.append(finish_edges(grid, state, blinding=blinding))
    return [edge for edge in found if edge is not None]


def numbered(first, end):
    return np.arange(first, end, dtype=np.float32)[None]


def test_windows_begin_and_end_with_the_segment_and_fill_what_the_grid_leaves():
    # Whole windows of the grid are [16, 26) and [20, 30).
    opening, closing = edges_of(GRID, 13, numbered(13, 33), (0, 0))
    assert (opening.start, opening.first, opening.end) == (13, 13, 16)
    assert (closing.start, closing.first, closing.end) == (23, 30, 33)
    assert opening.samples.tolist() == [list(range(13, 23))]
    assert closing.samples.tolist() == [list(range(23, 33))]


def test_segment_on_the_grid_needs_no_further_windows():
    assert edges_of(GRID, 16, numbered(16, 30), (0, 0)) == []


def test_segment_shorter_than_a_window_is_filled_up():
    (only,) = edges_of(GRID, 13, numbered(13, 18), (1, 1))
    assert (only.start, only.first, only.end) == (13, 14, 17)
    assert only.samples.tolist() == [[13, 14, 15, 16, 17, 0, 0, 0, 0, 0]]
    assert only.present.tolist() == [[True] * 5 + [False] * 5]


@settings(max_examples=150, deadline=None)
@given(
    first=st.integers(-30, 30),
    length=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    before=st.integers(0, 2),
    after=st.integers(0, 3),
)
def test_every_sample_but_the_blind_ends_is_decided_once(first, length, cuts, before, after):
    end, blinding = first + length, (before, after)
    samples = numbered(first, end) + 100
    edges = edges_of(GRID, first, samples, blinding)
    decided = {number for edge in edges for number in range(edge.first, edge.end)}
    on_grid = {
        number
        for k in range(-20, 60)
        if first <= 4 * k and 4 * k + 10 <= end
        for number in range(4 * k + before, 4 * k + 10 - after)
    }
    assert not decided & on_grid
    assert decided | on_grid == set(range(first + before, end - after))
    for edge in edges:
        assert first <= edge.start
        assert before <= edge.first - edge.start
        assert edge.end - edge.start <= 10 - after or length < 10
        recorded = edge.samples[edge.present]
        assert recorded.tolist() == [n + 100 for n in range(edge.start, edge.start + len(recorded))]
    pieces = edges_of(GRID, first, samples, blinding, [min(cut, length) for cut in cuts])
    assert [edge[:3] for edge in pieces] == [edge[:3] for edge in edges]
    for one, other in zip(pieces, edges, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize("hop", [1, 10])
def test_closest_and_widest_grids_leave_no_hole_either(hop):
    grid = FrameGrid(window_samples=10, hop_samples=hop, whole=True)
    edges = edges_of(grid, 13, numbered(13, 38), (0, 0))
    decided = sorted(n for edge in edges for n in range(edge.first, edge.end))
    expected = [] if hop == 1 else [*range(13, 20), *range(30, 38)]
    assert decided == expected
