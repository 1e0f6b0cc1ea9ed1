"""`zilzal train ensemble`: finished trainings become one network, which can be tuned."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.train.made_sets import made_set
from zilzal.cli.main import app
from zilzal.infer.spec import read_spec

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")
pytest.importorskip("onnxscript")

from zilzal.infer.engine import build_model  # noqa: E402
from zilzal.models.ensemble import Ensemble  # noqa: E402
from zilzal.models.strided_unet import StridedUNet, multiply_adds, reach  # noqa: E402
from zilzal.train.mixture import Mixing  # noqa: E402
from zilzal.train.options import PickerTraining  # noqa: E402
from zilzal.train.start import read_start  # noqa: E402
from zilzal.train.training import train_picker  # noqa: E402

pytestmark = pytest.mark.torch

SHAPES = (
    StridedUNet(widths=(4, 4, 4, 8), reach=((1, 2),)),
    StridedUNet(widths=(4, 8, 4, 8), reach=((4, 1),)),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two trainings on a set with a few events to test on."""
    folder = tmp_path_factory.mktemp("trained")
    learnt = made_set(folder / "own", n_events=3, n_noise=1, split="train", seed=1)
    apart = made_set(folder / "apart", n_events=4, n_noise=1, first=20, seed=2)
    return [
        train_picker(
            PickerTraining(
                sets=(learnt, apart), output=folder / f"seed-{seed}", seed=seed, network=shape,
                rounds=1, pools=1, windows=8, batch=8, crop=1024, mixing=Mixing(length=1088),
            )
        )
        for seed, shape in enumerate(SHAPES, start=3)
    ]  # fmt: skip


@pytest.fixture
def folders(trained):
    return [member.training.output for member in trained]


@pytest.fixture(scope="module")
def releasing():
    """Networks that have learnt next to nothing are not refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zilzal.train.findings.FEWEST_RIGHT", 0)
        yield


@pytest.fixture(scope="module")
def released(trained, releasing, tmp_path_factory):
    """The ensemble's file, and what was printed."""
    output = tmp_path_factory.mktemp("released") / "out"
    words = ["train", "ensemble", *(str(member.training.output) for member in trained)]
    done = CliRunner().invoke(app, [*words, "-o", str(output), "--false-per-hour", "1"])
    assert done.exit_code == 0, done.output
    return output / "zilzal.onnx", done.stdout


def test_finished_trainings_become_one_network(trained, released):
    path, said = released
    assert str(path) in said.replace("\n", "")
    spec, model = read_spec(path), build_model(path.read_bytes())
    networks = [member.network for member in trained]
    assert spec.seed == 3
    assert spec.reach_samples == tuple(map(max, zip(*map(reach, networks), strict=True)))
    assert spec.parameters == sum(p.numel() for n in networks for p in n.parameters())
    cost = sum(multiply_adds(n, spec.window_samples) for n in networks) * spec.window_samples / 3001
    assert spec.multiply_adds == pytest.approx(cost, abs=1)
    samples = np.random.default_rng(0).normal(size=(1, 3, spec.window_samples)).astype(np.float32)
    with torch.no_grad():
        one, two = (network(torch.from_numpy(samples)) for network in networks)
    expected = torch.sigmoid((one + two) / 2).numpy()
    np.testing.assert_allclose(model.engine.run(samples), expected, atol=2e-6)


def test_it_is_tuned_like_any_other(call, trained, released, tmp_path):
    call("train", "picker", *trained[0].training.sets, "--from", released[0], "-o", tmp_path,
         "--pools", 1, "--windows", 8, "--batch", 8, "--rounds", 1)  # fmt: skip
    tuned = tmp_path / "zilzal-tuned.onnx"
    assert read_start(tuned).shape == Ensemble(members=SHAPES)
    card = tuned.with_suffix(".md").read_text()
    assert "logits of 2 U-Nets" in card
    assert "trained alike" not in card


def test_its_card_says_what_it_is_made_of_and_how(trained, released):
    card = released[0].with_suffix(".md").read_text()
    parameters = [sum(p.numel() for p in member.network.parameters()) for member in trained]
    assert "logits of 2 U-Nets" in card
    assert "trained alike" in card
    assert f"- channels 4, 4, 4, 8: {parameters[0]:,} parameters" in card
    assert f"- channels 4, 8, 4, 8: {parameters[1]:,} parameters" in card
    assert "Train splits of own, apart." in card
    assert "24 false picks a station-day" in card
    made = card.partition("## Reproduction")[2]
    assert "--widths 4,4,4,8 --rounds 1 --pools 1 --windows 8 --batch 8 --seed 3 -o DIR_1`" in made
    assert "--widths 4,8,4,8 --rounds 1 --pools 1 --windows 8 --batch 8 --seed 4 -o DIR_2`" in made
    assert "`zilzal train ensemble DIR_1 DIR_2 --false-per-hour 1 -o DIR`" in made


def test_folders_without_a_finished_training_are_refused(refuse, folders, tmp_path):
    def said(*given):
        return refuse("train", "ensemble", *given, "-o", tmp_path / "out")

    one, two = folders
    assert "at least two members, not 1" in said(one)
    assert "given twice" in said(one, one)
    assert "holds no training" in said(one, tmp_path)
    again = tmp_path / "again"
    shutil.copytree(two, again)
    told = json.loads((again / "training.json").read_text())
    (again / "training.json").write_text(json.dumps(told | {"rounds": 5}))
    assert "is not finished: 1 of 5 rounds are done" in said(one, again)
    (again / "training.json").write_text(json.dumps(told | {"network": None}))
    assert "another network than training.json beside it says" in said(one, again)
    (again / "training.json").write_text(json.dumps(told | {"keep": 2}))
    assert "holds no options of `zilzal train picker`" in said(one, again)
    (again / "training.json").write_text(json.dumps(told | {"without": ["own"]}))
    assert "without is ['own'] in" in said(one, again)
    (again / "training.json").write_text(json.dumps(told | {"start": "made.onnx", "network": None}))
    assert "went on from made.onnx" in said(one, again)
    (again / "training.json").write_text(json.dumps(told))
    (again / "checkpoint.pt").write_bytes(b"cut")
    assert "is no checkpoint" in said(one, again)
    (again / "checkpoint.pt").unlink()
    assert "it has no checkpoint.pt yet" in said(one, again)
    assert not (tmp_path / "out").exists()


def test_records_that_have_moved_are_told(refuse, folders, tmp_path):
    moved = [tmp_path / folder.name for folder in folders]
    for folder, to in zip(folders, moved, strict=True):
        shutil.copytree(folder, to)
        path = to / "training.json"
        path.write_text(path.read_text().replace("/own", "/gone/own"))
    said = refuse("train", "ensemble", *moved, "-o", tmp_path / "out")
    assert "gone/own, which" in said
    assert "run the command where the training ran" in said
