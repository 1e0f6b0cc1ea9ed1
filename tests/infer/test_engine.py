"""Engines: the right numbers, whatever comes in the same batch."""

from dataclasses import replace

import numpy as np
import pytest

from tests.infer.networks import SPEC, save_network, tiny_network, windows
from zilzal.core.errors import ModelError, SpecError
from zilzal.infer import engine as engine_module
from zilzal.infer.engine import OnnxEngine, build_model, load_model
from zilzal.infer.packaged import find_model, packaged_models
from zilzal.infer.spec import attach_spec


@pytest.fixture
def path(tmp_path):
    return save_network(tmp_path)


@pytest.mark.parity
@pytest.mark.torch
def test_outputs_equal_pytorch(path):
    import onnx
    import torch
    from onnx import numpy_helper

    kernels = {
        each.name: torch.from_numpy(numpy_helper.to_array(each).copy())
        for each in onnx.load(path).graph.initializer
    }
    samples, present = windows(5)
    hidden = torch.relu(torch.conv1d(torch.from_numpy(samples), kernels["first"], padding=7))
    expected = torch.sigmoid(torch.conv1d(hidden, kernels["second"], padding=8)).numpy()
    np.testing.assert_allclose(load_model(path).predict(samples, present), expected, atol=1e-5)


def test_company_in_a_batch_changes_nothing(path):
    model = load_model(path)
    n_windows = 2 * model.batch_size + 3
    samples, present = windows(n_windows)
    together = model.predict(samples, present)
    for k in (0, 1, model.batch_size - 1, model.batch_size, n_windows - 1):
        alone = model.predict(samples[k : k + 1], present[k : k + 1])
        np.testing.assert_array_equal(alone[0], together[k])
    order = np.random.default_rng(1).permutation(n_windows)
    np.testing.assert_array_equal(model.predict(samples[order], present[order]), together[order])


def test_components_come_in_the_order_of_the_network(tmp_path):
    samples, present = windows(2)
    zne = load_model(save_network(tmp_path)).predict(samples, present)
    enz_path = save_network(tmp_path, replace(SPEC, name="enz", components="ENZ"))
    enz = load_model(enz_path).predict(samples[:, ::-1], present)
    # Reversed ZNE is ENZ; feeding the reversed as if it were ZNE undoes the network's order.
    np.testing.assert_array_equal(enz, zne)


def test_nothing_in_gives_nothing_out(path):
    assert load_model(path).predict([], []).shape == (0, 3, SPEC.window_samples)


def test_provenance_is_the_hash_of_the_file(path):
    import hashlib

    assert load_model(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_model_is_loaded_once_and_again_when_the_file_changes(path):
    first = load_model(path)
    assert load_model(path) is first
    other = attach_spec(tiny_network(np.random.default_rng(9)), SPEC)
    path.write_bytes(other + b"")
    import os

    os.utime(path, ns=(1, 1))
    assert load_model(path).sha256 != first.sha256


@pytest.mark.parametrize(
    ("network", "spec"),
    [
        ({"n_components": 2}, SPEC),
        ({"samples": 799}, SPEC),
        ({"n_labels": 2}, SPEC),
        ({}, replace(SPEC, task="classify")),
    ],
)
def test_spec_that_contradicts_the_network_is_refused(tmp_path, network, spec):
    path = tmp_path / "wrong.onnx"
    path.write_bytes(attach_spec(tiny_network(np.random.default_rng(0), **network), spec))
    with pytest.raises(SpecError, match="specification says"):
        load_model(path)


def test_missing_file_and_broken_network_are_model_errors(tmp_path):
    with pytest.raises(ModelError, match="no network"):
        load_model(tmp_path / "none.onnx")
    path = tmp_path / "broken.onnx"
    path.write_bytes(attach_spec(b"", SPEC))
    with pytest.raises(ModelError, match="cannot load"):
        load_model(path)
    with pytest.raises(ValueError, match="engine"):
        load_model(path, engine="abacus")


def test_model_is_found_by_path_and_otherwise_named_with_what_there_is(path):
    assert find_model(path) == path
    with pytest.raises(ModelError, match="packaged"):
        find_model("no-such-network")
    for name in packaged_models():
        assert find_model(name).is_file()


def test_missing_openvino_gives_way_to_onnxruntime_and_says_so(path, monkeypatch, caplog):
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    ours = build_model(path.read_bytes(), engine="openvino-bf16")
    assert isinstance(ours.engine, OnnxEngine)
    assert "pip install zilzal[fast]" in caplog.text


def test_network_that_bf16_spoils_is_refused_in_it(tmp_path, caplog):
    spoilt = save_network(tmp_path, name="spoilt", bf16_difference=0.43)
    with pytest.raises(ModelError, match=r"0\.43.*use the engine openvino"):
        load_model(spoilt, engine="openvino-bf16")
