"""A network whose reach is known: windows decide what they see in full, however long they are."""

from dataclasses import replace

import numpy as np
import pytest

from tests.infer.networks import SPEC, save_network
from tests.pick.cases import START, earthquakes, run, sensor, windows_of
from zilzal.core.errors import SpecError
from zilzal.core.waveform import Window
from zilzal.infer.engine import load_model
from zilzal.infer.newest import newest_curves, newest_samples, newest_window
from zilzal.infer.overlap import start_overlap
from zilzal.infer.spec import read_spec
from zilzal.infer.windows import curves_of
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.frame import FrameGrid, start_frames, step_frames
from zilzal.signal.prepare import prepare_record

# Two convolutions of 15 and 17 samples see 15 samples before and after.
REACH = replace(
    SPEC, blind_samples=5, reach_samples=(20, 15), window_samples=435, hop_samples=400
)  # fmt: skip
SAMPLES = earthquakes([1_500, 4_000, 9_000], 40_300)
PRESENT = np.ones(SAMPLES.shape, bool)


def record(samples=SAMPLES):
    present = np.ones(samples.shape, bool)
    return Window(
        sensor_id=sensor(), start=START, sampling_rate=100.0, samples=samples, present=present
    )


@pytest.fixture
def path(tmp_path):
    return save_network(tmp_path, REACH)


def test_curves_are_those_of_one_window_as_long_as_the_record(path):
    model = load_model(path)
    assert model.joined == (32_768 - 35) // 400
    prepared = prepare_record(REACH.preparation, SAMPLES, PRESENT, 100.0)
    padded = np.pad(prepared, ((0, 0), (20, 20)))
    expected = model.engine.run(padded[None])[0][:, 25:-25]
    curves = curves_of(model, record())
    assert curves.first_number == record().first_number + 5
    np.testing.assert_allclose(curves.values, expected, atol=1e-6)


@pytest.mark.parametrize("window_samples", [60, 435, 5_035])
def test_length_of_windows_changes_nothing(path, window_samples):
    # Up to rounding: one-dimensional convolutions are summed in another order at other lengths.
    joined = curves_of(load_model(path), record()).values
    apart = curves_of(load_model(path, window_samples=window_samples), record()).values
    np.testing.assert_allclose(apart, joined, atol=1e-6)


@pytest.mark.parametrize("cuts", [[], [1_234, 1_240, 5_678, 30_000], range(300, 40_000, 300)])
def test_pieces_of_any_length_give_the_picks_of_the_whole(path, cuts):
    picker = NeuralPicker(model=str(path), with_probabilities=True)
    whole, pieces = (
        run(picker, [[window] for window in windows_of(SAMPLES, PRESENT, at)]) for at in ([], cuts)
    )
    assert len(whole.picks) > 3
    assert [(p.phase, p.channel_id, p.amplitude_counts) for p in pieces.picks] == [
        (p.phase, p.channel_id, p.amplitude_counts) for p in whole.picks
    ]
    for one, other in zip(pieces.picks, whole.picks, strict=True):
        assert abs(one.time - other.time) < 1e-4
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
    values = [np.concatenate([t.values for t in r.probabilities], 1) for r in (whole, pieces)]
    np.testing.assert_allclose(values[1], values[0], atol=1e-6)


@pytest.mark.parametrize("n_samples", [11, 12, 60, 400, 415, 436])
def test_short_segment_is_decided_but_for_its_blind_ends(path, n_samples):
    curves = curves_of(load_model(path), record(SAMPLES[:, :n_samples]))
    assert curves.values.shape == (3, n_samples - 10)
    assert np.isfinite(curves.values).all()


def test_newest_window_says_what_the_windows_to_come_will_say(path):
    model = load_model(path)
    length = newest_samples(REACH)
    assert length == 35 + 100
    whole, end = curves_of(model, record()), record().first_number + 9_990
    prepared = prepare_record(REACH.preparation, SAMPLES, PRESENT, 100.0)[:, :9_990]
    grid = FrameGrid(window_samples=435, hop_samples=400, margin_samples=10,
                     context_samples=(15, 10))  # fmt: skip
    begun = start_frames(grid, record().first_number, 3)
    frames, _ = step_frames(grid, begun, prepared, np.ones(prepared.shape, bool))
    window = newest_window(REACH, frames)
    assert window.samples.shape == (3, length)
    (output,) = load_model(path, window_samples=length).predict_each(
        [window.samples], [window.present]
    )
    overlap = start_overlap(REACH, record().first_number)
    curves, first = newest_curves(REACH, overlap, frames, window, output)
    assert first == window.first < end - 100
    n_seen = end - 15 - first
    after = curves.values[:, first - curves.first_number :][:, :n_seen]
    expected = whole.values[:, first - whole.first_number :][:, :n_seen]
    np.testing.assert_allclose(after, expected, atol=1e-6)


def test_openvino_gives_the_same(path):
    pytest.importorskip("openvino")
    ours = curves_of(load_model(path), record()).values
    theirs = curves_of(load_model(path, engine="openvino"), record()).values
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_reach_comes_back_from_the_file(path):
    assert read_spec(path) == REACH


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hop_samples": 300}, "must come every 400, not 300"),
        ({"reach_samples": (4, 31)}, "no less far than the blind"),
        ({"edges": "flush"}, "edges must be 'padded'"),
        ({"preparation": replace(SPEC.preparation, normalisation="window_std")}, "'running'"),
    ],
)
def test_reach_that_cannot_be_held_is_refused(changes, told):
    with pytest.raises(SpecError, match=told):
        replace(REACH, **changes)
