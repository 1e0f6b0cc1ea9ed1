"""`zilzal learn`: the lecture, run."""

from __future__ import annotations

import typer

from zilzal.cli.learn import descend, gradcheck, initialise, lab, landscape

app = typer.Typer(no_args_is_help=True, help="Run the lecture: each part a table and a figure.")
app.command("gradcheck")(gradcheck.gradcheck)
app.command("initialise")(initialise.initialise)
app.command("descend")(descend.descend)
app.command("landscape")(landscape.landscape)
app.command("lab")(lab.lab)
