"""The loop, what is measured, and the file that comes out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from zilzal.core.errors import ConfigError  # noqa: E402
from zilzal.core.pick import Phase  # noqa: E402
from zilzal.infer.spec import ModelSpec, spec_of  # noqa: E402
from zilzal.models.strided_unet import StridedUNet  # noqa: E402
from zilzal.signal.prepare import Preparation  # noqa: E402
from zilzal.train.calibrate import (  # noqa: E402
    Judged,
    apply_table,
    calibration_table,
    share_within,
    uncertainty_table,
)
from zilzal.train.export import to_onnx  # noqa: E402
from zilzal.train.labels import LABELS  # noqa: E402
from zilzal.train.loop import (  # noqa: E402
    State,
    learn_round,
    picking_loss,
    rate_at,
    teaching_loss,
)
from zilzal.train.mixture import Mixing  # noqa: E402
from zilzal.train.options import PickerTraining  # noqa: E402
from zilzal.train.pool import Pool  # noqa: E402
from zilzal.train.skill import (  # noqa: E402
    Trial,
    best_threshold,
    detection_threshold,
    four_f1,
    pick_trials,
    sweep,
)

pytestmark = pytest.mark.torch

SMALL = StridedUNet(widths=(4, 4, 4, 8), reach=((1, 2),))


def training(output, **options):
    return PickerTraining(
        shared=Path(), output=output, rounds=16, passes=2, windows=16, batch=8, crop=512,
        mixing=Mixing(length=640), network=SMALL, **options,
    )  # fmt: skip


def pool(seed, *, taught=0):
    """Windows with a step of level where the P is; teachers know it too."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(16, 3, 640)).astype(np.float16)
    targets = np.zeros((16, len(LABELS), 640), np.uint8)
    for window, at in enumerate(rng.integers(200, 400, 16)):
        samples[window, :, at:] *= 5
        targets[window, 0, at - 10 : at + 10] = 255
    return Pool(
        samples=samples, targets=targets, weights=np.full_like(targets, 255),
        taught=np.repeat(targets[:, :1], taught, axis=1), sources=np.full(16, "made"),
    )  # fmt: skip


def learn(state, options, numbers):
    losses = []
    for number in numbers:
        rng = np.random.default_rng(number)
        losses.append(learn_round(state, pool(number), options, rng))
        state.rounds_done += 1
    return losses


def test_steps_for_a_gpu_are_those_of_the_cpu(tmp_path):
    from zilzal.train.recorded import RecordedRounds

    options = training(tmp_path, pools=2)
    plain, recorded = fresh(options), fresh(options)
    losses = learn(plain, options, [0, 1, 0])
    rounds = RecordedRounds(recorded, options, pool)
    for number, loss in enumerate(losses):
        rng = np.random.default_rng(number % 2)
        assert rounds(number, rng) == pytest.approx(loss, rel=1e-4)
        recorded.rounds_done += 1
    assert recorded.steps_done == plain.steps_done
    for name, value in plain.averaged.state_dict().items():
        if value.dtype.is_floating_point:
            torch.testing.assert_close(
                recorded.averaged.state_dict()[name], value, rtol=1e-3, atol=1e-5
            )


def test_a_pool_of_fewer_windows_than_a_step_needs_is_refused(tmp_path):
    options = training(tmp_path, without=("other",))
    sources = np.array(["made"] * 7 + ["other"] * 9)
    few = replace(pool(0), sources=sources).without(options.without)
    with pytest.raises(ConfigError, match="7 windows without other, fewer than a batch of 8"):
        learn_round(fresh(options), few, options, np.random.default_rng(0))


def fresh(options):
    torch.manual_seed(0)
    return State.fresh(SMALL, options)


def test_learning_lowers_the_loss(tmp_path):
    options = training(tmp_path)
    losses = learn(fresh(options), options, [0] * 12)
    assert losses[-1] < 0.8 * losses[0]


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path):
    options = training(tmp_path)
    whole = fresh(options)
    learn(whole, options, [0, 1])
    first = fresh(options)
    learn(first, options, [0])
    first.save(tmp_path / "checkpoint.pt")
    second = fresh(options)
    second.load(tmp_path / "checkpoint.pt")
    learn(second, options, [1])
    for name, value in whole.averaged.state_dict().items():
        torch.testing.assert_close(second.averaged.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"rule": "momentum", "rate": 0.1, "length": "cooling"},
        {"rule": "delta_bar_delta", "rate": 0.3, "length": "step"},
        {"rule": "adam", "clip_norm": None, "clip_value": 0.1, "length": "constant"},
        {"initialiser": "he"},
    ],
)
def test_each_of_the_lectures_options_learns(tmp_path, options):
    options = training(tmp_path, **options)
    losses = learn(fresh(options), options, [0] * 12)
    assert losses[-1] < 0.9 * losses[0]


