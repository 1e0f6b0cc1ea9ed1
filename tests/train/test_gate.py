"""A gate learns where its network would say anything, and is put into the network's file."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.infer.networks import SPEC, tiny_network  # noqa: E402
from zilzal.core.errors import ConfigError, ModelError  # noqa: E402
from zilzal.infer.engine import OnnxEngine, build_model  # noqa: E402
from zilzal.infer.gated import CELL  # noqa: E402
from zilzal.infer.spec import attach_spec  # noqa: E402
from zilzal.models.gate import Gate  # noqa: E402
from zilzal.models.strided_unet import multiply_adds, reach  # noqa: E402
from zilzal.train import gate as room  # noqa: E402
from zilzal.train.export import curves_to_onnx  # noqa: E402
from zilzal.train.gate import GateTraining, gate_loss, highest, said_of, train_gate  # noqa: E402
from zilzal.train.gate_release import measure_gate, release_gate  # noqa: E402
from zilzal.train.mixture import Mixing  # noqa: E402
from zilzal.train.options import PickerTraining  # noqa: E402
from zilzal.train.pool import Pool  # noqa: E402
from zilzal.train.skill import Trial  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = Gate(widths=(4, 4, 8), taps=5, reach=((1, 1),))
PICKER = replace(
    SPEC, window_samples=832, hop_samples=512, reach_samples=(160, 160)
)  # fmt: skip
LENGTH = 640


def picker():
    content = tiny_network(np.random.default_rng(5))
    return build_model(attach_spec(content, PICKER))


def pool(number):
    """Noise whose level rises in each window, where the picking network says most."""
    rng = np.random.default_rng(number)
    samples = 0.1 * rng.normal(size=(32, 3, LENGTH))
    for window, at in enumerate(rng.integers(100, 500, 32)):
        samples[window, :, at : at + 100] *= 30
    nothing = np.zeros((32, 3, LENGTH), np.uint8)
    return Pool(
        samples=samples.astype(np.float16), targets=nothing, weights=nothing,
        taught=nothing[:, :0], sources=np.full(32, "made"),
    )  # fmt: skip


@pytest.fixture
def training(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_UNJUDGED_CELLS", 0)

    @contextmanager
    def pools_of(_):
        yield pool

    monkeypatch.setattr(room, "pools_of", pools_of)
    windows = PickerTraining(
        shared=Path(), output=tmp_path / "out", pools=2, windows=32, batch=8, crop=LENGTH,
        mixing=Mixing(length=LENGTH),
    )  # fmt: skip
    return GateTraining(windows=windows, network=SMALL, rounds=8, batch=9, cells=LENGTH // CELL)


def test_it_learns_where_the_network_says_much(training):
    losses = []
    training = replace(training, rounds=16)
    network = train_gate(training, picker(), told=lambda _, loss: losses.append(loss))
    assert losses[-1] < 0.8 * losses[0]
    fresh = pool(77)
    with torch.no_grad():
        told = network(torch.from_numpy(fresh.samples.astype(np.float32)))[:, 0].numpy()
    wanted = said_of(picker(), fresh)[:, 0] / 255
    assert np.corrcoef(told.ravel(), wanted.ravel())[0, 1] > 0.5


def test_stopped_training_goes_on_to_the_same_weights(training, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "SAVED_EVERY_S", 0.0)
    whole = train_gate(training, picker()).state_dict()
    again = replace(training, windows=replace(training.windows, output=tmp_path / "again"))

    def stop(number, _):
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_gate(again, picker(), told=stop)
    rounds = []
    resumed = train_gate(again, picker(), told=lambda number, _: rounds.append(number))
    assert rounds == [4, 5, 6, 7]
    for name, value in resumed.state_dict().items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=0)


def test_what_is_wanted_is_the_largest_value_of_each_cell():
    curves = np.zeros((1, 2, 96), np.float32)
    curves[0, 0, 40], curves[0, 1, 95] = 0.7, 0.2
    np.testing.assert_array_equal(
        highest(curves), np.array([[[0, 0.7, 0], [0, 0, 0.2]]], np.float32)
    )
    assert said_of(picker(), pool(0)).shape == (32, 3, LENGTH // CELL)


def test_phases_count_more_than_the_detection():
    wanted = torch.zeros(2, 3, 30)
    silent = torch.full((2, 3, 30), -9.0)
    phase, detection = silent.clone(), silent.clone()
    phase[:, 0], detection[:, 2] = 1.0, 1.0
    assert gate_loss(phase, wanted, 3.0) > 2.9 * gate_loss(detection, wanted, 3.0)


def test_usual_gate_is_small_and_looks_no_farther_than_the_shipped_network():
    from zilzal.infer.packaged import find_model
    from zilzal.infer.spec import read_spec

    spec = read_spec(find_model("zilzal"))
    assert spec.reach_samples is not None
    gate = Gate().build()
    assert multiply_adds(gate) < 19.5e6 / 7  # PhaseNet's
    before, after = reach(gate, cell=CELL)
    assert before + CELL <= spec.reach_samples[0]
    assert after + CELL <= spec.reach_samples[1]


def trials(count):
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        samples = 100 * rng.normal(size=(3, 6_000))
        if number % 2:
            samples[:, 3_000:3_300] *= 30
        made.append(
            Trial(
                name=str(number),
                source="made",
                event=str(number),
                truth={},
                samples=samples.astype(np.float32),
                present=np.ones(samples.shape, bool),
                live=(0, 5_999),
                is_noise=number % 2 == 0,
            )
        )
    return made


@pytest.mark.parametrize(("share", "kept"), [(0.01, 1.0), (1.0, 0.0)])
def test_what_a_gate_lets_through_is_measured(share, kept):
    network = SMALL.build().eval()
    content = curves_to_onnx(network, PICKER)
    opens_at = {label: share * threshold for label, threshold in PICKER.thresholds.items()}
    found = measure_gate(network, content, picker(), trials(6), opens_at)
    assert found.kept == kept
    assert found.open_noise == kept
    assert found.n_picks > 10
    assert found.parameters == sum(p.numel() for p in network.parameters())


def test_file_has_the_gate_its_thresholds_and_a_word_about_it(training, tmp_path, monkeypatch):
    from zilzal.train import gate_release

    monkeypatch.setattr(gate_release, "read_development_records", lambda *_, **__: [])
    monkeypatch.setattr(gate_release, "development_trials", lambda *_, **__: trials(4))
    path = tmp_path / "tiny.onnx"
    path.write_bytes(attach_spec(tiny_network(np.random.default_rng(5)), PICKER))
    training.windows.output.mkdir()
    network = SMALL.build().eval()
    written = release_gate(training, network, path)
    gated = build_model(written.read_bytes())
    share = {label: gated.spec.gate[label] / PICKER.thresholds[label] for label in PICKER.labels}
    assert share == pytest.approx({"P": 0.2, "S": 0.2, "detection": 0.9})
    assert gated.spec.gate_multiply_adds == pytest.approx(
        multiply_adds(network) * PICKER.window_samples / 3001, rel=1e-6
    )
    assert "## Gate" in gated.spec.card
    assert written.with_suffix(".md").read_text() == gated.spec.card
    samples = np.random.default_rng(0).normal(size=(1, 3, 832)).astype(np.float32)
    with torch.no_grad():
        made = torch.sigmoid(network(torch.from_numpy(samples))).numpy()
    told = OnnxEngine(curves_to_onnx(network, PICKER)).run(samples)
    np.testing.assert_allclose(told, made, atol=1e-5)


def test_gate_of_before_is_replaced_in_the_card_too(training, tmp_path, monkeypatch):
    from zilzal.train import gate_release

    monkeypatch.setattr(gate_release, "read_development_records", lambda *_, **__: [])
    path = tmp_path / "tiny.onnx"
    card = "# tiny\n\n## Gate\nan old one\n\n## Calibrated\nlater\n"
    spec = replace(PICKER, card=card)
    path.write_bytes(attach_spec(tiny_network(np.random.default_rng(5)), spec))
    training.windows.output.mkdir()
    for network in (path, training.windows.output / "tiny.onnx"):
        written = release_gate(training, SMALL.build().eval(), network)
        told = build_model(written.read_bytes()).spec.card
        assert told.count("## Gate") == 1
        assert "an old one" not in told
        assert "## Calibrated\nlater" in told
        # There were no development records.
        assert "Nobody has measured what it lets through." in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reach_samples": (96, 96), "window_samples": 704, "blind_samples": 32}, "smaller reach"),
        ({"reach_samples": None}, "can have no gate"),
    ],
)
def test_network_that_can_have_no_gate_is_refused_before_the_training(training, changes, said):
    network = build_model(
        attach_spec(tiny_network(np.random.default_rng(5)), replace(PICKER, **changes))
    )
    with pytest.raises(ModelError, match=said):
        train_gate(training, network)
    assert not training.windows.output.exists()


def test_training_of_another_networks_gate_is_not_gone_on_with(training):
    train_gate(training, picker())
    other = build_model(attach_spec(tiny_network(np.random.default_rng(6)), PICKER))
    with pytest.raises(ConfigError, match="of the gate of another network"):
        train_gate(training, other)


@pytest.mark.parametrize("name", ["phase_share", "detection_share"])
@pytest.mark.parametrize("share", [0.0, 1.2])
def test_share_that_opens_always_or_never_is_refused(training, name, share):
    with pytest.raises(ValueError, match=f"{name} must be above 0 and at most 1, not {share:g}"):
        replace(training, **{name: share})
