"""`zilzal models`: the networks at hand."""

from __future__ import annotations

import typer

from zilzal.cli.models import calibrating, checking, importing, listing

app = typer.Typer(no_args_is_help=True, help="List, show, import, check and calibrate networks.")
app.command("list")(listing.list_models)
app.command("show")(listing.show)
app.command("import")(importing.import_model)
app.command("check")(checking.check)
app.command("calibrate")(calibrating.calibrate)
