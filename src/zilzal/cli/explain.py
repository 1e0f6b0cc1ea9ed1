"""`zilzal explain`: why a pick is, or is not, part of an event."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def explain(
    run: Annotated[Path, typer.Argument(help="Folder of a run, with its zilzal.db.")],
    station: Annotated[str, typer.Argument(help="As CI.CCC.")],
    time: Annotated[str, typer.Argument(help="UTC, near the pick; as 2019-07-07T08:02:20.")],
    *,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="Of the stations, if the store does not know."),
    ] = None,
) -> None:
    """Hold the pick nearest to a time against every event that could have it."""
    from zilzal.app.display.holdings import Places, open_holdings
    from zilzal.app.explaining import explain_near
    from zilzal.core.errors import ConfigError
    from zilzal.core.time import Time

    moment = Time.parse(time)
    with open_holdings(run, Places(inventory=tuple(inventory or ()))) as holdings:
        stations = holdings.inventory
    if not stations.channels:
        raise ConfigError(f"{run} does not know where its stations are described; give --inventory")
    told = explain_near(run, station, moment, stations)
    pick = told.pick
    console = Console()
    console.print(
        f"{pick.phase} at {pick.channel_id}, {pick.time}, probability {pick.probability:.2f}, "
        f"± {pick.uncertainty_s:.2f} s",
        highlight=False,
    )
    table = Table("event", "latitude", "longitude", escape("residual [s]"), "verdict")
    for trial in told.trials[:12]:
        table.add_row(
            str(trial.time),
            f"{trial.latitude:.3f}",
            f"{trial.longitude:.3f}",
            f"{trial.residual_s:+.2f}",
            trial.verdict,
        )
    if told.trials:
        console.print(table)
    console.print(told.conclusion, style="bold")
