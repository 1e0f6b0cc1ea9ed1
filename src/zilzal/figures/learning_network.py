"""Networks from inside: the worked example, and what initialisation does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zilzal.figures.style import (
    ACCENT_COLOUR,
    DETECTION_COLOUR,
    FAINT,
    INK,
    P_COLOUR,
    S_COLOUR,
    drawing,
)
from zilzal.learn.gradcheck import relative_error
from zilzal.learn.lessons import Spread, Symmetry, WorkedExample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zilzal.core.arrays import Array

COLOURS = (
    P_COLOUR, S_COLOUR, DETECTION_COLOUR, ACCENT_COLOUR, "#E69F00", "#56B4E9", "#7A5195", INK,
)  # fmt: skip
"""For lines side by side, in the order in which they are given."""

MOST_DRAWN = 6
"""Units of a layer in the drawing of a network."""


def worked_figure(worked: WorkedExample) -> Figure:
    """The network with its values and gradients, and the check's error against h."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(10.5, 4.4))
        graph, check = figure.subplots(1, 2, width_ratios=[1.5, 1])
        _draw_network(graph, worked)
        _draw_check(check, worked)
    return figure


def _draw_network(axes: Axes, worked: WorkedExample) -> None:
    values = {step.name: np.ravel(step.value) for step in (*worked.forward, *worked.backward)}
    layers = worked.network.layers
    sizes = [layers[0].inputs, *(layer.outputs for layer in layers)]
    places = [[(float(k), y) for y in _heights(size)] for k, size in enumerate(sizes)]
    pairs = zip(
        worked.network.split(worked.theta), worked.network.split(worked.gradient), strict=True
    )
    for k, ((weights, _), (gradients, _)) in enumerate(pairs):
        _draw_weights(axes, (weights, gradients), (places[k], places[k + 1]))
    crowded = max(sizes) > 3
    for k, column in enumerate(places):
        name = f"a{k}" if k else "x"
        for unit, (x, y) in enumerate(column):
            axes.plot(x, y, "o", markersize=34 if not crowded else 24, color="white",
                      markeredgecolor=INK, markeredgewidth=1.2, zorder=3)  # fmt: skip
            axes.text(x, y, f"{values[name][unit]:.3f}", ha="center", va="center", fontsize=8,
                      color=P_COLOUR, zorder=4)  # fmt: skip
            label = name if len(column) == 1 else f"{name}[{unit + 1}]"
            axes.text(x, y + 0.25, label, ha="center", va="bottom", fontsize=8.5, weight="bold")
            if k:
                axes.text(x, y - 0.25, f"dz {values[f'dz{k}'][unit]:+.3f}", ha="center", va="top",
                          fontsize=8, color=S_COLOUR)  # fmt: skip
    axes.set(xlim=(-0.45, len(sizes) - 0.55), ylim=(-1.5, 1.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    axes.set_title(f"forward in blue, backward in orange;  L = {values['L'][0]:.4f}")


def _heights(size: int) -> list[float]:
    shown = min(size, MOST_DRAWN)
    return [0.0] if shown == 1 else [float(y) for y in np.linspace(1.0, -1.0, shown)]


def _draw_weights(
    axes: Axes,
    matrices: tuple[Array, Array],
    columns: tuple[Sequence[tuple[float, float]], Sequence[tuple[float, float]]],
) -> None:
    """Edges as thick as their weights; in small layers with weight and gradient written on."""
    weights, gradients = matrices
    lettered = weights.size <= 6
    largest = np.abs(weights).max() or 1.0
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for i, start in enumerate(columns[0]):
        for j, end in enumerate(columns[1]):
            strength = abs(weights[i, j]) / largest
            axes.plot([start[0], end[0]], [start[1], end[1]], color=FAINT, zorder=1,
                      linewidth=0.5 + 2.0 * strength, alpha=0.35 + 0.4 * strength)  # fmt: skip
            if not lettered:
                continue
            # Off the middle, where the lines cross.
            for share, text, colour in (
                (0.26, f"{weights[i, j]:+.2g}", P_COLOUR),
                (0.68, f"dW {gradients[i, j]:+.3f}", S_COLOUR),
            ):
                x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
                axes.text(x, y, text, ha="center", va="center", fontsize=7.5, zorder=2,
                          color=colour, bbox=paper)  # fmt: skip


def _draw_check(axes: Axes, worked: WorkedExample) -> None:
    order = np.argsort(worked.steps)
    h = worked.steps[order]
    errors = np.array([relative_error(worked.gradient, d) for d in worked.differences])[order]
    axes.loglog(h, np.maximum(errors, 1e-17), "o-", color=P_COLOUR, markersize=3.5, linewidth=1)
    scale = float(np.linalg.norm(worked.gradient))
    coarse = np.flatnonzero(h > 1e-3)
    if len(coarse) and errors[coarse].min() > 0:
        guide = errors[coarse[-1]] * (h / h[coarse[-1]]) ** 2
        seen = guide > 1e-13
        axes.loglog(h[seen], guide[seen], ":", color=S_COLOUR, label="∝ h²: what Taylor leaves")
    rounding = np.finfo(float).eps / h / max(scale, 1e-300)
    axes.loglog(h, rounding, ":", color=DETECTION_COLOUR, label="ε/h: rounding")
    axes.axvline(worked.steps[0], color=FAINT, linewidth=0.8)
    axes.set_xlabel("h of the central difference")
    axes.set_ylabel("|g - r| / (|g| + |r|)")
    axes.set_title("backpropagation against differences")
    axes.legend(loc="upper center", fontsize=8)


def initialisation_figure(
    pair: Mapping[str, Symmetry],
    spreads: Mapping[str, Spread],
    losses: Mapping[str, Array],
    *,
    title: str,
) -> Figure:
    """Symmetry in training, above; below, spread by layer and what comes of it in training.

    Args:
        pair: two trainings of a small network, by how they began.
        spreads: of a deep network, by initialisation.
        losses: while the deep network trains, by initialisation.
        title: of the deep network.
    """
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(10.5, 6.8))
        panels = figure.subplots(2, 3)
        for axes, (name, symmetry) in zip(panels[0], pair.items(), strict=False):
            _draw_units(axes, name, symmetry)
        _draw_losses(panels[0, 2], {name: s.losses for name, s in pair.items()})
        panels[0, 2].set_title("their loss")
        _draw_spread(panels[1, 0], {name: s.activations for name, s in spreads.items()})
        panels[1, 0].set_title(f"activations: {title}")
        _draw_spread(panels[1, 1], {name: s.gradients for name, s in spreads.items()})
        panels[1, 1].set_title("gradients, right to left")
        _draw_losses(panels[1, 2], losses)
        panels[1, 2].set_title("and so it trains")
        panels[1, 2].get_legend().remove()
        handles, labels = panels[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(7, len(labels)))
    return figure


def _draw_units(axes: Axes, name: str, symmetry: Symmetry) -> None:
    steps = np.arange(len(symmetry.weights))
    units = symmetry.weights.shape[2]
    for unit in range(units):
        # Equal lines are drawn inside each other, so that one sees that all are there.
        width = 1.4 + 2.0 * (units - 1 - unit)
        for feature in range(min(2, symmetry.weights.shape[1])):
            axes.plot(
                steps, symmetry.weights[:, feature, unit], color=COLOURS[unit % len(COLOURS)],
                linewidth=width if np.allclose(symmetry.spread(), 0) else 1.4,
                linestyle="-" if feature == 0 else "--",
                label=f"unit {unit + 1}" if feature == 0 else None,
            )  # fmt: skip
    axes.set_title(name)
    axes.set_xlabel("step")
    axes.set_ylabel("W1: solid from x1, dashed from x2")
    axes.legend(fontsize=8)


def _draw_spread(axes: Axes, rows: Mapping[str, Array]) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (name, row) in enumerate(rows.items()):
        seen = np.where(row > 0, row, np.nan)
        axes.semilogy(
            np.arange(1, len(row) + 1), seen, "o-", markersize=3.5, linewidth=1.2,
            color=COLOURS[number % len(COLOURS)], label=name,
        )  # fmt: skip
    axes.set_xlabel("hidden layer")
    axes.set_ylabel("standard deviation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_losses(axes: Axes, rows: Mapping[str, Array]) -> None:
    for number, (name, row) in enumerate(rows.items()):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(row, color=colour, linewidth=1.3, label=name)
        if not np.isfinite(row).all():
            axes.text(0.97, 0.95, f"{name} diverges", color=colour, fontsize=8.5, ha="right",
                      va="top", transform=axes.transAxes)  # fmt: skip
    finite = np.concatenate([row[np.isfinite(row)] for row in rows.values()] or [np.zeros(1)])
    if len(finite):
        axes.set_ylim(0.0, min(1.6, 1.1 * float(finite.max()) + 1e-3))
    axes.set_xlabel("step")
    axes.set_ylabel("cross-entropy")
    axes.legend(fontsize=8)
