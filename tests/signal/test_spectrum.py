"""Spectra: known sines, Parseval, and parity with SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.signal.spectrum import (
    Segments,
    amplitude_spectrum,
    hann,
    short_time_transform,
    spectrogram,
    welch_density,
)

RATE = 100.0


@pytest.mark.parametrize("length", [1000, 1001])
def test_sine_shows_its_amplitude_at_its_frequency(length):
    time = np.arange(length) / RATE
    frequency_hz = 50 * RATE / length
    frequency, amplitude = amplitude_spectrum(3 * np.sin(2 * np.pi * frequency_hz * time) + 2, RATE)
    assert frequency[50] == pytest.approx(frequency_hz)
    assert amplitude[50] == pytest.approx(3)
    assert amplitude[0] == pytest.approx(2)
    others = np.delete(amplitude, [0, 50])
    assert others.max() < 1e-10


@given(st.integers(2, 200))
def test_amplitudes_keep_the_energy(length):
    samples = np.random.default_rng(length).normal(size=(2, 3, length))
    _, amplitude = amplitude_spectrum(samples, RATE)
    power = amplitude**2 / 2
    power[..., 0] *= 2
    if length % 2 == 0:
        power[..., -1] *= 2
    np.testing.assert_allclose(power.sum(axis=-1), (samples**2).mean(axis=-1))


@pytest.mark.parity
def test_short_time_transform_equals_scipys():
    from scipy.signal import ShortTimeFFT

    samples = np.random.default_rng(0).normal(size=2000)
    ours = short_time_transform(samples, Segments(length=256, hop=64))
    engine = ShortTimeFFT(hann(256), hop=64, fs=RATE, scale_to="magnitude", phase_shift=None)
    # SciPy's slice p is centred on sample 64 p; the first whole one is centred on 128.
    theirs = engine.stft(samples, p0=2, p1=2 + ours.shape[-1])
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parity
@pytest.mark.parametrize("length", [256, 255])
def test_noise_density_equals_scipys_welch(length):
    from scipy.signal import welch

    samples = np.random.default_rng(1).normal(size=(3, 5000))
    frequency, ours = welch_density(samples, RATE, Segments(length=length, hop=length // 2))
    expected, theirs = welch(
        samples, RATE, nperseg=length, noverlap=length - length // 2, detrend="constant"
    )
    np.testing.assert_allclose(frequency, expected)
    np.testing.assert_allclose(ours, theirs)


def test_white_noise_has_the_density_of_its_variance():
    samples = 4 * np.random.default_rng(2).normal(size=200_000)
    _, density = welch_density(samples, RATE, Segments(length=512, hop=256))
    # 780 independent segments and 255 lines: the mean is good to well under 1 %.
    assert density[1:-1].mean() == pytest.approx(16 / (RATE / 2), rel=0.02)


def test_spectrogram_of_a_sweep_follows_it():
    time = np.arange(6000) / RATE
    samples = np.sin(2 * np.pi * (5 * time + time**2 / 6))  # 5 Hz, a third more each second
    segments = Segments(length=200, hop=50)
    density = spectrogram(samples, RATE, segments)
    loudest_hz = np.argmax(density, axis=0) * RATE / 200
    centres_s = segments.centres_s(6000, RATE)
    assert density.shape == (101, segments.count(6000))
    np.testing.assert_allclose(loudest_hz, 5 + centres_s / 3, atol=0.75)


def test_batches_are_kept():
    samples = np.random.default_rng(3).normal(size=(4, 3, 600))
    segments = Segments(length=100, hop=40)
    together = short_time_transform(samples, segments)
    assert together.shape == (4, 3, 51, segments.count(600))
    np.testing.assert_array_equal(together[2, 1], short_time_transform(samples[2, 1], segments))


def test_hann_windows_add_up_flat():
    window = hann(64)
    summed = window[:32] + window[32:]
    np.testing.assert_allclose(summed, 1)


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="fewer"):
        short_time_transform(np.zeros(10), Segments(length=11, hop=1))


def test_hop_beyond_the_length_is_refused():
    with pytest.raises(ValueError, match="hop"):
        Segments(length=10, hop=11)
