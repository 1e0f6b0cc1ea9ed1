"""Filters by blocks: what SciPy's loop over samples gives, and bit for bit the same when cut."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from zilzal.signal.blocks import Past, Place, differenced_highpass, step_section

N_SAMPLES = 5_000


def highpassed(samples, cuts=(), *, corner_hz=1.0, order=2, first_number=0):
    """The samples high-passed block by block; what came before them equals the first."""
    sections = differenced_highpass(corner_hz, order=order, sampling_rate=100.0)
    steps = np.diff(samples, axis=1, prepend=samples[:, :1]).astype(np.float32)
    pasts = [Past.none(len(samples)) for _ in sections]
    number, open_block, pieces = first_number, steps[:, :0], []
    open_block = np.zeros((len(samples), first_number % 16), np.float32)
    for first, end in itertools.pairwise([0, *sorted(cuts), samples.shape[1]]):
        place = Place.of(number, end - first)
        blocks = place.lay_out(open_block)
        place.new(blocks)[:] = steps[:, first:end]
        open_block = place.still_open(blocks)
        for k, section in enumerate(sections):
            pasts[k], blocks = step_section(section, pasts[k], blocks, place)
        pieces.append(place.new(blocks))
        number += end - first
    return np.concatenate(pieces, axis=1)


@pytest.mark.parametrize("order", range(1, 9))
@pytest.mark.parametrize("corner_hz", [0.05, 1.0, 3.125, 20.0])
def test_highpass_is_that_of_scipy(order, corner_hz):
    samples = np.random.default_rng(order).standard_normal((3, N_SAMPLES)).cumsum(axis=1)
    sections = butter(order, corner_hz, "highpass", fs=100.0, output="sos")
    expected = sosfilt(sections, samples - samples[:, :1], axis=-1)
    found = highpassed(samples, corner_hz=corner_hz, order=order)
    # Single precision (6e-8), over the memory of a filter whose poles come close to one.
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_small_signal_on_a_large_swell_keeps_its_digits():
    time_s = np.arange(N_SAMPLES) / 100
    swell = np.round(3e6 * np.sin(2 * np.pi * 0.05 * time_s))
    noise = np.round(np.random.default_rng(1).normal(0, 20, (3, N_SAMPLES)))
    samples = (swell + noise + 4_000_000).astype(np.float32)
    sections = butter(2, 1.0, "highpass", fs=100.0, output="sos")
    exact = samples.astype(np.float64)
    expected = sosfilt(sections, exact - exact[:, :1], axis=-1)
    # Counts themselves are only known to half a count.
    np.testing.assert_allclose(highpassed(samples), expected, atol=0.25)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, N_SAMPLES), max_size=8),
    first_number=st.integers(0, 3_000),
    order=st.integers(1, 4),
)
def test_cut_changes_no_bit(cuts, first_number, order):
    samples = np.random.default_rng(2).standard_normal((3, N_SAMPLES)).astype(np.float32)
    whole = highpassed(samples, order=order, first_number=first_number)
    pieces = highpassed(samples, cuts, order=order, first_number=first_number)
    np.testing.assert_array_equal(pieces, whole)
