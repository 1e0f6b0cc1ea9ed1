"""Pickers that were trained alike as one network: the mean of their logits.

What one training learnt amiss by chance another seldom did; what they agree on stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from zilzal.core.errors import ConfigError
from zilzal.train.labels import LABELS
from zilzal.train.options import PickerTraining
from zilzal.train.training import TrainedPicker, kept_network, shape_of


def trained_ensemble(
    folders: Sequence[Path], *, output: Path, false_per_hour: float | None = None
) -> TrainedPicker:
    """The ensemble of what finished trainings left in their output folders.

    Args:
        folders: of the members, at least two; each holds `training.json` and `checkpoint.pt`.
        output: folder for the ensemble's own network and card.
        false_per_hour: noise picks per hour that a threshold may let through; None for as many as
            the first member's.

    Raises:
        ConfigError: a training is missing, not finished or cannot be read, its records are not
            where they were, or the trainings are unlike (see `ensemble_of`).
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigError(
            f"a folder is given twice in {', '.join(map(str, folders))}; give it once"
        )
    trainings = [_training_in(folder) for folder in folders]
    _refuse_unlike(trainings)
    _refuse_without_records(trainings[0])
    members = [_finished(training) for training in trainings]
    return ensemble_of(members, output=output, false_per_hour=false_per_hour)


def ensemble_of(
    members: Sequence[TrainedPicker], *, output: Path, false_per_hour: float | None = None
) -> TrainedPicker:
    """Several trained pickers as one, for `release_picker`.

    Its `training` is the first member's, but for the folder, the false picks, and all members'
    teachers. Weights are shared with the members, not copied.

    Args:
        members: at least two.
        output: folder for the ensemble's own network and card.
        false_per_hour: noise picks per hour that a threshold may let through; None for as many as
            the first member's.

    Raises:
        ConfigError: there are fewer than two, they learnt from other records or with another
            preparation, went on from a network, or are ensembles themselves.
        ValueError: their curves differ in number.
    """
    from zilzal.models.ensemble import Ensemble, MeanLogits
    from zilzal.models.strided_unet import StridedUNet

    trainings = tuple(member.training for member in members)
    _refuse_unlike(trainings)
    shapes = tuple(each.shape for each in members if isinstance(each.shape, StridedUNet))
    if len(shapes) < len(members):
        raise ConfigError("a member is an ensemble itself; give its own members in its place")
    teachers = {path.name: path for training in trainings for path in training.teachers}
    first = trainings[0]
    return TrainedPicker(
        network=MeanLogits(member.network for member in members).eval(),
        shape=Ensemble(members=shapes),
        training=replace(
            first,
            output=output,
            teachers=tuple(teachers.values()),
            false_per_hour=first.false_per_hour if false_per_hour is None else false_per_hour,
        ),
        history=(),
        members=trainings,
    )


def _training_in(folder: Path) -> PickerTraining:
    """The options of the training that a folder holds."""
    path = folder / "training.json"
    try:
        training = PickerTraining.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"{folder} holds no training ({error}); give output folders of `zilzal train picker`"
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} holds no options of `zilzal train picker`: {error}") from error
    return replace(training, output=folder)


def _finished(training: PickerTraining) -> TrainedPicker:
    """What a training left in its output folder; it went on from no other network."""
    path = training.output / "checkpoint.pt"
    saved, shape = _read_checkpoint(path), shape_of(training)
    averaged = shape.build()
    try:
        done, history = int(saved["rounds_done"]), tuple(saved["history"])
        averaged.load_state_dict(saved["averaged"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ConfigError(
            f"{path} holds another network than training.json beside it says: {error}"
        ) from error
    if done < training.rounds:
        raise ConfigError(
            f"the training in {training.output} is not finished: {done} of {training.rounds} "
            "rounds are done; give the command that began it again, and it goes on"
        )
    return TrainedPicker(
        network=kept_network(averaged, training),
        shape=shape.with_labels(len(LABELS)),
        training=training,
        history=history,
    )


def _read_checkpoint(path: Path) -> dict[str, Any]:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ConfigError(
            f"the training in {path.parent} is not finished: it has no {path.name} yet; give the "
            "command that began it again, and it goes on"
        ) from error
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise ConfigError(f"{path} is no checkpoint of a training: {error}") from error


def _refuse_unlike(trainings: Sequence[PickerTraining]) -> None:
    if len(trainings) < 2:
        raise ConfigError(
            f"an ensemble has at least two members, not {len(trainings)}; give trainings that "
            "differ in seed or shape"
        )
    first, *others = trainings
    for training in trainings:
        if training.start is not None:
            raise ConfigError(
                f"the training in {training.output} went on from {training.start}; make the "
                "ensemble first, then go on from it with `zilzal train picker --from`"
            )
    wanted = _in_common(first)
    for training in others:
        for name, value in _in_common(training).items():
            if value != wanted[name]:
                raise ConfigError(
                    f"{name} is {value} in {training.output}, but {wanted[name]} in "
                    f"{first.output}; the members of an ensemble must learn from the same records, "
                    "prepared alike"
                )


def _in_common(training: PickerTraining) -> dict[str, object]:
    """What the members of an ensemble share; folders may have moved meanwhile."""
    return {
        "preparation": training.preparation,
        "shared": "none" if training.shared is None else "given",
        "sets": sorted(folder.name for folder in training.sets),
        "without": sorted(training.without),
    }


def _refuse_without_records(training: PickerTraining) -> None:
    for folder in (*training.sets, *((training.shared,) if training.shared else ())):
        if not folder.is_dir():
            raise ConfigError(
                f"{folder}, which {training.output} learnt from, is no folder, and thresholds are "
                "chosen on its development records; run the command where the training ran"
            )
