"""`zilzal learn landscape`: the loss around a real network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zilzal.cli.learn import words

if TYPE_CHECKING:
    from zilzal.learn.network import Network
    from zilzal.learn.survey import Landscape
    from zilzal.learn.training import Samples


def landscape(
    *,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", "-d", help="SeisBench folder; repeatable. Synthetic if left out."),
    ] = None,
    windows: Annotated[int, typer.Option(min=8, max=5_000, help="Of each class, at most.")] = 200,
    window_s: Annotated[float, typer.Option(help="Length of a window [s].")] = 20.0,
    sees: Annotated[
        str, typer.Option("--input", help="What the network sees: spectrum or waveform.")
    ] = "spectrum",
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers, as 16 or 32,32.")] = "16",
    activation: Annotated[str, typer.Option(help="relu, tanh or sigmoid.")] = "relu",
    rule: Annotated[str, typer.Option("--rule", "-r", help="As in descend.")] = "adam",
    rate: Annotated[float, typer.Option(help="α.")] = 3e-3,
    batch: Annotated[int, typer.Option(min=0, help="Samples of a step; 0 is all.")] = 16,
    epochs: Annotated[int, typer.Option(min=1, max=5_000, help="Passes over the samples.")] = 60,
    directions: Annotated[
        str,
        typer.Option(
            help="random (each unit's as long as its weights) or path (where training went)."
        ),
    ] = "random",
    half_width: Annotated[float, typer.Option(help="How far to go along random ones.")] = 1.5,
    points: Annotated[int, typer.Option(min=5, max=201, help="On each axis.")] = 51,
    seed: words.Seed = 0,
    output: words.Picture = None,
) -> None:
    """Train a small network to tell earthquakes from noise, and draw the loss around it.

    Also shown: the same network with its hidden units in another order, which is the same
    function, and the loss on the straight way between the two.
    """
    import numpy as np

    from zilzal.figures.learning_landscape import landscape_figure
    from zilzal.learn.choices import Choice, check_name
    from zilzal.learn.losses import BinaryCrossEntropy
    from zilzal.learn.network import multilayer
    from zilzal.learn.survey import survey
    from zilzal.learn.training import NetworkLoss, Training

    check_name("input", sees, ("spectrum", "waveform"))
    check_name("activation", activation, ("relu", "tanh", "sigmoid"))
    check_name("directions", directions, ("random", "path"))
    words.check_range("window-s", window_s, 1.0, 60.0)
    words.check_range("half-width", half_width, 0.01, 100.0)
    sizes = words.whole_numbers(hidden, "hidden")
    choice = Choice(rule=rule, rate=rate)
    learn, check = _samples(data, windows, window_s, sees, seed)
    network = multilayer((learn.x.shape[1], *sizes, 1), activation)
    rng = np.random.default_rng(seed)
    theta = network.initialise(rng, dtype=np.float64)
    training = Training(descent=choice.descent(), epochs=epochs, batch_size=batch or None)
    found = survey(
        training,
        NetworkLoss(network, BinaryCrossEntropy(), learn),
        theta,
        check,
        rng,
        along_path=directions == "path",
        half_width=half_width,
        points=points,
    )
    console = Console()
    console.print(_skill_table(network, found.theta, {"learnt from": learn, "held out": check}))
    _say_shape(found, console)
    shape = "-".join(str(n) for n in (network.inputs, *sizes, 1))
    title = f"{shape} {activation}, {'+'.join(f.name for f in data or ()) or 'synthetic'} {sees}"
    words.write_picture(landscape_figure(found, title=title), output, console)


def _samples(
    data: list[Path] | None, count: int, window_s: float, sees: str, seed: int
) -> tuple[Samples, Samples]:
    from zilzal.cli.learn.windows import features, recorded_windows, split, synthetic_windows

    if data:
        cut = recorded_windows(data, seed, window_s=window_s, count=count)
    else:
        cut = synthetic_windows(seed, window_s=window_s, count=count)
    return split(cut, features(cut, sees), seed)


def _skill_table(network: Network, theta: Any, sets: dict[str, Samples]) -> Table:
    table = Table("windows", "events", "noise", "accuracy", "precision", "recall", "F1")
    for name, samples in sets.items():
        is_event = samples.y[:, 0] > 0.5
        says = network.forward(theta, samples.x)[:, 0] > 0
        hits, false = int((says & is_event).sum()), int((says & ~is_event).sum())
        missed = int((~says & is_event).sum())
        table.add_row(
            name,
            str(int(is_event.sum())),
            str(int((~is_event).sum())),
            f"{(says == is_event).mean():.3f}",
            f"{hits / max(hits + false, 1):.3f}",
            f"{hits / max(hits + missed, 1):.3f}",
            f"{2 * hits / max(2 * hits + false + missed, 1):.3f}",
        )
    return table


def _say_shape(found: Landscape, console: Console) -> None:
    import numpy as np

    here = float(found.profile[0])
    edge = np.concatenate([found.plane[0], found.plane[-1], found.plane[:, 0], found.plane[:, -1]])
    console.print(
        f"loss {here:.4f} at the end of training; {edge.min():.3f} to {edge.max():.3f} on the "
        f"edge of the plane, {found.plane.min():.4f} at its lowest\n"
        f"with hidden units permuted {found.profile[-1]:.4f}, and between the two up to "
        f"{found.profile.max():.3f}",
        highlight=False,
    )
