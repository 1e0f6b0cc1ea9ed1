"""First motions by rule: only from clear onsets, with the right sign, at the true onset."""

from dataclasses import replace

import numpy as np
import pytest

from zilzal.core.pick import Phase, Polarity
from zilzal.train.dataset import Onset, Record
from zilzal.train.motions import with_first_motions


def record(*, sign=1.0, noise=0.02, off=0, polarity=None, weight=1.0):
    """A one-sided swing, then an oscillation, on noise."""
    rng = np.random.default_rng(1)
    samples = noise * rng.normal(size=(3, 3000))
    time_s = np.arange(1000) / 100
    samples[0, 1500:2500] += sign * np.exp(-time_s) * np.sin(2 * np.pi * 4 * time_s)
    onset = Onset(phase=Phase.P, sample=1500 + off, weight=weight, polarity=polarity)
    return Record(
        name="x", source="made", event="x", split="train", kind="earthquake", sampling_rate=100.0,
        samples=samples.astype(np.float32), present=np.ones((3, 3000), bool), onsets=(onset,),
    )  # fmt: skip


def motion(record):
    return with_first_motions(record).onsets[0].polarity


@pytest.mark.parametrize("off", [-10, 0, 10])
@pytest.mark.parametrize(("sign", "wanted"), [(1, Polarity.POSITIVE), (-1, Polarity.NEGATIVE)])
def test_a_clear_onset_gets_its_sign_though_the_label_is_off(sign, wanted, off):
    assert motion(record(sign=sign, off=off)) is wanted


def test_an_onset_in_noise_stays_unknown():
    assert motion(record(noise=0.5)) is None


def test_a_doubtful_label_stays_unknown():
    assert motion(record(weight=0.2)) is None


def test_what_an_analyst_said_is_kept():
    assert motion(record(sign=1, polarity=Polarity.NEGATIVE)) is Polarity.NEGATIVE


def test_a_dead_vertical_says_nothing():
    whole = record()
    present = whole.present.copy()
    present[0] = False
    assert motion(replace(whole, present=present)) is None
