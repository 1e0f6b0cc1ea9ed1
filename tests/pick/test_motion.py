"""First motions by the packaged network: the sign, where it is to be seen, and only there."""

import numpy as np
import pytest

from tests.pick.cases import run, windows_of
from zilzal.classify.model import network_folder as classifiers
from zilzal.core.errors import ConfigError, ModelError, SpecError
from zilzal.core.pick import Phase, Polarity
from zilzal.pick.motion import (
    MotionReader,
    at_pick,
    find_motion_model,
    motion_reader,
    network_folder,
    probability_up,
    seen_of,
)
from zilzal.pick.neural import NeuralPicker
from zilzal.train.clear_motions import filtered
from zilzal.train.dataset import read_seisbench

ONSET = 800
DECIDED = (Polarity.POSITIVE, Polarity.NEGATIVE)


def arrival(rng, *, snr=15.0, rate=100.0, hz=4.0):
    """Noise, and an upward swing with an oscillation after it from `ONSET` on."""
    time_s = (np.arange(round(11 * rate)) - 8 * rate) / rate
    signal = np.exp(-np.maximum(time_s, 0)) * np.sin(2 * np.pi * hz * time_s) * (time_s >= 0)
    slow = np.interp(time_s, np.arange(-9, 4, 0.02), rng.normal(size=650))
    return signal + slow / snr


@pytest.fixture(scope="module")
def reader():
    return MotionReader(model=find_motion_model("first-motion"))


def test_first_motion_is_told_at_picks_that_are_off(reader):
    rng = np.random.default_rng(1)
    told = [
        reader.read(filtered(sign * arrival(rng, hz=rng.uniform(3, 9))), ONSET + off, 100.0)
        is DECIDED[sign < 0]
        for off in (-8, -4, 0, 4, 8)
        for sign in (1, -1) * 10
    ]
    # One in five may be wrong at the probability that is asked for, and some are undecided.
    assert np.mean(told) > 0.8


def test_first_motion_that_is_told_is_right_also_in_noise(reader):
    rng = np.random.default_rng(2)
    told = [
        reader.read(filtered(arrival(rng, snr=4, hz=rng.uniform(3, 9))), ONSET + 3, 100.0)
        for _ in range(100)
    ]
    decided = [each for each in told if each in DECIDED]
    assert len(decided) > 25
    assert decided.count(Polarity.POSITIVE) > 0.9 * len(decided)


def test_noise_has_no_first_motion(reader):
    rng = np.random.default_rng(3)
    told = [reader.read(filtered(arrival(rng, snr=1e-3)), ONSET, 100.0) for _ in range(100)]
    assert told.count(Polarity.UNDECIDABLE) > 80


def test_upside_down_the_answer_is_the_opposite():
    model, rng = find_motion_model("first-motion"), np.random.default_rng(4)
    seen = rng.normal(size=(50, 80)).astype(np.float32)
    assert np.allclose(probability_up(model, -seen), 1 - probability_up(model, seen), atol=1e-12)


def test_gain_does_not_matter(reader):
    samples = filtered(arrival(np.random.default_rng(5)))
    assert reader.read(samples, ONSET, 100.0) is Polarity.POSITIVE
    for gain in (1e-9, 1e9):
        assert reader.read(gain * samples, ONSET, 100.0) is Polarity.POSITIVE


@pytest.mark.parametrize("rate", [40.0, 80.0, 99.99, 125.0, 200.0, 500.0])
def test_rate_of_the_record_does_not_matter(rate):
    fast = np.sin(np.arange(11_000) / 90) + np.sin(np.arange(11_000) / 170)
    at_1000_hz = fast * np.linspace(0, 1, 11_000)
    places = np.arange(0, 11_000 - 1e-6, 1000 / rate)
    window = at_pick(np.interp(places, np.arange(11_000), at_1000_hz), round(8 * rate), rate)
    wanted = at_1000_hz[10 * np.arange(600, 840) + round(1000 * round(8 * rate) / rate) - 8000]
    # The signal is far below the corner of the anti-alias filter.
    assert np.abs(window - wanted).max() < 0.01


@pytest.mark.parametrize(
    ("length", "onset", "rate"), [(1100, 150, 100.0), (820, 800, 100.0), (1100, 800, 20.0)]
)
def test_what_the_network_has_never_seen_is_undecidable(reader, length, onset, rate):
    samples = filtered(arrival(np.random.default_rng(6)))[:length]
    assert reader.read(samples, onset, rate) is Polarity.UNDECIDABLE


def test_without_noise_there_is_no_measure(reader):
    samples = np.zeros(1100)
    samples[ONSET:] = 1.0
    assert seen_of(samples[np.newaxis, ONSET - 200 : ONSET + 40]) is None
    assert reader.read(samples, ONSET, 100.0) is Polarity.UNDECIDABLE


def test_analysts_and_the_network_agree(shared, reader):
    pairs = [
        (reader.read(filtered(record.samples[0]), round(onset.sample), 100.0), onset.polarity)
        for record in read_seisbench(shared / "data/picks/toc2me", splits=("train", "dev"))
        for onset in record.onsets
        if onset.polarity is not None
    ]
    decided = [told is analyst for told, analyst in pairs if told in DECIDED]
    assert len(decided) >= 0.6 * len(pairs) >= 25
    assert np.mean(decided) >= 0.95


def three_events(rng):
    """Noise, and three events, P up on the vertical and S on the horizontals 3 s later."""
    samples = rng.normal(size=(3, 9_000))
    time_s = np.arange(1_000) / 100
    for onset in (2_000, 4_500, 7_000):
        p = 100 * np.exp(-1.5 * time_s) * np.sin(2 * np.pi * 6 * time_s)
        s = 300 * np.exp(-time_s) * np.sin(2 * np.pi * 4 * time_s)
        samples[:, onset : onset + 1_000] += np.outer([1, 0.3, 0.3], p)
        samples[:, onset + 300 : onset + 1_300] += np.outer([0.2, 1, 0.8], s)
    return samples


@pytest.mark.parametrize("first_motions", ["first-motion", "rule"])
def test_picker_hands_out_what_is_read(first_motions):
    samples = three_events(np.random.default_rng(7))
    present = np.ones(samples.shape, bool)
    picker = NeuralPicker(first_motions=first_motions)
    for sign, wanted in ((1, Polarity.POSITIVE), (-1, Polarity.NEGATIVE)):
        picks = run(picker, [windows_of(sign * samples, present)]).picks
        told = [pick.polarity for pick in picks if pick.phase is Phase.P]
        assert told.count(wanted) >= 3 > len(told) - 3
        assert all(pick.polarity is None for pick in picks if pick.phase is Phase.S)


def test_what_cannot_read_first_motions_is_refused(tmp_path):
    assert motion_reader("rule", 0.9) is None
    with pytest.raises(ModelError, match="first-motion"):
        find_motion_model("nowhere")
    with pytest.raises(SpecError, match="not a network for first motions"):
        find_motion_model(str(classifiers() / "noise-event.npz"))
    text = tmp_path / "text.npz"
    text.write_text("no network")
    with pytest.raises(SpecError, match="not a network for first motions"):
        find_motion_model(str(text))
    with pytest.raises(ModelError, match="nowhere"):
        NeuralPicker(first_motions="nowhere").start()
    with pytest.raises(ConfigError, match="motion_probability"):
        NeuralPicker(motion_probability=0.3)


def test_packaged_network_is_small_and_has_a_card():
    path = network_folder() / "first-motion.npz"
    assert path.stat().st_size < 250_000
    assert "## Limits" in path.with_suffix(".md").read_text(encoding="utf-8")
