"""OpenVINO as an engine, from the extra `fast`."""

from importlib.util import find_spec

import numpy as np
import pytest

from tests.infer.networks import SPEC, lstm_network, save_network, windows
from zilzal.infer import openvino as openvino_module
from zilzal.infer.engine import OnnxEngine, load_model
from zilzal.infer.openvino import OpenVinoEngine
from zilzal.infer.precision import bf16_difference
from zilzal.synth.trial import trial_windows

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # raised inside OpenVINO on import
    pytest.mark.skipif(find_spec("openvino") is None, reason="extra fast"),
]


@pytest.fixture
def path(tmp_path):
    return save_network(tmp_path)


def test_outputs_are_the_same(path):
    samples, present = windows(7)
    ours = load_model(path).predict(samples, present)
    theirs = load_model(path, engine="openvino").predict(samples, present)
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_bf16_without_a_measurement_is_warned_of(path, caplog):
    load_model(path, engine="openvino-bf16")
    assert "nobody has measured" in caplog.text


def test_bf16_is_near(path):
    difference = bf16_difference(path.read_bytes(), trial_windows(duration_s=60.0))
    if difference is None:
        pytest.skip("this processor has no bf16")
    assert 0 < difference < 0.05


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_lstm_with_hard_gates_is_that_of_onnx(direction):
    network = lstm_network(np.random.default_rng(4), direction)
    x = np.random.default_rng(5).standard_normal((6, 3, 12)).astype(np.float32)
    theirs = OpenVinoEngine(network, x.shape).run(x)
    np.testing.assert_allclose(theirs, OnnxEngine(network).run(x), atol=1e-5)


def test_network_that_takes_long_to_compile_is_kept(path, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(openvino_module, "_SLOW_S", 0.0)
    kept, network = tmp_path / "kept", path.read_bytes()
    shape = (4, 3, SPEC.window_samples)
    x = np.random.default_rng(6).standard_normal(shape).astype(np.float32)
    first = OpenVinoEngine(network, shape, kept=kept).run(x)
    (file,) = kept.iterdir()
    monkeypatch.setattr(openvino_module, "write_out_hard_lstms", None)  # compiles nothing
    np.testing.assert_array_equal(OpenVinoEngine(network, shape, kept=kept).run(x), first)
    monkeypatch.undo()
    file.write_bytes(b"spoilt")
    np.testing.assert_array_equal(OpenVinoEngine(network, shape, kept=kept).run(x), first)
