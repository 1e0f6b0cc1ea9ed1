"""`zilzal dataset`: sets of labelled waveforms."""

from __future__ import annotations

import typer

from zilzal.cli.dataset import build, convert, export, look, merge, split

app = typer.Typer(
    no_args_is_help=True,
    help="Make, divide, join and judge sets of labelled waveforms (SeisBench's format).",
)
app.command("build")(build.build)
app.command("convert")(convert.convert)
app.command("export")(export.export)
app.command("merge")(merge.merge)
app.command("split")(split.split)
app.command("check")(split.check)
app.command("info")(look.info)
app.command("plot")(look.plot)
