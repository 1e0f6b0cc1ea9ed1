"""Previews: what finishing would give, from a fraction of the samples."""

from dataclasses import replace

import numpy as np
import pytest

from tests.infer.networks import SPEC
from tests.pick.cases import START, earthquakes, sensor, windows_of
from zilzal.infer.newest import newest_samples, newest_window
from zilzal.infer.overlap import start_overlap
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.frame import FrameGrid, start_frames, step_frames

ONSETS = [1_500, 4_000, 6_400, 9_000, 11_500]
SAMPLES = earthquakes(ONSETS, 13_000)
STEP = 300
CONTEXT = replace(SPEC, overlap="context", window_samples=1_600, hop_samples=1_300)


def stepped(picker, samples=SAMPLES, present=None):
    """States after each step of 3 s."""
    present = np.ones(samples.shape, bool) if present is None else present
    state = picker.start()
    for window in windows_of(samples, present, range(STEP, samples.shape[1], STEP)):
        state, _ = picker.step(state, [window])
        yield state, window.next_start


def names(picks, before):
    """Picks to a tenth of a second; the last seconds, which nobody believes yet, are left out."""
    return [(p.phase, round(p.time - START, 1)) for p in picks if p.time < before]


def close(one, other):
    return len(one) == len(other) and all(
        a[0] == b[0] and abs(a[1] - b[1]) <= 0.11 for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("gap", [None, (5_000, 5_400)])
def test_preview_has_the_picks_that_finishing_would_give(gap):
    picker, seen = NeuralPicker(), {}
    samples = earthquakes([*ONSETS, 14_000], 15_500)
    present = np.ones(samples.shape, bool)
    if gap is not None:
        samples[:, slice(*gap)], present[:, slice(*gap)] = 0, False
    n_picks = 0
    for state, end in stepped(picker, samples, present):
        seen |= picker.preview(state, seen)
        told, wanted = seen[sensor()].picks, picker.finish(state).picks
        assert close(names(told, end - 3.0), names(wanted, end - 3.0)), end
        n_picks += len(wanted)
    assert n_picks > 60


def test_settled_picks_are_not_measured_again():
    picker, seen, n_kept = NeuralPicker(), {}, 0
    for state, _ in stepped(picker):
        before = seen.get(sensor())
        seen |= picker.preview(state, seen)
        for pick in seen[sensor()].picks if before else ():
            if pick.time < before.settled:
                assert any(pick is known for known in before.picks)
                n_kept += 1
    assert n_kept > 20


def test_sensor_that_was_not_seen_before_is_seen_whole():
    picker = NeuralPicker()
    *_, (state, end) = stepped(picker, SAMPLES[:, :6_000])
    told = picker.preview(state, {})[sensor()].picks
    assert names(told, end - 3.0) == names(picker.finish(state).picks, end - 3.0)


def test_network_that_normalises_each_window_is_finished():
    assert newest_samples(CONTEXT) is not None
    windows = replace(CONTEXT.preparation, normalisation="window_std")
    assert newest_samples(replace(CONTEXT, preparation=windows)) is None
    assert newest_samples(replace(CONTEXT, overlap="mean")) is None


def test_short_window_ends_with_the_newest_sample():
    grid = FrameGrid(window_samples=CONTEXT.window_samples, hop_samples=CONTEXT.hop_samples,
                     margin_samples=sum(CONTEXT.blinding))  # fmt: skip
    length = CONTEXT.window_samples - 1
    samples = np.arange(3 * length, dtype=np.float32).reshape(3, length)
    state, _ = step_frames(grid, start_frames(grid, 0, 3), samples, np.ones(samples.shape, bool))
    window = newest_window(CONTEXT, state)
    assert window.samples.shape[1] == newest_samples(CONTEXT)
    assert window.samples[:, -1].tolist() == samples[:, -1].tolist()
    assert window.end == length - CONTEXT.blinding[1]
    assert start_overlap(CONTEXT, 0).number <= window.first < window.end
