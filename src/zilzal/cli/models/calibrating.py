"""`zilzal models calibrate`: what a network's outputs mean, measured on labelled records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.extras import need
from zilzal.core.errors import ConfigError


def calibrate(
    name: Annotated[str, typer.Argument(help="Name of a packaged or own network, or a file.")],
    datasets: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATASET...",
            help="Folders in SeisBench's format; with noise records among them, best.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="ONNX file to write.")],
    splits: Annotated[str, typer.Option(help="Of the records, joined by commas.")] = "dev",
    false_per_hour: Annotated[
        float, typer.Option(min=0.0, help="Most picks of a phase per hour of noise.")
    ] = 2.0,
    shifts: Annotated[int, typer.Option(min=1, help="Windows of each record.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the windows' places.")] = 1,
) -> None:
    """Fit thresholds, probabilities and uncertainties of a picking network to labelled records.

    The records should be none that it was trained on.
    """
    need("h5py", work="calibrating")
    from zilzal.infer.packaged import find_model
    from zilzal.infer.spec import read_spec
    from zilzal.train.dataset import read_seisbench
    from zilzal.train.labels import with_codas
    from zilzal.train.recalibrate import Recalibration, recalibrate

    chosen = tuple(splits.split(","))
    records = [
        with_codas(record)
        for folder in datasets
        for record in read_seisbench(folder, splits=chosen)
    ]
    if not records:
        raise ConfigError(f"{', '.join(map(str, datasets))}: no records of the splits {splits}")
    path = find_model(name)
    how = Recalibration(false_per_hour=false_per_hour, shifts=shifts, seed=seed)
    content, findings = recalibrate(path, records, how)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(content)
    before = read_spec(path).thresholds
    table = Table(
        "phase", "threshold before", "threshold", "F1 at 0.1 s", "F1 at 0.5 s",
        "picks per noise hour", "within uncertainty", "calibration error",
    )  # fmt: skip
    for phase, found in findings.items():
        table.add_row(
            phase.value, f"{before.get(phase.value, float('nan')):g}", f"{found.threshold:.2f}",
            f"{found.f1_tight:.3f}", f"{found.f1_loose:.3f}", f"{found.per_noise_hour:.1f}",
            f"{found.within:.2f}", f"{found.calibration_error:.3f}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(f"network: {output}", highlight=False, markup=False, soft_wrap=True)
