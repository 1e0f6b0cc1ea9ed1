"""Onsets: where, how sharp, how strong, in which direction."""

import numpy as np
import pytest

from zilzal.core.pick import Onset, Polarity
from zilzal.signal.onset import (
    aic_curve,
    aic_onset,
    first_motion,
    is_clipped,
    onset_quality,
    signal_to_noise,
)


def noise_then_signal(ratio, *, seed=0, n_noise=400, n_signal=400):
    rng = np.random.default_rng(seed)
    return np.concatenate((rng.standard_normal(n_noise), ratio * rng.standard_normal(n_signal)))


def test_criterion_equals_its_formula():
    samples = noise_then_signal(3.0, n_noise=20, n_signal=20)
    curve = aic_curve(samples)
    for k in (2, 7, 20, 38):
        before, after = np.var(samples[:k]), np.var(samples[k:])
        assert curve[k] == pytest.approx(k * np.log(before) + (40 - k - 1) * np.log(after))
    assert np.isinf(curve[[0, 1, 39]]).all()


def test_onset_is_found_to_a_few_samples_and_less_surely_in_noise():
    clear = [aic_onset(noise_then_signal(10.0, seed=seed)) for seed in range(20)]
    weak = [aic_onset(noise_then_signal(2.0, seed=seed)) for seed in range(20)]
    assert np.median([abs(onset.place - 400) for onset in clear]) <= 2
    assert np.median([abs(onset.place - 400) for onset in weak]) <= 8
    assert np.median([o.deviation for o in weak]) > 2 * np.median([o.deviation for o in clear])


@pytest.mark.parametrize("gain", [1e-12, 1.0, 1e9])
def test_onset_does_not_depend_on_gain(gain):
    samples = noise_then_signal(5.0)
    assert aic_onset(gain * samples).place == aic_onset(samples).place


def test_stuck_samples_have_no_onset():
    assert aic_onset(np.full(200, 7.0)) is None
    assert aic_onset(np.zeros(3)) is None


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside ObsPy
def test_onset_equals_obspys_criterion():
    from obspy.signal.trigger import aic_simple

    samples = noise_then_signal(4.0, seed=3)
    theirs = aic_simple(samples)
    assert abs(aic_onset(samples).place - int(np.argmin(theirs))) <= 1


def test_signal_to_noise_is_the_ratio_of_rms_and_needs_room_and_noise():
    samples = np.concatenate((np.full(200, 1.0), np.full(200, -6.0)))
    assert signal_to_noise(samples, 200, length_samples=200) == pytest.approx(6.0)
    assert signal_to_noise(samples, 199, length_samples=200) is None
    assert signal_to_noise(np.zeros(400), 200, length_samples=200) is None


@pytest.mark.parametrize(
    ("ratio", "quality"),
    [(20.0, Onset.IMPULSIVE), (3.5, Onset.EMERGENT), (1.0, Onset.QUESTIONABLE)],
)
def test_quality_follows_the_strength_of_the_first_half_second(ratio, quality):
    assert onset_quality(noise_then_signal(ratio), 400, 100.0) is quality


@pytest.mark.parametrize(("sign", "polarity"), [(1, Polarity.POSITIVE), (-1, Polarity.NEGATIVE)])
def test_first_motion_is_that_of_the_first_clear_swing(sign, polarity):
    samples = noise_then_signal(0.0)
    samples[400:500] = sign * 40 * np.sin(2 * np.pi * 5 * np.arange(100) / 100)
    assert first_motion(samples, 400, 100.0) is polarity
    assert first_motion(1e-9 * samples, 402, 100.0) is polarity


def test_first_motion_after_an_opposite_swing_of_like_size_is_undecidable():
    samples = noise_then_signal(0.0)
    samples[396:400] = -10.0
    samples[400:420] = 40.0
    assert first_motion(samples, 400, 100.0) is Polarity.UNDECIDABLE


@pytest.mark.parity
def test_first_motion_agrees_with_the_analysts(shared):
    import csv

    import h5py

    from zilzal.signal.filter import highpass, start_filter, step_filter

    folder = shared / "data" / "picks" / "toc2me"
    sections = highpass(1.0, order=2, sampling_rate=500.0)
    told = []
    with (
        h5py.File(folder / "waveforms.hdf5") as file,
        (folder / "metadata.csv").open(newline="") as table,
    ):
        for row in csv.DictReader(table):
            if row["trace_polarity"] and row["trace_p_arrival_sample"]:
                vertical = file[f"data/{row['trace_name']}"][:1].astype(float)
                onset = round(float(row["trace_p_arrival_sample"]))
                _, filtered = step_filter(
                    sections, start_filter(sections, 1), vertical - vertical[0, 0]
                )
                told.append((first_motion(filtered[0], onset, 500.0).value, row["trace_polarity"]))
    decided = [(ours, theirs) for ours, theirs in told if ours != "undecidable"]
    assert len(decided) >= 0.8 * len(told) >= 30
    assert all(ours == theirs for ours, theirs in decided)


@pytest.mark.parametrize("late", [-15, -8, 8, 15])
def test_first_motion_is_found_though_the_pick_is_off(late):
    time_s = np.arange(400) / 100
    samples = 0.02 * np.random.default_rng(3).normal(size=800)
    samples[400:] += np.exp(-time_s) * np.sin(2 * np.pi * 5 * time_s)
    # 0.15 s late the first swing, of 0.1 s, is over.
    assert first_motion(samples, 400 + late, 100.0) is Polarity.POSITIVE
    assert first_motion(-samples, 400 + late, 100.0) is Polarity.NEGATIVE


def test_first_motion_of_what_hardly_stands_out_is_undecidable():
    rng = np.random.default_rng(4)
    told = []
    for _ in range(200):
        samples = rng.normal(size=800)
        samples[400:] += 2.0 * np.sin(2 * np.pi * 5 * np.arange(400) / 100)
        told.append(first_motion(samples, 408, 100.0))
    assert told.count(Polarity.UNDECIDABLE) > 190


def test_first_motion_below_the_noise_is_undecidable():
    assert first_motion(noise_then_signal(0.5), 400, 100.0) is Polarity.UNDECIDABLE
    assert first_motion(np.zeros(800), 400, 100.0) is Polarity.UNDECIDABLE


def test_flat_topped_swings_are_clipped():
    swing = 1_000 * np.sin(np.arange(400) / 10)
    assert not is_clipped(swing)
    assert is_clipped(np.clip(swing, -900, 900))
    assert is_clipped(np.maximum(swing, -900))
