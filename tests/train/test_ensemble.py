"""Trained pickers as one: from their folders, through its file, and on from there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("h5py")

from tests.train.made_sets import made_set  # noqa: E402
from tests.train.test_learning import SMALL, pool  # noqa: E402
from tests.train.test_start import SPEC, begin, curves_again, samples_for  # noqa: E402
from tests.train.test_start import training as training_from  # noqa: E402
from zilzal.core.errors import ConfigError, ModelError  # noqa: E402
from zilzal.models.ensemble import Ensemble, members_of  # noqa: E402
from zilzal.models.strided_unet import StridedUNet  # noqa: E402
from zilzal.signal.prepare import Preparation  # noqa: E402
from zilzal.train.ensemble import ensemble_of, trained_ensemble  # noqa: E402
from zilzal.train.export import to_onnx  # noqa: E402
from zilzal.train.loop import learn_round  # noqa: E402
from zilzal.train.mixture import Mixing  # noqa: E402
from zilzal.train.options import PickerTraining  # noqa: E402
from zilzal.train.start import mixed_with_start, read_start  # noqa: E402
from zilzal.train.training import train_picker  # noqa: E402

pytestmark = pytest.mark.torch

OTHER = StridedUNet(widths=(4, 8, 4, 8), reach=((1, 2), (4, 1)), stem=8, taps=3)


def options(output, sets, **others):
    return PickerTraining(
        sets=(sets,), output=output, rounds=1, pools=1, windows=8, batch=8, crop=1024,
        mixing=Mixing(length=1088), **others,
    )  # fmt: skip


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    made = made_set(folder / "own", n_events=3, n_noise=1, split="train", seed=1)
    text = (made / "metadata.csv").read_text()
    # One event to test on.
    (made / "metadata.csv").write_text(text.replace("train", "dev", 1))
    return made


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """Two finished trainings, of another shape and seed each."""
    folder = tmp_path_factory.mktemp("trained")
    chosen = {"seed": 4, "network": SMALL}, {"seed": 7, "network": OTHER}
    return tuple(
        train_picker(options(folder / str(number), records, **each))
        for number, each in enumerate(chosen)
    )


def folders_of(trained):
    return [member.training.output for member in trained]


def logits_of(network, samples):
    with torch.no_grad():
        return network(torch.from_numpy(samples)).numpy()


def test_finished_trainings_are_averaged_as_they_were(trained, tmp_path):
    made = trained_ensemble(folders_of(trained), output=tmp_path / "made")
    assert made.shape == Ensemble(members=(SMALL, OTHER))
    assert made.members == tuple(member.training for member in trained)
    assert made.training == replace(trained[0].training, output=tmp_path / "made")
    samples = samples_for(SPEC)
    one, two = (logits_of(member.network, samples) for member in trained)
    assert np.abs(one - two).max() > 0.01
    np.testing.assert_allclose(logits_of(made.network, samples), (one + two) / 2, atol=1e-6)


def test_in_memory_it_is_the_same_and_has_all_members_teachers(trained, tmp_path):
    taught = [
        replace(each, training=replace(each.training, teachers=(Path("a.onnx"), Path(name))))
        for each, name in zip(trained, ("a.onnx", "b.onnx"), strict=True)
    ]
    made = ensemble_of(taught, output=tmp_path, false_per_hour=1.0)
    assert made.training.teachers == (Path("a.onnx"), Path("b.onnx"))
    assert (made.training.seed, made.training.false_per_hour) == (4, 1.0)
    read = trained_ensemble(folders_of(trained), output=tmp_path)
    samples = samples_for(SPEC)
    np.testing.assert_array_equal(
        logits_of(made.network, samples), logits_of(read.network, samples)
    )


def test_options_are_read_back_as_they_were_written(tmp_path):
    written = PickerTraining(
        shared=tmp_path, sets=(Path("a"),), output=tmp_path, without=("b",), network=OTHER,
        teachers=(Path("c.onnx"),), mixing=Mixing(length=7000), clip_norm=None, clip_value=0.5,
    )  # fmt: skip
    assert PickerTraining.from_dict(written.to_dict()) == written
    earlier = {name: value for name, value in written.to_dict().items() if name != "device"}
    assert PickerTraining.from_dict(earlier) == written
    with pytest.raises(ValueError, match="keep must be"):
        PickerTraining.from_dict(written.to_dict() | {"keep": 2.0})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A file of an ensemble that has normalised: its statistics are no identity."""
    torch.manual_seed(3)
    network = Ensemble(members=(SMALL, OTHER)).build()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for _ in range(20):
            network(3 * torch.randn(4, 3, 1024) + 1)
        for member in members_of(network):
            member.head.bias /= 4
    path = tmp_path_factory.mktemp("start") / "made.onnx"
    path.write_bytes(to_onnx(network.eval(), SPEC))
    return path, network


