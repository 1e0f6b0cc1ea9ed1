"""`zilzal serve`: the console and the web services of a store, and their accounts."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from zilzal.cli.serve import accounts, console


class _ServeGroup(TyperGroup):
    """`zilzal serve PLACE` is short for `zilzal serve console PLACE`."""

    default_command = "console"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command in where it was left out."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ServeGroup,
    help="Serve the console, its API and FDSN web services: zilzal serve FOLDER.",
)
app.command("console")(console.console)
app.add_typer(accounts.app, name="accounts")
