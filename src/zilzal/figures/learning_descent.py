"""Paths of descents on their surface, what they reach, and how long their steps are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.figures.learning_network import COLOURS
from zilzal.figures.style import FAINT, INK, drawing
from zilzal.learn.functions import Surface
from zilzal.learn.race import Racer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 301
"""Of a side of the grid that is drawn."""


def race_figure(surface: Surface, racers: Sequence[Racer]) -> Figure:
    """Where descents went, and step by step: J, the gradient, the rates.

    Args:
        surface: of one or two dimensions.
        racers: in the order of their colours.

    Raises:
        ValueError: the surface has more dimensions.
    """
    from matplotlib.figure import Figure

    if surface.dimension > 2:
        raise ValueError(f"{surface.name} has {surface.dimension} dimensions; 2 can be drawn")
    with drawing():
        figure = Figure(figsize=(10.5, 5.6 + 0.2 * ((len(racers) + 1) // 2)))
        panels = figure.subplot_mosaic(
            [["where", "value"], ["where", "gradient"], ["where", "length"]],
            width_ratios=[1.4, 1],
        )
        draw = _draw_map if surface.dimension == 2 else _draw_curve
        draw(panels["where"], surface, racers)
        _draw_values(panels["value"], surface, racers)
        _draw_gradients(panels["gradient"], racers)
        _draw_lengths(panels["length"], racers)
        figure.suptitle(surface.lesson, x=0.01, ha="left", weight="bold")
        handles = _legend_lines(racers)
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8.5)
    return figure


def grid(
    surface: Surface, *, points: int = POINTS
) -> tuple[Float[Array, " point"], Float[Array, "point point"]]:
    """A coordinate axis, and the values of a 2-D surface on its square, as (y, x)."""
    axis = np.linspace(-surface.half_width, surface.half_width, points)
    x, y = np.meshgrid(axis, axis)
    return axis, surface.function(np.stack([x, y], axis=-1))


def _draw_map(axes: Axes, surface: Surface, racers: Sequence[Racer]) -> None:
    axis, values = grid(surface)
    # Levels evenly in the root of the height: the floor of a valley shows as well as its walls.
    height = np.sqrt(values - values.min())
    levels = np.linspace(0.0, float(height.max()), 25)
    axes.contourf(axis, axis, height, levels=levels, cmap="Blues_r", alpha=0.85)
    axes.contour(axis, axis, height, levels=levels, colors="white", linewidths=0.4)
    for number, minimum in enumerate(surface.minima):
        axes.plot(*minimum, marker="*", color="white", markeredgecolor=INK, zorder=4,
                  markersize=14 if number == 0 else 10, linestyle="none")  # fmt: skip
    for number, racer in enumerate(racers):
        points = racer.path.points[np.isfinite(racer.path.points).all(axis=1)]
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        size = 2.6 if len(points) < 150 else 1.4
        axes.plot(points[:, 0], points[:, 1], color="white", linewidth=2.2, alpha=0.4, zorder=4)
        axes.plot(points[:, 0], points[:, 1], "o-", color=colour, linewidth=1.3, markersize=size,
                  zorder=5)  # fmt: skip
        axes.plot(*points[0], "o", color="white", markeredgecolor=INK, markersize=7, zorder=6)
        axes.plot(*points[-1], "s", color=colour, markeredgecolor="white", markersize=6, zorder=7)
    axes.set(
        xlim=(axis[0], axis[-1]), ylim=(axis[0], axis[-1]), xlabel="θ1", ylabel="θ2", aspect="equal"
    )
    axes.grid(visible=False)


def _draw_curve(axes: Axes, surface: Surface, racers: Sequence[Racer]) -> None:
    axis = np.linspace(-surface.half_width, surface.half_width, 601)
    curve = surface.function(axis[:, np.newaxis])
    axes.plot(axis, curve, color=INK, linewidth=1.4)
    axes.fill_between(axis, curve, curve.min() - 1, color=FAINT, alpha=0.18, linewidth=0)
    room = 0.045 * float(np.ptp(curve))
    for number, racer in enumerate(racers):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        inside = np.abs(racer.path.points[:, 0]) <= 2 * surface.half_width
        x, y = racer.path.points[inside, 0], racer.path.values[inside]
        # Each racer a little higher than the one before, or they would hide each other.
        axes.plot(x, y + number * room, "o-", color=colour, markersize=3.2, linewidth=0.7,
                  alpha=0.9)  # fmt: skip
        axes.plot(x[0], y[0] + number * room, "o", color="white", markeredgecolor=colour,
                  markersize=7, zorder=6)  # fmt: skip
        axes.plot(x[-1], y[-1] + number * room, "s", color=colour, markeredgecolor="white",
                  markersize=7, zorder=7)  # fmt: skip
    for number, minimum in enumerate(surface.minima):
        axes.plot(minimum[0], surface.value(np.array(minimum)), marker="*", color="white",
                  markeredgecolor=INK, markersize=14 if number == 0 else 10, zorder=8)  # fmt: skip
    low, high = float(curve.min()), float(curve.max())
    margin = 0.08 * (high - low)
    axes.set(xlim=(axis[0], axis[-1]), ylim=(low - margin, high + margin), xlabel="θ", ylabel="J")


def _draw_values(axes: Axes, surface: Surface, racers: Sequence[Racer]) -> None:
    lowest = surface.value(np.array(surface.minima[0]))
    first = max(float(racer.path.values[0]) - lowest for racer in racers)
    for number, racer in enumerate(racers):
        above = racer.path.values - lowest
        above = np.where(np.isfinite(above), np.maximum(above, 1e-16), np.nan)
        axes.semilogy(above, color=LINE_COLOURS[number % len(LINE_COLOURS)], linewidth=1.3)
    axes.set_ylim(max(1e-14, axes.get_ylim()[0]), 30 * max(first, 1e-12))
    axes.set_title("height above the deepest minimum")
    axes.set_ylabel("J - J*")


def _draw_gradients(axes: Axes, racers: Sequence[Racer]) -> None:
    for number, racer in enumerate(racers):
        sizes = np.array([record.gradient_norm for record in racer.path.records])
        seen = np.where(np.isfinite(sizes) & (sizes > 0), sizes, np.nan)
        axes.semilogy(seen, color=LINE_COLOURS[number % len(LINE_COLOURS)], linewidth=1.3)
    axes.set_ylim(max(1e-9, axes.get_ylim()[0]), None)
    axes.set_title("norm of the gradient, before clipping")
    axes.set_ylabel("|g|")


def _draw_lengths(axes: Axes, racers: Sequence[Racer]) -> None:
    for number, racer in enumerate(racers):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        records = racer.path.records
        pairs = [r.rates if r.rates is not None else (r.length, r.length) for r in records]
        if not pairs:
            continue
        low, high = np.array(pairs).T
        low, high = (np.where(row > 0, row, np.nan) for row in (low, high))
        axes.plot(high, color=colour, linewidth=1.2)
        axes.plot(low, color=colour, linewidth=1.2)
        axes.fill_between(np.arange(len(low)), low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_yscale("log")
    axes.set_title("rates: the step per unit of gradient")
    axes.set_ylabel("lowest to highest")
    axes.set_xlabel("step")


def _legend_lines(racers: Sequence[Racer]) -> list[object]:
    from matplotlib.lines import Line2D

    several = len({tuple(racer.path.points[0]) for racer in racers}) > 1
    lines = list[object]()
    for number, racer in enumerate(racers):
        begin = ", ".join(f"{x:g}" for x in racer.path.points[0])
        words = racer.choice.describe() + (f", from {begin}" if several else "")
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        label = f"{words}: {racer.ending}"
        lines.append(Line2D([], [], color=colour, marker="s", markersize=5, label=label))
    return lines


LINE_COLOURS = ("#D55E00", "#1b7f5c", "#7A2E8E", "#E6A100", "#C2185B", *COLOURS[5:], "#000000")
"""Colours that stand out on the blue of the map."""