def test_a_rule_of_ours_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(tmp_path):
    options = training(tmp_path, rule="jacobs", rate=0.01)
    whole, first = fresh(options), fresh(options)
    learn(whole, options, [0, 1])
    learn(first, options, [0])
    first.save(tmp_path / "checkpoint.pt")
    second = fresh(options)
    second.load(tmp_path / "checkpoint.pt")
    learn(second, options, [1])
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value, rtol=0, atol=0)


def test_constant_weights_leave_filters_alike_for_ever(tmp_path):
    options = training(tmp_path, initialiser="constant")
    state = fresh(options)
    learn(state, options, [0, 1])
    stem = state.network.stem[0].weight
    assert torch.equal(stem, stem[:1].expand_as(stem))


def test_the_rate_rises_and_cools_to_a_hundredth(tmp_path):
    options = training(tmp_path, rate=0.1)
    rates = [rate_at(options, rounds) for rounds in np.linspace(0, options.rounds, 100)]
    assert rates[0] == 0
    assert max(rates) == pytest.approx(0.1, rel=0.01)
    assert rates[-1] == pytest.approx(0.001)


def test_what_teachers_say_counts_where_nothing_is_labelled(tmp_path):
    options = training(tmp_path, teaching=0.0, belief=1.0)
    logits, taught = torch.zeros(1, 7, 100), torch.ones(1, 2, 100)
    weights = torch.ones(1, 5, 100)
    assert teaching_loss(logits, taught, weights, options) == 0
    weights[:, 0] = 0
    assert float(teaching_loss(logits, taught, weights, options)) == pytest.approx(np.log(2))


def test_each_teacher_has_curves_of_its_own(tmp_path):
    options = training(tmp_path, teaching=1.0, belief=0.0)
    logits, taught = torch.zeros(1, 9, 100), torch.ones(1, 4, 100)
    logits[:, 5:] = 20.0
    assert float(teaching_loss(logits, taught, torch.ones(1, 5, 100), options)) < 1e-6
    assert float(teaching_loss(logits, 1 - taught, torch.ones(1, 5, 100), options)) > 70


def test_what_has_no_weight_costs_nothing():
    logits, targets = torch.randn(2, 3, 100), torch.rand(2, 3, 100)
    weights = torch.zeros(2, 3, 100)
    assert picking_loss(logits, targets, weights, label_weights=(1, 1, 1)) == 0
    weights[:, 0] = 1
    one = picking_loss(logits, targets, weights, label_weights=(1, 1, 1))
    assert picking_loss(logits, targets, weights, label_weights=(2, 1, 1)) == pytest.approx(2 * one)


def test_the_loss_of_ignorance_is_a_bit_a_sample():
    loss = picking_loss(
        torch.zeros(1, 3, 100),
        torch.ones(1, 3, 100),
        torch.ones(1, 3, 100),
        label_weights=(1, 0, 0),
    )
    assert float(loss) == pytest.approx(np.log(2), rel=1e-6)


def test_options_that_contradict_are_refused(tmp_path):
    with pytest.raises(ValueError, match="crop"):
        PickerTraining(shared=tmp_path, output=tmp_path, crop=10_000)
    with pytest.raises(ValueError, match="batch"):
        PickerTraining(shared=tmp_path, output=tmp_path, windows=8)
    with pytest.raises(ConfigError, match="length"):
        PickerTraining(shared=tmp_path, output=tmp_path, length="exact")
    with pytest.raises(ConfigError, match="rule"):
        PickerTraining(shared=tmp_path, output=tmp_path, rule="genetic")
    with pytest.raises(ValueError, match="clip"):
        PickerTraining(shared=tmp_path, output=tmp_path, clip_value=1.0)


def trial(p_sample, *, is_noise=False):
    samples = np.zeros((3, 6000), np.float32)
    samples[0, int(p_sample)] = 1
    truth = {Phase.P: None if is_noise else (float(p_sample),), Phase.S: None}
    return Trial(
        name=str(p_sample), source="made", event=str(p_sample), samples=samples,
        present=np.ones_like(samples, bool), truth=truth, live=(0, 5999), is_noise=is_noise,
    )  # fmt: skip


def knowing(shift, height=0.9):
    """A network that sees the mark in the samples, `shift` samples off."""

    def outputs(samples, present):
        curves = np.zeros_like(samples)
        curves[0] = height * np.roll(samples[0], shift)
        return curves

    return outputs


