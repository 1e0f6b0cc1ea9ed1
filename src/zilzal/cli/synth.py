"""`zilzal synth`: a network whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def synth(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the archive.")],
    scenario: Annotated[
        Path | None, typer.Option("--scenario", "-s", help="TOML file; the demo's if left out.")
    ] = None,
) -> None:
    """Write a synthetic network: SDS archive, StationXML, true catalogue and arrivals."""
    from zilzal.app.synthetic import make_synthetic, read_scenario

    made = make_synthetic(read_scenario(scenario), output)
    Console().print(
        f"{len(made.network.stations)} stations, {len(made.network.events)} events: "
        f"{made.waveforms}\n"
        f"inventory: {made.inventory}\ntrue catalogue: {made.catalogue}\n"
        f"true arrivals: {made.arrivals}",
        markup=False,
        soft_wrap=True,
    )
