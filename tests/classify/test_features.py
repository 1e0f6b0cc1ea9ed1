"""What the features must not depend on, and what they must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.classify.made import event_record
from zilzal.classify.features import BLOCKS, Features, band_weights, compute_features
from zilzal.classify.fusion import fuse
from zilzal.core.errors import GapError, RangeError

SPECTRAL = ("spectrum", "image", "excess", "onset", "quantiles", "envelope", "shape")


def features_of(samples, present=None, *, rate=100.0, blocks=SPECTRAL, **options):
    present = np.ones(samples.shape, bool) if present is None else present
    return compute_features(Features(blocks=blocks, **options), samples, present, rate)


@pytest.fixture
def record():
    return event_record(np.random.default_rng(1))


@given(gain=st.floats(1e-6, 1e6), seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_gain_changes_nothing_but_counts(gain, seed):
    samples = event_record(np.random.default_rng(seed))
    blocks = tuple(name for name in BLOCKS if name != "counts")
    np.testing.assert_allclose(
        features_of(gain * samples, blocks=blocks), features_of(samples, blocks=blocks), atol=2e-4
    )


def test_counts_carry_the_gain(record):
    once, twice = (features_of(g * record, blocks=("counts",)) for g in (1, 2))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5, atol=1e-3)


def test_sampling_rate_does_not_matter_below_its_nyquist_frequency(record):
    spectrum = np.fft.rfft(record)
    spectrum[:, np.fft.rfftfreq(6000, 0.01) > 18] = 0
    fast = np.fft.irfft(spectrum, 6000)
    slow = np.fft.irfft(spectrum[:, :1501], 3000) / 2
    # The filters' digital designs differ a little near 15 Hz.
    difference = features_of(fast, blocks=("excess", "onset", "quantiles", "envelope")) - (
        features_of(slow, rate=50.0, blocks=("excess", "onset", "quantiles", "envelope"))
    )
    assert np.abs(difference).max() < 0.1
    assert np.abs(difference).mean() < 0.01


def test_components_may_come_in_any_order(record):
    np.testing.assert_allclose(features_of(record[[2, 0, 1]]), features_of(record), atol=1e-5)


def test_absent_component_is_left_out(record):
    present = np.ones(record.shape, bool)
    present[1] = False
    np.testing.assert_allclose(
        features_of(np.where(present, record, 0), present), features_of(record[[0, 2]]), atol=1e-6
    )


def test_dead_component_is_left_out(record):
    dead = record.copy()
    dead[2] = 7.0
    np.testing.assert_allclose(features_of(dead), features_of(record[:2]), atol=1e-6)


@pytest.mark.parametrize("block", ["excess", "onset", "quantiles"])
def test_moving_an_event_in_its_window_changes_no_order_statistic(block):
    rng = np.random.default_rng(2)
    noise = rng.normal(size=6000)
    samples = noise.copy()
    samples[1500:2300] += 300 * rng.normal(size=800) * np.hanning(800)
    here, there, nowhere = (
        features_of(x[np.newaxis], blocks=(block,))
        for x in (samples, np.roll(samples, 2000), noise)
    )
    # Two segments at the ends are new.
    assert np.abs(here - there).max() < 0.15
    assert np.abs(here - nowhere).max() > 1.5


@pytest.mark.parametrize("block", ["image", "excess", "onset"])
def test_response_of_the_instrument_is_divided_out(record, block):
    spectrum = np.fft.rfft(record)
    frequency = np.fft.rfftfreq(record.shape[1], 0.01)
    response = 1 / (1 + (frequency / 4) ** 2)
    other = np.fft.irfft(spectrum * response, record.shape[1])
    difference = features_of(other, blocks=(block,)) - features_of(record, blocks=(block,))
    # Power of ten; the response itself spans 2.4. Within a band its slope is left.
    assert np.abs(difference).mean() < 0.05
    shift = features_of(other, blocks=("spectrum",)) - features_of(record, blocks=("spectrum",))
    assert np.ptp(shift) > 0.9


def test_gap_costs_only_the_segments_it_touches(record):
    present = np.ones(record.shape, bool)
    present[:, 4500:4800] = False
    image, whole = (
        features_of(np.where(p, record, 0), p, blocks=("image",)).reshape(10, 59)
        for p in (present, np.ones(record.shape, bool))
    )
    assert not image[:, 44:48].any()
    # The quiet level is taken from the other segments, so all are moved a little together.
    np.testing.assert_allclose(image[:, :44], whole[:, :44], atol=0.15)


def test_short_record_is_one_with_a_gap_at_its_end(record):
    present = np.zeros(record.shape, bool)
    present[:, :3000] = True
    padded = features_of(np.where(present, record, 0), present)
    np.testing.assert_array_equal(padded, features_of(record[:, :3000]))


def test_too_little_is_refused(record):
    with pytest.raises(GapError, match="20 s"):
        features_of(record[:, :1900])
    with pytest.raises(GapError):
        features_of(np.zeros((3, 6000)))


def test_too_low_a_rate_is_refused(record):
    with pytest.raises(RangeError, match="15 Hz"):
        features_of(record, rate=20.0)
    with pytest.raises(RangeError, match="raw samples"):
        features_of(record, rate=50.0, blocks=("scaled",))


def test_bands_share_out_the_power_between_their_edges():
    features = Features(low_hz=1.0, high_hz=15.0, n_bands=7)
    weights = band_weights(features, np.fft.rfftfreq(200, 0.01))
    np.testing.assert_allclose(weights.sum(), 14.0)
    np.testing.assert_allclose(weights.sum(axis=1), np.diff(features.band_edges_hz))


def test_options_survive_their_notes_and_nonsense_does_not():
    features = Features(blocks=("onset", "shape"), window_s=80.0, n_bands=4)
    assert Features.from_notes(features.to_notes()) == features
    with pytest.raises(ValueError, match="unknown blocks"):
        Features(blocks=("colour",))
    with pytest.raises(ValueError, match="too narrow"):
        Features(n_bands=60)


OPINIONS = st.lists(
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3), min_size=1, max_size=8
).map(lambda rows: np.array(rows) / np.sum(rows, axis=1, keepdims=True))


@given(records=OPINIONS, correlation=st.floats(0, 1), seed=st.integers(0, 99))
def test_fused_probabilities_sum_to_one_in_any_order(records, correlation, seed):
    told = fuse(records, correlation)
    assert told.sum() == pytest.approx(1)
    order = np.random.default_rng(seed).permutation(len(records))
    np.testing.assert_allclose(fuse(records[order], correlation), told, atol=1e-12)


def test_independent_records_multiply_and_copies_count_once():
    one = np.array([[0.8, 0.2]])
    two = np.vstack([one, one])
    np.testing.assert_allclose(fuse(one, 0.3), one[0])
    np.testing.assert_allclose(fuse(two, 0.0), np.array([0.64, 0.04]) / 0.68)
    np.testing.assert_allclose(fuse(two, 1.0), one[0])


def test_one_wild_record_does_not_decide_alone():
    records = np.array([[0.95, 0.05]] * 6 + [[0.0, 1.0]])
    assert fuse(records, 0.2)[0] > 0.9
