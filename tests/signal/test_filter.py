"""Filters: the response asked for, and no trace of the cuts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfreqz

from zilzal.signal.filter import bandpass, highpass, start_filter, step_filter


def gain_at(sections, frequency_hz, sampling_rate):
    _, response = sosfreqz(sections, [frequency_hz], fs=sampling_rate)
    return abs(response[0])


def test_corners_of_a_butterworth_filter_are_at_half_power():
    assert gain_at(highpass(1.0, order=2, sampling_rate=100.0), 1.0, 100.0) == pytest.approx(
        0.5**0.5
    )
    sections = bandpass(2.0, 20.0, order=3, sampling_rate=100.0)
    assert gain_at(sections, 2.0, 100.0) == pytest.approx(0.5**0.5)
    assert gain_at(sections, 20.0, 100.0) == pytest.approx(0.5**0.5)


def test_band_beyond_nyquist_becomes_a_high_pass():
    low_rate = bandpass(2.0, 20.0, order=2, sampling_rate=40.0)
    np.testing.assert_array_equal(low_rate, highpass(2.0, order=2, sampling_rate=40.0))


def test_corner_beyond_nyquist_is_refused():
    with pytest.raises(ValueError, match="frequenc"):
        highpass(60.0, order=2, sampling_rate=100.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8))
def test_cut_record_filters_bit_for_bit_as_the_whole(cuts):
    samples = np.random.default_rng(1).standard_normal((3, 400)).astype(np.float32)
    sections = bandpass(2.0, 20.0, order=2, sampling_rate=100.0)
    _, whole = step_filter(sections, start_filter(sections, 3), samples)
    state, pieces = start_filter(sections, 3), []
    edges = sorted([0, *cuts, 400])
    for first, end in itertools.pairwise(edges):
        state, piece = step_filter(sections, state, samples[:, first:end])
        pieces.append(piece)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside ObsPy
def test_high_pass_equals_obspy():
    from obspy.signal.filter import highpass as obspy_highpass

    samples = np.random.default_rng(2).standard_normal(1_000)
    sections = highpass(1.0, order=4, sampling_rate=100.0)
    _, ours = step_filter(sections, start_filter(sections, 1), samples[None])
    np.testing.assert_allclose(ours[0], obspy_highpass(samples, 1.0, 100.0, corners=4), atol=1e-9)
