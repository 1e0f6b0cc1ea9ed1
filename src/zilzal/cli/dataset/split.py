"""`zilzal dataset split` and `check`: parts of a set that know nothing of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zilzal.cli.dataset import words
from zilzal.cli.progress import showing
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.train.sets.moments import Moment

WARN_OF = 0.05
"""A share that is off by more is worth a word."""
MOST_LINES = 20


def split(
    folders: words.SetFolders,
    *,
    train: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the traces.")] = 0.8,
    dev: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the traces.")] = 0.1,
    test: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the traces.")] = 0.1,
    by: Annotated[
        str, typer.Option(help="event: at random; time: train is the earliest, test the latest.")
    ] = "event",
    stations: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.95,
            help="Share of the stations that only dev and test may know; 0 divides none.",
        ),
    ] = 0.0,
    apart: Annotated[
        float,
        typer.Option(
            min=0.0, help="Events closer in time stay together; nothing is so close to a cut [s]."
        ),
    ] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    quick: words.Quick = False,
) -> None:  # fmt: skip
    """Write the column split: by event or by time, and by station; never by window.

    Traces of one event, events close in time, windows that overlap at a station and equal
    waveforms stay together. Several sets are divided as one. What cannot be used without leakage
    gets the split "unused".
    """
    from zilzal.train.sets.split import By, Splitting, split_traces

    words.need_h5py()
    if by not in set(By):
        raise ConfigError(f"--by is {by!r}; give {' or '.join(By)}")
    shares = {name: share for name, share in
              (("train", train), ("dev", dev), ("test", test)) if share > 0}  # fmt: skip
    try:
        splitting = Splitting(
            fractions=shares, by=By(by), stations=stations, apart_s=apart, seed=seed
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    traces, digests = _read(folders, quick=quick)
    flat = [trace for of_set in traces for trace in of_set]
    splits = split_traces(flat, splitting, digests)
    _write(folders, [len(of_set) for of_set in traces], splits, splitting)
    _show_shares(Console(), flat, splits, shares)


def _read(folders: Sequence[Path], *, quick: bool) -> tuple[list[list[Moment]], list[bytes]]:
    """The traces of each set, and the digests of all their waveforms, unless it shall be quick."""
    from zilzal.train.seisbench_format import read_metadata
    from zilzal.train.sets.merge import digests_of
    from zilzal.train.sets.moments import moments

    lines = [read_metadata(folder) for folder in folders]
    found: list[bytes] = []
    if not quick:
        with showing(Console(stderr=True)) as report:
            for folder, of_set in zip(folders, lines, strict=True):
                found += digests_of(folder, of_set, told=report)
    return [moments(of_set) for of_set in lines], found


def _write(
    folders: Sequence[Path], counts: Sequence[int], splits: Sequence[str], splitting: Any
) -> None:
    from zilzal.train.seisbench_format import read_metadata
    from zilzal.train.seisbench_writer import read_notes, rewrite_lines, write_notes

    first = 0
    for folder, count in zip(folders, counts, strict=True):
        lines = read_metadata(folder)
        rewrite_lines(folder, lines, ({"split": s} for s in splits[first : first + count]))
        first += count
        recipe = {
            "fractions": dict(splitting.fractions), "by": str(splitting.by),
            "stations": splitting.stations, "apart_s": splitting.apart_s, "seed": splitting.seed,
            "with": sorted(other.resolve().name for other in folders if other != folder),
        }  # fmt: skip
        write_notes(folder, {**read_notes(folder), "split": recipe})


def _show_shares(
    console: Console, traces: Sequence[Moment], splits: Sequence[str], wanted: dict[str, float]
) -> None:
    counts = Counter(splits)
    table = Table("split", "traces", "share", "events", "stations")
    for name in (*wanted, *sorted(counts.keys() - wanted.keys())):
        mine = [trace for trace, split in zip(traces, splits, strict=True) if split == name]
        share = counts[name] / max(len(splits), 1)
        events = {trace.event for trace in mine if trace.category != "noise"}
        stations = {trace.station for trace in mine if trace.station}
        table.add_row(name, str(counts[name]), f"{share:.1%}", str(len(events)), str(len(stations)))
    console.print(table)
    used = sum(counts[name] for name in wanted)
    off = [n for n, share in wanted.items() if abs(counts[n] / max(used, 1) - share) > WARN_OF]
    if off:
        console.print(
            f"{', '.join(off)} did not come out as asked: events that belong together cannot be "
            "divided. A smaller --apart, or --by time, may help.",
            style="yellow",
        )


def check(
    folders: words.SetFolders,
    *,
    source_time: Annotated[
        float,
        typer.Option(min=0.0, help="Sources this close in time, at a station, are one [s]."),
    ] = 1.0,
    quick: words.Quick = False,
) -> None:
    """Look for leakage between splits; exit status 1 where there is any.

    Sought are an event, a group of events or a waveform in two splits, and at one station sources
    at the same time or windows that overlap. Several sets are looked at as if they were one.
    """
    from zilzal.train.sets.leakage import find_leaks

    words.need_h5py()
    traces, digests = _read(folders, quick=quick)
    flat = [trace for of_set in traces for trace in of_set]
    leaks = find_leaks(flat, source_time_s=source_time, digests=digests)
    console = Console()
    counts = Counter(trace.split or "none" for trace in flat)
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    if counts["none"] == len(flat):
        raise ConfigError("no trace has a split; divide the set with zilzal dataset split")
    if not leaks:
        console.print(f"no leakage in {len(flat)} traces ({told})", highlight=False)
        return
    console.print(f"[bold red]leakage[/] in {len(flat)} traces ({told}): {len(leaks)} cases",
                  highlight=False)  # fmt: skip
    table = Table("leak", "of", "splits", "trace", "trace")
    for leak in leaks[:MOST_LINES]:
        cells = (leak.leak, leak.what, " and ".join(leak.splits), leak.one, leak.other)
        table.add_row(*map(Text, cells))
    if len(leaks) > MOST_LINES:
        table.add_row(f"and {len(leaks) - MOST_LINES} more", "", "", "", "")
    console.print(table)
    raise typer.Exit(1)
