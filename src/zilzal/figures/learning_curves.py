"""How trainings went: loss, gradient and step length by epoch; a picker's scores by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zilzal.figures.style import DETECTION_COLOUR, FAINT, INK, P_COLOUR, S_COLOUR, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zilzal.learn.training import Epoch

FINAL = "all"
"""How names of networks begin that learnt from all rows; the others learnt for a fold."""


def curves_figure(histories: Mapping[str, Sequence[Epoch]], *, title: str = "") -> Figure:
    """Loss, gradient norm and step length of each network by epoch.

    Args:
        histories: epochs of each network by name, see `FINAL`.
        title: of the figure.
    """
    from matplotlib.figure import Figure

    panels = (
        ("loss", "loss (mean of the steps)"),
        ("gradient_norm", "gradient norm (mean of the steps)"),
        ("length", "step length at the epoch's end"),
    )
    with drawing():
        figure = Figure(figsize=(10.5, 3.4))
        for axes, (quantity, label) in zip(figure.subplots(1, 3), panels, strict=True):
            for name, epochs in histories.items():
                _draw_history(axes, name, epochs, quantity)
            axes.set(xlabel="epoch", title=label)
            axes.xaxis.get_major_locator().set_params(integer=True)
            every = [getattr(epoch, quantity) for epochs in histories.values() for epoch in epochs]
            if 0.0 < 10.0 * min(every, default=0.0) < max(every, default=0.0):
                axes.set_yscale("log")
            else:
                axes.set_ylim(bottom=0.0)
        axes = figure.axes[0]
        for epochs in histories.values():
            _draw_held_out(axes, epochs)
        axes.plot([], [], color=FAINT, linewidth=0.8, label="for the cross-validation")
        axes.plot([], [], color=S_COLOUR, linewidth=0.8, label="... on what they had not seen")
        axes.plot([], [], color=P_COLOUR, linewidth=1.6, label="from all rows: the model")
        axes.legend(fontsize=7)
        figure.suptitle(title, fontsize=10, color=INK)
    return figure


def _draw_history(axes: Axes, name: str, epochs: Sequence[Epoch], quantity: str) -> None:
    is_final = name.startswith(FINAL)
    axes.plot(
        [epoch.number for epoch in epochs],
        [getattr(epoch, quantity) for epoch in epochs],
        color=P_COLOUR if is_final else FAINT,
        linewidth=1.6 if is_final else 0.8,
        zorder=3 if is_final else 2,
    )


def _draw_held_out(axes: Axes, epochs: Sequence[Epoch]) -> None:
    known = [(e.number, e.validation_loss) for e in epochs if e.validation_loss is not None]
    if known:
        axes.plot(*zip(*known, strict=True), color=S_COLOUR, linewidth=0.8)


def rounds_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """A picker's loss by round, and its F1 on the development records where it was tested."""
    from matplotlib.figure import Figure

    tested = [measured for measured in history if "mean" in measured]
    scores = (("P@0.1", P_COLOUR, "-"), ("P@0.5", P_COLOUR, ":"),
              ("S@0.1", S_COLOUR, "-"), ("S@0.5", S_COLOUR, ":"))  # fmt: skip
    with drawing():
        figure = Figure(figsize=(9, 3.4))
        loss, skill = figure.subplots(1, 2)
        loss.plot(
            [measured["round"] + 1 for measured in history],
            [measured["loss"] for measured in history],
            color=DETECTION_COLOUR,
        )
        loss.set(xlabel="round", title="loss (mean of the steps)")
        for key, colour, style in scores:
            skill.plot(
                [measured["round"] + 1 for measured in tested],
                [measured.get(key) for measured in tested],
                color=colour,
                linestyle=style,
                marker=".",
                label=f"{key.replace('@', ' within ')} s",
            )
        skill.set(xlabel="round", title="F1 on the development records")
        skill.legend(fontsize=7)
    return figure
