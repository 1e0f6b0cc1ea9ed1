"""Preparation: indifferent to gain, offset and cuts; restarts after gaps; dead stays 0."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.signal.prepare import (
    Preparation,
    finish_preparation,
    normalise_windows,
    prepare_record,
    start_preparation,
    step_preparation,
)

RUNNING = Preparation(time_constant_s=3.0)
N_SAMPLES = 3_000


def record(seed=0, n_samples=N_SAMPLES):
    rng = np.random.default_rng(seed)
    samples = (1_000 * rng.standard_normal((3, n_samples)) + 5_000).round().astype(np.float32)
    present = np.ones(samples.shape, bool)
    return samples, present


def in_pieces(samples, present, rate, cuts, *, first_number=0, preparation=RUNNING):
    state = start_preparation(preparation, rate, first_number)
    pieces, masks = [], []
    edges = sorted([0, *cuts, samples.shape[1]])
    for first, end in itertools.pairwise(edges):
        part = slice(first, end)
        state, (piece, mask) = step_preparation(
            preparation, state, samples[:, part], present[:, part]
        )
        state = pickle.loads(pickle.dumps(state))
        pieces.append(piece)
        masks.append(mask)
    piece, mask = finish_preparation(preparation, state)
    return np.concatenate([*pieces, piece], axis=1), np.concatenate([*masks, mask], axis=1)


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([40.0, 100.0, 125.0, 200.0]),
    cuts=st.lists(st.integers(0, N_SAMPLES), max_size=8),
    gaps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, N_SAMPLES), st.integers(1, 900)), max_size=4
    ),
    first_number=st.integers(0, 1_000),
)
def test_cut_record_prepares_bit_for_bit_as_the_whole(rate, cuts, gaps, first_number):
    samples, present = record()
    for component, start, length in gaps:
        present[component, start : start + length] = False
    whole = in_pieces(samples, present, rate, [], first_number=first_number)
    pieces = in_pieces(samples, present, rate, cuts, first_number=first_number)
    np.testing.assert_array_equal(whole[0], pieces[0])
    np.testing.assert_array_equal(whole[1], pieces[1])
    assert (whole[0][~whole[1]] == 0).all()


def test_step_longer_than_a_chunk_equals_short_steps():
    samples, present = record(n_samples=70_000)
    whole, _ = in_pieces(samples, present, 100.0, [])
    pieces, _ = in_pieces(samples, present, 100.0, range(0, 70_000, 512))
    np.testing.assert_array_equal(whole, pieces)


@pytest.mark.parametrize("gain", [1e-9, 2.5e-3, 7.0, 1e9])
@pytest.mark.parametrize("normalisation", ["running", "window_std", "window_max"])
def test_gain_does_not_matter(gain, normalisation):
    preparation = Preparation(normalisation=normalisation)
    samples, present = record()
    before = prepare_record(preparation, samples, present, 100.0)
    after = prepare_record(preparation, samples * np.float32(gain), present, 100.0)
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert before.std() > 0.2


def test_offset_does_not_matter():
    samples, present = record()
    before = prepare_record(RUNNING, samples, present, 100.0)
    after = prepare_record(RUNNING, samples + 1_000_000, present, 100.0)
    np.testing.assert_allclose(after, before, atol=1e-4)


@pytest.mark.parametrize("normalisation", ["running", "window_std", "window_max"])
@pytest.mark.parametrize("value", [0.0, 77.0, 1e-9, -8_388_608.0])
@pytest.mark.parametrize("rate", [100.0, 40.0])
def test_stuck_component_becomes_exact_zero(normalisation, value, rate):
    preparation = Preparation(normalisation=normalisation)
    samples, present = record()
    samples[1] = value
    prepared = prepare_record(preparation, samples, present, rate)
    assert (prepared[1] == 0).all()
    assert prepared[0].any()


def test_component_that_dies_after_a_large_step_fades_instead_of_growing():
    samples, present = record(n_samples=60_000)
    samples[0, 6_000:] = 1e6
    prepared = prepare_record(Preparation(), samples, present, 100.0)
    assert np.abs(prepared[0, 12_000:]).max() < 1e-3


def test_noise_has_unit_level_from_the_first_second_on():
    rng = np.random.default_rng(4)
    samples = rng.standard_normal((3, 100_000)).astype(np.float32)
    preparation = Preparation(compression="none", highpass_hz=0.1)
    prepared = prepare_record(preparation, samples, np.ones(samples.shape, bool), 100.0)
    assert np.std(prepared[:, 50_000:]) == pytest.approx(1.0, abs=0.03)
    starts = [
        prepare_record(preparation, part, np.ones(part.shape, bool), 100.0)[:, 50:150].std()
        for part in np.split(samples, 100, axis=1)
    ]
    assert np.median(starts) == pytest.approx(1.0, abs=0.15)


def test_component_restarts_after_its_own_gap_as_if_it_began_there():
    samples, present = record()
    present[2, 1_008:1_600] = False
    prepared = prepare_record(RUNNING, samples, present, 100.0)
    alone = prepare_record(RUNNING, samples[2:, 1_600:], present[2:, 1_600:], 100.0)
    np.testing.assert_array_equal(prepared[2, 1_600:], alone[0])
    np.testing.assert_array_equal(
        prepared[:2], prepare_record(RUNNING, samples[:2], present[:2], 100.0)
    )


def test_onset_stands_out_by_its_ratio_to_the_noise_before():
    samples = np.random.default_rng(5).standard_normal((3, 4_000)).astype(np.float32)
    samples[:, 3_210] += 80.0
    preparation = Preparation(compression="none", highpass_hz=0.1)
    prepared = prepare_record(preparation, samples, np.ones(samples.shape, bool), 100.0)
    np.testing.assert_allclose(prepared[:, 3_210], 80.0, rtol=0.15)


def test_normalisation_is_causal():
    samples, present = record()
    changed = samples.copy()
    changed[:, 2_000:] *= 50
    before = prepare_record(RUNNING, samples, present, 100.0)
    after = prepare_record(RUNNING, changed, present, 100.0)
    np.testing.assert_array_equal(before[:, :2_000], after[:, :2_000])


def test_window_statistics_are_over_present_samples_only():
    preparation = Preparation(normalisation="window_std", compression="none")
    rng = np.random.default_rng(6)
    windows = rng.standard_normal((1, 1, 400)).astype(np.float32) * 9 + 4
    present = np.ones(windows.shape, bool)
    present[..., 300:] = False
    windows[~present] = 0
    normalised = normalise_windows(preparation, windows, present)
    recorded = windows[0, 0, :300]
    np.testing.assert_allclose(
        normalised[0, 0, :300], (recorded - recorded.mean()) / recorded.std(ddof=1), atol=1e-5
    )
    assert (normalised[~present] == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling_rate": 0.0},
        {"highpass_hz": 50.0},
        {"highpass_order": 0},
        {"time_constant_s": 0.0},
        {"normalisation": "z"},
        {"compression": "log"},
    ],
)
def test_value_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Preparation(**wrong)


@pytest.mark.parity
@pytest.mark.parametrize("low_hz", [1.5, None])
def test_band_is_that_of_obspys_causal_filter(low_hz):
    from obspy.signal.filter import bandpass, lowpass

    preparation = Preparation(
        highpass_hz=low_hz, lowpass_hz=12.0, highpass_order=4, normalisation="window_max",
        compression="none",
    )  # fmt: skip
    samples, present = record(8)
    present[1, 1_000:1_400] = False
    prepared, mask = in_pieces(samples, present, 100.0, [1_234, 2_000], preparation=preparation)
    for row, begin, end in ((0, 0, N_SAMPLES), (1, 0, 1_000), (1, 1_400, N_SAMPLES)):
        run = samples[row, begin:end].astype(float) - samples[row, begin]
        expected = (
            lowpass(run, 12.0, 100.0) if low_hz is None else bandpass(run, low_hz, 12.0, 100.0)
        )
        np.testing.assert_allclose(prepared[row, begin:end], expected, rtol=1e-4, atol=0.01)
    assert (prepared[~mask] == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"jointly": True},
        {"taper_samples": 6},
        {"normalisation": "window_std", "taper_samples": -1},
        {"highpass_hz": 5.0, "lowpass_hz": 4.0},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValueError, match=r"taper_samples|lowpass_hz"):
        Preparation(**wrong)
