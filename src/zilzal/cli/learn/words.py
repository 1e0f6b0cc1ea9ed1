"""What the commands of the lecture have in common: lists of numbers as text, and the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the figure here (png, svg or pdf).")
]
Seed = Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")]


def numbers(text: str, what: str) -> list[float]:
    """Numbers joined by commas.

    Raises:
        ConfigError: one of them is not a number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"{what} is {text!r}; give numbers joined by commas") from error


def whole_numbers(text: str, what: str) -> list[int]:
    """Whole numbers above zero joined by commas.

    Raises:
        ConfigError: one of them is something else.
    """
    found = numbers(text, what)
    if any(number < 1 or number != int(number) for number in found):
        raise ConfigError(f"{what} is {text!r}; give whole numbers above zero joined by commas")
    return [int(number) for number in found]


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless `low <= value <= high`."""
    if not low <= value <= high:
        raise ConfigError(f"{what} is {value}; it must be from {low} to {high}")


def write_picture(figure: Figure, output: Path | None, console: Console) -> None:
    """Write a figure, and say where.

    Raises:
        ConfigError: the ending is unknown, or the place cannot be written.
    """
    from zilzal.figures.style import save_figure

    if output is None:
        return
    try:
        save_figure(figure, output)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot write the figure {output}: {error}") from error
    console.print(f"picture: {output}", highlight=False)


def shown(values: Sequence[float], *, digits: int = 6) -> str:
    """Numbers in a row."""
    return "  ".join(f"{value:+.{digits}f}" for value in values)
