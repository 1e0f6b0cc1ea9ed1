"""Cuts, changes and mixtures keep samples and labels together."""

from dataclasses import replace

import numpy as np
import pytest

from zilzal.core.pick import Phase
from zilzal.signal.prepare import Preparation, prepare_record
from zilzal.train.augment import (
    Cut,
    Faults,
    Spectral,
    draw_transfer,
    reshaped,
    synthetic_noise,
    turned,
    with_dead_components,
    with_faults,
)
from zilzal.train.dataset import Coda, Onset, Record, Unknown
from zilzal.train.mixture import (
    Mixing,
    added,
    cut_out,
    draw_cut,
    draw_event,
    gather,
    labelled,
    tapered,
)
from zilzal.train.pool import draw_pool

CALM = Spectral(stretched=0, tilted=0, lowpassed=0, highpassed=0)
UNTOUCHED = Faults(spikes=0, steps=0, clipping=0, gaps=0, pulses=0, hum=0)


def burst(length, at, *, level=100.0, seed=0):
    """Noise of level about 1 and, from `at` on, a decaying signal; nothing near Nyquist."""
    rng = np.random.default_rng(seed)
    time_s = (np.arange(length) - at) / 100
    shape = np.where(time_s >= 0, np.exp(-np.maximum(time_s, 0) / 3), 0)
    samples = rng.normal(size=(3, length)) * (1 + level * shape)
    kernel = np.hanning(9)[1:-1]
    smooth = [np.convolve(row, kernel / np.sqrt((kernel**2).sum()), "same") for row in samples]
    return np.stack(smooth).astype(np.float32)


def record(*, at=3000, length=6000, source="made", weight=1.0):
    samples = burst(length, at)
    return Record(
        name="x", source=source, event="x", split="train", kind="earthquake", sampling_rate=100.0,
        samples=samples, present=np.ones_like(samples, bool),
        onsets=(Onset(phase=Phase.P, sample=at, weight=weight),), codas=(Coda(first=at, last=at + 900),),
    )  # fmt: skip


def cut(at=2000, **options):
    samples = burst(4608, at, **options)
    onsets = (Onset(phase=Phase.P, sample=at),)
    return Cut(samples=samples, present=np.ones_like(samples, bool), onsets=onsets)


def first_loud(samples, factor=8):
    return int(np.flatnonzero(np.abs(samples).max(0) > factor * np.abs(samples[:, :200]).std())[0])


def test_a_cut_beyond_the_record_is_absent_there():
    made = cut_out(record(), -500, 1000)
    assert not made.present[:, :500].any()
    assert made.present[:, 500:].all()
    assert not made.samples[:, :500].any()


def test_labels_move_with_the_cut():
    made = cut_out(record(at=3000), 2500, 1000)
    assert [o.sample for o in made.onsets] == [500]
    assert [(c.first, c.last) for c in made.codas] == [(500, 1400)]
    assert not cut_out(record(at=3000), 100, 1000).onsets


