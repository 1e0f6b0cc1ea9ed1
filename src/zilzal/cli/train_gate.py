"""`zilzal train gate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli.extras import need
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


def gate(
    sets: Sets = None,
    *,
    network: Annotated[
        str, typer.Option(help="Picking network that it is for: a name or a file.")
    ] = "zilzal",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for checkpoint, network and card.")
    ],
    shared: Shared = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="As in the training whose --bank is used; may be repeated."),
    ] = None,
    bank: Bank = None,
    pools: Pools = None,
    windows: Windows = None,
    drawers: Drawers = None,
    rounds: Rounds = None,
    batch: Batch = None,
    rate: Rate = None,
    phase_share: Annotated[
        float | None,
        typer.Option(
            help="Of the network's thresholds of P and S, from which on the gate is open."
        ),
    ] = None,
    detection_share: Annotated[
        float | None, typer.Option(help="The same of its detection.")
    ] = None,
    without: Without = "",
    seed: Seed = None,
    threads: Threads = None,
) -> None:
    """Train the gate of a picking network, which is then run only where something happens.

    The gate learns from the network itself; labels are needed for the card alone. What is written
    is the network with the gate inside. Stopped at any time, the same command goes on from the
    last round.
    """
    need("torch", "h5py", "onnx", "onnxscript", work="training")
    from zilzal.infer.engine import load_model
    from zilzal.infer.packaged import find_model
    from zilzal.train.gate import GateTraining, train_gate
    from zilzal.train.gate_release import release_gate
    from zilzal.train.options import PickerTraining

    refuse_missing([*(sets or ()), shared])
    path = find_model(network)
    picker = load_model(path, gated=False)
    # Its own steps are not taken, only its windows drawn.
    drawn = {"bank": bank, "pools": pools, "windows": windows, "drawers": drawers, "seed": seed,
             "batch": 1}  # fmt: skip
    learnt = {"rounds": rounds, "batch": batch, "rate": rate, "threads": threads,
              "phase_share": phase_share, "detection_share": detection_share}  # fmt: skip
    try:
        training = GateTraining(
            windows=PickerTraining(
                shared=shared, sets=tuple(sets or ()), output=output,
                teachers=tuple(teacher or ()), preparation=picker.spec.preparation,
                without=named(without), **given(drawn),
            ),
            **given(learnt),
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(str(error)) from error
    with showing(Console(stderr=True)) as report:

        def told(number: int, loss: float) -> None:
            report("rounds", number + 1, training.rounds, f"loss {loss:.4f}")

        trained = train_gate(training, picker, told=told)
    written = release_gate(training, trained, path)
    Console().print(f"network: {written}", highlight=False, markup=False, soft_wrap=True)
