"""Windows on the grid of the epoch."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.signal.frame import FrameGrid, finish_frames, start_frames, step_frames

GRID = FrameGrid(window_samples=10, hop_samples=4)


def frames_of(grid, first_number, samples, cuts=()):
    present = samples != 0
    state = start_frames(grid, first_number, len(samples))
    handed_out = []
    edges = sorted([0, *cuts, samples.shape[1]])
    for first, end in itertools.pairwise(edges):
        state, frames = step_frames(grid, state, samples[:, first:end], present[:, first:end])
        handed_out.append(frames)
    handed_out.append(finish_frames(grid, state))
    return {
        each.first_window + i: (window.tolist(), mask.tolist())
        for each in handed_out
        for i, (window, mask) in enumerate(zip(each.samples, each.present, strict=True))
    }


def test_window_k_covers_k_hop_to_k_hop_plus_length_with_zeros_outside():
    samples = np.arange(13, 25, dtype=np.float32)[None]
    frames = frames_of(GRID, 13, samples)
    assert sorted(frames) == [1, 2, 3, 4, 5, 6]
    for k, (window, mask) in frames.items():
        expected = [float(n) if 13 <= n < 25 else 0.0 for n in range(4 * k, 4 * k + 10)]
        assert window[0] == expected
        assert mask[0] == [value != 0 for value in expected]


def test_window_is_made_only_if_it_holds_more_than_the_margin():
    grid = FrameGrid(window_samples=10, hop_samples=4, margin_samples=3)
    frames = frames_of(grid, 13, np.arange(13, 25, dtype=np.float32)[None])
    held = {k: sum(13 <= n < 25 for n in range(4 * k, 4 * k + 10)) for k in range(12)}
    assert sorted(frames) == [k for k, n in held.items() if n > 3]


def test_segment_within_the_margin_makes_no_window():
    grid = FrameGrid(window_samples=10, hop_samples=4, margin_samples=3)
    assert frames_of(grid, 21, np.ones((1, 3), np.float32)) == {}


@settings(max_examples=100, deadline=None)
@given(
    first_number=st.integers(-50, 50),
    n_samples=st.integers(0, 80),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    hop=st.integers(1, 8),
    margin=st.integers(0, 2),
)
def test_cut_segment_gives_the_windows_of_the_whole(first_number, n_samples, cuts, hop, margin):
    grid = FrameGrid(window_samples=10, hop_samples=hop, margin_samples=margin)
    samples = np.arange(1, 2 * n_samples + 1, dtype=np.float32).reshape(2, n_samples)
    whole = frames_of(grid, first_number, samples)
    assert frames_of(grid, first_number, samples, [min(c, n_samples) for c in cuts]) == whole
    end = first_number + n_samples
    made = [
        k for k in range(-70, 140) if min(k * hop + 10, end) - max(k * hop, first_number) > margin
    ]
    assert sorted(whole) == made


@settings(max_examples=60, deadline=None)
@given(
    first_number=st.integers(-50, 50),
    n_samples=st.integers(0, 80),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    hop=st.integers(1, 10),
)
def test_whole_windows_lie_within_the_segment(first_number, n_samples, cuts, hop):
    grid = FrameGrid(window_samples=10, hop_samples=hop, whole=True)
    end = first_number + n_samples
    samples = np.arange(first_number, end, dtype=np.float32)[None] + 1_000
    whole = frames_of(grid, first_number, samples)
    made = [k for k in range(-70, 140) if first_number <= k * hop and k * hop + 10 <= end]
    assert sorted(whole) == made
    for k, (window, _) in whole.items():
        assert window[0] == [1_000.0 + n for n in range(k * hop, k * hop + 10)]
    assert frames_of(grid, first_number, samples, [min(c, n_samples) for c in cuts]) == whole


@pytest.mark.parametrize("wrong", [{"hop_samples": 0}, {"hop_samples": 11}, {"margin_samples": 7}])
def test_grid_that_leaves_holes_is_refused(wrong):
    with pytest.raises(ValueError, match="hop"):
        FrameGrid(**{"window_samples": 10, "hop_samples": 4, **wrong})
