"""Noise is as loud as Peterson says, and the same however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from zilzal.core.time import Time, sample_number
from zilzal.synth.instrument import ACCELEROMETER, BROADBAND, GEOPHONE, digitise
from zilzal.synth.noise import (
    NoiseChannel,
    NoiseLevel,
    background_rms_counts,
    counts_per_acceleration,
    high_noise_db,
    low_noise_db,
    noise_counts,
)

NIGHT = sample_number(Time.parse("2024-01-01T03:00:00"), 100.0)
DAY = sample_number(Time.parse("2024-01-01T15:00:00"), 100.0)


def channel(response=BROADBAND, **level):
    return NoiseChannel(
        seed=1, name="SY.S01..HHZ", sampling_rate=100.0, response=response,
        level=NoiseLevel(**{"level": 0.5, **level}),
    )  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")
def test_models_are_petersons_as_obspy_has_them():
    from obspy.signal.spectral_estimation import get_nhnm, get_nlnm

    for ours, theirs in ((low_noise_db, get_nlnm), (high_noise_db, get_nhnm)):
        period, level = theirs()
        assert np.allclose(ours(1 / period), level, atol=0.15)


@pytest.mark.parametrize("response", [BROADBAND, GEOPHONE, ACCELEROMETER])
def test_spectrum_of_the_counts_is_the_wanted_one(response):
    made = channel(response)
    counts = noise_counts(made, NIGHT, 600_000)
    frequency, power = welch(counts, 100.0, nperseg=8192)
    inside = (frequency > 0.1) & (frequency < 35)
    got = 10 * np.log10(power / counts_per_acceleration(response, np.maximum(frequency, 1e-9)) ** 2)
    wanted = made.level.power_db(frequency[inside], 3.8)
    # 145 segments leave a scatter of 0.4 dB a line; smoothed over neighbours, less.
    smooth = np.convolve(got[inside] - wanted, np.full(15, 1 / 15), mode="valid")
    assert np.abs(smooth).max() < 1.0


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 40_000), st.integers(1, 9_000))
def test_any_cut_is_the_same_noise(offset, length):
    whole = noise_counts(channel(), DAY, 50_000)
    cut = noise_counts(channel(), DAY + offset, length)
    assert np.array_equal(cut, whole[offset : offset + length])


def test_noise_is_as_loud_at_seams_as_elsewhere():
    made = channel()
    counts = np.diff(noise_counts(made, DAY, 2**20 + 1)).reshape(-1, 2**12)
    loud = counts.std(axis=1)
    assert loud.max() / loud.min() < 1.15


def test_people_are_louder_in_the_afternoon():
    made = channel(cultural_db=10.0)
    night, day = (np.diff(noise_counts(made, first, 60_000)).std() for first in (NIGHT, DAY))
    assert 20 * np.log10(day / night) == pytest.approx(10, abs=0.7)


def test_expected_rms_is_the_measured_one():
    counts = noise_counts(channel(), DAY, 300_000)
    spectrum = np.abs(np.fft.rfft(counts)) ** 2
    frequency = np.fft.rfftfreq(300_000, 0.01)
    inside = (frequency >= 2) & (frequency < 15)
    rms = np.sqrt(2 * spectrum[inside].sum()) / 300_000
    assert background_rms_counts(channel(), 2, 15, 15.4) == pytest.approx(rms, rel=0.03)


def test_channels_do_not_share_their_noise():
    a = noise_counts(channel(), DAY, 20_000)
    other = NoiseChannel(
        seed=1, name="SY.S02..HHZ", sampling_rate=100.0, response=BROADBAND,
        level=NoiseLevel(level=0.5),
    )  # fmt: skip
    b = noise_counts(other, DAY, 20_000)
    assert abs(np.corrcoef(np.diff(a), np.diff(b))[0, 1]) < 0.05


def test_digitiser_rounds_and_clips_at_24_bits():
    counts = digitise(np.array([0.4, -1.6, 1e9, -1e9]))
    assert counts.dtype == np.int32
    assert counts.tolist() == [0, -2, 8_388_607, -8_388_607]
