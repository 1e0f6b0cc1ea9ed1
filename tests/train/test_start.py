"""The network a training goes on from: made again from its file, and what learns on in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from tests.infer.networks import gate_network  # noqa: E402
from tests.train.test_learning import SMALL, pool  # noqa: E402
from zilzal.core.errors import ConfigError, ModelError  # noqa: E402
from zilzal.infer.engine import build_model  # noqa: E402
from zilzal.infer.gated import attach_gate  # noqa: E402
from zilzal.infer.packaged import find_model  # noqa: E402
from zilzal.infer.spec import ModelSpec, attach_spec, read_spec  # noqa: E402
from zilzal.signal.prepare import Preparation  # noqa: E402
from zilzal.train.card import data_in_words  # noqa: E402
from zilzal.train.export import to_onnx  # noqa: E402
from zilzal.train.labels import LABELS  # noqa: E402
from zilzal.train.loop import State, learn_round  # noqa: E402
from zilzal.train.mixture import Mixing  # noqa: E402
from zilzal.train.options import PickerTraining  # noqa: E402
from zilzal.train.release import release_of  # noqa: E402
from zilzal.train.start import build_from, gentle_options, mixed_with_start, read_start  # noqa: E402
from zilzal.train.training import shape_of  # noqa: E402

pytestmark = pytest.mark.torch

SHAPE = replace(SMALL, reach=((1, 2), (4, 1), (2, 0)), stem=8, taps=3)
SPEC = ModelSpec(
    name="made", version="3", task="pick", sampling_rate=100.0, labels=LABELS,
    window_samples=1024, hop_samples=512, preparation=Preparation(), training_data="Made records.",
    licence="CC-BY-4.0", seed=2, commit="", created="2026-01-01",
)  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A file whose network has normalised: its statistics, weights and biases are no identity."""
    torch.manual_seed(2)
    network = SHAPE.build()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for _ in range(20):
            network(3 * torch.randn(4, 3, 1024) + 1)
        network.head.bias /= 4
    path = tmp_path_factory.mktemp("start") / "made.onnx"
    path.write_bytes(to_onnx(network.eval(), SPEC))
    return path


def outputs_of(content, samples):
    return build_model(content, gated=False).engine.run(samples)


def samples_for(spec, count=2):
    rng = np.random.default_rng(5)
    return rng.normal(size=(count, 3, spec.window_samples)).astype(np.float32)


def training(output, start, **options):
    return PickerTraining(
        shared=Path(), output=output, rounds=8, windows=16, batch=8, crop=512,
        mixing=Mixing(length=640), start=start, **options,
    )  # fmt: skip


def begin(options):
    return State.fresh(shape_of(options), options)


def curves_again(path):
    """Of a file and of its network made again, on the same samples."""
    start = read_start(path)
    network, samples = build_from(start).eval(), samples_for(start.spec)
    seen = outputs_of(path.read_bytes(), samples)
    assert seen.std() > 0.01
    with torch.no_grad():
        made = torch.sigmoid(network(torch.from_numpy(samples))).numpy()
    np.testing.assert_allclose(made, seen, atol=1e-5)
    return network, samples, seen


@pytest.mark.parity
def test_the_network_made_again_gives_the_curves_of_its_file_and_so_does_its_file(exported):
    assert read_start(exported).shape == SHAPE
    network, samples, seen = curves_again(exported)
    np.testing.assert_allclose(outputs_of(to_onnx(network, SPEC), samples), seen, atol=1e-5)


@pytest.mark.parity
def test_the_packaged_network_is_made_again():
    curves_again(find_model("zilzal"))


def test_a_network_behind_a_gate_is_made_again_without_it(exported, tmp_path):
    spec = replace(SPEC, window_samples=832, reach_samples=(160, 160), gate={"P": 1.0})
    content = attach_spec(exported.read_bytes(), spec)
    path = tmp_path / "gated.onnx"
    path.write_bytes(attach_gate(content, gate_network(np.random.default_rng(0))))
    samples = samples_for(spec)
    assert build_model(path.read_bytes()).engine.run(samples).max() == 0
    assert read_start(path).shape == SHAPE


def test_training_begins_with_its_curves_beside_fresh_ones_for_a_teacher(exported, tmp_path):
    options = training(tmp_path, exported, teachers=(Path("teacher.onnx"),))
    samples = torch.from_numpy(samples_for(SPEC))
    with torch.no_grad():
        curves = torch.sigmoid(begin(options).averaged(samples)).numpy()
    assert curves.shape[1] == 5
    seen = outputs_of(exported.read_bytes(), samples.numpy())
    np.testing.assert_allclose(curves[:, :3], seen, atol=1e-5)