@pytest.mark.parametrize("stretch", [0.75, 1.0, 1.5])
def test_an_arrival_stays_at_its_onset_when_time_is_stretched(stretch):
    before = cut(at=2000)
    length = round(before.length * stretch)
    after = reshaped(before, length, np.ones(length // 2 + 1), stretch=length / before.length)
    assert after.length == length
    assert first_loud(after.samples) == pytest.approx(after.onsets[0].sample, abs=8)


def test_a_flat_instrument_changes_nothing():
    before = cut()
    after = reshaped(before, before.length, np.ones(before.length // 2 + 1))
    np.testing.assert_allclose(after.samples, before.samples, atol=2e-4)


def test_a_calm_draw_is_a_flat_instrument():
    transfer = draw_transfer(CALM, np.fft.rfftfreq(1000, 0.01), np.random.default_rng(0))
    assert transfer[0] == 0
    np.testing.assert_array_equal(transfer[1:], 1)


def test_stretching_does_not_alias():
    time_s = np.arange(4000) / 100
    samples = np.tile(np.sin(2 * np.pi * 45 * time_s), (3, 1)).astype(np.float32)
    tone = Cut(samples=samples, present=np.ones_like(samples, bool))
    quick = reshaped(tone, 2000, np.ones(1001), stretch=0.5)  # 45 Hz would become 90 Hz
    assert np.abs(quick.samples[:, 100:-100]).max() < 0.02


def test_turning_keeps_the_horizontal_energy():
    before = cut()
    after = turned(before, np.random.default_rng(3))
    np.testing.assert_allclose(
        (after.samples[1:] ** 2).sum(0), (before.samples[1:] ** 2).sum(0), rtol=1e-3, atol=1e-3
    )
    assert np.abs(after.samples[1] - before.samples[1]).max() > 1


def test_turning_leaves_a_dead_horizontal_dead():
    before = with_dead_components(cut(), _Always(), share=1.1)
    after = turned(before, np.random.default_rng(0))
    assert not after.samples[1:].any()


class _Always:
    """A generator that kills both horizontals and marks them absent."""

    def random(self):
        return 0.0

    def choice(self, *_, **__):
        return 0


def test_what_the_addition_drowns_becomes_unknown():
    weak, strong = cut(at=2000, level=3), cut(at=1500, level=3000, seed=1)
    both = added(weak, strong, 1.0)
    assert [o.sample for o in both.onsets] == [1500]
    assert any(u.phase is Phase.P and u.first <= 2000 <= u.last for u in both.unknown)
    np.testing.assert_allclose(both.samples, weak.samples + strong.samples, rtol=1e-5)


def test_what_stays_visible_stays_labelled():
    one, other = cut(at=1000), cut(at=3000, seed=1)
    assert sorted(o.sample for o in added(one, other, 1.0).onsets) == [1000, 3000]


def test_where_a_record_begins_beside_another_nothing_is_claimed():
    late = cut_out(record(at=5000), -1000, 4608)
    both = added(cut(at=3900), late, 1.0)
    assert any(u.first <= 1000 <= u.last for u in both.unknown)


def test_tapering_leaves_whole_cuts_alone():
    whole = cut()
    assert tapered(whole) is whole
    short = tapered(cut_out(record(), -500, 3000))
    assert short.samples[:, 500].tolist() == [0, 0, 0]


def test_faults_change_samples_and_no_labels():
    always = Faults(spikes=1, steps=1, clipping=1, gaps=1, pulses=1, hum=1)
    before = cut()
    after = with_faults(before, always, np.random.default_rng(0))
    assert after.onsets == before.onsets
    assert not np.array_equal(after.samples, before.samples)
    assert np.isfinite(after.samples).all()
    assert not after.samples[~after.present].any()
    assert before.present.all()


def test_synthetic_noise_has_unit_level_and_no_events():
    noise = synthetic_noise(4096, np.random.default_rng(0), bursts=0.0)
    np.testing.assert_allclose(noise.std(1), 1, rtol=1e-4)


def test_an_event_lands_anywhere_in_its_window():
    materials = gather([record(at=20_000, length=40_000)])
    mixing = Mixing(spectral=CALM, faults=UNTOUCHED)
    rng = np.random.default_rng(0)
    places = [draw_event(materials, mixing, rng).onsets[0].sample for _ in range(200)]
    counts, _ = np.histogram(places, bins=4, range=(0, mixing.length))
    assert counts.min() > 25


def test_the_label_of_a_drawn_window_lies_at_the_onset():
    materials = gather([record(at=20_000, length=40_000)])
    mixing = Mixing(noise=0, superposed=0, renoised=0, dead=0, faults=UNTOUCHED, spectral=CALM)
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = draw_cut(materials, mixing, rng)
        samples = prepare_record(Preparation(), drawn.samples, drawn.present, 100.0)
        targets, _ = labelled(drawn, mixing)
        label = int(targets[0].argmax())
        if label > 500:
            loud = np.abs(samples[:, 300:]).max(0) > np.arcsinh(15)  # times the noise's level
            assert np.flatnonzero(loud)[0] + 300 == pytest.approx(label, abs=10)


def test_the_same_seed_draws_the_same_windows():
    materials = gather([record(), record(source="other", at=1000)])
    pools = [
        draw_pool(materials, Mixing(), Preparation(), np.random.default_rng(5), count=6)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(pools[0].samples, pools[1].samples)
    np.testing.assert_array_equal(pools[0].weights, pools[1].weights)


def test_noise_windows_ask_for_nothing():
    quiet = replace(record(), kind="noise", onsets=(), codas=(), quiet=((0, 2900),))
    materials = gather([record(), quiet])
    pool = draw_pool(
        materials, Mixing(noise=1.0), Preparation(), np.random.default_rng(0), count=10
    )
    assert not pool.targets.any()


def test_doubtful_records_are_no_subject_of_windows():
    materials = gather([record(), record(source="weak", weight=0.25)])
    assert list(materials.events) == ["made"]


def test_contested_records_lend_no_noise():
    unsure = replace(record(), unknown=(Unknown(phase=Phase.P, first=10, last=20),))
    assert not gather([unsure]).noises
    assert gather([record()]).noises["made"][0][1:] == (0, 2800)


def test_a_mixture_names_all_sets_in_it():
    materials = gather([record(), record(source="other", at=1000)])
    rng = np.random.default_rng(0)
    mixing = Mixing(noise=0, superposed=1.0)
    names = {draw_cut(materials, mixing, rng).sources for _ in range(40)}
    assert names == {frozenset(("made",)), frozenset(("other",)), frozenset(("made", "other"))}
