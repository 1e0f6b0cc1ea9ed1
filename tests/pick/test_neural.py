"""The neural picker: what it says is what the curves say."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.infer.networks import SPEC, save_network
from tests.pick.cases import START, earthquakes, run, windows_of
from zilzal.core.errors import ConfigError, ModelError, SpecError
from zilzal.core.pick import Phase
from zilzal.infer.spec import attach_spec
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.prepare import Preparation

SAMPLES = earthquakes([1_500, 4_000, 6_400], 9_000)
PRESENT = np.ones(SAMPLES.shape, bool)


@pytest.fixture
def path(tmp_path):
    return save_network(tmp_path)


def join(probabilities):
    """Curves of one segment as one; they must follow each other without a seam."""
    assert all(a.next_start == b.start for a, b in itertools.pairwise(probabilities))
    values = np.concatenate([each.values for each in probabilities], axis=1)
    return replace(probabilities[0], values=values)


def spike_network(path, rate=100.0, **changes):
    """A network whose P is tanh(Z / 20) where positive: it shows the prepared vertical itself."""
    kernel = np.zeros((1, 3, 1), np.float32)
    kernel[0, 0, 0] = 1 / 20
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "kernel"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Tanh", ["b"], ["y"]),
        ],
        "spike",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1, "n"])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    spec = replace(
        SPEC,
        labels=("P",),
        thresholds={"P": 0.5},
        uncertainty={"P": ((0.0, 0.1), (1.0, 0.1))},
        sampling_rate=rate,
        preparation=Preparation(compression="none", highpass_hz=None, sampling_rate=rate),
        **changes,
    )
    path.write_bytes(attach_spec(model.SerializeToString(), spec))
    return str(path)


@pytest.mark.parametrize("rate", [100.0, 40.0, 50.0, 125.0, 200.0, 500.0])
@pytest.mark.parametrize("shift_s", [0.0, 0.0021])
def test_time_is_the_true_time_at_any_rate_and_off_the_grid(tmp_path, rate, shift_s):
    picker = NeuralPicker(model=spike_network(tmp_path / "spike.onnx"))
    time_s = np.arange(round(60 * rate)) / rate
    # Smooth enough that every rate resolves it; its top lies between samples of most.
    top_s = 30.0037
    bump = 40 * np.exp(-0.5 * np.square((time_s - top_s) / 0.03))
    noise = np.random.default_rng(0).standard_normal((3, len(time_s)))
    samples = np.where(np.abs(time_s - top_s) < 0.3, 0.01, 1.0) * noise + bump
    windows = windows_of(samples, np.ones(samples.shape, bool), rate=rate)
    windows = [replace(w, start=w.start + shift_s) for w in windows]
    picks = run(picker, [windows]).picks
    assert len(picks) == 1
    assert picks[0].time - START - shift_s == pytest.approx(top_s, abs=0.001)


def test_picks_are_the_peaks_of_the_curves_handed_out(path):
    told = run(
        NeuralPicker(model=str(path), with_probabilities=True), [windows_of(SAMPLES, PRESENT)]
    )
    curves = join(told.probabilities)
    assert told.picks
    for pick in told.picks:
        row = curves.values[curves.labels.index(pick.phase.value)]
        place = (pick.time - curves.start) * curves.sampling_rate
        nearest = int(np.argmax(row[round(place) - 1 : round(place) + 2])) + round(place) - 1
        assert abs(place - nearest) <= 0.5 + 1e-6
        assert pick.probability == pytest.approx(float(row[nearest]))
        assert row[max(nearest - 50, 0) : nearest + 51].max() == row[nearest]
        assert row[nearest] >= SPEC.thresholds[pick.phase.value]


def test_curves_join_without_seam_and_leave_out_the_blind_ends(path):
    picker = NeuralPicker(model=str(path), with_probabilities=True)
    whole = run(picker, [windows_of(SAMPLES, PRESENT)]).probabilities
    pieces = run(picker, [[w] for w in windows_of(SAMPLES, PRESENT, [1_234, 5_678])]).probabilities
    np.testing.assert_array_equal(join(pieces).values, join(whole).values)
    assert len(pieces) > len(whole)
    assert whole[0].start - START == pytest.approx(1.0)
    assert whole[-1].next_start - START == pytest.approx(89.0)
    assert np.isfinite(join(whole).values).all()


def test_detections_are_where_the_curve_is_high(path):
    picker = NeuralPicker(model=str(path), with_probabilities=True, minimum_detection_s=0.0)
    told = run(picker, [windows_of(SAMPLES, PRESENT)])
    curves = join(told.probabilities)
    row = curves.values[curves.labels.index("detection")]
    assert told.detections
    for detection in told.detections:
        first = round((detection.start - curves.start) * 100)
        end = round((detection.end - curves.start) * 100)
        assert row[first:end].min() >= 0.35
        assert row[first] >= 0.7
        assert detection.probability == pytest.approx(float(row[first:end].max()))
    covered = sum(round((d.end - d.start) * 100) for d in told.detections)
    assert covered >= int((row >= 0.7).sum())


def test_uncertainty_and_calibration_come_from_the_spec(tmp_path):
    plain = run(NeuralPicker(model=str(save_network(tmp_path))), [windows_of(SAMPLES, PRESENT)])
    table = ((0.0, 0.0), (1.0, 0.5))
    halved_path = save_network(tmp_path, name="halved", calibration={"P": table, "S": table})
    halved = run(NeuralPicker(model=str(halved_path)), [windows_of(SAMPLES, PRESENT)])
    assert [p.time for p in halved.picks] == [p.time for p in plain.picks]
    for one, half in zip(plain.picks, halved.picks, strict=True):
        assert half.probability == pytest.approx(one.probability / 2)
        assert half.uncertainty_s == pytest.approx(
            SPEC.uncertainty_s(half.phase.value, half.probability)
        )


def test_thresholds_given_go_before_those_of_the_model(path):
    usual = run(NeuralPicker(model=str(path)), [windows_of(SAMPLES, PRESENT)]).picks
    strict_picker = NeuralPicker(model=str(path), thresholds={"P": 0.9})
    strict = run(strict_picker, [windows_of(SAMPLES, PRESENT)]).picks
    assert [p for p in strict if p.phase is Phase.S] == [p for p in usual if p.phase is Phase.S]
    expected = [p for p in usual if p.phase is Phase.P and p.probability >= 0.9]
    assert [p for p in strict if p.phase is Phase.P] == expected
    assert 0 < len(expected) < sum(p.phase is Phase.P for p in usual)


def test_no_pick_lies_in_the_blind_ends_of_a_segment(path):
    present = PRESENT.copy()
    present[:, 3_000:3_010] = False
    for pick in run(NeuralPicker(model=str(path)), [windows_of(SAMPLES, present)]).picks:
        place = (pick.time - START) * 100
        assert 99.5 <= place <= 2_900.5 or 3_109.5 <= place <= 8_900.5


def test_state_stays_small_however_much_has_gone_through(path):
    import pickle

    picker, state, sizes = NeuralPicker(model=str(path)), None, []
    state = picker.start()
    for w in windows_of(SAMPLES, PRESENT, range(0, 9_000, 500)):
        state, _ = picker.step(state, [w])
        sizes.append(len(pickle.dumps(state)))
    assert max(sizes[6:]) < 1.5 * max(sizes[:6])


def test_network_that_cannot_pick_is_refused_before_any_data(tmp_path):
    with pytest.raises(ModelError, match="no network"):
        NeuralPicker(model="no-such-network").start()
    with pytest.raises(SpecError, match="thresholds"):
        NeuralPicker(model=str(save_network(tmp_path, thresholds={"P": 0.5}))).start()
    with pytest.raises(SpecError, match="uncertaint"):
        NeuralPicker(model=str(save_network(tmp_path, name="b", uncertainty={}))).start()


def test_options_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="threshold"):
        NeuralPicker(thresholds={"P": 1.5})
    with pytest.raises(ConfigError, match="separation_s"):
        NeuralPicker(separation_s=0.0)


def test_provenance_names_the_file_and_the_version(path):
    import hashlib

    pick = run(NeuralPicker(model=str(path)), [windows_of(SAMPLES, PRESENT)]).picks[0]
    assert pick.provenance.method == "neural"
    assert pick.provenance.model == hashlib.sha256(path.read_bytes()).hexdigest()
