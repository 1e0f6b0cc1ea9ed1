"""`zilzal dataset export`: what analysts judged in a store, as a set to learn from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli.dataset import words
from zilzal.cli.progress import showing
from zilzal.core.errors import ConfigError


def export(
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="Folder of a run or monitor, a store, a URL.")
    ],
    *,
    output: words.NewFolder,
    reviewed: Annotated[
        bool,
        typer.Option(
            "--reviewed/--all", help="Label what analysts judged alone, or what machines did too."
        ),
    ] = True,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="If the store does not know; repeatable."),
    ] = None,
    waveforms: Annotated[
        list[Path] | None,
        typer.Option("--waveforms", "-w", help="If the store does not know; repeatable."),
    ] = None,
    length: Annotated[float, typer.Option(min=1.0, help="Of a window [s].")] = 60.0,
    noise: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Share of the windows that is noise.")
    ] = 0.2,
    noise_after: Annotated[
        float, typer.Option(min=0.0, help="Noise begins so long after a last arrival [s].")
    ] = 120.0,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 0,
) -> None:
    """Cut the events of a store out of its waveforms, with picks as labels.

    Of events that were judged all picks are labels, those that a machine made and a person left
    standing, too. What nobody looked at is neither label nor noise: it is marked as unknown.
    """
    from zilzal.app.display.holdings import Places, open_holdings
    from zilzal.app.review.labels import count_judged, judged_catalogue
    from zilzal.io.archive import Archive
    from zilzal.io.phases import read_phases
    from zilzal.io.quakeml import write_quakeml
    from zilzal.train.sets.build import Sources, build_set

    words.need_h5py()
    given = Places(inventory=tuple(inventory or ()), waveforms=tuple(waveforms or ()))
    with open_holdings(place, given) as held:
        events = judged_catalogue(held.store.events())
        if reviewed and not count_judged(events):
            raise ConfigError(f"nobody has judged an event in {place}; see zilzal serve, or --all")
        if not held.waveforms.paths:
            raise ConfigError(f"the store at {place} does not know its waveforms; --waveforms")
        archive = Archive.open(held.waveforms.paths)
        stations, model = held.inventory, held.configuration.earth.model
    choices = words.choices(
        cutting={"length_s": length, "noise": noise, "seed": seed},
        status="manual" if reviewed else "manual,automatic", loose=False, earth_model=model,
        reach_km=300.0, margins={"after_s": noise_after},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Path(folder) / "events.xml"
        write_quakeml(catalogue, events)
        phases = read_phases([catalogue])
        notes = {"made_from": [str(place)], "note": "judged by analysts" if reviewed else ""}
        sources = Sources(archive=archive, phases=phases, inventory=stations, notes=notes)
        with showing(Console(stderr=True)) as report:
            built = build_set(sources, choices, output, told=report)
    console = Console()
    console.print(
        f"{built.n_traces} traces, {built.n_noise} of them noise, of {count_judged(events)} "
        f"judged events: {output}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    words.show_tally(console, built.tally)
