"""`zilzal learn initialise`: how weights should begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.learn import words

if TYPE_CHECKING:
    from zilzal.learn.initialise import Initialiser
    from zilzal.learn.lessons import Spread, Symmetry


def initialise(
    *,
    hidden: Annotated[
        str, typer.Option(help="Activation of hidden layers: tanh, relu or sigmoid.")
    ] = "relu",
    depth: Annotated[int, typer.Option(min=1, max=40, help="Hidden layers.")] = 8,
    width: Annotated[int, typer.Option(min=2, max=512, help="Units of each.")] = 64,
    small: Annotated[float, typer.Option(min=0, help="Variance that is too small.")] = 1e-4,
    large: Annotated[float, typer.Option(min=0, help="Variance that is too large.")] = 0.5,
    constant: Annotated[float, typer.Option(help="The constant of the symmetry problem.")] = 0.5,
    units: Annotated[
        int, typer.Option(min=2, max=8, help="Hidden units of the network that shows symmetry.")
    ] = 4,
    bias: Annotated[float, typer.Option(help="Of all units; some use 0.01 or 0.1 for ReLU.")] = 0.0,
    samples: Annotated[int, typer.Option(min=10, max=5_000, help="Of each toy data set.")] = 300,
    rate: Annotated[float, typer.Option(help="α of the deep network's descent.")] = 0.05,
    small_rate: Annotated[float, typer.Option(help="α of the small network's descent.")] = 1.0,
    steps: Annotated[int, typer.Option(min=1, max=5_000, help="Of training.")] = 500,
    seed: words.Seed = 0,
    output: words.Picture = None,
) -> None:
    """Begin with zeros, constants, too little, too much, and as wide as the layer asks for.

    First a small network, on four corners of which opposite ones are alike: begun with equal
    weights, its units stay equal for ever. Then a deep one, on two half moons: how far activations
    and gradients spread in each layer, and how it trains.
    """
    import numpy as np

    from zilzal.figures.learning_network import initialisation_figure
    from zilzal.learn.choices import check_name
    from zilzal.learn.initialise import ConstantWeights, Xavier
    from zilzal.learn.lessons import four_corners, spread_by_layer, train_and_watch, two_moons
    from zilzal.learn.network import multilayer

    check_name("activation", hidden, ("tanh", "relu", "sigmoid"))
    for name, value in (("rate", rate), ("small-rate", small_rate)):
        words.check_range(name, value, 1e-6, 1e3)
    rng = np.random.default_rng(seed)
    corners, moons = four_corners(samples, rng), two_moons(samples, rng)
    small_net = multilayer((2, units, 1), "tanh")
    starts: dict[str, Initialiser] = {
        f"all weights {constant:g}": ConstantWeights(constant),
        "Xavier": Xavier(),
    }
    pair = {
        name: train_and_watch(
            small_net, _begin(small_net, way, seed, bias), corners, rate=small_rate, steps=steps
        )
        for name, way in starts.items()
    }
    deep = multilayer((2, *([width] * depth), 1), hidden)
    spreads, losses = dict[str, Any](), dict[str, Any]()
    for name, way in _ways(small, large).items():
        theta = _begin(deep, way, seed, bias)
        spreads[name] = spread_by_layer(deep, theta, moons.x, np.random.default_rng(seed))
        losses[name] = train_and_watch(deep, theta, moons, rate=rate, steps=steps).losses
    console = Console()
    console.print(_symmetry_table(pair))
    console.print(_spread_table(spreads, losses))
    figure = initialisation_figure(pair, spreads, losses, title=f"{depth} × {width} {hidden}")
    words.write_picture(figure, output, console)


def _ways(small: float, large: float) -> dict[str, Initialiser]:
    from zilzal.learn.initialise import ConstantWeights, He, NormalWeights, UniformBySize, Xavier

    return {
        "zero": ConstantWeights(0.0),
        f"N(0, {small:g})": NormalWeights(small),
        "N(0, 0.01)": NormalWeights(0.01),
        f"N(0, {large:g})": NormalWeights(large),
        "U(±1/√N)": UniformBySize(),
        "Xavier": Xavier(),
        "He": He(),
    }


def _begin(network: Any, way: Initialiser, seed: int, bias: float) -> Any:
    import numpy as np

    return network.initialise(np.random.default_rng(seed), way, bias=bias, dtype=np.float64)


def _symmetry_table(pair: dict[str, Symmetry]) -> Table:
    table = Table(
        "begin with", "units apart", "at the end", "loss", "at the end",
        title="the symmetry problem, on four corners", title_justify="left", title_style="bold",
    )  # fmt: skip
    for name, one in pair.items():
        spread = one.spread()
        table.add_row(
            name, f"{spread[0]:.3g}", f"{spread[-1]:.3g}",
            f"{one.losses[0]:.3f}", f"{one.losses[-1]:.3f}",
        )  # fmt: skip
    return table


def _spread_table(spreads: dict[str, Spread], losses: dict[str, Any]) -> Table:
    table = Table(
        "weights", "a1", "a last", "dz last", "dz1", "blocked", "loss", "at the end",
        title="standard deviations of a deep network, first and last hidden layer",
        title_justify="left", title_style="bold",
    )  # fmt: skip
    for name, spread in spreads.items():
        table.add_row(
            name,
            f"{spread.activations[0]:.2g}",
            f"{spread.activations[-1]:.2g}",
            f"{spread.gradients[-1]:.2g}",
            f"{spread.gradients[0]:.2g}",
            f"{100 * spread.saturated:.0f} %",
            f"{losses[name][0]:.3g}",
            _end(losses[name]),
        )
    return table


def _end(losses: Any) -> str:
    import math

    return f"{losses[-1]:.3g}" if math.isfinite(losses[-1]) else "diverged"
