"""Checks of a network: they hold for a good one, and each fails for one that breaks its law."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.infer.networks import SPEC, save_network
from zilzal.app.networks import check_network, measure_speed
from zilzal.core.errors import SpecError
from zilzal.infer.spec import attach_spec

QUICK = replace(
    SPEC,
    window_samples=1_600,
    hop_samples=1_000,
    labels=("P", "S"),
    thresholds={"P": 0.6, "S": 0.6},
)


def outcome(path):
    return {check.name: check.passed for check in check_network(path)}


def flawed(path, *nodes, constants=(), spec=QUICK):
    """A network of some nodes between x and two channels of it, y."""
    graph = helper.make_graph(
        list(nodes),
        "flawed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "sample"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2, "sample"])],
        [numpy_helper.from_array(value, name) for name, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(attach_spec(model.SerializeToString(), spec))
    return path


TWO = ("two", np.random.default_rng(0).standard_normal((2, 3, 1)).astype(np.float32))


@pytest.mark.filterwarnings("ignore")  # raised inside OpenVINO on import
def test_checks_hold_for_a_sound_network(tmp_path):
    seen = outcome(save_network(tmp_path, QUICK, name="sound"))
    assert {name for name, passed in seen.items() if passed is False} == set()
    assert seen["probabilities, deterministic"] is True
    assert seen["cuts"] is True


@pytest.mark.filterwarnings("ignore")
def test_outputs_that_are_no_probabilities_fail(tmp_path):
    path = flawed(
        tmp_path / "linear.onnx", helper.make_node("Conv", ["x", "two"], ["y"]), constants=[TWO]
    )
    assert outcome(path)["probabilities, deterministic"] is False


@pytest.mark.filterwarnings("ignore")
def test_network_that_minds_its_company_fails(tmp_path):
    # The mean over the batch makes a window's output depend on the other windows.
    path = flawed(
        tmp_path / "social.onnx",
        helper.make_node("Conv", ["x", "two"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["m"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["a", "m"], ["d"]),
        helper.make_node("Sigmoid", ["d"], ["y"]),
        constants=[TWO],
    )
    assert outcome(path)["company in a batch"] is False


def test_file_that_cannot_pick_is_refused_before_any_check(tmp_path):
    with pytest.raises(SpecError, match="thresholds"):
        check_network(save_network(tmp_path, thresholds={}))


def test_speed_is_measured_per_station_day(tmp_path):
    path = save_network(tmp_path, QUICK, name="quick")
    speed = measure_speed(path)
    assert speed.engine == "onnxruntime"
    assert speed.network_s > 0
    assert speed.picker_s > 0
