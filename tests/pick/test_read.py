"""Picks read off curves by excursions, as pickers from elsewhere do."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.infer.overlap import Curves
from zilzal.pick.read import Reading, start_reading, step_reading

READING = Reading(
    labels=("P", "S", "detection"),
    thresholds={"P": 0.3, "S": 0.4, "detection": 0.5},
    release_share=0.5,
    separation_samples=50,
    peaks="excursions",
)
FIRST = 1_000


def curves(seed=0, n_samples=4_000):
    """Smooth random curves with humps on humps, some close together."""
    rng = np.random.default_rng(seed)
    kernel = np.hanning(25) / np.hanning(25).sum()
    rows = [np.convolve(rng.standard_normal(n_samples), kernel, "same") for _ in range(3)]
    return np.clip(np.array(rows) * 1.4, 0, 1).astype(np.float32)


def read(values, cuts=(), ready_by=0):
    """All that is read off curves handed out in pieces; `ready_by` samples late."""
    state = start_reading(READING, FIRST)
    peaks, intervals = [], []
    edges = sorted({0, *cuts, values.shape[1]})
    for first, end in itertools.pairwise(edges):
        piece = Curves(FIRST + first, (values[:, first:end],))
        ready = None if end == values.shape[1] else FIRST + end - ready_by
        state, new, closed = step_reading(READING, state, piece, ready)
        assert all(peak.number >= state.frontier for peak in state.waiting)
        peaks += new
        intervals += closed
    return sorted(peaks, key=lambda p: (p.number, p.label)), intervals


@pytest.mark.parity
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_peaks_are_the_tops_of_obspys_triggers(seed):
    from obspy.signal.trigger import trigger_onset

    values = curves(seed)
    expected = []
    for row, label in zip(values[:2], ("P", "S"), strict=True):
        on = READING.thresholds[label]
        for first, last in trigger_onset(row, on, on / 2):
            top = first + int(np.argmax(row[first : last + 1]))
            expected.append((FIRST + top, label, float(row[top])))
    peaks, _ = read(values)
    assert len(expected) > 20
    assert [(p.number, p.label, p.height) for p in peaks] == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3_999), max_size=8), st.integers(0, 400))
def test_cuts_and_waiting_for_counts_change_nothing(cuts, ready_by):
    values = curves(3)
    assert read(values, cuts, ready_by) == read(values)


def test_hump_on_an_excursion_is_no_pick_of_its_own():
    row = np.zeros((3, 300), np.float32)
    row[0, 100:180] = 0.2
    row[0, 110], row[0, 160] = 0.5, 0.8
    row[0, 200] = 0.31
    peaks, _ = read(row)
    assert [(p.label, p.number - FIRST) for p in peaks] == [("P", 160), ("P", 200)]


def test_excursion_at_the_end_of_the_data_counts():
    row = np.zeros((3, 100), np.float32)
    row[1, 90:] = np.linspace(0.1, 0.9, 10)
    peaks, _ = read(row)
    assert [(p.label, p.number - FIRST, p.height) for p in peaks] == [("S", 99, np.float32(0.9))]


def test_detections_are_read_as_ever():
    row = np.zeros((3, 100), np.float32)
    row[2, 20:40] = 0.6
    row[2, 40:50] = 0.3
    _, intervals = read(row)
    assert [(i.first - FIRST, i.end - FIRST) for i in intervals] == [(20, 50)]
