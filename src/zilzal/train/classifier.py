"""Training of the classifiers: `python -m zilzal.train.classifier noise-event -o DIR`.

`montserrat` and `esec` tell kinds of events; `kinds` does so for any folder in SeisBench's
format whose column `source_type` is the class.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from zilzal.classify.features import Features
from zilzal.core.arrays import Array
from zilzal.core.event import EventType
from zilzal.learn.files import save_model
from zilzal.train.class_scores import binary_scores, class_scores
from zilzal.train.excerpts import (
    EVENT,
    NOISE,
    random_table,
    read_kinds,
    read_noise_and_events,
    read_sets,
    whole_table,
)
from zilzal.train.fitting import (
    UNWATCHED,
    ClassifierTraining,
    Trained,
    crossed_folds,
    fused_rows,
    grouped_folds,
    train_classifier,
)
from zilzal.train.members import Watch

logger = logging.getLogger(__name__)

NOISE_ARCHIVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ridgecrest_2019-07-07": (), "mesetas_2019-12-24": (), "anza_1998-01-01": ("AZ.FRD",)}
)
"""Continuous data whose clean spans are learnt as noise: noise that nobody has chosen to be quiet.

The other two stations of the Anza archive are for testing.
"""

NOISE_EVENT = ClassifierTraining(
    features=Features(
        blocks=("onset", "excess", "envelope", "shape"), segment_s=1.0, hop_s=0.5, n_bands=6
    ),
    penalty=3e-3,
    draws=4,
)

MONTSERRAT = ClassifierTraining(
    features=Features(
        blocks=("quantiles", "envelope", "shape"),
        window_s=80.0, low_hz=0.5, high_hz=25.0, n_bands=14, segment_s=4.0, hop_s=1.0,
    ),
    batch_size=32, penalty=1e-2, draws=1,
)  # fmt: skip

ESEC = ClassifierTraining(
    features=Features(
        blocks=("quantiles", "envelope", "shape"),
        window_s=150.0, lead_s=40.0, low_hz=0.2, high_hz=9.0, n_bands=12,
        segment_s=10.0, hop_s=2.5, least_s=40.0,
    ),
    batch_size=32, penalty=1e-2, draws=1,
)  # fmt: skip

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        NOISE: EventType.NOT_EXISTING,
        EVENT: EventType.EARTHQUAKE,
        "volcano-tectonic": EventType.EARTHQUAKE,
        "hybrid": EventType.OTHER,
        "long-period": EventType.OTHER,
        "rockfall": EventType.ROCKSLIDE,
        "lp-rockfall": EventType.ROCKSLIDE,
        "rock-avalanche-or-slide": EventType.LANDSLIDE,
        "debris-flow-or-lahar": EventType.LANDSLIDE,
        "snow-avalanche": EventType.SNOW_AVALANCHE,
        "explosion": EventType.EXPLOSION,
        "quarry blast": EventType.QUARRY_BLAST,
    }
)
"""QuakeML's word for a set's class; "other event" for those not listed, or QuakeML's own."""


