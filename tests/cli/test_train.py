"""`zilzal train`: a model the monitor loads, from a folder; stopped and gone on with."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.classify.made import event_record, noise_record
from tests.classify.test_learned import evidence, made_network
from tests.train.made_sets import made_set
from tests.train.test_dataset import row, write_set
from zilzal.classify.learned import LearnedClassifier
from zilzal.classify.model import read_class_model
from zilzal.core.event import EventType
from zilzal.core.pick import Phase
from zilzal.infer.engine import load_model
from zilzal.infer.packaged import find_model
from zilzal.infer.spec import read_spec
from zilzal.pick.motion import find_motion_model
from zilzal.train import members, picker
from zilzal.train.options import PickerTraining
from zilzal.train.start import gentle_options

pytest.importorskip("h5py")
pytest.importorskip("sklearn")

QUICK = ["--epochs", 6, "--members", 2, "--hidden", "8", "--folds", 2, "--batch", 8, "--seed", 3]


def columns(number, stations):
    return {
        "station_network_code": "XX",
        "station_code": f"S{number % stations}",
        "source_id": f"e{number}",
    }


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Long, low-pitched records called rockfall, and short bursts called quarry blast."""
    rng = np.random.default_rng(0)
    rows, arrays = [], {}
    for number in range(24):
        is_fall = number % 2 == 0
        samples = (
            np.cumsum(noise_record(rng), axis=1) if is_fall else event_record(rng, onset_s=20.0)
        )
        label = "rockfall" if is_fall else "quarry blast"
        rows.append(row(f"t{number}", source_type=label, **columns(number, 3)))
        arrays[f"t{number}"] = samples.astype(np.float32)
    return write_set(tmp_path_factory.mktemp("sets") / "made-kinds", rows, arrays)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with one set of noise and events at eight stations."""
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("folder-of-sets")
    rows, arrays = [], {}
    for number in range(32):
        name, is_event = f"t{number}", number % 2 == 0
        told = {"trace_category": "earthquake" if is_event else "noise"}
        if is_event:
            told["trace_p_arrival_sample"] = "2000"
        rows.append(row(name, **columns(number // 2, 8), **told))
        samples = event_record(rng, onset_s=20.0) if is_event else noise_record(rng)
        arrays[name] = samples.astype(np.float32)
    write_set(folder / "one", rows, arrays)
    return folder


@pytest.fixture
def from_kinds(call, kinds, tmp_path):
    """The kinds, trained with plain options, and what was printed."""
    return tmp_path / "out", call("train", "classifier", kinds, "-o", tmp_path / "out", *QUICK)


def test_kinds_become_a_model_that_the_monitor_loads(from_kinds):
    output, said = from_kinds
    model = read_class_model(output / "made-kinds.npz")
    assert model.classes == ("quarry blast", "rockfall")
    assert model.types == (EventType.QUARRY_BLAST, EventType.ROCKSLIDE)
    scores = json.loads((output / "made-kinds.json").read_text())
    assert scores["record"]["f1"] > 0.9
    assert (output / "made-kinds.png").stat().st_size > 10_000
    assert str(output / "made-kinds.npz") in said
    classifier = LearnedClassifier(gate="", kinds=str(output / "made-kinds.npz"))
    found = classifier.classify(evidence(made_network(6, is_event=True)))
    assert set(found.probabilities) == {"quarry blast", "rockfall"}
    assert found.label == "quarry blast"


def test_noise_and_events_become_a_gate(call, sets, tmp_path):
    call("train", "classifier", sets, "-t", "noise-event", "-o", tmp_path, "--draws", 2,
         "--name", "gate", *QUICK, "--epochs", 40)  # fmt: skip
    classifier = LearnedClassifier(gate=str(tmp_path / "gate.npz"))
    heard = classifier.classify(evidence(made_network(6, is_event=True)))
    assert heard.label == "event"
    assert classifier.classify(evidence(made_network(6, is_event=False))).label == "noise"


def test_stopped_training_goes_on_to_the_same_bytes(call, kinds, from_kinds, tmp_path, monkeypatch):
    saved = members.save_checkpoint
    left = [15]

    def save_then_stop(path, progress):
        saved(path, progress)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    again = tmp_path / "again"
    monkeypatch.setattr(members, "save_checkpoint", save_then_stop)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - typer's or Python's own
        call("train", "classifier", kinds, "-o", again, *QUICK)
    assert not (again / "made-kinds.npz").exists()
    trained: list[str] = []
    monkeypatch.setattr(
        members, "save_checkpoint", lambda *a: (trained.append(a[0].name), saved(*a))
    )
    call("train", "classifier", kinds, "-o", again, *QUICK)
    assert len(trained) == 6 * 6 - 15
    for name in ("made-kinds.npz", "made-kinds.json"):
        assert (again / name).read_bytes() == (from_kinds[0] / name).read_bytes()


def test_options_of_the_lecture_reach_the_training(call, kinds, tmp_path):
    call("learn", "train", kinds, "-o", tmp_path, *QUICK, "--rule", "momentum", "--momentum", 0.5,
         "--length", "cooling", "--rate", 0.02, "--clip-norm", 1, "--initialiser", "xavier",
         "--batch", 0, "--window-s", 50, "--high-hz", 20)  # fmt: skip
    model = read_class_model(tmp_path / "made-kinds.npz")
    told = model.network.notes["training"]
    assert (told["rule"], told["momentum"], told["length"]) == ("momentum", 0.5, "cooling")
    assert (told["clip_norm"], told["initialiser"], told["batch_size"]) == (1, "xavier", 0)
    assert (model.features.window_s, model.features.high_hz) == (50.0, 20.0)
    history = json.loads((tmp_path / "made-kinds-checkpoints/all-member-1.json").read_text())
    assert all(epoch["validation_loss"] is None for epoch in history)
    held = json.loads((tmp_path / "made-kinds-checkpoints/fold-1-member-1.json").read_text())
    assert all(0 < epoch["validation_loss"] < 2 for epoch in held)
    assert held[-1]["validation_loss"] < held[0]["validation_loss"]
    # Batch descent makes a step an epoch; the last of six has β = 5/6.
    lengths = [epoch["length"] for epoch in history]
    np.testing.assert_allclose(lengths, 0.02 * (1 - np.arange(6) / 6 * 0.99))


def test_checkpoints_of_other_options_are_refused(kinds, from_kinds, refuse):
    said = refuse("train", "classifier", kinds, "-o", from_kinds[0], *QUICK, "--rate", 0.5)
    assert "other options or data" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rule", "newton"], "unknown rule 'newton'"),
        (["--length", "long"], "unknown length 'long'"),
        (["--initialiser", "ones"], "unknown initialiser 'ones'"),
        (["--clip-norm", 1, "--clip-value", 1], "choose one of them"),
        (["--task", "all"], "unknown task 'all'"),
        (["--low-hz", 30], "low_hz < high_hz"),
        (["--folds", 20], "cannot train on"),
        (["--rule", "gradient_descent", "--rate", 1e30], "no longer finite"),
    ],
)
def test_what_cannot_be_is_refused(kinds, tmp_path, refuse, options, message):
    assert message in refuse("train", "classifier", kinds, "-o", tmp_path, *QUICK, *options)


def test_folder_with_one_class_is_refused(kinds, tmp_path, refuse):
    shutil.copytree(kinds, tmp_path / "one")
    text = (kinds / "metadata.csv").read_text().replace("rockfall", "quarry blast")
    (tmp_path / "one" / "metadata.csv").write_text(text)
    said = refuse("train", "classifier", tmp_path / "one", "-o", tmp_path / "out", *QUICK)
    assert "at least two" in said


def test_missing_extra_is_named(kinds, tmp_path, refuse, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    said = refuse("train", "classifier", kinds, "-o", tmp_path)
    assert "h5py" in said
    assert "zilzal[train]" in said


def test_picker_gets_its_options_and_shows_its_curves(call, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    seen = {}

    def train(training, *, told):
        scores = {f"{phase}@{t}": 0.5 for phase in Phase for t in (0.1, 0.5)}
        history = [
            {"round": n, "loss": 1 / (n + 1), **(scores | {"mean": 0.5} if n else {})}
            for n in range(2)
        ]
        for measured in history:
            told(measured)
        seen["training"] = training
        return picker.TrainedPicker(
            network=None, shape=None, training=training, history=tuple(history)
        )

    monkeypatch.setattr(picker, "train_picker", train)
    monkeypatch.setattr(picker, "release_picker", lambda trained, _: trained.training.output / "x")
    said = call("train", "picker", "--shared", tmp_path, "-o", tmp_path / "out", "--rounds", 2,
                "--seed", 5, "--without", "obst,toc2me", "--rate", 0.001, "--rule", "jacobs",
                "--clip-value", 0.5, "--teacher", "a.onnx", "--teacher", "b.onnx")  # fmt: skip
    assert seen["training"] == PickerTraining(
        shared=tmp_path, output=tmp_path / "out", rounds=2, seed=5, without=("obst", "toc2me"),
        rate=0.001, rule="jacobs", clip_norm=None, clip_value=0.5,
        teachers=(Path("a.onnx"), Path("b.onnx")),
    )  # fmt: skip
    assert (tmp_path / "out" / "training.png").is_file()
    assert str(tmp_path / "out" / "x") in said


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list[PickerTraining]:
    """Trainings that were asked for; none is done."""
    pytest.importorskip("torch")
    trainings: list[PickerTraining] = []
    monkeypatch.setattr(
        picker,
        "train_picker",
        lambda training, **_: (
            trainings.append(training)
            or picker.TrainedPicker(network=None, shape=None, training=training, history=())
        ),
    )
    monkeypatch.setattr(picker, "release_picker", lambda *_: tmp_path)
    return trainings


def test_picker_options_default_to_those_of_the_shipped_one(call, tmp_path, asked):
    call("train", "picker", "--shared", tmp_path, "-o", tmp_path / "out")
    assert asked == [PickerTraining(shared=tmp_path, output=tmp_path / "out")]


def test_picker_without_anything_to_learn_from_says_what_to_give(refuse, tmp_path):
    pytest.importorskip("torch")
    assert "give the shared folder, or sets" in refuse("train", "picker", "-o", tmp_path)


def test_picker_from_a_network_has_gentle_options(call, tmp_path, refuse, asked):
    command = ["train", "picker", "--shared", tmp_path, "-o", tmp_path / "out"]
    call(*command, "--from", "zilzal", "--rounds", 7, "--keep", 0.5)
    options = gentle_options(find_model("zilzal")) | {"rounds": 7, "keep": 0.5}
    assert asked == [PickerTraining(shared=tmp_path, output=tmp_path / "out", **options)]
    assert asked[0].rate < PickerTraining(shared=tmp_path, output=tmp_path).rate
    assert "no network 'nowhere'" in refuse(*command, "--from", "nowhere")
    assert "give no other" in refuse(*command, "--from", "zilzal", "--initialiser", "he")


def test_picker_learns_a_users_own_set_and_goes_on_where_it_stopped(call, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    rng = np.random.default_rng(0)
    rows, arrays = [], {}
    for number in range(60):
        name, samples = f"t{number}", event_record(rng, onset_s=20.0)
        arrays[name] = samples.astype(np.float32)
        rows.append(
            row(name, split="dev" if number % 2 else "train", trace_p_arrival_sample="2000",
                trace_s_arrival_sample="2400", **columns(number, 3))
        )  # fmt: skip
    folder = write_set(tmp_path / "own", rows, arrays)
    command = ["train", "picker", folder, "-o", tmp_path / "out", "--pools", 1, "--windows", 64,
               "--batch", 32, "--rounds", 2, "--passes", 4, "--initialiser", "he"]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr("zilzal.train.findings.FEWEST_RIGHT", 0)
        call(*command)
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [entry["round"] for entry in history] == [0, 1]
    assert history[1]["loss"] < history[0]["loss"]


def test_a_device_that_is_not_there_is_refused_at_once(refuse, tmp_path):
    pytest.importorskip("torch")
    folder = made_set(tmp_path / "own", split="train", seed=1)
    said = refuse("train", "picker", folder, "-o", tmp_path / "out", "--device", "warp")
    assert "cannot use the device 'warp'" in said
    assert not (tmp_path / "out" / "pools").exists()


def test_the_shipped_network_is_tuned_on_a_users_own_sets(call, refuse, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    output = tmp_path / "out"
    learnt = made_set(tmp_path / "own", split="train", seed=1)
    kept_apart = made_set(tmp_path / "apart", n_events=10, n_noise=1, first=20, seed=2)
    command = ["train", "picker", learnt, kept_apart, "-o", output, "--pools", 1,
               "--windows", 32, "--batch", 32, "--rounds", 1]  # fmt: skip
    said = call(*command, "--from", "zilzal", "--rate", 1e-4)
    tuned = output / "zilzal-tuned.onnx"
    assert str(tuned) in said
    spec, begun = read_spec(tuned), read_spec(find_model("zilzal"))
    assert spec.training_data.startswith(f"Began from zilzal {begun.version} (SHA-256 ")
    assert spec.training_data.endswith("Then: Train splits of own, apart.")
    assert (spec.name, spec.preparation, spec.parameters) == (
        "zilzal-tuned", begun.preparation, begun.parameters
    )  # fmt: skip
    card = tuned.with_suffix(".md").read_text()
    assert "--from zilzal.onnx --keep 0.25 " in card
    assert " --rate 0.0001 " in card
    assert "may be forgotten" in card
    # With a minute of noise no others can be chosen.
    assert [spec.thresholds[k] for k in "PS"] == [begun.thresholds[k] for k in "PS"]
    assert "those of the network before" in card
    assert "give another folder" in refuse(*command)


def test_gate_is_trained_on_a_users_own_sets(call, refuse, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    learnt = made_set(tmp_path / "own", split="train", seed=1)
    kept_apart = made_set(tmp_path / "apart", n_events=10, n_noise=1, first=20, seed=2)
    output = tmp_path / "out"
    command = ["train", "gate", learnt, kept_apart, "-o", output, "--pools", 1,
               "--windows", 32, "--batch", 17, "--rounds", 1]  # fmt: skip
    said = call(*command)
    path = output / "zilzal.onnx"
    assert str(path) in said
    spec, begun = read_spec(path), read_spec(find_model("zilzal"))
    assert set(spec.gate) == set(spec.labels)
    assert spec.thresholds == begun.thresholds
    assert "zilzal train gate --network zilzal.onnx " in spec.card
    assert load_model(path).spec == spec
    assert "blank = 1" in refuse("train", "gate", learnt, "-o", output, "--batch", 1)


def own_set(tmp_path, count):
    rng = np.random.default_rng(0)
    rows, arrays = [], {}
    for number in range(count):
        name, samples = f"t{number}", event_record(rng, onset_s=20.0)
        arrays[name] = samples.astype(np.float32)
        rows.append(row(name, split="train", trace_p_arrival_sample="2000", **columns(number, 3)))
    return write_set(tmp_path / "own", rows, arrays)


def test_motions_are_learnt_from_a_users_own_set(call, tmp_path):
    said = call("train", "motion", own_set(tmp_path, 60), "-o", tmp_path / "out",
                "--examples", 400, "--epochs", 1)  # fmt: skip
    network = tmp_path / "out" / "first-motion.npz"
    assert str(network) in said
    assert find_motion_model(str(network)).notes["motions"].keys() == {"own"}
    assert "cross-entropy" in json.loads(network.with_suffix(".json").read_text())


def test_too_few_motions_say_how_many_are_needed(refuse, tmp_path):
    said = refuse("train", "motion", own_set(tmp_path, 4), "-o", tmp_path / "out")
    assert "at least 20" in said
    assert "give the shared folder, or sets" in refuse("train", "motion", "-o", tmp_path / "out")
