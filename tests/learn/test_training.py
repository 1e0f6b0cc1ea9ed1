"""The training loop: batches, records, stopping, seeds, checkpoints, files."""

import json
import math
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from zilzal.core.errors import FormatError
from zilzal.learn.clip import ClipNorm, ParameterAverage
from zilzal.learn.descent import Descent, descend
from zilzal.learn.files import Model, load_checkpoint, load_model, save_checkpoint, save_model
from zilzal.learn.lengths import Backtracking, Constant, LinearCooling
from zilzal.learn.losses import BinaryCrossEntropy, SoftmaxCrossEntropy
from zilzal.learn.network import multilayer
from zilzal.learn.rules import RULES, Adam, Momentum
from zilzal.learn.training import NetworkLoss, Samples, Training


def exclusive_or(count=64, dtype=np.float64):
    generator = np.random.default_rng(5)
    x = generator.uniform(-1.0, 1.0, (count, 2)).astype(dtype)
    y = (x[:, :1] * x[:, 1:] > 0).astype(dtype)
    return NetworkLoss(multilayer((2, 8, 1), "tanh"), BinaryCrossEntropy(), Samples(x, y))


def begin(training, problem, seed=1, dtype=np.float64):
    generator = np.random.default_rng(seed)
    return training.start(problem.network.initialise(generator, dtype=dtype), generator)


def test_mlp_learns_what_a_line_cannot_separate():
    problem = exclusive_or()
    descent = Descent(rule=Adam(), length=Constant(0.02))
    training = Training(descent=descent, epochs=200, batch_size=8)
    progress = begin(training, problem)
    epochs = list(training.run(progress, problem))
    z = problem.network.forward(training.result(progress), problem.samples.x)
    assert ((z > 0) == problem.samples.y).mean() >= 0.98
    assert epochs[-1].loss < 0.1 < 0.6 < epochs[0].loss
    assert [epoch.number for epoch in epochs] == list(range(1, 201))
    assert epochs[-1].stopped == "epochs"
    assert epochs[-1].steps == 200 * 8


@pytest.mark.parametrize(("batch_size", "steps"), [(None, 1), (64, 1), (1, 64), (10, 7)])
def test_batch_stochastic_and_mini_batch_are_one_loop(batch_size, steps):
    problem = exclusive_or()
    training = Training(descent=Descent(length=Constant(0.1)), batch_size=batch_size)
    records = list(training.steps(begin(training, problem), problem))
    assert len(records) == steps
    assert [record.iteration for record in records] == list(range(steps))
    assert all(record.length == 0.1 and record.gradient_norm > 0 for record in records)


def test_an_epoch_shows_each_sample_once():
    problem = exclusive_or(20)
    seen = []

    class Loss:
        head = "sigmoid"

        def value_and_gradient(self, z, y, weights=None):
            seen.extend(weights)
            return BinaryCrossEntropy().value_and_gradient(z, y)

    samples = replace(problem.samples, weights=np.arange(20.0))
    watched = replace(problem, loss=Loss(), samples=samples)
    training = Training(batch_size=3)
    for _ in training.steps(begin(training, watched), watched):
        pass
    assert sorted(seen) == list(range(20))
    assert seen != list(range(20))


def test_full_batch_step_is_the_mean_over_all_samples():
    problem = exclusive_or()
    training = Training(descent=Descent(length=Constant(0.5)), batch_size=None, epochs=1)
    progress = begin(training, problem)
    before = progress.position.parameters.copy()
    list(training.run(progress, problem))
    _, gradient = problem.value_and_gradient(before)
    np.testing.assert_allclose(progress.position.parameters, before - 0.5 * gradient, rtol=1e-13)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_trains_a_network(rule):
    problem = exclusive_or()
    rate = {"adam": 0.01, "rmsprop": 0.005, "adagrad": 0.1, "momentum": 0.1}.get(rule, 0.5)
    made = RULES[rule](largest=3.0) if rule == "delta_bar_delta" else RULES[rule]()
    training = Training(
        descent=Descent(rule=made, length=Constant(rate), clip=ClipNorm(5.0)),
        epochs=150,
        batch_size=16,
    )
    epochs = list(training.run(begin(training, problem), problem))
    assert epochs[-1].loss < 0.35


def test_line_search_trains_a_network_without_ever_going_up():
    problem = exclusive_or()
    training = Training(descent=Descent(length=Backtracking()), epochs=300, batch_size=None)
    losses = [epoch.loss for epoch in training.run(begin(training, problem), problem)]
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.2


