"""What several commands of `zilzal train` ask for in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from zilzal.core.errors import ConfigError

Sets = Annotated[
    list[Path] | None,
    typer.Argument(help="Sets in SeisBench's format, with splits train and dev."),
]
Shared = Annotated[Path | None, typer.Option(help="The project's own folder with data and peers.")]
Bank = Annotated[
    Path | None, typer.Option(help="Folder of drawn windows, to share between trainings.")
]
Pools = Annotated[int | None, typer.Option(min=1, help="Different pools of windows.")]
Windows = Annotated[int | None, typer.Option(min=1, help="Of a pool.")]
Drawers = Annotated[int | None, typer.Option(min=1, help="Processes that draw them.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="How often a pool is shown.")]
Batch = Annotated[int | None, typer.Option(min=1, help="Windows of a step.")]
Rate = Annotated[float | None, typer.Option(help="Largest learning rate.")]
Without = Annotated[str, typer.Option(help="Sets to leave out, joined by commas.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Of everything drawn.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Of PyTorch.")]


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were not left out."""
    return {name: value for name, value in options.items() if value is not None}


def named(joined: str) -> tuple[str, ...]:
    """Names that are joined by commas."""
    return tuple(part for part in joined.split(",") if part)


def refuse_missing(folders: Iterable[Path | None]) -> None:
    """Those left out are None.

    Raises:
        ConfigError: one of them is no folder.
    """
    for folder in folders:
        if folder is not None and not folder.is_dir():
            raise ConfigError(f"{folder} is no folder")