def test_a_network_that_knows_scores_one_and_one_that_is_late_misses_the_small_tolerance():
    trials = [trial(at) for at in (1000, 2000, 3000)]
    assert sweep(trials, pick_trials(knowing(0), trials)[Phase.P], Phase.P).f1.max() == 1
    late = pick_trials(knowing(15), trials)[Phase.P]
    assert sweep(trials, late, Phase.P, tolerance_s=0.1).f1.max() == 0
    assert sweep(trials, late, Phase.P, tolerance_s=0.2).f1.max() == 1


def test_the_threshold_keeps_noise_quiet():
    trials = [trial(1000), trial(2000, is_noise=True)]

    def outputs(samples, present):
        return knowing(0, 0.9 if samples[0, 1000] else 0.5)(samples, present)

    swept = sweep(trials, pick_trials(outputs, trials)[Phase.P], Phase.P)
    assert best_threshold(swept, false_per_hour=1.0) > 0.5
    assert swept.false_per_noise_hour[0] == pytest.approx(3600 / 58.99, rel=1e-3)


def test_four_f1_name_phase_and_tolerance():
    trials = [trial(1000)]
    for t in trials:
        t.truth[Phase.S] = (1000.0,)
    thresholds = {Phase.P: 0.5, Phase.S: 0.5}
    result = four_f1(trials, pick_trials(knowing(0), trials), thresholds)
    assert result["P@0.1"] == result["P@0.5"] == 1
    assert result["S@0.1"] == 0
    assert result["mean"] == 0.5


def test_the_detection_threshold_splits_event_from_noise():
    from dataclasses import replace

    from zilzal.train.dataset import Coda

    event = replace(trial(1000), codas=(Coda(first=1000, last=3000),))

    def outputs(samples, present):
        curves = np.zeros_like(samples)
        curves[2, :] = 0.3
        curves[2, 1000:3000] = 0.7
        return curves

    assert 0.3 < detection_threshold(outputs, [event]) <= 0.7


def judged(rng, n=4000):
    """Heights whose true probability is their square, residuals that shrink with them."""
    output = rng.uniform(0.05, 0.99, n)
    right = rng.random(n) < output**2
    residual = rng.normal(0, 0.02 + 0.1 * (1 - output[right]))
    return Judged(output=output, is_right=right, residual_s=residual)


def test_calibration_recovers_the_share_that_is_right():
    table = calibration_table(judged(np.random.default_rng(0)))
    heights, probabilities = np.array(table).T
    assert (np.diff(probabilities) > 0).all()
    inner = (heights > 0.2) & (heights < 0.95)
    np.testing.assert_allclose(probabilities[inner], heights[inner] ** 2, atol=0.07)


def test_two_thirds_of_other_residuals_lie_within_the_uncertainty():
    rng = np.random.default_rng(0)
    known, other = judged(rng), judged(rng)
    table = calibration_table(known)
    sigmas = uncertainty_table(known, apply_table(table, known.output))
    x, y = np.array(sigmas).T
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) <= 0).all()
    sigma_s = apply_table(sigmas, apply_table(table, other.output))
    assert share_within(other, sigma_s) == pytest.approx(0.68, abs=0.04)


def test_a_network_that_finds_too_little_is_not_released():
    from zilzal.core.errors import ModelError
    from zilzal.train.findings import measure

    trials = [trial(at) for at in (1000, 2000, 3000)]
    found = pick_trials(knowing(0), trials)
    with pytest.raises(ModelError, match="train it for more rounds"):
        measure(trials, found, trials, found, 1.0)


@pytest.mark.parity
def test_the_exported_file_gives_what_pytorch_gives():
    import onnxruntime

    torch.manual_seed(2)
    network = StridedUNet().build()
    with torch.no_grad():
        network(torch.randn(4, 3, 1024))
    network.eval()
    spec = ModelSpec(
        name="made", version="0", task="pick", sampling_rate=100.0, labels=("P", "S", "detection"),
        window_samples=1024, hop_samples=512, preparation=Preparation(), training_data="none",
        licence="Apache-2.0", seed=2, commit="", created="2026-01-01",
    )  # fmt: skip
    content = to_onnx(network, spec)
    assert spec_of(content) == spec
    assert b"site-packages" not in content
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 1024), (3, 3, 2048)):
        samples = torch.randn(shape)
        with torch.no_grad():
            expected = torch.sigmoid(network(samples)).numpy()
        (seen,) = session.run(None, {"samples": samples.numpy()})
        np.testing.assert_allclose(seen, expected, atol=2e-6)
