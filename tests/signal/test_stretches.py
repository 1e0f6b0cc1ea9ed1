"""Stretches: a cut gives the samples of its span, whatever pieces they came in."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zilzal.signal.stretches import Stretch, Stretches

SAMPLES = np.arange(200, dtype=np.float32).reshape(2, 100)
PRESENT = SAMPLES % 3 != 0


def kept(first, cuts):
    stretches = Stretches.none(first, 2)
    for begin, end in itertools.pairwise(sorted([0, *cuts, 100])):
        stretches = stretches.add(Stretch(SAMPLES[:, begin:end], PRESENT[:, begin:end]))
    return stretches


@given(
    first=st.integers(-20, 20),
    cuts=st.lists(st.integers(0, 100), max_size=5),
    span=st.tuples(st.integers(-50, 150), st.integers(-50, 150)),
)
def test_cut_is_what_there_is_of_a_span(first, cuts, span):
    begin, end = (max(number - first, 0) for number in span)
    found = kept(first, cuts).cut(*span)
    np.testing.assert_array_equal(found.samples, SAMPLES[:, begin:end])
    np.testing.assert_array_equal(found.present, PRESENT[:, begin:end])


@given(cuts=st.lists(st.integers(0, 100), max_size=5), since=st.integers(-10, 130))
def test_what_was_dropped_is_gone_and_the_rest_keeps_its_place(cuts, since):
    rest = kept(7, cuts).since(since)
    assert (rest.first, rest.end) == (min(max(since, 7), 107), 107)
    found = rest.cut(0, 200)
    np.testing.assert_array_equal(found.samples, SAMPLES[:, rest.first - 7 :])


def test_span_within_one_piece_is_not_copied():
    found = kept(0, [50]).cut(10, 40)
    assert np.shares_memory(found.samples, SAMPLES)
