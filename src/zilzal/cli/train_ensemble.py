"""`zilzal train ensemble`: one network of several trained ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli.extras import need


def ensemble(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Output folders of zilzal train picker, two or more, all finished."),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for network and card.")],
    false_per_hour: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="False picks an hour of noise that a threshold may let through; 2 if left out.",
        ),
    ] = None,
) -> None:
    """Make one network of several that were trained alike: the mean of their logits.

    It costs what its members cost together. Thresholds, probabilities and uncertainties are
    measured on the development records, as for a single one.
    """
    need("torch", "h5py", "onnx", "onnxscript", work="training")
    from zilzal.train import picker as training_room

    trained = training_room.trained_ensemble(folders, output=output, false_per_hour=false_per_hour)
    path = training_room.release_picker(trained, training_room.release_of(trained.training))
    Console().print(f"network: {path}", highlight=False, markup=False, soft_wrap=True)
