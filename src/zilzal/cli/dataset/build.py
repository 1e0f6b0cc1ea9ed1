"""`zilzal dataset build`: a catalogue and an archive to a set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zilzal.cli import options
from zilzal.cli.dataset import words
from zilzal.cli.progress import showing


def build(
    archive: options.Sources,
    *,
    catalogue: Annotated[
        list[Path],
        typer.Option(
            "--catalogue", "-c",
            help="Events with picks: QuakeML, SCML, NORDIC, NonLinLoc, HypoDD and others, "
            "picks.csv and catalogue.csv, or a folder of such; repeatable.",
        ),
    ],
    inventory: options.Stations,
    output: words.NewFolder,
    length: Annotated[float, typer.Option(min=1.0, help="Of a window [s].")] = 60.0,
    edge: Annotated[
        float, typer.Option(min=0.0, help="Least time from an arrival to a window's ends [s].")
    ] = 3.0,
    noise: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Share of the windows that is noise.")
    ] = 0.2,
    noise_before: Annotated[
        float, typer.Option(min=0.0, help="Noise ends so long before a first arrival [s].")
    ] = 10.0,
    noise_after: Annotated[
        float,
        typer.Option(
            min=0.0, help="Noise begins so long after a last arrival, and after the coda [s]."
        ),
    ] = 120.0,
    noise_below: Annotated[
        float | None,
        typer.Option(
            help="Leave noise out whose loudest half second has so many times the energy of its "
            "median one (2 to 12 Hz), as 10; all is taken if left out."
        ),
    ] = None,
    status: words.Statuses = "manual,automatic,unknown",
    loose: words.Loose = False,
    every_sensor: Annotated[
        bool,
        typer.Option("--every-sensor", help="All sensors of a station, not the one picked on."),
    ] = False,
    earth_model: words.EarthModel = "ak135",
    reach_km: words.Reach = 300.0,
    licence: Annotated[str, typer.Option(help="Of the waveforms, for dataset.json.")] = "",
    note: Annotated[str, typer.Option(help="For people, for dataset.json.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 0,
) -> None:  # fmt: skip
    """Cut windows around a catalogue's arrivals, and of noise, out of an archive.

    Writes metadata.csv, waveforms.hdf5 (SeisBench's format) and dataset.json: how it was made and
    what was left out. Stopped at any time, the same command goes on.
    """
    from zilzal.io.archive import Archive
    from zilzal.io.inventory import read_inventory
    from zilzal.io.phases import read_phases
    from zilzal.train.sets.build import Sources, build_set

    words.need_h5py()
    cutting: dict[str, Any] = {
        "length_s": length, "edge_s": edge, "noise": noise, "noise_below": noise_below,
        "every_sensor": every_sensor, "seed": seed,
    }  # fmt: skip
    choices = words.choices(
        cutting=cutting, status=status, loose=loose, earth_model=earth_model, reach_km=reach_km,
        margins={"before_s": noise_before, "after_s": noise_after},
    )  # fmt: skip
    stations = read_inventory(inventory)
    phases = read_phases(catalogue)
    told = {"made_from": [p.name for p in (*archive, *catalogue, *inventory)]}
    told |= {name: text for name, text in (("licence", licence), ("note", note)) if text}
    try:
        with showing(Console(stderr=True)) as report:
            opened = Archive.open(
                archive, progress=lambda n, total, path: report("scan", n, total, path.name)
            )
            sources = Sources(archive=opened, phases=phases, inventory=stations, notes=told)
            built = build_set(sources, choices, output, told=report)
    except KeyboardInterrupt:
        Console(stderr=True).print(
            f"stopped; what is cut is kept in {output / 'parts'}, and the same command goes on "
            "from there",
            markup=False,
        )
        raise typer.Exit(130) from None
    console = Console()
    kept = f", {built.n_kept} parts of it from before" if built.n_kept else ""
    n_events = sum(not event.is_loose for event in phases.events)
    console.print(
        f"{built.n_traces} traces, {built.n_noise} of them noise, of {n_events} events "
        f"at {len(opened.sensors())} sensors: {output}{kept}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    words.show_tally(console, built.tally)
