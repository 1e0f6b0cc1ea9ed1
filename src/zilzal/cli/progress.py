"""Progress of long work on the terminal, and one line per stage where there is none."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from zilzal.app.progress import Report


@contextmanager
def showing(console: Console) -> Generator[Report]:
    """A `Report` that draws one bar per stage."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int, note: str = "") -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, note=note)
        bars.update(tasks[stage], completed=done, total=total, note=note)

    with bars:
        yield report


@contextmanager
def showing_until_stopped(output: Path) -> Generator[Report]:
    """As `showing`, on stderr; Ctrl-C ends in a message that says how to go on."""
    console = Console(stderr=True)
    try:
        with showing(console) as report:
            yield report
    except KeyboardInterrupt:
        console.print(
            f"stopped; what is done is kept in {output}, and the same command goes on from there",
            markup=False,
        )
        raise typer.Exit(130) from None
