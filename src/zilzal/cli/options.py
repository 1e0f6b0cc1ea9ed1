"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Sources = Annotated[
    list[Path], typer.Argument(metavar="SOURCE...", help="miniSEED files, folders, an SDS root.")
]
Stations = Annotated[
    list[Path], typer.Option("--inventory", "-i", help="StationXML or CSV of stations; repeatable.")
]
ConfigurationFile = Annotated[
    Path | None, typer.Option("--configuration", "-c", help="TOML file of settings.")
]
PickerName = Annotated[
    str | None, typer.Option("--picker", help="Picker to use, as neural or stalta.")
]
EarthModelName = Annotated[
    str | None, typer.Option("--earth-model", help="Built-in earth model, or a TOML or CSV file.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", "-j", help="Processes; 0 is one per core.")
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="local|ADDRESS",
        help="Use a Dask cluster: one on this machine with so many workers, or the scheduler at "
        "an address, as tcp://host:8786; its workers must see the files under the same paths.",
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Try again what an earlier run with the same settings gave up."
    ),
]


def changes(
    *,
    picker: str | None = None,
    earth_model: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Settings from the command line, by table and key."""
    given = {
        ("picker", "use"): picker,
        ("earth", "model"): earth_model,
        ("run", "workers"): workers,
        ("run", "cluster"): cluster,
    }
    tables: dict[str, dict[str, Any]] = {}
    for (table, key), value in given.items():
        if value is not None:
            tables.setdefault(table, {})[key] = value
    return tables
