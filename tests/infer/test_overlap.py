"""Overlap-add: every valid sample once, whatever the cuts."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.infer.networks import SPEC
from zilzal.infer.overlap import finish_overlap, start_overlap, step_overlap

SMALL = replace(SPEC, window_samples=20, hop_samples=6, blind_samples=3)


def curves_of(spec, outputs, first_window, segment, cuts=()):
    first_number, end_number = segment
    state, values, start = start_overlap(spec, first_number), [], None
    edges = sorted([0, *cuts, len(outputs)])
    for first, end in itertools.pairwise(edges):
        state, curves = step_overlap(spec, state, first_window + first, outputs[first:end])
        start = curves.first_number if start is None else start
        values.append(curves.values)
    values.append(finish_overlap(spec, state, end_number).values)
    return start, np.concatenate(values, axis=1)


@pytest.mark.parametrize("overlap", ["mean", "max"])
def test_every_sample_combines_the_valid_parts_that_cover_it(overlap):
    spec = replace(SMALL, overlap=overlap)
    outputs = np.random.default_rng(0).random((7, 3, 20)).astype(np.float32)
    first_window, segment = 4, (25, 80)
    start, values = curves_of(spec, outputs, first_window, segment)
    assert start == 28
    combine = np.mean if overlap == "mean" else np.max
    for place in range(values.shape[1]):
        number = start + place
        seen = [
            output[:, number - 6 * k]
            for k, output in enumerate(outputs, first_window)
            if 3 <= number - 6 * k < 17
        ]
        expected = combine(seen, axis=0) if seen else np.full(3, np.nan)
        np.testing.assert_allclose(values[:, place], expected, rtol=1e-6)


def test_window_with_more_context_decides():
    # Two windows of 100 samples share 40: the first says 0, the second 1.
    spec = replace(SPEC, window_samples=100, hop_samples=60, blind_samples=0, overlap="context")
    outputs = np.stack([np.zeros((3, 100)), np.ones((3, 100))]).astype(np.float32)
    start, values = curves_of(spec, outputs, 0, (0, 160))
    assert start == 0
    assert values.shape == (3, 160)
    assert (values[:, :60] == 0).all()
    assert (values[:, 100:] == 1).all()
    shared = values[0, 60:100]
    assert (np.diff(shared) >= 0).all()
    # Half samples from the edges: 20.5 to 19.5 in the middle, 29.5 to 10.5 a quarter into it.
    assert shared[19] == pytest.approx(19.5**4 / (19.5**4 + 20.5**4), rel=1e-5)
    assert shared[10] == pytest.approx(10.5**4 / (10.5**4 + 29.5**4), rel=1e-5)


def test_same_outputs_give_the_same_curve_whatever_the_overlap():
    outputs = np.full((5, 3, 20), 0.7, np.float32)
    for overlap in ("mean", "max", "context"):
        _, values = curves_of(replace(SMALL, overlap=overlap), outputs, 0, (3, 40))
        np.testing.assert_allclose(values[np.isfinite(values)], 0.7, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=5), st.sampled_from(["mean", "max", "context"]))
def test_cuts_do_not_change_the_curves(cuts, overlap):
    spec = replace(SMALL, overlap=overlap)
    outputs = np.random.default_rng(1).random((9, 3, 20)).astype(np.float32)
    whole = curves_of(spec, outputs, -2, (-5, 70))
    pieces = curves_of(spec, outputs, -2, (-5, 70), cuts)
    assert whole[0] == pieces[0]
    np.testing.assert_array_equal(whole[1], pieces[1])


def test_constant_output_stays_constant():
    outputs = np.full((12, 3, 20), 0.25, np.float32)
    _, values = curves_of(SMALL, outputs, 0, (6, 66))
    np.testing.assert_array_equal(values, np.float32(0.25))


def test_segment_that_is_all_edge_gives_nothing():
    assert curves_of(SMALL, np.zeros((0, 3, 20), np.float32), 0, (6, 11))[1].shape == (3, 0)


def test_values_of_windows_are_points_with_lines_between():
    spec = replace(
        SPEC, window_samples=20, hop_samples=6, blind_samples=0, point_sample=8, edges="whole"
    )
    values = np.random.default_rng(2).random((9, 3)).astype(np.float32)
    start, curves = curves_of(spec, values, 0, (-4, 70))
    assert start == 8
    place = np.arange(8, 8 + 6 * 8 + 1)
    for row, points in zip(curves, values.T, strict=True):
        np.testing.assert_allclose(row, np.interp(place, 8 + 6 * np.arange(9), points), atol=1e-6)
    for cuts in ([1], [4, 5], [8]):
        np.testing.assert_array_equal(curves_of(spec, values, 0, (-4, 70), cuts)[1], curves)
