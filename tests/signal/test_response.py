"""Responses: known answers, round trips, and parity with ObsPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.core.errors import InventoryError
from zilzal.core.station import GroundMotion, Response
from zilzal.signal.response import (
    WOOD_ANDERSON_GAIN,
    WOOD_ANDERSON_POLES,
    Restitution,
    cosine_band,
    evaluate,
    largest_swing,
    restitute,
    wood_anderson,
    wood_anderson_record,
)

RATE = 100.0
STS2 = Response(
    sensitivity=6.29e8,
    ground_motion=GroundMotion.VELOCITY,
    frequency_hz=1.0,
    poles=(-0.037004 + 0.037016j, -0.037004 - 0.037016j, -251.33, -131.04 - 467.29j,
           -131.04 + 467.29j),
    zeros=(0j, 0j),
)  # fmt: skip
FLAT_VELOCITY = Response(sensitivity=6.29e8, ground_motion=GroundMotion.VELOCITY)
FLAT_ACCELERATION = Response(sensitivity=2.1e5, ground_motion=GroundMotion.ACCELERATION)


def sine(frequency_hz: float, seconds: float = 60.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * RATE)) / RATE)


def burst(seed: int = 0) -> np.ndarray:
    """Band-limited noise under a bell, so that nothing touches the ends."""
    time = np.arange(6000) / RATE
    noise = np.random.default_rng(seed).normal(size=6000)
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(6000, 1 / RATE)
    spectrum[(frequency < 0.5) | (frequency > 20)] = 0
    return np.fft.irfft(spectrum) * np.exp(-(((time - 30) / 4) ** 2))


def test_modulus_at_the_reference_frequency_is_the_sensitivity():
    assert abs(evaluate(STS2, np.array([1.0]))[0]) == pytest.approx(6.29e8, rel=1e-12)


def test_flat_response_is_its_sensitivity_everywhere():
    np.testing.assert_array_equal(evaluate(FLAT_VELOCITY, np.array([0.01, 1, 40])), 6.29e8)


def test_zero_at_the_reference_frequency_is_refused():
    response = Response(
        sensitivity=1.0, ground_motion=GroundMotion.VELOCITY, frequency_hz=0.0, zeros=(0j,)
    )
    with pytest.raises(InventoryError, match="reference frequency"):
        evaluate(response, np.array([1.0]))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups")
def test_evaluation_equals_obspy():
    from obspy.signal.invsim import paz_to_freq_resp

    theirs, frequency = paz_to_freq_resp(STS2.poles, STS2.zeros, 1.0, 0.01, 4096, freq=True)
    at_reference = abs(
        np.interp(1.0, frequency, theirs.real) + 1j * np.interp(1.0, frequency, theirs.imag)
    )
    ours = evaluate(STS2, frequency)
    # Their table holds 1 Hz only between two lines; interpolation is good to 1e-4.
    np.testing.assert_allclose(ours / 6.29e8, theirs / at_reference, rtol=2e-4)


def test_wood_anderson_has_gain_2080_period_0_8_s_and_damping_0_7():
    assert abs(wood_anderson(np.array([1000.0]))[0]) == pytest.approx(2080, rel=1e-3)
    natural = abs(WOOD_ANDERSON_POLES[0])
    assert 2 * np.pi / natural == pytest.approx(0.8, abs=1e-4)
    assert -WOOD_ANDERSON_POLES[0].real / natural == pytest.approx(0.7, abs=1e-4)
    # At the natural frequency a pendulum's gain is 1/(2 h) of its static one.
    at_natural = abs(wood_anderson(np.array([1.25]))[0])
    assert at_natural == pytest.approx(WOOD_ANDERSON_GAIN / 1.4, rel=1e-3)


@pytest.mark.parametrize("response", [STS2, FLAT_VELOCITY])
@pytest.mark.parametrize("frequency_hz", [0.5, 1.25, 4.0])
def test_sine_comes_out_of_the_wood_anderson_with_its_gain(response, frequency_hz):
    velocity = 1e-6
    gain = abs(evaluate(response, np.array([frequency_hz]))[0])
    record = wood_anderson_record(velocity * gain * sine(frequency_hz), RATE, response)
    displacement = velocity / (2 * np.pi * frequency_hz)
    expected = displacement * abs(wood_anderson(np.array([frequency_hz]))[0])
    middle = record[2000:4000]
    assert np.abs(middle).max() == pytest.approx(expected, rel=0.01)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups")
@pytest.mark.parametrize("response", [STS2, FLAT_VELOCITY])
def test_wood_anderson_record_equals_obspys(response):
    from obspy.signal.invsim import simulate_seismometer

    counts = 1e4 * burst()
    gain = response.sensitivity
    normalised = 1.0
    if response.poles:
        unscaled = np.prod([2j * np.pi - z for z in response.zeros]) / np.prod(
            [2j * np.pi - p for p in response.poles]
        )
        normalised = 1 / abs(unscaled)
    # ObsPy wants responses to displacement: one zero more than those to velocity.
    instrument = {
        "poles": list(response.poles),
        "zeros": [*response.zeros, 0j],
        "gain": normalised,
        "sensitivity": gain,
    }
    pendulum = {
        "poles": list(WOOD_ANDERSON_POLES),
        "zeros": [0j, 0j],
        "gain": 1.0,
        "sensitivity": WOOD_ANDERSON_GAIN,
    }
    corners = (0.1, 0.3, 30.0, 40.0)
    theirs = simulate_seismometer(
        counts, RATE, paz_remove=instrument, paz_simulate=pendulum,
        water_level=1e6, taper=True, taper_fraction=0.1, pre_filt=corners,
    )  # fmt: skip
    ours = wood_anderson_record(
        counts, RATE, response, how=Restitution(corners_hz=corners, taper=0.05)
    )
    # Both pad differently; the shapes agree to a part in a thousand of the peak.
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups")
def test_velocity_equals_obspys_removal_of_poles_and_zeros():
    from obspy.signal.invsim import simulate_seismometer

    counts = 1e4 * burst(1)
    unscaled = np.prod([2j * np.pi - z for z in STS2.zeros]) / np.prod(
        [2j * np.pi - p for p in STS2.poles]
    )
    instrument = {
        "poles": list(STS2.poles),
        "zeros": list(STS2.zeros),
        "gain": 1 / abs(unscaled),
        "sensitivity": STS2.sensitivity,
    }
    corners = (0.1, 0.3, 30.0, 40.0)
    theirs = simulate_seismometer(
        counts, RATE, paz_remove=instrument, water_level=1e6, taper=True, taper_fraction=0.1,
        pre_filt=corners,
    )  # fmt: skip
    how = Restitution(corners_hz=corners)
    ours = restitute(counts, RATE, STS2, GroundMotion.VELOCITY, how=how)
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()


def test_velocity_and_acceleration_sensors_give_the_same_record():
    velocity = 1e-5 * burst(2)
    length = len(velocity)
    s = 2j * np.pi * np.fft.rfftfreq(length, 1 / RATE)
    acceleration = np.fft.irfft(np.fft.rfft(velocity) * s, length)
    how = Restitution(corners_hz=(0.1, 0.3, 40.0, 45.0))
    from_velocity = wood_anderson_record(
        velocity * FLAT_VELOCITY.sensitivity, RATE, FLAT_VELOCITY, how=how
    )
    from_acceleration = wood_anderson_record(
        acceleration * FLAT_ACCELERATION.sensitivity, RATE, FLAT_ACCELERATION, how=how
    )
    assert np.abs(from_velocity - from_acceleration).max() < 1e-3 * np.abs(from_velocity).max()


@pytest.mark.parametrize("motion", list(GroundMotion))
def test_restitution_undoes_the_response(motion):
    displacement = 1e-6 * burst(3)
    length = len(displacement)
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    s = 2j * np.pi * frequency
    counts = np.fft.irfft(np.fft.rfft(displacement) * s * evaluate(STS2, frequency), length)
    power = list(GroundMotion).index(motion)
    truth = np.fft.irfft(np.fft.rfft(displacement) * s**power, length)
    how = Restitution(corners_hz=(0.1, 0.3, 40.0, 45.0))
    found = restitute(counts, RATE, STS2, motion, how=how)
    assert np.abs(found - truth).max() < 2e-3 * np.abs(truth).max()


def test_water_level_holds_down_what_the_sensor_does_not_see():
    time = np.arange(12_000.0)
    at_1_mhz = np.sin(2 * np.pi * 1e-3 * time)
    at_100_mhz = np.sin(2 * np.pi * 0.1 * time)

    def amplitude(counts: np.ndarray, water_level_db: float | None) -> float:
        corners_hz = (2e-4, 8e-4, 0.4, 0.45)
        how = Restitution(corners_hz=corners_hz, water_level_db=water_level_db)
        ground = restitute(counts, 1.0, STS2, GroundMotion.VELOCITY, how=how)
        return float(np.abs(ground[4000:8000]).max())

    # (1 mHz / 8.33 mHz)^2 of the flat part is -36.8 dB, of which the level gives back 20.
    share = 10 ** ((20 - 36.8) / 20)
    assert amplitude(at_1_mhz, 20) / amplitude(at_1_mhz, None) == pytest.approx(share, rel=0.05)
    assert amplitude(at_100_mhz, 20) == pytest.approx(amplitude(at_100_mhz, None), rel=1e-3)


def test_band_passes_its_middle_and_nothing_outside():
    weights = cosine_band(np.array([0.05, 0.1, 0.15, 0.2, 5, 10, 15, 20, 30]), (0.1, 0.2, 10, 20))
    np.testing.assert_allclose(weights, [0, 0, 0.5, 1, 1, 1, 0.5, 0, 0], atol=1e-12)


def test_band_that_does_not_rise_is_refused():
    with pytest.raises(ValueError, match="rise"):
        cosine_band(np.array([1.0]), (1.0, 0.5, 10, 20))


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1e6), st.integers(50, 900))
def test_record_scales_with_counts_and_against_sensitivity(factor, length):
    samples = np.random.default_rng(length).normal(size=length)
    plain = wood_anderson_record(samples, RATE, STS2)
    louder = wood_anderson_record(factor * samples, RATE, STS2)
    np.testing.assert_allclose(louder, factor * plain, rtol=1e-6, atol=1e-9 * factor)


def test_oversampling_keeps_the_samples_and_fills_in_between():
    counts = 1e4 * burst(5)
    how = {"corners_hz": (0.1, 0.3, 40.0, 45.0)}
    coarse = wood_anderson_record(counts, RATE, STS2, how=Restitution(**how))
    fine = wood_anderson_record(counts, RATE, STS2, how=Restitution(**how, oversampling=4))
    assert len(fine) == 4 * len(coarse)
    np.testing.assert_allclose(fine[::4], coarse, atol=1e-9 * np.abs(coarse).max())


def test_oversampling_finds_the_peak_between_samples():
    coarse_rate, frequency_hz = 20.0, 5.0
    time = np.arange(1200) / coarse_rate
    # Samples fall at 45 degrees from the peaks: the largest sample is 0.707 of the amplitude.
    samples = np.sin(2 * np.pi * frequency_hz * time + np.pi / 4)
    gain = abs(wood_anderson(np.array([frequency_hz]))[0]) / (2 * np.pi * frequency_hz)
    response = Response(sensitivity=1.0, ground_motion=GroundMotion.VELOCITY)
    record = wood_anderson_record(samples, coarse_rate, response, how=Restitution(oversampling=4))
    assert np.abs(record[1600:3200]).max() == pytest.approx(gain, rel=0.02)


@pytest.mark.parametrize("frequency_hz", [0.7, 2.0, 5.0])
def test_largest_swing_of_a_sine_under_a_bell(frequency_hz):
    time = np.arange(4000) / RATE
    record = (
        -3e-3 * np.cos(2 * np.pi * frequency_hz * (time - 20)) * np.exp(-(((time - 20) / 9) ** 2))
    )
    swing = largest_swing(record, RATE)
    assert swing.amplitude == pytest.approx(3e-3, rel=1e-3)
    assert swing.period_s == pytest.approx(1 / frequency_hz, rel=0.01)
    assert swing.number == 2000


def test_swing_at_the_end_of_a_record_has_no_period():
    assert largest_swing(np.array([0.0, 1.0, 2.0]), RATE).period_s is None


def test_swing_of_nothing_is_refused():
    with pytest.raises(ValueError, match="empty"):
        largest_swing(np.empty(0), RATE)
