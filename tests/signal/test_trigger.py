"""STA/LTA, hysteresis and intervals."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.signal.trigger import (
    Interval,
    IntervalState,
    StaLta,
    finish_intervals,
    hold,
    start_sta_lta,
    step_intervals,
    step_sta_lta,
)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside ObsPy
def test_recursive_sta_lta_equals_obspy():
    from obspy.signal.trigger import recursive_sta_lta

    samples = np.random.default_rng(1).standard_normal(4_000)
    samples[2_000:2_300] *= 8
    samples[0] = 0.0  # ObsPy leaves the first sample out
    method = StaLta(sta_s=0.5, lta_s=10.0)
    _, ours = step_sta_lta(method, start_sta_lta(1), np.square(samples)[None], 100.0)
    theirs = recursive_sta_lta(samples, 50, 1_000)
    np.testing.assert_allclose(ours[0], theirs, rtol=1e-9, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3_000), max_size=6), st.sampled_from([1e-18, 1.0, 1e12]))
def test_cuts_and_gain_do_not_change_the_ratio(cuts, gain):
    energy = np.square(np.random.default_rng(2).standard_normal((2, 3_000)))
    method = StaLta(sta_s=0.5, lta_s=5.0)
    _, whole = step_sta_lta(method, start_sta_lta(2), energy, 100.0)
    state, pieces, loud = start_sta_lta(2), [], start_sta_lta(2)
    edges = sorted([0, *cuts, 3_000])
    for first, end in itertools.pairwise(edges):
        state, piece = step_sta_lta(method, state, energy[:, first:end], 100.0)
        pieces.append(piece)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    _, scaled = step_sta_lta(method, loud, gain * energy, 100.0)
    np.testing.assert_allclose(scaled, whole, rtol=1e-12)


def test_nothing_that_moves_gives_no_ratio():
    _, ratio = step_sta_lta(StaLta(), start_sta_lta(1), np.zeros((1, 2_000)), 100.0)
    assert (ratio == 0).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.5, 2.5, 4.0, np.nan]), max_size=40), st.booleans())
def test_hysteresis_follows_its_definition(values, was_active):
    curve, active, expected = np.array(values), was_active, []
    for value in values:
        if value >= 3.0:
            active = True
        elif not value >= 2.0:
            active = False
        expected.append(active)
    assert hold(was_active, curve, on=3.0, off=2.0).tolist() == expected


def test_intervals_have_their_ends_and_highest_value():
    curve = np.array([1.0, 5.0, 7.0, 1.0, 1.0, 6.0, 4.0])
    state, closed = step_intervals(IntervalState(), curve > 3, curve, 100)
    assert closed == [Interval(101, 103, 7.0)]
    assert finish_intervals(state, 107) == [Interval(105, 107, 6.0)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 9), min_size=1, max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_cuts_do_not_change_the_intervals(values, cuts):
    curve = np.array(values)

    def run(edges):
        state, active, found = IntervalState(), False, []
        for first, end in itertools.pairwise(edges):
            mask = hold(active, curve[first:end], on=6.0, off=3.0)
            state, closed = step_intervals(state, mask, curve[first:end], first)
            active = state.open_from is not None
            found += closed
        return found + finish_intervals(state, len(curve))

    whole = run([0, len(curve)])
    assert run(sorted([0, *(min(c, len(curve)) for c in cuts), len(curve)])) == whole


def test_memories_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="sta_s"):
        StaLta(sta_s=10.0, lta_s=1.0)
