"""Tables of scores on the terminal: numbers as text, best values marked, no cell cut off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from zilzal.evaluate.interval import Estimate

BEST, BETTER, WORSE = "bold green", "green", "red"


def show(found: Sequence[Table], console: Console) -> None:
    """Print tables; where the terminal is too narrow it breaks their lines, and no cell is lost."""
    endless = Console(width=1_000)
    needed = max((endless.measure(table).maximum for table in found), default=0)
    wide = Console(file=console.file, width=max(console.width, needed))
    for table in found:
        wide.print(table)


def signed(value: Estimate, *, favour: int, decimals: int = 3) -> str:
    """A difference with its interval, coloured where that holds no zero.

    Args:
        value: the difference.
        favour: 1 where more is better, -1 where less is.
        decimals: shown.
    """
    if not math.isfinite(value.value):
        return "-"
    if not math.isfinite(value.low):
        return f"{value.value:+.{decimals}f}"
    text = f"{value.value:+.{decimals}f} ({value.low:+.{decimals}f} to {value.high:+.{decimals}f})"
    if value.low <= 0 <= value.high:
        return text
    return f"[{BETTER if value.value * favour > 0 else WORSE}]{text}[/]"


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose columns are as wide as their cells, titles broken between words."""
    table = Table(
        title=Text(title, style="bold", no_wrap=True, overflow="ignore"), title_justify="left",
        title_style="", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for place, (column, *cells) in enumerate(zip(columns, *rows, strict=True)):
        words = [8 * " ", *column.split(), *(Text.from_markup(cell).plain for cell in cells)]
        title = fill(column, max(map(len, words), default=8), break_on_hyphens=False)
        table.add_column(escape(title), justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def best_of(values: Sequence[float], best: str | float | None) -> set[int]:
    """Places of the best values; none where all are alike.

    Args:
        values: NaN is never the best.
        best: "largest", "smallest", a number to be near to, or None for none.
    """
    known = {place: value for place, value in enumerate(values) if math.isfinite(value)}
    if best is None or len(set(known.values())) < 2:
        return set()
    if best == "largest":
        wanted = max(known.values())
    elif best == "smallest":
        wanted = min(known.values())
    else:
        wanted = min(known.values(), key=lambda value: abs(value - float(best)))
    return {place for place, value in known.items() if value == wanted}


def number(value: float, decimals: int) -> str:
    """A number, or a dash where there is none."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"


def interval(value: Estimate) -> str:
    """A share with its interval, where that is known."""
    if not math.isfinite(value.low):
        return number(value.value, 3)
    return f"{value.value:.3f} ({value.low:.2f}-{value.high:.2f})"


def span(low: float, high: float) -> str:
    """A bin's bounds."""
    if not math.isfinite(low):
        return f"<{high:g}"
    return f"{low:g}–{high:g}" if math.isfinite(high) else f"≥{low:g}"


def marked(text: str, is_best: bool) -> str:
    """The text of a cell, highlighted if it is the best."""
    return f"[{BEST}]{text}[/]" if is_best else text
