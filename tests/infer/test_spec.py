"""The specification travels inside the ONNX file and is refused when it is wrong."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest

from tests.infer.networks import SPEC, save_network, tiny_network
from zilzal.core.errors import SpecError
from zilzal.infer.metadata import read_metadata, write_metadata
from zilzal.infer.spec import FORMAT, METADATA_KEY, ModelSpec, attach_spec, read_spec, spec_of


@pytest.fixture
def network():
    return tiny_network(np.random.default_rng(0))


def test_spec_comes_back_from_the_file_as_it_went_in(tmp_path):
    spec = replace(SPEC, card="# Carte\nétude — 地震", calibration={"P": ((0.0, 0.1), (1.0, 0.9))})
    path = tmp_path / "network.onnx"
    path.write_bytes(attach_spec(tiny_network(np.random.default_rng(0)), spec))
    assert read_spec(path) == spec


@pytest.mark.parity
def test_onnx_and_onnxruntime_read_what_we_attach(network):
    import onnxruntime

    attached = attach_spec(network, SPEC)
    model = onnx.load_from_string(attached)
    onnx.checker.check_model(model)
    assert {p.key: p.value for p in model.metadata_props} == {METADATA_KEY: SPEC.to_json()}
    session = onnxruntime.InferenceSession(attached, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map[METADATA_KEY] == SPEC.to_json()


@pytest.mark.parity
def test_we_read_what_onnx_attaches(network):
    model = onnx.load_from_string(network)
    for key, value in (("author", "someone"), (METADATA_KEY, SPEC.to_json())):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    content = model.SerializeToString()
    assert read_metadata(content) == {"author": "someone", METADATA_KEY: SPEC.to_json()}
    assert spec_of(content) == SPEC


def test_attaching_again_replaces_and_leaves_the_rest_alone(network):
    named = write_metadata(network, "author", "someone")
    twice = attach_spec(attach_spec(named, replace(SPEC, version="0")), SPEC)
    assert read_metadata(twice) == {"author": "someone", METADATA_KEY: SPEC.to_json()}
    assert twice == attach_spec(named, SPEC)
    assert onnx.load_from_string(twice).graph == onnx.load_from_string(network).graph


def test_file_without_a_spec_is_refused(network):
    with pytest.raises(SpecError, match="carries no"):
        spec_of(network)


@pytest.mark.parametrize("content", [b"\x00", b"hello, world", b"\xff" * 40])
def test_bytes_that_are_no_onnx_file_are_refused(content):
    with pytest.raises(SpecError):
        spec_of(content)


def test_truncated_file_is_refused(network):
    with pytest.raises(SpecError, match="cut short"):
        spec_of(attach_spec(network, SPEC)[:-100])


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "locate"},
        {"overlap": "sum"},
        {"components": "ZN"},
        {"sampling_rate": 50.0},
        {"hop_samples": 601},
        {"hop_samples": 0},
        {"blind_samples": -1},
        {"blind_end_samples": 201},
        {"edges": "round"},
        {"peaks": "all"},
        {"point_sample": 400},
        {"point_sample": 800, "edges": "whole"},
        {"point_sample": 400, "edges": "whole", "overlap": "max"},
        {"labels": ()},
        {"labels": ("P", "P", "detection")},
        {"thresholds": {"Q": 0.5}},
        {"thresholds": {"P": 0.0}},
        {"uncertainty": {"P": ()}},
        {"calibration": {"P": ((0.5, 0.1), (0.5, 0.2))}},
    ],
)
def test_contradiction_is_refused(changes):
    with pytest.raises(SpecError):
        replace(SPEC, **changes)


def test_unknown_or_missing_field_is_refused():
    content = json.loads(SPEC.to_json())
    with pytest.raises(SpecError, match="colour"):
        ModelSpec.from_json(json.dumps({**content, "colour": "red"}))
    del content["window_samples"]
    with pytest.raises(SpecError, match="window_samples"):
        ModelSpec.from_json(json.dumps(content))
    with pytest.raises(SpecError):
        ModelSpec.from_json("[]")


def test_tables_are_interpolated_and_held_beyond_their_ends():
    assert SPEC.uncertainty_s("P", 0.65) == pytest.approx(0.11)
    assert SPEC.uncertainty_s("P", 0.0) == pytest.approx(0.2)
    assert SPEC.calibrate("P", 0.4) == 0.4
    calibrated = replace(SPEC, calibration={"P": ((0.2, 0.0), (0.6, 1.0))})
    assert calibrated.calibrate("P", 0.4) == pytest.approx(0.5)
    with pytest.raises(SpecError, match="uncertainty"):
        replace(SPEC, uncertainty={}).uncertainty_s("P", 0.5)


def test_save_network_makes_a_readable_file(tmp_path):
    assert read_spec(save_network(tmp_path)) == SPEC


def test_file_of_the_first_format_is_read():
    content = json.loads(SPEC.to_json())
    first = {"format", "blind_end_samples", "point_sample", "edges", "peaks", "development_data"}
    later = {"citation", "origin", "weights_sha256", "parameters", "multiply_adds"}
    for name in (*first, *later, "bf16_difference"):
        del content[name]
    for name in ("jointly", "detrend", "taper_samples", "lowpass_hz"):
        del content["preparation"][name]
    assert ModelSpec.from_json(json.dumps(content)) == SPEC


def test_file_of_a_later_format_is_refused_with_what_to_do():
    content = {**json.loads(SPEC.to_json()), "format": FORMAT + 1, "colour": "red"}
    with pytest.raises(SpecError, match="upgrade"):
        ModelSpec.from_json(json.dumps(content))


def test_blinding_may_differ_between_the_ends_or_leave_one_point():
    assert SPEC.blinding == (100, 100)
    assert replace(SPEC, blind_end_samples=30).blinding == (100, 30)
    point = replace(SPEC, point_sample=399, edges="whole")
    assert point.blinding == (399, 400)
    assert point.output_shape == (3,)
    assert SPEC.output_shape == (3, 800)
