"""Waves lose on their way what physics takes."""

import numpy as np
import pytest

from zilzal.core.pick import Phase
from zilzal.synth.path import (
    Medium,
    absorb,
    far_field_scale,
    minimum_phase,
    scattered_power_per_s,
)


def test_minimum_phase_gives_a_known_causal_filter_back():
    # 1 / (1 - 0.8 z) has all its poles inside: its modulus alone determines it.
    response = np.fft.rfft(0.8 ** np.arange(256))
    assert np.allclose(minimum_phase(np.abs(response)), response, atol=1e-9)


def test_absorbed_pulse_starts_at_its_onset():
    frequency = np.fft.rfftfreq(4096, 0.01)
    amplitude = absorb(Medium(), Phase.S, frequency, 10.0, 0.04) / (1 + (frequency / 5) ** 2)
    pulse = np.fft.irfft(minimum_phase(amplitude))
    assert np.abs(pulse[-1000:]).max() < 1e-3 * np.abs(pulse).max()
    assert np.argmax(np.abs(pulse)) < 30


def test_far_field_amplitude_by_hand():
    # 2 / sqrt(0.6) * 1e15 / (4 pi * 2700 * 3464^3 * 20000): metres times seconds
    assert far_field_scale(Medium(), Phase.S, 1e15, 20_000) == pytest.approx(9.154e-5, rel=1e-3)


def test_s_leaves_about_five_times_as_large_as_p():
    ratio = far_field_scale(Medium(), Phase.S, 1.0, 1.0) / far_field_scale(
        Medium(), Phase.P, 1.0, 1.0
    )
    assert ratio == pytest.approx(3**1.5, rel=1e-3)


def test_absorption_at_ten_hertz_by_hand():
    # Q = 150 * 10^0.6 = 597; exp(-pi * 10 * (10 / 597 + 0.04)) = 0.168
    left = absorb(Medium(), Phase.S, np.array([0.0, 10.0]), 10.0, 0.04)
    assert left == pytest.approx([1.0, 0.168], abs=1e-3)


def test_forward_scattering_holds_its_share_of_energy():
    medium = Medium(s_scattering_per_m=0.0)
    time = np.arange(0, 60, 0.001)
    power = scattered_power_per_s(medium, Phase.S, 5.0, time, 4.0)
    # What the direct wave has lost on its way comes with it.
    lost = 1 - np.exp(-5.0 * 3_464 / 40_000)
    assert power.sum() * 0.001 == pytest.approx(2.5 + lost, rel=1e-3)
    assert (power[time <= 5.0] == 0).all()


def test_late_coda_decays_as_single_scattering_does():
    medium = Medium(forward_energy=0.0, forward_path_m=1e12)
    power = scattered_power_per_s(medium, Phase.S, 2.0, np.array([60.0, 120.0]), 2.0)
    quality = 150 * 2**0.6
    # K(x) goes to 2 / x^2.
    expected = 4 * np.exp(2 * np.pi * 2.0 * 60 / quality)
    assert power[0] / power[1] == pytest.approx(expected, rel=1e-2)
