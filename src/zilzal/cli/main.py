"""The `zilzal` command: collects the commands, sets up the log, turns errors into messages."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

import zilzal
from zilzal.cli import (
    dataset,
    demo,
    evaluate,
    explain,
    learn,
    models,
    monitor,
    pick,
    plot,
    replay,
    run,
    seedlink,
    serve,
    synth,
    train,
)
from zilzal.core.errors import ConfigError, ZilzalError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a packet of seismic data to a located, typed earthquake with a magnitude.",
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("pick")(pick.pick)
app.command("plot")(plot.plot)
app.command("explain")(explain.explain)
app.command("synth")(synth.synth)
app.add_typer(dataset.app, name="dataset")
app.command("replay")(replay.replay)
app.command("monitor")(monitor.monitor)
app.command("status")(monitor.status)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(learn.app, name="learn")
app.add_typer(models.app, name="models")
app.add_typer(seedlink.app, name="seedlink")
app.add_typer(serve.app, name="serve")
app.add_typer(train.app, name="train")
learn.app.command("train")(train.classifier)


def _show_version(asked: bool) -> None:
    if asked:
        Console().print(f"zilzal {zilzal.__version__}")
        raise typer.Exit


@app.callback()
def common(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every event and state change.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Set the log up; ZILZAL_LOG_LEVEL (DEBUG, INFO, WARNING, ERROR) has the last word."""
    level = os.environ.get("ZILZAL_LOG_LEVEL") or ("INFO" if verbose else "WARNING")
    if level not in LEVELS:
        raise ConfigError(f"ZILZAL_LOG_LEVEL is {level!r}; give one of {', '.join(LEVELS)}")
    handler = RichHandler(console=Console(stderr=True), show_path=False, rich_tracebacks=False)
    for talkative in ("alembic", "distributed"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler])


def main() -> None:
    """Run the command line; an error of ours or a file's ends in a message and exit status 2."""
    try:
        app()
    except (ZilzalError, OSError) as error:
        Console(stderr=True).print(f"[bold red]{type(error).__name__}[/]: ", end="")
        Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print(str(error))
        sys.exit(2)
