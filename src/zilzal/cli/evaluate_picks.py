"""`zilzal evaluate picks`: pickers side by side on labelled records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from zilzal.cli.extras import need
from zilzal.cli.progress import showing
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.core.pick import Phase
    from zilzal.train.comparing import Outcome
    from zilzal.train.contest import Contest, Tuning
    from zilzal.train.protocol import Protocol

HOURS_A_DAY = 24.0


def picks(
    datasets: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATASET...",
            help="Sets in SeisBench's format, folders of such sets, or the course's .npz.",
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for scores, picks and figures.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Packaged network, ONNX file or stalta, as NAME=FILE to name it; repeatable. "
            "zilzal and stalta if neither this nor --picks is given.",
        ),
    ] = None,
    pick_lists: Annotated[
        list[str] | None,
        typer.Option(
            "--picks",
            help="Picks made elsewhere, as NAME=FILE.csv, or NAME=FOLDER with a file a set named "
            "SET__NAME.csv or SET.csv; repeatable.",
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="As NAME=0.3 or NAME=P:0.3,S:0.2, instead of a picker's own."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "dev",
    protocol: Annotated[
        str,
        typer.Option(
            help="Where the 60 s windows lie: random, several (random, --shifts times each "
            "record; tests whether picks depend on the position), or fixed (first arrival at 20 s)."
        ),
    ] = "random",
    shifts: Annotated[int, typer.Option(help="Windows of each record (several).")] = 5,
    windows: Annotated[
        Path | None, typer.Option(help="Table of the very windows, as windows.csv of another run.")
    ] = None,
    tune_on: Annotated[
        list[Path] | None,
        typer.Option(
            help="Sets on which the thresholds of all pickers are chosen alike: best F1 within "
            "0.2 s; repeatable."
        ),
    ] = None,
    tune_split: Annotated[str, typer.Option(help="Split of these sets.")] = "dev",
    noise_limit: Annotated[
        float | None,
        typer.Option(min=0.0, help="Most picks in an hour of noise that a chosen threshold lets."),
    ] = None,
    noise_limit_per_day: Annotated[
        float | None, typer.Option(min=0.0, help="The same per station-day.")
    ] = None,
    allow_overlap: Annotated[
        bool,
        typer.Option("--allow-overlap", help="Choose thresholds even on what is scored."),
    ] = False,
    draws: Annotated[int, typer.Option(min=10, help="Bootstrap samples of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of windows and intervals.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Pick again, though picks are kept in the folder.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw figures.")] = True,
) -> None:
    """Compare pickers on the same labelled windows, with intervals, and write all scores.

    Networks and stalta run as in operation. Stopped at any time, the same command takes up the
    picks that are already made.
    """
    need("h5py", work="reading labelled sets")
    from zilzal.cli.cells import show
    from zilzal.cli.skill_tables import tables
    from zilzal.evaluate.interval import Resampling
    from zilzal.evaluate.report import Judging
    from zilzal.train.candidates import find_candidates
    from zilzal.train.comparing import compare
    from zilzal.train.contest import Contest
    from zilzal.train.pick_lists import find_list
    from zilzal.train.pick_results import write_outcome
    from zilzal.train.protocol import Protocol, expand_sets
    from zilzal.train.window_table import read_windows

    placed = Protocol(
        placing=protocol, shifts=shifts, seed=seed, split=split,
        table=read_windows(windows) if windows else {},
    )  # fmt: skip
    tuning = _tuning(placed, tune_on or [], tune_split, _limit(noise_limit, noise_limit_per_day))
    contest = Contest(
        paths=expand_sets(datasets),
        protocol=placed,
        candidates=find_candidates(model or ([] if pick_lists else ["zilzal", "stalta"])),
        lists=[find_list(text) for text in pick_lists or []],
        thresholds=read_thresholds(threshold or []),
        tuning=replace(tuning, allow_overlap=allow_overlap) if tuning else None,
        judging=Judging(resampling=Resampling(n_draws=draws)),
        seed=seed,
        cache=output / "kept",
    )
    if fresh:
        forget_kept(output / "kept")
    with showing(Console(stderr=True)) as report:
        outcome = compare(contest, told=report)
    console = Console()
    show(list(tables(outcome, contest.judging)), console)
    written = write_outcome(outcome, contest, output)
    if figures:
        written += _draw(outcome, contest, output)
    for path in written:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)


def read_thresholds(texts: Sequence[str]) -> dict[str, dict[Phase, float]]:
    """Thresholds by picker and phase from NAME=0.3 or NAME=P:0.3,S:0.2.

    Raises:
        ConfigError: a text is neither.
    """
    from zilzal.core.pick import Phase

    found: dict[str, dict[Phase, float]] = {}
    for text in texts:
        name, _, told = text.rpartition("=")
        of_picker = found.setdefault(name, {})
        for part in told.split(","):
            phase, _, value = part.rpartition(":")
            try:
                phases = [Phase(phase)] if phase else list(Phase)
                of_picker.update(dict.fromkeys(phases, float(value)))
            except ValueError as error:
                raise ConfigError(
                    f"threshold {text!r}; write it as NAME=0.3 or NAME=P:0.3,S:0.2"
                ) from error
    return found


def _limit(per_hour: float | None, per_day: float | None) -> float:
    """Most picks in an hour of noise."""
    if per_hour is not None and per_day is not None:
        raise ConfigError("give --noise-limit or --noise-limit-per-day, not both")
    if per_day is not None:
        return per_day / HOURS_A_DAY
    return float("inf") if per_hour is None else per_hour


def _tuning(
    placed: Protocol, tune_on: Sequence[Path], split: str, false_per_hour: float
) -> Tuning | None:
    from zilzal.train.contest import Tuning
    from zilzal.train.protocol import expand_sets, source_name

    if not tune_on:
        if math.isfinite(false_per_hour):
            raise ConfigError("a limit of picks in noise needs sets to choose by: --tune-on")
        return None
    paths = expand_sets(tune_on)
    listed = all(source_name(path) in placed.table for path in paths)
    protocol = replace(placed, split=split, table=placed.table if listed else {})
    return Tuning(paths=paths, protocol=protocol, false_per_hour=false_per_hour)


def forget_kept(folder: Path) -> None:
    """Delete picks that were kept."""
    for path in folder.glob("*.npz"):
        path.unlink()


def _draw(outcome: Outcome, contest: Contest, output: Path) -> list[Path]:
    from zilzal.figures.skill import skill_figures
    from zilzal.figures.style import save_figure

    reports = {report.name: report.phases for report in outcome.reports}
    return [
        save_figure(figure, output / f"{name}.png")
        for name, figure in skill_figures(reports, contest.judging)
    ]