def event_types(classes: Sequence[str]) -> dict[str, str]:
    """QuakeML's word for each class."""
    own = {str(kind): kind for kind in EventType}
    return {name: str(EVENT_TYPES.get(name, own.get(name, EventType.OTHER))) for name in classes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be learnt.

    Args:
        name: of the model.
        training: how.
        folder: of a set of kinds; None is noise or event.
        sampling_rate: at which a set of kinds is read.
        about: for the model's notes.
    """

    name: str
    training: ClassifierTraining
    folder: Path | None = None
    sampling_rate: float = 100.0
    about: Mapping[str, str] = field(default_factory=dict[str, str])


def tasks(shared: Path) -> dict[str, Task]:
    """The tasks of the packaged models."""
    kinds = shared / "data" / "event_types"
    return {
        "noise-event": Task(name="noise-event", training=NOISE_EVENT),
        "montserrat": Task(
            name="montserrat",
            training=MONTSERRAT,
            folder=kinds / "montserrat",
            sampling_rate=75.19,
        ),
        "esec": Task(name="esec", training=ESEC, folder=kinds / "esec", sampling_rate=25.0),
    }


def learn_noise_or_event(
    task: Task, shared: Path, *, splits: Sequence[str], watch: Watch = UNWATCHED
) -> Trained:
    """Random windows of all sets; calibrated on folds that share neither station nor event.

    Args:
        task: what is to be learnt.
        shared: the project's folder of data; or any folder of sets in SeisBench's format.
        splits: that are learnt from.
        watch: told of each epoch.
    """
    training = task.training
    if (shared / "data" / "picks").is_dir():
        excerpts = read_noise_and_events(shared, archives=NOISE_ARCHIVES)
    else:
        excerpts = read_sets(sorted(path.parent for path in shared.glob("*/metadata.csv")))
    excerpts = [excerpt for excerpt in excerpts if excerpt.split in splits]
    rng = np.random.default_rng(training.seed)
    table = random_table(training.features, excerpts, rng, draws=training.draws)
    groups = np.array(
        [f"{a} {b}" for a, b in zip(table.labels, table.column("event"), strict=True)]
    )
    folds = crossed_folds(table, training.n_folds, training.seed)
    return train_classifier(
        training,
        table,
        folds=folds,
        groups=groups,
        notes=_notes(task, table.labels),
        watch=watch,
    )


def learn_kinds(task: Task, *, watch: Watch = UNWATCHED) -> Trained:
    """Whole records; calibrated on folds by group of events, all splits of the set together."""
    training = task.training
    if task.folder is None:
        raise ValueError("kinds of events need a folder")
    excerpts = read_kinds(task.folder, sampling_rate=task.sampling_rate)
    table = whole_table(training.features, excerpts)
    events = table.column("event")
    groups = np.array([event.split(" ")[0] for event in events])
    folds = grouped_folds(table, groups, training.n_folds, training.seed)
    return train_classifier(
        training,
        table,
        folds=folds,
        groups=events,
        notes=_notes(task, table.labels),
        watch=watch,
    )


def _notes(task: Task, labels: Array) -> dict[str, Any]:
    return {
        "name": task.name,
        "task": "classify",
        "event_types": event_types(np.unique(labels).tolist()),
        "licence": "Apache-2.0",
        **task.about,
    }


def cross_validated(trained: Trained) -> dict[str, Any]:
    """Scores of the out-of-fold probabilities, by record and fused by event."""
    seen = ~np.isnan(trained.probabilities[:, 0])
    probabilities = trained.probabilities[seen]
    classes, number = np.unique(trained.table.labels[seen], return_inverse=True)
    correlation = float(trained.model.notes["correlation"])
    fused, first = fused_rows(probabilities, trained.groups[seen], correlation)
    if len(classes) == 2:
        truth = number == 0
        return {
            "record": binary_scores(probabilities[:, 0], truth, trained.groups[seen]),
            "event": binary_scores(fused[:, 0], truth[first], np.arange(len(first))),
            "positive class": str(classes[0]),
        }
    names = classes.tolist()
    return {
        "record": class_scores(probabilities, number, names),
        "event": class_scores(fused, number[first], names),
        "classes": names,
    }


def write_trained(trained: Trained, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Write the model and, beside it, its cross-validated scores; both are given back."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{trained.model.notes['name']}.npz"
    save_model(path, trained.model)
    scores = cross_validated(trained)
    text = json.dumps(scores, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path, scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a model, write it beside its cross-validated scores."""
    parser = argparse.ArgumentParser(prog="python -m zilzal.train.classifier", description=__doc__)
    parser.add_argument("task", choices=("noise-event", "montserrat", "esec", "kinds"))
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of data")
    parser.add_argument("--folder", type=Path, help="set of kinds in SeisBench's format")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--splits", nargs="+", default=["train"], help="of noise-event")
    defaults = ClassifierTraining()
    parser.add_argument("--hidden", type=int, nargs="+")
    for name in ("members", "batch_size", "epochs", "draws", "n_folds", "seed"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    for name in ("rate", "penalty"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--rule", help=f"of descent; default {defaults.rule}")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trained = _train(options)
    _, scores = write_trained(trained, options.output)
    logger.info("%s", json.dumps(scores, indent=1))


def _train(options: argparse.Namespace) -> Trained:
    if options.task == "kinds":
        if options.folder is None:
            raise SystemExit("kinds needs --folder")
        task = Task(name=options.folder.name, training=MONTSERRAT, folder=options.folder)
    else:
        task = tasks(options.shared)[options.task]
    names = ("members", "batch_size", "epochs", "draws", "n_folds", "seed", "rate", "penalty")
    told = {name: getattr(options, name) for name in (*names, "rule")}
    told["hidden"] = None if options.hidden is None else tuple(options.hidden)
    chosen = {name: value for name, value in told.items() if value is not None}
    task = replace(task, training=replace(task.training, **chosen))
    if task.folder is None:
        return learn_noise_or_event(task, options.shared, splits=options.splits)
    return learn_kinds(task)


if __name__ == "__main__":
    main()