def test_weights_and_biases_learn_on_while_statistics_are_held(exported, tmp_path):
    options = training(tmp_path, exported, rate=1e-2)
    state, untouched = begin(options), begin(options)
    losses = []
    for _ in range(6):
        losses.append(learn_round(state, pool(1), options, np.random.default_rng(1)))
        state.rounds_done += 1
    assert losses[-1] < 0.9 * losses[0]
    before, after = untouched.network.state_dict(), state.network.state_dict()
    for name, value in before.items():
        held = "running" in name or "tracked" in name
        assert torch.equal(after[name], value) == held, name


def test_a_share_of_the_start_is_kept(exported, tmp_path):
    start = read_start(exported)
    begun = build_from(start)
    tuned = build_from(start)
    with torch.no_grad():
        tuned.head.weight += 1.0
    mixed = mixed_with_start(tuned, start, 0.25)
    torch.testing.assert_close(mixed.head.weight, begun.head.weight + 0.75)
    torch.testing.assert_close(tuned.head.weight, begun.head.weight + 1.0)
    torch.testing.assert_close(mixed.stem[0].weight, begun.stem[0].weight)
    with pytest.raises(ValueError, match="keep must be"):
        training(tmp_path, exported, keep=1.0)


def test_a_training_from_another_start_is_not_gone_on_with(exported, tmp_path):
    options = training(tmp_path, exported)
    state = begin(options)
    state.rounds_done = 1
    state.save(tmp_path / "checkpoint.pt")
    again = begin(options)
    again.load(tmp_path / "checkpoint.pt")
    assert again.rounds_done == 1
    other = tmp_path / "other.onnx"
    other.write_bytes(attach_spec(exported.read_bytes(), replace(SPEC, version="4")))
    with pytest.raises(ConfigError, match=r"from made 3 .* not from made 4 .* another folder"):
        begin(training(tmp_path, other)).load(tmp_path / "checkpoint.pt")
    fresh = replace(options, start=None, network=SHAPE)
    with pytest.raises(ConfigError, match="not from fresh weights"):
        begin(fresh).load(tmp_path / "checkpoint.pt")


def test_other_networks_are_refused(exported, tmp_path):
    content = exported.read_bytes()
    path = tmp_path / "other.onnx"
    path.write_bytes(attach_spec(content, replace(SPEC, labels=("noise", "P", "S"))))
    with pytest.raises(ModelError, match=r"curves are noise, P, S, not P, S, detection; give"):
        read_start(path)
    prepared = replace(SPEC.preparation, sampling_rate=50.0)
    path.write_bytes(attach_spec(content, replace(SPEC, sampling_rate=50.0, preparation=prepared)))
    with pytest.raises(ModelError, match="takes 50 Hz"):
        read_start(path)
    path.write_bytes(to_onnx(torch.nn.Conv1d(3, 3, 5, padding=2).eval(), SPEC))
    with pytest.raises(ModelError, match=r"not those of a StridedUNet .*; give `zilzal`"):
        read_start(path)
    with pytest.raises(ModelError, match="no network to go on from"):
        read_start(tmp_path / "nowhere.onnx")


def test_weights_in_another_graph_are_refused(exported, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported)
    first = next(node for node in model.graph.node if node.op_type == "Relu")
    first.op_type = "Tanh"
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="other curves"):
        read_start(tmp_path / "other.onnx")


def test_its_preparation_and_weights_are_kept(exported, tmp_path):
    with pytest.raises(ValueError, match="own weights and shape"):
        training(tmp_path, exported, initialiser="he")
    with pytest.raises(ValueError, match="own weights and shape"):
        training(tmp_path, exported, network=SMALL)
    options = training(tmp_path, exported, preparation=Preparation(highpass_hz=2.0))
    with pytest.raises(ConfigError, match="preparation must be that of made 3"):
        begin(options)
    slow = replace(SPEC.preparation, highpass_hz=2.0)
    path = tmp_path / "slow.onnx"
    path.write_bytes(attach_spec(exported.read_bytes(), replace(SPEC, preparation=slow)))
    options = PickerTraining(shared=Path(), output=tmp_path, **gentle_options(path))
    assert options.preparation == slow
    assert options.rate < PickerTraining(shared=Path(), output=tmp_path).rate
    begin(options)


def test_what_it_began_from_is_said(exported, tmp_path):
    options = replace(training(tmp_path, exported), shared=None, sets=(Path("own"),))
    told = data_in_words(options)
    assert told.startswith("Began from made 3 (SHA-256 ")
    assert (
        "25% are kept, and which had learnt from: Made records. Then: Train splits of own." in told
    )
    release = release_of(options)
    assert (release.name, release.version, release.licence) == ("made-tuned", "3", "CC-BY-4.0")
    assert release.hop_samples == read_spec(exported).hop_samples
