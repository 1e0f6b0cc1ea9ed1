"""`zilzal evaluate`: results against truth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zilzal.cli.evaluate_picks import picks

app = typer.Typer(no_args_is_help=True, help="Compare results with a reference.")
app.command("picks")(picks)


@app.command()
def catalogue(
    reference: Annotated[Path, typer.Argument(help="Reviewed catalogue (CSV or QuakeML).")],
    result: Annotated[Path, typer.Argument(help="Catalogue to judge (CSV or QuakeML).")],
    *,
    time_s: Annotated[float, typer.Option(help="Largest difference of origin times [s].")] = 2.5,
    distance_km: Annotated[float, typer.Option(help="Largest epicentral distance [km].")] = 15.0,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--json", help="Write the comparison here too.")
    ] = None,
) -> None:
    """Match two catalogues one to one; print what was found, missed, and how it differs."""
    import numpy as np

    from zilzal.core.units import metres
    from zilzal.evaluate.catalogue import CatalogueTolerance, compare_catalogues
    from zilzal.io.table_file import whole_file

    rows, ours = _read(reference), _read(result)
    theirs = _hypocentres(rows)
    found = compare_catalogues(
        theirs,
        _hypocentres(ours),
        np.random.default_rng(seed),
        tolerance=CatalogueTolerance(time_s=time_s, distance_m=metres(distance_km)),
    )
    console = Console()
    console.print(
        f"[bold]{len(found.pairs)}[/] of {len(rows)} reference events found "
        f"(recall {found.recall.value:.3f}, 95 % {found.recall.low:.3f} to "
        f"{found.recall.high:.3f}); {len(found.missed)} missed, {len(found.extra)} extra"
    )
    console.print(_difference_table(found))
    missed, extra = [rows[int(i)] for i in found.missed], [ours[int(i)] for i in found.extra]
    for what, which in (("missed", missed), ("extra", extra)):
        _show_events(console, what, which)
    if output is not None:
        text = json.dumps(_as_json(found, missed, extra), indent=1, allow_nan=False)
        with whole_file(output) as file:
            file.write(f"{text}\n".encode())


def _read(path: Path) -> list[Any]:
    from zilzal.io.quakeml import read_quakeml
    from zilzal.io.tables import CatalogueRow, read_catalogue

    if path.suffix.lower() == ".csv":
        return [row for row in read_catalogue(path) if row.latitude is not None]
    from zilzal.core.event import Origin

    return [
        CatalogueRow(
            event_id=event.id,
            time=event.time,
            latitude=event.origin.latitude,
            longitude=event.origin.longitude,
            depth_m=event.origin.depth_m,
            magnitude=event.magnitude.magnitude if event.magnitude else None,
        )
        for event in read_quakeml(path)
        if isinstance(event.origin, Origin)
    ]


def _hypocentres(rows: list[Any]) -> Any:
    import numpy as np

    from zilzal.evaluate.catalogue import Hypocentres

    def numbers(name: str) -> np.ndarray:
        return np.array([np.nan if (v := getattr(row, name)) is None else v for row in rows], float)

    return Hypocentres(
        ids=tuple(row.event_id for row in rows),
        time_ns=np.array([row.time.ns for row in rows], np.int64),
        latitude=numbers("latitude"),
        longitude=numbers("longitude"),
        depth_m=numbers("depth_m"),
        magnitude=numbers("magnitude"),
    )


MOST_EVENTS = 30
"""Shown of those that only one catalogue has."""

QUANTITIES = {
    "epicentre [km]": ("epicentral_m", 1e-3),
    "depth [km]": ("depth_m", 1e-3),
    "origin time [s]": ("time_s", 1.0),
    "magnitude": ("magnitude", 1.0),
}


def _difference_table(found: Any) -> Table:
    table = Table("result minus reference", "pairs", "median", "median |.|", "95 % of it", "MAD")
    for label, (name, scale) in QUANTITIES.items():
        d = getattr(found, name)
        if d.count == 0:
            table.add_row(escape(label), "0", *"----")
            continue
        absolute = d.median_absolute
        table.add_row(
            escape(label),
            str(d.count),
            f"{d.median.value * scale:+.3f}",
            f"{absolute.value * scale:.3f}",
            f"{absolute.low * scale:.3f} to {absolute.high * scale:.3f}",
            f"{d.mad * scale:.3f}",
        )
    return table


def _show_events(console: Console, what: str, rows: list[Any]) -> None:
    """The largest of some events, in order of time."""
    largest = sorted(rows, key=lambda row: -9.0 if row.magnitude is None else row.magnitude)
    for row in sorted(largest[-MOST_EVENTS:], key=lambda row: row.time):
        size = "" if row.magnitude is None else f"  M {row.magnitude:.2f}"
        console.print(f"  {what} {row.time}{size}  {row.event_id}", highlight=False, markup=False)
    if len(rows) > MOST_EVENTS:
        console.print(f"  {what}: {len(rows) - MOST_EVENTS} smaller ones; --json has them all")


def _as_json(found: Any, missed: list[Any], extra: list[Any]) -> dict[str, Any]:
    return {
        "matched": len(found.pairs),
        "missed": [row.event_id for row in missed],
        "extra": [row.event_id for row in extra],
        "recall": [_known(v) for v in (found.recall.value, found.recall.low, found.recall.high)],
        **{
            name: {
                "pairs": (d := getattr(found, name)).count,
                "median": _known(d.median.value),
                "median_absolute": _known(d.median_absolute.value),
                "mad": _known(d.mad),
            }
            for name, _ in QUANTITIES.values()
        },
    }


def _known(value: float) -> float | None:
    """A number as JSON can hold it: None where there is none."""
    return None if math.isnan(value) else value
