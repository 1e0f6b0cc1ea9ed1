"""`zilzal dataset convert`: other formats to a set, and a set to the course's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli.dataset import words
from zilzal.cli.progress import showing
from zilzal.core.errors import ConfigError


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="The course's .npz or a folder of such; a set, also blocked or in chunks; or a "
            "folder of recordings (miniSEED, SAC, ...) with phase files.",
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the new set, or the .npz file.")
    ],
    to: Annotated[str, typer.Option("--to", help="seisbench, or npz for the course's file.")] = (
        "seisbench"
    ),
    inventory: Annotated[
        list[Path] | None,
        typer.Option(
            "--inventory", "-i", help="Of recordings: StationXML or CSV of stations; repeatable."
        ),
    ] = None,
    longest: Annotated[
        float, typer.Option(min=1.0, help="Longer recordings are left out [s].")
    ] = 600.0,
    status: words.Statuses = "manual,automatic,unknown",
    loose: words.Loose = False,
    earth_model: words.EarthModel = "ak135",
    reach_km: words.Reach = 300.0,
    edge: Annotated[
        float, typer.Option(min=0.0, help="To npz: from an arrival to a cut's ends [s].")
    ] = 3.0,
    seed: Annotated[int, typer.Option(min=0, help="To npz: of the places of cuts.")] = 0,
) -> None:
    """Write labelled waveforms as a set in SeisBench's format, or as the course's .npz.

    Samples keep their type, rate and length. The course's file takes verticals of 60 s at 100 Hz:
    longer traces are cut, others resampled.
    """
    words.need_h5py()
    if to not in ("seisbench", "npz"):
        raise ConfigError(f"--to is {to!r}; give seisbench or npz")
    console = Console()
    with showing(Console(stderr=True)) as report:
        if to == "npz":
            from zilzal.train.sets.course import to_course

            n_traces, tally = to_course(source, output, edge_s=edge, seed=seed, told=report)
            said = f"{n_traces} windows: {output}"
        else:
            from zilzal.io.inventory import read_inventory
            from zilzal.train.sets.convert import convert as converting

            done = converting(
                source,
                output,
                words.choices(cutting={}, status=status, loose=loose, earth_model=earth_model,
                              reach_km=reach_km, margins={}),
                inventory=read_inventory(inventory) if inventory else None,
                longest_s=longest,
                told=report,
            )  # fmt: skip
            said, tally = f"{done.n_traces} traces from {done.kind}: {output}", done.tally
    console.print(said, markup=False, highlight=False, soft_wrap=True)
    words.show_tally(console, tally)
