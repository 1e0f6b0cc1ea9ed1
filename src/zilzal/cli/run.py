"""`zilzal run`: an archive to a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zilzal.cli import options
from zilzal.cli.progress import showing_until_stopped
from zilzal.cli.serve.beside import ServePort, console_beside
from zilzal.core.errors import StoreError

if TYPE_CHECKING:
    from zilzal.app.archive import Summary


def run(
    sources: options.Sources,
    *,
    inventory: options.Stations,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    configuration: options.ConfigurationFile = None,
    picker: options.PickerName = None,
    earth_model: options.EarthModelName = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    retry_failed: options.RetryFailed = False,
    serve: ServePort = None,
) -> None:
    """Work an archive through: picks, events, magnitudes, types, a catalogue.

    Writes picks.csv, catalogue.csv, catalogue.xml (QuakeML), arrivals.csv, coverage.csv, zilzal.db
    and zilzal.toml (the settings in force). Stopped at any time, the same command goes on.
    """
    from zilzal.app.archive import run_archive
    from zilzal.app.configuration import read_configuration
    from zilzal.io.inventory import read_inventory

    settings = read_configuration(
        configuration,
        options.changes(picker=picker, earth_model=earth_model, workers=workers, cluster=cluster),
    )
    stations = read_inventory(inventory)
    make_folder(output)
    place = settings.store.place(output)
    with console_beside(serve, place, inventory=inventory, waveforms=sources) as wait_for_end:
        with showing_until_stopped(output) as report:
            summary = run_archive(
                sources, stations, output, settings, report, retry_failed=retry_failed
            )
        show_summary(Console(), summary, output)
        wait_for_end()


def make_folder(folder: Path) -> None:
    """Make the folder of results.

    Raises:
        StoreError: that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from error


def show_summary(console: Console, summary: Summary, output: Path) -> None:
    """Print what a run did, what went wrong, and where the results are."""
    table = Table(show_header=False, box=None)
    table.add_row("sensors", f"{summary.sensors}, {summary.station_hours:.1f} station-hours")
    table.add_row("picks", str(summary.picks))
    unsized = f", {summary.unsized} without a magnitude" if summary.unsized else ""
    table.add_row("events", f"{summary.events} in the catalogue{unsized}")
    if summary.unlocated or summary.noise:
        table.add_row(
            "not in it", f"{summary.unlocated} without a location, {summary.noise} taken for noise"
        )
    spent = "  ".join(f"{name} {seconds:.1f}" for name, seconds in summary.seconds.items())
    table.add_row("seconds", spent)
    table.add_row("results", escape(str(output)))
    console.print(table)
    show_troubles(console, summary)


def show_troubles(console: Console, summary: Summary) -> None:
    """Print what was left out and what went wrong, a few lines of each kind."""
    for what, lines in (
        ("left out", summary.unused),
        ("moved", summary.moved),
        ("could not be read", summary.bad_files),
        ("failed", summary.failures),
    ):
        for line in lines[:5]:
            console.print(f"  {what}: {line}", style="yellow", highlight=False, markup=False)
        if len(lines) > 5:
            console.print(f"  {what}: … and {len(lines) - 5} more", style="yellow")
    if summary.failures:
        console.print("  --retry-failed tries again what failed", style="yellow")
