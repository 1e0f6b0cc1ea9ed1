"""`zilzal train`: classifiers and pickers from folders of labelled records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli import train_ensemble, train_gate
from zilzal.cli.extras import need
from zilzal.cli.learn import words
from zilzal.cli.progress import showing
from zilzal.cli.train_options import (
    Bank,
    Batch,
    Drawers,
    Pools,
    Rate,
    Rounds,
    Seed,
    Sets,
    Shared,
    Threads,
    Windows,
    Without,
    given,
    named,
    refuse_missing,
)
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.learn.training import Epoch
    from zilzal.models.strided_unet import StridedUNet
    from zilzal.train.classifier import Task

app = typer.Typer(no_args_is_help=True, help="Train the monitor's networks on your own data.")
PRESETS = ("montserrat", "esec")


@app.command()
def classifier(
    folder: Annotated[
        Path,
        typer.Argument(
            help="kinds: a set in SeisBench's format, its classes in the column source_type. "
            "noise-event: a folder of such sets."
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for model, scores, curves, checkpoints.")
    ],
    task: Annotated[str, typer.Option("--task", "-t", help="kinds or noise-event.")] = "kinds",
    name: Annotated[
        str, typer.Option(help="Of the model; the folder's or the task's if left out.")
    ] = "",
    like: Annotated[
        str, typer.Option(help="Packaged kinds to take what is not given from: montserrat or esec.")
    ] = "montserrat",
    sampling_rate: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="At which kinds are read [Hz]; the set's commonest if left out."
        ),
    ] = None,
    window_s: Annotated[float | None, typer.Option(help="Length looked at [s].")] = None,
    low_hz: Annotated[float | None, typer.Option(help="Lower edge of the bands [Hz].")] = None,
    high_hz: Annotated[float | None, typer.Option(help="Upper edge of the bands [Hz].")] = None,
    hidden: Annotated[
        str | None, typer.Option(help="Units of the hidden layers, as 32 or 64,32.")
    ] = None,
    members: Annotated[
        int | None, typer.Option(min=1, max=100, help="Networks whose logits are averaged.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", "-r", help="As in learn descend.")] = None,
    length: Annotated[
        str | None,
        typer.Option(
            "--length", "-l", help="constant, cooling, step, cosine, exact or backtracking."
        ),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="α, of the first step.")] = None,
    momentum: Annotated[float | None, typer.Option(help="γ of momentum and nesterov.")] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Bound on the gradient's norm.")] = None,
    clip_value: Annotated[
        float | None, typer.Option(help="Bound on each element of the gradient.")
    ] = None,
    initialiser: Annotated[
        str | None, typer.Option(help="constant, normal, uniform, xavier or he.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=0, help="Rows of a step; 0 is all.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Passes over the rows.")
    ] = None,
    penalty: Annotated[float | None, typer.Option(min=0.0, help="Adds penalty/2 |W|².")] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Windows of each record (noise-event).")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, max=100, help="Of the cross-validation that calibrates.")
    ] = None,
    splits: Annotated[
        str, typer.Option(help="Learnt from (noise-event), joined by commas.")
    ] = "train",
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn.")] = None,
) -> None:
    """Train a classifier that `zilzal run` loads, with its cross-validated scores.

    Writes NAME.npz (the model), NAME.json (scores), NAME.png (curves), and a checkpoint after
    every epoch: stopped at any time, the same command goes on and ends in the same bytes.
    """
    from dataclasses import replace

    from zilzal.learn.choices import check_name

    need("h5py", "sklearn", work="training")
    refuse_missing([folder])
    check_name("task", task, ("kinds", "noise-event"))
    check_name("like", like, PRESETS)
    chosen = {
        "hidden": None if hidden is None else tuple(words.whole_numbers(hidden, "hidden")),
        "members": members, "rule": rule, "length": length, "rate": rate, "momentum": momentum,
        "clip_norm": clip_norm, "clip_value": clip_value, "initialiser": initialiser,
        "batch_size": batch, "epochs": epochs, "penalty": penalty, "draws": draws,
        "n_folds": folds, "seed": seed,
    }  # fmt: skip
    seen = {"window_s": window_s, "low_hz": low_hz, "high_hz": high_hz}
    made = _task(folder, like if task == "kinds" else task, name, chosen, seen)
    if made.folder is not None:
        made = replace(made, sampling_rate=sampling_rate or _commonest_rate(folder))
    _train(made, folder, output, tuple(splits.split(",")))


def _task(
    folder: Path, like: str, name: str, chosen: Mapping[str, Any], seen: Mapping[str, Any]
) -> Task:
    """The preset with what was given on the command line."""
    from dataclasses import replace

    from zilzal.train.classifier import tasks

    preset = tasks(folder)[like]
    try:
        features = replace(preset.training.features, **given(seen))
        training = replace(preset.training, features=features, **given(chosen))
        training.of_rows(1)  # refuses names and numbers before any work
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if preset.folder is None:
        return replace(preset, training=training, name=name or preset.name)
    own = name or folder.resolve().name
    return replace(preset, training=training, name=own, folder=folder)


def _commonest_rate(folder: Path) -> float:
    from statistics import mode

    from zilzal.train.dataset import read_metadata

    rates = [float(line.text("trace_sampling_rate_hz")) for line in read_metadata(folder)]
    if not rates:
        raise ConfigError(f"{folder} has no records")
    return mode(rates)


def _train(task: Task, folder: Path, output: Path, splits: tuple[str, ...]) -> None:
    from zilzal.figures.learning_curves import curves_figure
    from zilzal.train.classifier import learn_kinds, learn_noise_or_event, write_trained
    from zilzal.train.members import Watch

    histories: dict[str, list[Epoch]] = {}
    networks = (task.training.n_folds + 1) * task.training.members
    with showing(Console(stderr=True)) as report:

        def told(name: str, epoch: Epoch) -> None:
            histories.setdefault(name, []).append(epoch)
            report("networks", len(histories), networks, f"{name}, loss {epoch.loss:.4f}")
            report("epochs", epoch.number, task.training.epochs)

        watch = Watch(told=told, folder=output / f"{task.name}-checkpoints")
        try:
            if task.folder is None:
                trained = learn_noise_or_event(task, folder, splits=splits, watch=watch)
            else:
                trained = learn_kinds(task, watch=watch)
        except ValueError as error:  # of data that do not suffice
            raise ConfigError(f"cannot train on {folder}: {error}") from error
    path, scores = write_trained(trained, output)
    console = Console()
    console.print(_score_table(scores))
    shown = curves_figure(histories, title=f"{task.name}: {len(trained.table.labels)} rows")
    words.write_picture(shown, path.with_suffix(".png"), console)
    key = "gate" if task.folder is None else "kinds"
    console.print(f'model: {path}\nin zilzal.toml: [classifier] use = "learned", {key} = "{path}"',
                  highlight=False, markup=False, soft_wrap=True)  # fmt: skip


def _score_table(scores: Mapping[str, Any]) -> Table:
    """Numbers of the cross-validation by record and by event."""
    table = Table("cross-validated", "by record", "by event")
    for name, value in scores["record"].items():
        if isinstance(value, int | float):
            table.add_row(name, f"{value:.4g}", f"{scores['event'][name]:.4g}")
    return table


@app.command()
def picker(
    sets: Sets = None,
    *,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Network to go on from: zilzal, the shipped one, or a file that this command "
            "wrote. Fewer rounds at a smaller rate are the default then.",
        ),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(help="Share of that network's weights in the one that is kept, 0 to below 1."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for checkpoint, network, card, curves.")
    ],
    shared: Shared = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="Network to learn from beside the labels (.onnx); may be repeated."),
    ] = None,
    widths: Annotated[
        str, typer.Option(help="Channels at 1/4, 1/8, 1/16, 1/32 of the rate, joined by commas.")
    ] = "",
    bank: Bank = None,
    pools: Pools = None,
    windows: Windows = None,
    drawers: Drawers = None,
    rounds: Rounds = None,
    passes: Annotated[
        int | None, typer.Option(min=1, help="How often each window is shown in a round.")
    ] = None,
    batch: Batch = None,
    rule: Annotated[
        str | None, typer.Option("--rule", "-r", help="adamw, or as in learn descend.")
    ] = None,
    length: Annotated[
        str | None, typer.Option("--length", "-l", help="cosine, cooling, step or constant.")
    ] = None,
    rate: Rate = None,
    momentum: Annotated[float | None, typer.Option(help="γ of momentum and nesterov.")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0.0, help="Of AdamW.")] = None,
    clip_norm: Annotated[
        float | None, typer.Option(help="Longest gradient; 0 for no bound.")
    ] = None,
    clip_value: Annotated[
        float | None, typer.Option(help="Largest element of the gradient.")
    ] = None,
    initialiser: Annotated[
        str | None,
        typer.Option(help="constant, normal, uniform, xavier or he; PyTorch's if left out."),
    ] = None,
    without: Without = "",
    test_every: Annotated[int | None, typer.Option(min=1, help="Rounds between tests.")] = None,
    seed: Seed = None,
    threads: Threads = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or cuda, where products are in TF32.")
    ] = None,
) -> None:
    """Train a picking network on your own sets, or the shipped one anew, and write its card.

    With --from it goes on from a trained network, for which a hundred records suffice. What else is
    left out is as the shipped network had it. Stopped at any time, the same command goes on from
    the last round.
    """
    need("torch", "h5py", "onnx", "onnxscript", work="training")
    from zilzal.figures.learning_curves import rounds_figure
    from zilzal.infer.packaged import find_model
    from zilzal.train import picker as training_room

    refuse_missing([*(sets or ()), shared])
    chosen = {
        "bank": bank, "pools": pools, "windows": windows, "drawers": drawers, "rounds": rounds,
        "passes": passes, "batch": batch, "rule": rule, "length": length, "rate": rate,
        "momentum": momentum, "weight_decay": weight_decay, "clip_value": clip_value,
        "clip_norm": clip_norm, "initialiser": initialiser, "test_every": test_every,
        "seed": seed, "threads": threads, "device": device, "keep": keep,
        "network": _shape(widths),
    }  # fmt: skip
    begun = {} if start is None else training_room.gentle_options(find_model(start))
    options: dict[str, Any] = begun | given(chosen)
    if clip_norm == 0 or (clip_value is not None and clip_norm is None):
        options["clip_norm"] = None
    try:
        training = training_room.PickerTraining(
            shared=shared, sets=tuple(sets or ()), output=output, teachers=tuple(teacher or ()),
            without=named(without), **options,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(str(error)) from error
    console = Console()
    with showing(Console(stderr=True)) as report:

        def told(measured: Mapping[str, Any]) -> None:
            skill = f", mean F1 {measured['mean']:.3f}" if "mean" in measured else ""
            done, of = measured["round"] + 1, training.rounds
            report("rounds", done, of, f"loss {measured['loss']:.4f}{skill}")

        trained = training_room.train_picker(training, told=told)
    words.write_picture(rounds_figure(trained.history), output / "training.png", console)
    path = training_room.release_picker(trained, training_room.release_of(training))
    console.print(f"network: {path}", highlight=False, markup=False, soft_wrap=True)


def _shape(widths: str) -> StridedUNet | None:
    """The shape with these channels; None for the wider of the shipped ones."""
    from zilzal.models.strided_unet import StridedUNet

    if not widths:
        return None
    numbers = [part.strip() for part in widths.split(",")]
    if len(numbers) != 4 or not all(part.isdecimal() and int(part) > 0 for part in numbers):
        raise ConfigError(f"--widths {widths}: give four numbers of channels, as in 16,16,32,64")
    a, b, c, d = map(int, numbers)
    return StridedUNet(widths=(a, b, c, d))


@app.command()
def motion(
    sets: Annotated[
        list[Path] | None,
        typer.Argument(help="Sets in SeisBench's format, with a split train."),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for network and scores.")],
    shared: Shared = None,
    examples: Annotated[int | None, typer.Option(min=1, help="Drawn to learn from.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over them.")] = None,
    seed: Seed = None,
) -> None:
    """Train the network that reads first motions, on your own sets or as the shipped one was.

    It learns from clear onsets, whose motions a rule reads where no analyst did, under real noise.
    """
    need("h5py", work="training")
    from zilzal.learn.files import save_model
    from zilzal.train.first_motion import MotionTraining, train_first_motion
    from zilzal.train.shared import read_training_records

    folders = (*(sets or ()), *((shared,) if shared else ()))
    if not folders:
        raise ConfigError("there is nothing to learn from; give the shared folder, or sets")
    refuse_missing(folders)
    training = MotionTraining(
        **given({"examples": examples, "epochs": epochs, "seed": seed}),
    )
    records = read_training_records(shared, sets=tuple(sets or ()))
    with showing(Console(stderr=True)) as report:
        model, scores = train_first_motion(
            records, training,
            told=lambda e: report("epochs", e.number, training.epochs, f"loss {e.loss:.4f}"),
        )  # fmt: skip
    output.mkdir(parents=True, exist_ok=True)
    path = output / "first-motion.npz"
    save_model(path, model)
    path.with_suffix(".json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    table = Table("on events not learnt from", "")
    for name, value in scores.items():
        table.add_row(name, f"{value:.4g}")
    console = Console()
    console.print(table)
    console.print(f'network: {path}\nin zilzal.toml: [picker] first_motions = "{path}"',
                  highlight=False, markup=False, soft_wrap=True)  # fmt: skip


app.command()(train_ensemble.ensemble)
app.command()(train_gate.gate)
