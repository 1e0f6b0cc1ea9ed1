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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=5), st.sampled_from(["mean", "max"]))
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
