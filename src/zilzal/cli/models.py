"""`zilzal models`: the networks at hand."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="List networks and show their cards.")


@app.command("list")
def list_models() -> None:
    """List the networks that come with the package."""
    from zilzal.infer.packaged import find_model, packaged_models
    from zilzal.infer.spec import read_spec

    table = Table("name", "task", "labels", "rate [Hz]", escape("window [s]"), "licence", "created")
    for name in packaged_models():
        spec = read_spec(find_model(name))
        table.add_row(
            name,
            spec.task,
            " ".join(spec.labels),
            f"{spec.sampling_rate:g}",
            f"{spec.window_samples / spec.sampling_rate:g}",
            spec.licence,
            spec.created,
        )
    Console().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a packaged network, or a file.")],
) -> None:
    """Show a network's card: data, skill, thresholds, provenance."""
    from zilzal.infer.packaged import find_model
    from zilzal.infer.spec import read_spec

    path = find_model(name)
    spec = read_spec(path)
    console = Console()
    console.print(Markdown(spec.card))
    thresholds = ", ".join(f"{label} {value:g}" for label, value in spec.thresholds.items())
    console.print(
        f"thresholds: {thresholds}\nseed {spec.seed}, commit {spec.commit}\n{path}", markup=False
    )
