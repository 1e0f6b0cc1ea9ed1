"""A whole record's curves, with each way of treating the ends of a segment."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.infer.networks import SPEC, save_network
from tests.pick.cases import START, earthquakes, run, sensor, windows_of
from zilzal.core.waveform import Window
from zilzal.infer.engine import build_model, load_model
from zilzal.infer.spec import attach_spec
from zilzal.infer.windows import curves_of
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.prepare import Preparation

SAMPLES = earthquakes([1_500, 4_000], 6_300)
PRESENT = np.ones(SAMPLES.shape, bool)


def record(samples=SAMPLES, present=PRESENT):
    return Window(
        sensor_id=sensor(), start=START, sampling_rate=100.0,
        samples=np.where(present, samples, 0).astype(np.float32), present=present,
    )  # fmt: skip


def mean_network(spec):
    """One value per label: the mean of the vertical over the window, between 0 and 1."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[2], keepdims=0),
            helper.make_node("Sigmoid", ["m"], ["y"]),
        ],
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, spec.window_samples])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return attach_spec(model.SerializeToString(), spec)


@pytest.mark.parametrize("edges", ["padded", "flush", "whole"])
@pytest.mark.parametrize("blind_end", [None, 20])
def test_curves_are_those_of_the_picker_however_the_record_is_cut(tmp_path, edges, blind_end):
    path = save_network(tmp_path, edges=edges, blind_end_samples=blind_end)
    whole = curves_of(load_model(path), record())
    picker = NeuralPicker(model=str(path), with_probabilities=True)
    for cuts in ([], [1_234, 1_240, 5_678]):
        told = run(picker, [[w] for w in windows_of(SAMPLES, PRESENT, cuts)]).probabilities
        np.testing.assert_array_equal(
            np.concatenate([t.values for t in told], axis=1), whole.values
        )


def test_flush_windows_see_all_but_the_blind_ends_without_padding(tmp_path):
    spec = replace(SPEC, preparation=Preparation(normalisation="window_std", compression="none"))
    curves = {
        edges: curves_of(
            load_model(save_network(tmp_path, spec, name=edges, edges=edges)), record()
        )
        for edges in ("padded", "flush", "whole")
    }
    first = record().first_number
    assert curves["flush"].first_number == first + 100
    assert curves["flush"].values.shape == (3, 6_300 - 200)
    assert np.isfinite(curves["flush"].values).all()
    # On the grid whole windows begin at the next multiple of 500 and decide alone what they see.
    blank = np.isnan(curves["whole"].values[0])
    seen = np.flatnonzero(~blank) + curves["whole"].first_number
    on_grid = -(-first // 500) * 500
    assert seen[0] == on_grid + 100
    assert seen[-1] == (first + 6_300 - 800) // 500 * 500 + 700 - 1
    both = slice(
        seen[0] - curves["flush"].first_number, seen[-1] + 1 - curves["flush"].first_number
    )
    np.testing.assert_array_equal(
        curves["flush"].values[:, both], curves["whole"].values[:, ~blank]
    )
    # Padding changes the standard deviation of the windows at the ends.
    assert np.abs(curves["flush"].values - curves["padded"].values).max() > 0.01


def test_record_shorter_than_a_window_is_still_looked_at(tmp_path):
    model = load_model(save_network(tmp_path, edges="flush"))
    short = curves_of(model, record(SAMPLES[:, :500], PRESENT[:, :500]))
    assert short.values.shape == (3, 300)
    assert np.isfinite(short.values).all()


def test_one_value_a_window_gives_lines_between_points_at_their_sample():
    spec = replace(
        SPEC, window_samples=40, hop_samples=10, blind_samples=0, point_sample=15, edges="whole",
        preparation=Preparation(normalisation="window_max", compression="none", highpass_hz=None),
    )  # fmt: skip
    model = build_model(mean_network(spec))
    curves = curves_of(model, record())
    first = record().first_number
    on_grid = -(-first // 10) * 10
    assert curves.first_number == on_grid + 15
    last = (first + 6_300 - 40) // 10 * 10
    assert curves.values.shape[1] == last + 15 - curves.first_number + 1
    points = curves.values[:, ::10]
    np.testing.assert_allclose(
        curves.values[:, 5:-5:10], (points[:, 1:] + points[:, :-1]) / 2, atol=1e-6
    )