def test_penalty_shrinks_weights_and_leaves_biases():
    problem = exclusive_or()
    theta = problem.network.initialise(np.random.default_rng(0), bias=0.5, dtype=np.float64)
    penalised = replace(problem, penalty=2.0)
    value, gradient = penalised.value_and_gradient(theta)
    plain, without = problem.value_and_gradient(theta)
    difference = problem.network.split(gradient - without)
    weights = problem.network.split(theta)
    for (d_weights, d_bias), (w, _) in zip(difference, weights, strict=True):
        np.testing.assert_allclose(d_weights, 2.0 * w, rtol=1e-12)
        assert not d_bias.any()
    assert value - plain == pytest.approx(sum((w * w).sum() for w, _ in weights), rel=1e-12)


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((30, 20)), generator.integers(0, 2, (30, 1)).astype(float)
    problem = NetworkLoss(multilayer((20, 16, 1)), BinaryCrossEntropy(), Samples(x[:20], y[:20]))
    held_out = Samples(x[20:], y[20:])
    training = Training(epochs=500, patience=5)
    progress = begin(training, problem)
    epochs = list(training.run(progress, problem, validation=held_out))
    losses = [epoch.validation_loss for epoch in epochs]
    assert epochs[-1].stopped == "patience"
    assert len(epochs) - 1 - int(np.argmin(losses)) == 5
    best = replace(problem, samples=held_out).value(training.result(progress))
    assert best == pytest.approx(min(losses), rel=1e-12)


def test_training_stops_at_a_flat_place():
    problem = exclusive_or()
    training = Training(batch_size=None, epochs=50, gradient_tolerance=1e3)
    epochs = list(training.run(begin(training, problem), problem))
    assert [epoch.stopped for epoch in epochs] == ["gradient"]


def test_divergence_is_reported_and_ends_the_training():
    generator = np.random.default_rng(0)
    x = 1e30 * generator.standard_normal((16, 3)).astype(np.float32)
    problem = NetworkLoss(
        multilayer((3, 4, 2)),
        SoftmaxCrossEntropy(),
        Samples(x, np.eye(2, dtype=np.float32)[[0, 1] * 8]),
    )
    training = Training(descent=Descent(length=Constant(1e30)), epochs=20)
    epochs = list(training.run(begin(training, problem, dtype=np.float32), problem))
    assert epochs[-1].stopped == "diverged"
    assert len(epochs) < 20


def test_average_of_parameters_is_the_result_where_it_is_kept():
    problem = exclusive_or()
    training = Training(
        descent=Descent(length=Constant(0.1)),
        epochs=2,
        batch_size=32,
        average=ParameterAverage(decay=1.0),
    )
    progress = begin(training, problem)
    ways = [
        progress.position.parameters.copy()
        for _ in range(2)
        for _ in training.steps(progress, problem)
    ]
    np.testing.assert_allclose(training.result(progress), np.mean(ways, axis=0), rtol=1e-12)


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    problem = exclusive_or(dtype=np.float32)
    training = Training(epochs=5)
    results = []
    for seed in (3, 3, 4):
        progress = begin(training, problem, seed, np.float32)
        list(training.run(progress, problem))
        results.append(training.result(progress).tobytes())
    assert results[0] == results[1] != results[2]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_resumed_training_goes_on_bit_by_bit(rule, tmp_path):
    problem = exclusive_or(dtype=np.float32)
    held_out = exclusive_or(16, dtype=np.float32).samples
    training = Training(
        descent=Descent(rule=RULES[rule](), length=LinearCooling(0.01, 60)),
        epochs=9,
        average=ParameterAverage(),
    )
    whole = begin(training, problem, dtype=np.float32)
    expected = list(training.run(whole, problem, validation=held_out))
    first = begin(training, problem, dtype=np.float32)
    path = tmp_path / "training.npz"
    for epoch in training.run(first, problem, validation=held_out):
        if epoch.number == 4:
            save_checkpoint(path, first)
            break
    resumed = load_checkpoint(path)
    assert list(training.run(resumed, problem, validation=held_out)) == expected[4:]
    assert resumed.position.parameters.tobytes() == whole.position.parameters.tobytes()
    assert training.result(resumed).tobytes() == training.result(whole).tobytes()


def test_ended_training_yields_nothing_until_it_is_given_more_epochs(tmp_path):
    problem = exclusive_or()
    training = Training(epochs=2)
    progress = begin(training, problem)
    assert len(list(training.run(progress, problem))) == 2
    save_checkpoint(tmp_path / "end.npz", progress)
    progress = load_checkpoint(tmp_path / "end.npz")
    assert list(training.run(progress, problem)) == []
    assert len(list(replace(training, epochs=5).run(progress, problem))) == 3


