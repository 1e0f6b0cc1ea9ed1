"""`zilzal pick`: waveforms to picks.csv."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli import options
from zilzal.cli.progress import showing_until_stopped
from zilzal.cli.run import show_troubles


def pick(
    sources: options.Sources,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV file of the picks.")],
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="StationXML or CSV, for orientations; optional."),
    ] = None,
    configuration: options.ConfigurationFile = None,
    picker: options.PickerName = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    retry_failed: options.RetryFailed = False,
) -> None:
    """Pick P and S on all sensors of an archive; no inventory is needed.

    Stopped at any time, the same command goes on.
    """
    from zilzal.app.archive import pick_archive
    from zilzal.app.configuration import read_configuration
    from zilzal.io.inventory import read_inventory

    settings = read_configuration(
        configuration, options.changes(picker=picker, workers=workers, cluster=cluster)
    )
    stations = read_inventory(inventory) if inventory else None
    with showing_until_stopped(output) as report:
        summary = pick_archive(
            sources, stations, output, settings, report, retry_failed=retry_failed
        )
    console = Console()
    console.print(
        f"{summary.picks} picks on {summary.sensors} sensors in "
        f"{summary.station_hours:.1f} station-hours: {output}",
        markup=False,
    )
    show_troubles(console, summary)
