"""Resampling: right values at the right places, and no trace of the cuts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from zilzal.signal.resample import Ratio, finish_resampler, start_resampler, step_resampler

RATES = (20.0, 31.25, 40.0, 50.0, 80.0, 120.0, 125.0, 128.0, 200.0, 250.0, 500.0, 1000.0)


def resample(samples, input_rate, *, first_number=0, cuts=(), present=None):
    ratio = Ratio.between(input_rate, 100.0)
    present = np.ones(samples.shape, bool) if present is None else present
    state = start_resampler(ratio, first_number, len(samples))
    first_output, pieces, masks = state.next_output, [], []
    edges = sorted([0, *cuts, samples.shape[1]])
    for first, end in itertools.pairwise(edges):
        part = slice(first, end)
        state, piece, mask = step_resampler(ratio, state, samples[:, part], present[:, part])
        pieces.append(piece)
        masks.append(mask)
    piece, mask = finish_resampler(ratio, state)
    return (
        first_output,
        np.concatenate([*pieces, piece], axis=1),
        np.concatenate([*masks, mask], axis=1),
    )


@pytest.mark.parametrize("rate", RATES)
def test_sine_keeps_its_phase_on_the_grid_of_the_epoch(rate):
    first_number = round(rate) * 1_500_000_000 + 7
    number = first_number + np.arange(round(20 * rate))
    frequency_hz = 3.0
    # The fraction of the second in whole numbers: floats are too coarse fifty years on.
    within = [(int(n) * 1_000) % round(rate * 1_000) for n in number]
    seconds = np.array(within) / (rate * 1_000)
    samples = np.sin(2 * np.pi * frequency_hz * seconds)[None].astype(np.float32)
    first_output, output, _ = resample(samples, rate, first_number=first_number)
    phase = ((first_output + np.arange(output.shape[1])) % 100) / 100.0
    expected = np.sin(2 * np.pi * frequency_hz * phase)
    inner = slice(200, -200)
    np.testing.assert_allclose(output[0, inner], expected[inner], atol=2e-3)


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate > 120.0])
def test_frequencies_above_the_new_nyquist_vanish(rate):
    time_s = np.arange(round(20 * rate)) / rate
    samples = np.sin(2 * np.pi * 0.48 * rate * time_s)[None].astype(np.float32)
    _, output, _ = resample(samples, rate)
    assert np.abs(output[0, 200:-200]).max() < 2e-3


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(RATES),
    st.lists(st.integers(0, 900), max_size=6),
    st.integers(0, 10_000),
    st.integers(0, 2**32 - 1),
)
def test_cut_record_resamples_bit_for_bit_as_the_whole(rate, cuts, first_number, seed):
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((2, 900)).astype(np.float32)
    present = np.ones(samples.shape, bool)
    present[0, 300:400] = False
    samples[~present] = 0
    whole = resample(samples, rate, first_number=first_number, present=present)
    pieces = resample(samples, rate, first_number=first_number, cuts=cuts, present=present)
    assert whole[0] == pieces[0]
    np.testing.assert_array_equal(whole[1], pieces[1])
    np.testing.assert_array_equal(whole[2], pieces[2])


@pytest.mark.parity
def test_same_filter_in_scipy_gives_the_same_samples():
    from zilzal.signal.resample import _taps

    samples = np.random.default_rng(3).standard_normal((1, 2_000)).astype(np.float32)
    ratio = Ratio.between(40.0, 100.0)
    _, ours, _ = resample(samples, 40.0)
    theirs = resample_poly(
        samples.astype(float), ratio.up, ratio.down, axis=1, window=_taps(ratio) / ratio.up
    )
    np.testing.assert_allclose(ours[0, :4_990], theirs[0, :4_990], atol=1e-6)


def test_output_is_present_only_between_recorded_samples():
    samples = np.ones((1, 400), np.float32)
    present = np.ones((1, 400), bool)
    present[0, 100:200] = False
    _, output, mask = resample(samples, 200.0, present=present)
    assert mask[0].tolist() == [True] * 50 + [False] * 50 + [True] * 100
    assert (output[~mask] == 0).all()


def test_ratio_is_simple_for_odd_rates_and_refused_for_absurd_ones():
    assert Ratio.between(99.98, 100.0) == Ratio(1, 1)
    assert Ratio.between(31.25, 100.0) == Ratio(16, 5)
    assert Ratio.between(249.9975, 100.0) == Ratio(2, 5)
    with pytest.raises(ValueError, match="resample"):
        Ratio.between(0.01, 100.0)
    with pytest.raises(ValueError, match="above 0"):
        Ratio.between(0.0, 100.0)
