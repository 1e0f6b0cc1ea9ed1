"""`zilzal demo`: the whole graph on what the package brings along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.progress import showing
from zilzal.cli.run import show_summary


def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for everything that is made.")
    ] = Path("zilzal-demo"),
    picker: Annotated[str, typer.Option(help="Picker to use, as neural or stalta.")] = "neural",
    scenario: Annotated[
        Path | None, typer.Option("--scenario", "-s", help="Another synthetic network (TOML).")
    ] = None,
) -> None:
    """Find the earthquakes of a synthetic network, and pick a real one; no network is needed.

    Twelve stations record eight earthquakes and a blast, with noise, gaps and glitches. They go
    through the same pipeline as `zilzal run`, and the result is held against the truth. Then
    recordings of a real event of 2010 that come with ObsPy are picked and drawn.
    """
    from zilzal.app.demonstration import draw_demo, pick_real_event, run_demo
    from zilzal.app.synthetic import read_scenario

    console = Console()
    with showing(Console(stderr=True)) as report:
        shown = run_demo(read_scenario(scenario), output, picker, report)
    show_summary(console, shown.summary, output)
    table = Table("true event", "M", "type", "found", "epicentre", "depth", "time", "magnitude")
    for row in shown.rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"[bold]{shown.found}[/] of {len(shown.rows)} found, {shown.missed} missed, "
        f"{shown.false} false"
    )
    for phase, score in shown.picks.items():
        console.print(
            f"{phase} picks: precision {score.precision.value:.2f}, recall "
            f"{score.recall.value:.2f} of the visible arrivals, median residual "
            f"{score.residuals.median_s.value:+.3f} s"
        )
    for path in [*draw_demo(shown, output), *pick_real_event(output, picker)]:
        console.print(f"picture: {path}", highlight=False)
