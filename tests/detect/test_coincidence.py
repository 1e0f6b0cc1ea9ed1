"""Coincidence of a sensor's channels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.detect.coincidence import Coincidence
from zilzal.signal.trigger import Interval

METHOD = Coincidence(on=4.0, off=2.0, minimum_channels=2)


def detect(method, curves, present=None, cuts=()):
    present = np.ones(curves.shape, bool) if present is None else present
    state, found = method.start(len(curves)), []
    edges = sorted([0, *cuts, curves.shape[1]])
    for first, end in pairwise(edges):
        state, closed = method.step(state, curves[:, first:end], present[:, first:end], 100 + first)
        found += closed
    return found + method.finish(state, 100 + curves.shape[1])


def curves_of(*spans, n_samples=50):
    curves = np.ones((3, n_samples))
    for component, first, end, value in spans:
        curves[component, first:end] = value
    return curves


def test_two_channels_at_once_are_a_detection_while_both_hold():
    curves = curves_of((0, 10, 30, 5.0), (1, 20, 40, 9.0))
    assert detect(METHOD, curves) == [Interval(120, 130, 9.0)]


def test_one_channel_alone_is_none():
    assert detect(METHOD, curves_of((0, 10, 30, 50.0))) == []


def test_channel_holds_until_it_falls_below_off():
    curves = curves_of((0, 10, 12, 5.0), (0, 12, 30, 2.5), (1, 8, 40, 5.0))
    assert detect(METHOD, curves) == [Interval(110, 130, 5.0)]


def test_lone_recorded_channel_needs_no_other():
    curves, present = curves_of((0, 10, 30, 5.0)), np.zeros((3, 50), bool)
    present[0] = True
    assert detect(METHOD, curves, present) == [Interval(110, 130, 5.0)]


def test_absent_channel_triggers_nothing():
    curves, present = curves_of((0, 10, 30, 5.0), (1, 10, 30, 5.0)), np.ones((3, 50), bool)
    present[1] = False
    assert detect(METHOD, curves, present) == []


def test_interval_open_at_the_end_is_closed_there():
    assert detect(METHOD, curves_of((0, 40, 50, 5.0), (2, 40, 50, 6.0))) == [
        Interval(140, 150, 6.0)
    ]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 80), max_size=6))
def test_cuts_change_nothing(seed, cuts):
    rng = np.random.default_rng(seed)
    curves = rng.choice([1.0, 2.5, 5.0, 8.0], (3, 80))
    present = rng.random((3, 80)) > 0.1
    assert detect(METHOD, curves, present, cuts) == detect(METHOD, curves, present)


def test_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="off"):
        Coincidence(on=1.0, off=2.0)
