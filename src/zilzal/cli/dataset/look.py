"""`zilzal dataset info` and `plot`: what is in a set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zilzal.cli.dataset import words
from zilzal.cli.progress import showing

if TYPE_CHECKING:
    from zilzal.train.sets.survey import Survey

_NOTICES = ("LICENSE*", "LICENCE*", "README*", "CITATION*")


def info(folder: words.SetFolder, *, quick: words.Quick = False) -> None:
    """Tell what is in a set: counts, labels, rates, splits, distributions, licence, problems."""
    from zilzal.train.sets.survey import survey

    words.need_h5py()
    with showing(Console(stderr=True)) as report:
        found = survey(folder, with_waveforms=not quick, told=report)
    console = Console()
    console.print(_overview(found, folder))
    console.print(_distributions(found))
    words.show_tally(console, found.problems, title="problems")


def _overview(found: Survey, folder: Path) -> Table:
    table = Table(show_header=False, box=None)

    def row(name: str, text: str) -> None:
        if text:
            table.add_row(name, Text(text))

    starts = [trace.start_s for trace in found.traces if trace.start_s is not None]
    row("set", found.name)
    row("traces", f"{len(found.traces)}, {found.n_noise} of them noise")
    row("events", str(len(found.events)))
    row("stations", str(len(found.stations)))
    if starts:
        row("time", f"{_day(min(starts))} to {_day(max(starts))}")
    for phase, counts in found.arrivals.items():
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        row(f"{phase} labels", f"{sum(counts.values())}" + (f" ({told})" if told else ""))
    row("first motions", ", ".join(f"{n} {m}" for m, n in sorted(found.polarities.items())))
    row("rates", ", ".join(f"{rate:g} Hz × {n}" for rate, n in sorted(found.rates.items())))
    row("samples", ", ".join(f"{unit} × {n}" for unit, n in sorted(found.units.items())))
    row("splits", ", ".join(f"{split or 'none'} {n}" for split, n in sorted(found.splits.items())))
    for name in ("made_by", "licence", "note"):
        row(name.replace("_", " "), str(found.notes.get(name, "")))
    notices = sorted(path.name for form in _NOTICES for path in folder.glob(form))
    row("see", ", ".join(notices))
    return table


def _day(seconds: float) -> str:
    from zilzal.core.time import Time

    return str(Time.of_unix(seconds))[:19]


def _distributions(found: Survey) -> Table:
    from zilzal.train.sets.survey import quartiles

    table = Table("", "known", "least", "25 %", "median", "75 %", "largest")
    for name, values in (
        ("duration (s)", found.durations_s),
        ("P after the start (s)", found.p_place_s),
        ("S − P (s)", found.s_minus_p_s),
        ("signal to noise (dB)", found.snr_db),
        ("distance (km)", found.distances_km),
        ("magnitude of events", list(found.magnitudes.values())),
    ):
        spread = quartiles(values)
        cells = [""] * 5 if spread is None else [f"{value:.2f}" for value in spread]
        table.add_row(name, str(len(values)), *cells)
    return table


def plot(
    folder: words.SetFolder,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o",
            help="Folder for examples.png and distributions.png, or a file for the examples "
            "alone; DIR/figures if left out.",
        ),
    ] = None,
    number: Annotated[int, typer.Option(min=1, max=60, help="Traces on the page.")] = 15,
    seed: Annotated[int, typer.Option(min=0, help="Of the traces drawn.")] = 0,
    quick: words.Quick = False,
) -> None:  # fmt: skip
    """Draw a page of traces with their labels, and how the set is distributed."""
    import numpy as np

    from zilzal.figures.sets import distributions_figure, examples_figure
    from zilzal.figures.style import save_figure
    from zilzal.train.sets.examples import draw_examples
    from zilzal.train.sets.survey import survey

    words.need_h5py()
    place = output or folder / "figures"
    records, captions = draw_examples(folder, number, np.random.default_rng(seed))
    page = examples_figure(
        records, captions, title=f"{folder.resolve().name}: {len(records)} traces"
    )
    console = Console()
    if place.suffix:
        written = [save_figure(page, place)]
    else:
        written = [save_figure(page, place / "examples.png")]
        with showing(Console(stderr=True)) as report:
            found = survey(folder, with_waveforms=not quick, told=report)
        written.append(save_figure(distributions_figure(found), place / "distributions.png"))
    for path in written:
        console.print(str(path), highlight=False, markup=False)