def test_descend_takes_objectives_as_they_come():
    problems = [exclusive_or(8), exclusive_or(16), exclusive_or(24)]
    descent = Descent(rule=Momentum(), length=Constant(0.1))
    position = descent.start(problems[0].network.initialise(np.random.default_rng(0)))
    assert [record.iteration for record in descend(descent, position, problems)] == [0, 1, 2]


def make_model():
    network = multilayer((3, 5, 4, 2), "tanh")
    theta = network.initialise(np.random.default_rng(0), bias=0.1)
    return Model(
        network=network, parameters=theta, head="softmax", notes={"classes": ["noise", "event"]}
    )


def test_saved_model_predicts_the_same_and_its_bytes_depend_on_content_alone(tmp_path):
    model = make_model()
    paths = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in paths:
        save_model(path, model)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "two.npz"]
    loaded = load_model(paths[0])
    x = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
    assert loaded.predict(x).tobytes() == model.predict(x).tobytes()
    np.testing.assert_allclose(loaded.predict(x).sum(axis=1), 1.0, rtol=1e-6)
    assert loaded.notes == {"classes": ["noise", "event"]}
    assert loaded.network == model.network


def test_saved_model_is_a_plain_npz_with_named_weights(tmp_path):
    model = make_model()
    save_model(tmp_path / "model.npz", model)
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {"spec", "W1", "b1", "W2", "b2", "W3", "b3"}
        np.testing.assert_array_equal(archive["W2"], model.network.split(model.parameters)[1][0])
        assert json.loads(str(archive["spec"]))["head"] == "softmax"


def rewritten(path, change):
    with np.load(path) as archive:
        arrays = dict(archive)
    spec = json.loads(str(arrays["spec"]))
    change(spec, arrays)
    if "spec" in arrays:
        arrays["spec"] = np.array(json.dumps(spec))
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "change",
    [
        lambda spec, arrays: arrays.pop("spec"),
        lambda spec, arrays: arrays.pop("W2"),
        lambda spec, arrays: arrays.update(W2=arrays["W2"].T),
        lambda spec, arrays: spec.update(format="something/9"),
        lambda spec, arrays: spec.update(head="argmax"),
        lambda spec, arrays: spec["parts"].__setitem__(1, {"part": "swish"}),
        lambda spec, arrays: spec["parts"].pop(2),
        lambda spec, arrays: arrays.update(W1=np.array([{"a": "pickle"}], dtype=object)),
    ],
)
def test_contradictory_or_pickled_model_is_refused(change, tmp_path):
    path = tmp_path / "model.npz"
    save_model(path, make_model())
    rewritten(path, change)
    with pytest.raises(FormatError, match=r"model\.npz"):
        load_model(path)


def test_files_that_are_something_else_are_refused(tmp_path):
    path = tmp_path / "other.npz"
    for content in (b"", b"not a zip", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            load_model(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("spec", "text that is no array")
    with pytest.raises(FormatError):
        load_model(path)
    save_model(path, make_model())
    with pytest.raises(FormatError, match=r"expected 'zilzal\.learn\.checkpoint/1'"):
        load_checkpoint(path)


def test_only_known_parts_can_be_saved(tmp_path):
    network = multilayer((2, 3, 1))
    odd = replace(network.parts[1], name="odd")
    strange = replace(network, parts=(network.parts[0], odd, network.parts[2]))
    model = Model(network=strange, parameters=np.zeros(strange.size))
    with pytest.raises(ValueError, match="cannot be saved"):
        save_model(tmp_path / "model.npz", model)


def test_best_loss_of_an_unwatched_training_survives_its_checkpoint(tmp_path):
    training, problem = Training(epochs=3), exclusive_or()
    save_checkpoint(tmp_path / "c.npz", begin(training, problem))
    assert load_checkpoint(tmp_path / "c.npz").best[1] == math.inf


def test_importing_and_running_a_model_needs_numpy_alone(tmp_path):
    save_model(tmp_path / "model.npz", make_model())
    code = f"""
import sys, pathlib, numpy
import zilzal.learn.training, zilzal.learn.functions, zilzal.learn.landscape
from zilzal.learn.files import load_model
model = load_model(pathlib.Path({str(tmp_path / "model.npz")!r}))
model.predict(numpy.zeros((1, 3), numpy.float32))
heavy = {{"torch", "sklearn", "scipy", "matplotlib", "obspy"}} & set(sys.modules)
sys.exit(str(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
