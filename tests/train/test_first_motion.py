"""The network for first motions: what it learns from, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest

from tests.train.test_motions import record
from zilzal.pick.motion import find_motion_model, probability_up
from zilzal.train.clear_motions import (
    LEAD,
    LENGTH,
    Mixing,
    clear_motions,
    draw_examples,
    held_out,
    real_noises,
    shares,
)
from zilzal.train.first_motion import MotionTraining, fit
from zilzal.train.motions import with_first_motions

QUIET = Mixing(renoised=0.0, stretched=0.0, tilted=0.0, late_s=0.0, astray=0.0)


def motion(*, sign=1.0, source="made", event="x"):
    (found,) = clear_motions([with_first_motions(record(sign=sign))])
    return replace(found, source=source, event=event)


def noises(count=4):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, LENGTH)).astype(np.float32)


@pytest.mark.parametrize("sign", [1, -1])
def test_clear_motion_is_cut_out_with_its_sign(sign):
    found = motion(sign=sign)
    assert found.is_up == (sign > 0)
    assert abs(found.at - 1500) <= 1
    swing = found.samples[LEAD : LEAD + 8]
    assert sign * swing[np.abs(swing).argmax()] > 0.3
    assert np.abs(found.samples[300 : LEAD - 2]).max() < 0.15


def test_doubtful_motions_are_not_learnt():
    assert clear_motions([with_first_motions(record(noise=0.5))]) == []
    late = with_first_motions(record())
    gap = late.present.copy()
    gap[0, 1300] = False
    assert clear_motions([replace(late, present=gap)]) == []


def test_noise_is_taken_before_the_first_arrival():
    quiet = real_noises([record(noise=1.0)], np.random.default_rng(0), each=5)
    assert quiet.shape == (1, LENGTH)
    assert quiet[0, 300:].std() == pytest.approx(1.0, abs=0.1)


def test_examples_of_either_sign_are_alike_and_labelled_rightly():
    examples = draw_examples([motion(sign=1)], noises(), QUIET, np.random.default_rng(1), count=200)
    assert 70 < examples.is_up.sum() < 130
    first_swing = examples.seen[:, 40:46].sum(axis=1)
    assert np.array_equal(first_swing > 0, examples.is_up)


def test_added_noise_has_the_level_asked_for():
    mixing = replace(QUIET, renoised=1.0, snr=(5.0, 5.0))
    noisy = draw_examples([motion()], noises(50), mixing, np.random.default_rng(2), count=200)
    # asinh(x / 2 rms) of normal noise is spread by 0.44.
    assert noisy.seen[:, :30].std() == pytest.approx(0.44, abs=0.05)


def test_stretching_keeps_the_onset_in_its_place():
    mixing = replace(QUIET, stretched=1.0)
    examples = draw_examples([motion()], noises(), mixing, np.random.default_rng(3), count=100)
    loud = np.abs(examples.seen) > 1.5
    assert np.abs(loud.argmax(axis=1) - 40).max() <= 3


def test_tilting_keeps_the_first_motion():
    mixing = replace(QUIET, tilted=1.0)
    examples = draw_examples([motion()], noises(), mixing, np.random.default_rng(3), count=100)
    first_swing = examples.seen[:, 40:44].sum(axis=1)
    assert np.array_equal(first_swing > 0, examples.is_up)


def test_sets_count_as_the_root_of_their_motions():
    many = [motion(source="many")] * 9 + [motion(source="one")]
    assert shares(many)[-1] == pytest.approx(1 / 4)


def test_no_event_is_learnt_and_kept():
    motions = [motion(event=str(number // 3)) for number in range(30)]
    learnt, kept = held_out(motions, np.random.default_rng(0), share=0.2)
    assert len(kept) == 6
    assert not {motions[n].event for n in learnt} & {motions[n].event for n in kept}


def test_network_learns_the_sign():
    rng = np.random.default_rng(4)
    training = MotionTraining(layers=((7, 8, 2), (5, 8, 2)), hidden=16, epochs=6)
    mixing = Mixing(snr=(5.0, 60.0), late_s=0.02, astray=0.0)
    motions = [motion(sign=1), motion(sign=-1)]
    examples = draw_examples(motions, noises(50), mixing, rng, count=3000)
    epochs = []
    model = fit(training, examples, rng, told=epochs.append)
    assert [epoch.number for epoch in epochs] == list(range(1, 7))
    other = draw_examples(motions, noises(50), mixing, rng, count=300)
    assert np.mean((probability_up(model, other.seen) > 0.5) == other.is_up) > 0.95


def test_packaged_network_says_what_it_learnt_from():
    notes = find_motion_model("first-motion").notes
    assert notes["not learnt from"] == ["toc2me"]
    assert "toc2me" not in notes["motions"]
    assert sum(notes["motions"].values()) > 1000