@pytest.mark.parity
def test_its_file_gives_what_pytorch_gives_and_is_made_again(exported):
    path, network = exported
    _, samples, seen = curves_again(path)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits_of(network, samples))), seen, atol=2e-6)
    assert read_start(path).shape == Ensemble(members=(SMALL, OTHER))


def test_all_members_learn_on_from_its_file_and_keep_a_share(exported, tmp_path):
    path, _ = exported
    tuning = training_from(tmp_path, path, rate=1e-2, teachers=(Path("teacher.onnx"),))
    state, before = begin(tuning), begin(tuning)
    losses = []
    for _ in range(6):
        rng = np.random.default_rng(1)
        losses.append(learn_round(state, pool(1, taught=2), tuning, rng))
        state.rounds_done += 1
    assert losses[-1] < 0.9 * losses[0]
    for now, then in zip(members_of(state.network), members_of(before.network), strict=True):
        assert not torch.equal(now.stem[0].weight, then.stem[0].weight)
        assert torch.equal(now.stem[1].running_mean, then.stem[1].running_mean)
    start = read_start(path)
    kept = mixed_with_start(start.shape.build(), start, 1.0)
    for now, then in zip(members_of(kept), members_of(before.network), strict=True):
        assert torch.equal(now.stem[0].weight, then.stem[0].weight)


def test_weights_of_a_member_that_are_missing_are_told(exported, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported[0])
    for tensor in model.graph.initializer:
        if tensor.name == "network.members.1.head.weight":
            tensor.name = "head"
    for node in model.graph.node:
        node.input[:] = ["head" if n == "network.members.1.head.weight" else n for n in node.input]
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"not those of a StridedUNet .*members\.1\.head"):
        read_start(tmp_path / "other.onnx")


def refused(trained, folder, *, match):
    with pytest.raises(ConfigError, match=match):
        ensemble_of(trained, output=folder)


def changed(member, **others):
    return replace(member, training=replace(member.training, **others))


def test_networks_that_were_not_trained_alike_are_refused(trained, tmp_path):
    one, two = trained
    refused([one], tmp_path, match="at least two members, not 1")
    refused([one, changed(two, without=("obst",))], tmp_path, match=r"without is \['obst'\] in")
    other = changed(two, preparation=Preparation(highpass_hz=2.0))
    refused([one, other], tmp_path, match="preparation is .*highpass_hz=2.0")
    refused([one, changed(two, sets=(Path("x"),))], tmp_path, match=r"sets is \['x'\] in .* alike")
    refused([one, changed(two, shared=Path("x"))], tmp_path, match="shared is given in")
    tuned = changed(two, start=Path("zilzal.onnx"), network=None)
    refused([one, tuned], tmp_path, match=r"went on from zilzal.onnx; make the ensemble first")
    refused([one, ensemble_of(trained, output=tmp_path)], tmp_path, match="is an ensemble itself")
    with pytest.raises(ValueError, match="equally many curves"):
        ensemble_of([one, replace(two, shape=OTHER.with_labels(5))], output=tmp_path)
