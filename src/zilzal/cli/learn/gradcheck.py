"""`zilzal learn gradcheck`: backpropagation step by step, and the check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.learn import words

if TYPE_CHECKING:
    from zilzal.learn.lessons import Step, WorkedExample

MOST_SHOWN = 40
"""Parameters in the table of the check; networks may have more."""

WORKED = "2,2,1"


def gradcheck(
    *,
    layers: Annotated[str, typer.Option(help="Units, from the features to the output.")] = WORKED,
    sample: Annotated[
        str | None, typer.Option("--sample", "-x", help="Features of the sample, as 1,2.")
    ] = None,
    label: Annotated[float, typer.Option("--label", "-y", min=0, max=1, help="Its label.")] = 1.0,
    hidden: Annotated[
        str, typer.Option(help="Activation of hidden layers: sigmoid, tanh or relu.")
    ] = "sigmoid",
    initialiser: Annotated[
        str | None,
        typer.Option(help="Draw the weights: xavier, he, uniform, normal or constant."),
    ] = None,
    step: Annotated[float, typer.Option(help="h of the central difference.")] = 1e-5,
    rate: Annotated[float, typer.Option(help="α of the update that is shown at the end.")] = 0.1,
    seed: words.Seed = 0,
    output: words.Picture = None,
) -> None:
    """Work a network through by hand: forward, backward, update; then check every gradient.

    Without options this is the lecture's 2-2-1 network with round weights. Other layers, or an
    initialiser, draw the weights.
    """
    import numpy as np

    from zilzal.figures.learning_network import worked_figure
    from zilzal.learn.lessons import work_through

    words.check_range("step", step, 1e-12, 0.1)
    network, theta, x = _network(layers, sample, hidden, initialiser, seed)
    y = np.full(network.outputs, label)
    # The step asked for comes first; the others show how the check itself depends on h.
    steps = [step, *np.logspace(-1, -11, 41)]
    worked = work_through(network, theta, x, y, steps=steps)
    console = Console()
    console.print(_steps_table("forward, left to right", worked.forward, y))
    console.print(_steps_table("backward, right to left", worked.backward, None))
    console.print(_check_table(worked, rate))
    _say_result(worked, console)
    words.write_picture(worked_figure(worked), output, console)


def _network(
    layers: str, sample: str | None, hidden: str, initialiser: str | None, seed: int
) -> tuple[Any, Any, Any]:
    import numpy as np

    from zilzal.core.errors import ConfigError
    from zilzal.learn.choices import check_name
    from zilzal.learn.initialise import INITIALISERS, Xavier
    from zilzal.learn.lessons import WORKED_INPUT, WORKED_PARAMETERS
    from zilzal.learn.network import multilayer

    sizes = words.whole_numbers(layers, "layers")
    check_name("activation", hidden, ("sigmoid", "tanh", "relu"))
    if not 2 <= len(sizes) <= 8 or max(sizes) > 64:
        raise ConfigError(f"layers is {layers}; give 2 to 8 of them, of at most 64 units")
    network = multilayer(sizes, hidden, head="sigmoid")
    rng = np.random.default_rng(seed)
    if initialiser is None and sizes == [2, 2, 1]:
        theta, x = np.array(WORKED_PARAMETERS), np.array(WORKED_INPUT)
    else:
        check_name("initialiser", initialiser or "xavier", INITIALISERS)
        made = INITIALISERS[initialiser]() if initialiser else Xavier()
        theta = network.initialise(rng, made, dtype=np.float64)
        x = rng.standard_normal(sizes[0])
    if sample is not None:
        x = np.array(words.numbers(sample, "sample"))
        if len(x) != sizes[0]:
            raise ConfigError(f"sample has {len(x)} features; the network takes {sizes[0]}")
    return network, theta, x


def _steps_table(title: str, steps: tuple[Step, ...], y: Any) -> Table:
    import numpy as np

    table = Table("", "formula", "value", title=title, title_justify="left", title_style="bold")
    for step in steps:
        rows = np.atleast_2d(step.value)
        text = "\n".join(_row(row) for row in rows[:8]) + ("\n…" if len(rows) > 8 else "")
        table.add_row(step.name, step.formula, text)
    if y is not None:
        table.add_row("y", "the label", _row(y))
    return table


def _row(row: Any) -> str:
    return words.shown(row[:8]) + ("  …" if len(row) > 8 else "")


def _check_table(worked: WorkedExample, rate: float) -> Table:
    h = worked.steps[0]
    table = Table(
        "", "value", "backward", "difference", "apart", f"after α={rate:g}",
        title=f"the check: (J(θ+h) - J(θ-h)) / 2h with h = {h:g}",
        title_justify="left", title_style="bold",
    )  # fmt: skip
    rows = zip(worked.names(), worked.theta, worked.gradient, worked.differences[0], strict=True)
    for name, value, gradient, difference in list(rows)[:MOST_SHOWN]:
        table.add_row(
            name,
            f"{value:+.6f}",
            f"{gradient:+.10f}",
            f"{difference:+.10f}",
            f"{gradient - difference:+.1e}",
            f"{value - rate * gradient:+.6f}",
        )
    return table


def _say_result(worked: WorkedExample, console: Console) -> None:
    from zilzal.learn.gradcheck import relative_error

    errors = [relative_error(worked.gradient, d) for d in worked.differences]
    best = min(range(len(errors)), key=errors.__getitem__)
    console.print(
        f"{len(worked.theta)} parameters: relative error {errors[0]:.1e} at h = "
        f"{worked.steps[0]:g}; least {errors[best]:.1e} at h = {worked.steps[best]:.0e}"
    )
