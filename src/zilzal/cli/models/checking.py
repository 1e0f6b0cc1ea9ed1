"""`zilzal models check`: a network against what every one must do."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def check(
    name: Annotated[str, typer.Argument(help="Name of a packaged or own network, or a file.")],
) -> None:
    """Try a picking network on synthetic records: specification, probabilities, batch, unit,
    cuts, engines.

    Exit status 1 where one of them fails.
    """  # noqa: D205  the first sentence is too long for a line of code
    from zilzal.app.networks import check_network
    from zilzal.infer.packaged import find_model

    checks = check_network(find_model(name))
    table = Table("check", "", "seen")
    words = {True: "[green]holds[/]", False: "[red]fails[/]", None: "told"}
    for each in checks:
        table.add_row(each.name, words[each.passed], escape(each.said))
    Console().print(table)
    if any(each.passed is False for each in checks):
        raise typer.Exit(1)
