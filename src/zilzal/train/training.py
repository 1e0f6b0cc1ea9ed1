"""Training of the picking network from options to averaged weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, DataError
from zilzal.core.pick import Phase
from zilzal.signal.prepare import Preparation, prepare_record
from zilzal.train.labels import LABELS
from zilzal.train.loop import State, learn_round
from zilzal.train.options import ADAMW, PickerTraining
from zilzal.train.pool import Take, pools_of
from zilzal.train.shared import development_trials, read_development_records
from zilzal.train.skill import Outputs, Trial, choose_thresholds, four_f1, pick_trials
from zilzal.train.start import mixed_with_start, read_start
from zilzal.train.teachers import TAUGHT

if TYPE_CHECKING:
    from torch import nn

    from zilzal.models.ensemble import PickerShape

Told = Callable[[dict[str, Any]], None]
"""Called after each round with what was measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedPicker:
    """What a training leaves.

    Args:
        network: with the averaged weights, in evaluation mode; gives logits.
        shape: of the network.
        training: its options; of an ensemble, see `zilzal.train.ensemble`, what its members' have
            in common.
        history: what was measured round by round.
        members: options of each member's training, in their order, where it is an ensemble.
    """

    network: nn.Module
    shape: PickerShape
    training: PickerTraining
    history: tuple[dict[str, Any], ...]
    members: tuple[PickerTraining, ...] = ()


def outputs_of(network: nn.Module, preparation: Preparation, *, stride: int = 32) -> Outputs:
    """The curves of a network in PyTorch, for windows of any length."""
    import torch

    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def outputs(
        samples: Float32[Array, "component sample"], present: Bool[Array, "component sample"]
    ) -> Float32[Array, "label sample"]:
        prepared = prepare_record(preparation, samples, present, preparation.sampling_rate)
        length = prepared.shape[1]
        padded = np.pad(prepared, ((0, 0), (0, -length % stride)))
        with torch.no_grad():
            logits = network(torch.from_numpy(padded[None]))
        return torch.sigmoid(logits)[0, :, :length].numpy()

    return outputs


SAVED_EVERY_S = 10.0
"""Of a training whose rounds are shorter, an interruption costs so much at most."""


def train_picker(training: PickerTraining, *, told: Told | None = None) -> TrainedPicker:
    """Train a network, going on from the last checkpoint in the output folder.

    Whatever is drawn comes from a generator of its own (seed, number), so that a training that
    was interrupted goes on as it would have. The files `checkpoint.pt`, `history.json` and
    `training.json` are written to the output folder.

    Args:
        training: options.
        told: called after each round with what was measured.

    Raises:
        DataError: the development records have no P, or no S.
        ModelError: the network to go on from cannot be used.
        ConfigError: the output folder holds a training that began otherwise, or there is no such
            device.
    """
    import torch

    _refuse_missing(training.device)
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    shape = shape_of(training)
    state = State.fresh(shape, training)
    training.output.mkdir(parents=True, exist_ok=True)
    checkpoint = training.output / "checkpoint.pt"
    if checkpoint.is_file():
        state.load(checkpoint)
    _write_json(training.output / "training.json", training.to_dict())
    trials = development_trials(
        read_development_records(training.shared, sets=training.sets, without=training.without)
    )
    _refuse_untested(trials)
    if state.rounds_done < training.rounds:
        _learn(state, training, trials, told)
    return TrainedPicker(
        network=kept_network(state.averaged, training),
        shape=shape.with_labels(len(LABELS)),
        training=training,
        history=tuple(state.history),
    )


Round = Callable[[int, np.random.Generator], float]
"""Shows the pool of a round's number; the mean loss."""


def rounds_of(state: State, training: PickerTraining, take: Take) -> Round:
    """How a training's rounds are learnt: on a GPU by recorded steps where the rule allows it."""
    if training.device != "cpu" and training.rule == ADAMW:
        from zilzal.train.recorded import RecordedRounds

        return RecordedRounds(state, training, take)
    return lambda number, rng: learn_round(
        state, take(number % training.pools).without(training.without), training, rng
    )


def _learn(
    state: State, training: PickerTraining, trials: Sequence[Trial], told: Told | None
) -> None:
    """All rounds that are left, tested and saved now and then."""
    with pools_of(training) as take, _without_denormals():
        saved = time.monotonic()
        learn = rounds_of(state, training, take)
        for number in range(state.rounds_done, training.rounds):
            started, last = time.perf_counter(), number + 1 == training.rounds
            loss = learn(number, np.random.default_rng((training.seed, 1, number)))
            measured: dict[str, Any] = {"round": number, "loss": loss}
            measured["seconds"] = round(time.perf_counter() - started, 1)
            if (number + 1) % training.test_every == 0 or last:
                measured |= _test(kept_network(state.averaged, training), training, trials)
            state.rounds_done = number + 1
            state.history.append(measured)
            if time.monotonic() - saved >= SAVED_EVERY_S or last:
                state.save(training.output / "checkpoint.pt")
                _write_json(training.output / "history.json", state.history)
                saved = time.monotonic()
            if told is not None:
                told(measured)


def _refuse_missing(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    # Of an unknown name, a driver that is missing, PyTorch built without CUDA: each another one.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"PyTorch cannot use the device {device!r} ({reason}); give cpu, or cuda where there "
            "is an NVIDIA card and PyTorch was installed with CUDA"
        ) from error


def _refuse_untested(trials: Sequence[Trial]) -> None:
    """Hours of training would end without thresholds."""
    missing = [phase.value for phase in Phase if not any(trial.truth[phase] for trial in trials)]
    if missing:
        raise DataError(
            f"no record of the split dev holds {' or '.join(missing)}, and thresholds and "
            "calibration are chosen on these; `zilzal dataset split` divides sets into splits"
        )


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Denormal numbers, plenty near the end of a training, are slow; they count as zero."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def shape_of(training: PickerTraining) -> PickerShape:
    """The network's shape while it trains: with curves for what teachers say."""
    from zilzal.models.strided_unet import StridedUNet

    begun: PickerShape = training.network or StridedUNet()
    if training.start is not None:
        begun = read_start(training.start).shape
    return begun.with_labels(len(LABELS) + len(TAUGHT) * len(training.teachers))


def kept_network(averaged: nn.Module, training: PickerTraining) -> nn.Module:
    """A copy of the averaged network as it is exported, with its share of the one it began from."""
    from zilzal.models.strided_unet import without_curves

    network = without_curves(averaged, len(LABELS)).cpu().eval()
    if training.start is None:
        return network
    return mixed_with_start(network, read_start(training.start), training.keep)


def _test(network: nn.Module, training: PickerTraining, trials: Sequence[Trial]) -> dict[str, Any]:
    picks = pick_trials(outputs_of(network, training.preparation), trials)
    thresholds = choose_thresholds(trials, picks, false_per_hour=training.false_per_hour)
    measured: dict[str, Any] = dict(four_f1(trials, picks, thresholds))
    measured["thresholds"] = {phase.value: t for phase, t in thresholds.items()}
    return measured


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
