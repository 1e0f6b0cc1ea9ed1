"""`zilzal learn descend`: rules, step lengths and clipping, side by side on one surface."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.learn import words

if TYPE_CHECKING:
    from zilzal.learn.choices import Choice
    from zilzal.learn.functions import Surface
    from zilzal.learn.race import Racer

MOST = 12
"""Racers at once; more cannot be told apart."""

Several = "; repeat it to race one against the other"


def descend(
    *,
    surface: Annotated[
        str,
        typer.Option(
            "--surface", "-s", help="bowl, double_well, saddle, flat, cliff or rosenbrock."
        ),
    ] = "bowl",
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", "-r",
            help="gradient_descent, momentum, nesterov, delta_bar_delta, jacobs, adagrad, rmsprop "
            f"or adam{Several}.",
        ),
    ] = None,
    length: Annotated[
        list[str] | None,
        typer.Option(
            "--length", "-l",
            help=f"constant, cooling, step, cosine, exact or backtracking{Several}.",
        ),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(help=f"α; what suits rule and surface if left out{Several}."),
    ] = None,
    momentum: Annotated[list[float] | None, typer.Option(help=f"γ; 0.9{Several}.")] = None,
    clip_norm: Annotated[
        list[float] | None, typer.Option(help=f"Bound on |g|; 0 is none{Several}.")
    ] = None,
    clip_value: Annotated[
        list[float] | None, typer.Option(help=f"Bound on each |g_k|; 0 is none{Several}.")
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option(help=f"Where to begin, as -1.8,0.6{Several}.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=20_000, help="At most.")] = 100,
    condition: Annotated[float, typer.Option(help="Condition number of the bowl.")] = 100.0,
    dimension: Annotated[
        int, typer.Option(min=1, max=2, help="Of the bowl or the double well: 1 or 2.")
    ] = 2,
    noise: Annotated[
        float, typer.Option(min=0, help="Standard deviation added to gradients, as by batches.")
    ] = 0.0,
    seed: words.Seed = 0,
    output: words.Picture = None,
) -> None:  # fmt: skip
    """Race descents over a surface: every rule with every step length, clipped or not.

    Options given more than once are combined, each with each. Shown are the condition number,
    who arrived and when, and the paths.
    """
    import numpy as np

    from zilzal.figures.learning_descent import race_figure
    from zilzal.learn.race import race

    ground = _ground(surface, condition, dimension)
    starts = [np.array(words.numbers(text, "start")) for text in start or ()]
    _check_starts(starts, ground)
    choices = _choices(
        ground,
        {
            "rule": rule or ["gradient_descent", "momentum", "delta_bar_delta", "adam"],
            "length": length or ["constant"],
            "rate": rate or [None],
            "momentum": momentum or [0.9],
            "clip_norm": [bound or None for bound in clip_norm or [0.0]],
            "clip_value": [bound or None for bound in clip_value or [0.0]],
        },
        condition=condition,
        steps=steps,
    )
    begin = starts or [np.array(ground.start)]
    _check_number(len(choices) * len(begin))
    racers = [
        race(ground, choice, point, noise=noise, seed=seed)
        for choice, point in product(choices, begin)
    ]
    console = Console()
    _say_shape(ground, console)
    console.print(_race_table(ground, racers))
    words.write_picture(race_figure(ground, racers), output, console)


def _ground(name: str, condition: float, dimension: int) -> Surface:
    from zilzal.core.errors import ConfigError
    from zilzal.learn.choices import check_name
    from zilzal.learn.functions import SURFACES
    from zilzal.learn.race import make_surface

    check_name("surface", name, SURFACES)
    words.check_range("condition", condition, 1.0, 1e6)
    try:
        return make_surface(name, condition=condition, dimension=dimension)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _check_starts(starts: Sequence[Any], ground: Surface) -> None:
    from zilzal.core.errors import ConfigError

    for point in starts:
        if len(point) != ground.dimension or not (abs(point) < 100).all():
            raise ConfigError(
                f"start is {point}; {ground.name} takes {ground.dimension} numbers within ±100"
            )


def _check_number(racers: int) -> None:
    from zilzal.core.errors import ConfigError

    if racers > MOST:
        raise ConfigError(f"{racers} descents are too many to tell apart; give at most {MOST}")


def _choices(
    ground: Surface, given: dict[str, list[Any]], *, condition: float, steps: int
) -> list[Choice]:
    """Each with each, and no descent twice: a search needs no rate, plain descent no γ."""
    from zilzal.learn.choices import Choice, default_rate

    found: dict[str, Choice] = {}
    for values in product(*given.values()):
        setting = dict(zip(given, values, strict=True))
        if setting["rate"] is None:
            setting["rate"] = default_rate(setting["rule"], ground, condition=condition)
        choice = Choice(**setting, steps=steps)
        found.setdefault(choice.describe(), choice)
    return list(found.values())


def _say_shape(ground: Surface, console: Console) -> None:
    import numpy as np

    from zilzal.learn.race import curvatures

    bends = curvatures(ground, np.array(ground.minima[0]))
    low, high = float(bends[0]), float(bends[-1])
    console.print(f"[bold]{ground.name}[/]: {ground.lesson}")
    console.print(
        f"at the deepest minimum the curvature is {low:.4g} to {high:.4g}, condition number "
        f"{high / low:.4g};\nplain descent diverges there above α = {2 / high:.4g}, and is fastest "
        f"at {2 / (low + high):.4g}",
        highlight=False,
    )


def _race_table(ground: Surface, racers: Sequence[Racer]) -> Table:
    table = Table("descent", "start", "ended", "at step", "J", "from minimum", "|g| last")
    for racer in racers:
        records = racer.path.records
        begin = ", ".join(f"{x:g}" for x in racer.path.points[0])
        where = f"{racer.distance:.2g}"
        if len(ground.minima) > 1 and racer.ending != "diverged":
            where += f" from no. {racer.minimum + 1}"
        table.add_row(
            racer.choice.describe(),
            begin,
            racer.ending,
            str(len(records) if racer.arrival is None else racer.arrival),
            f"{racer.path.values[-1]:.3g}",
            where,
            f"{records[-1].gradient_norm:.2g}" if records else "",
        )
    return table
