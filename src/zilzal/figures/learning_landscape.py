"""The loss around a trained network, as mountains and as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zilzal.figures.style import ACCENT_COLOUR, INK, P_COLOUR, S_COLOUR, drawing
from zilzal.learn.survey import Landscape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def landscape_figure(landscape: Landscape, *, title: str) -> Figure:
    """The plane in relief and as a map, the training, and the way to the network's twin."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(10.5, 7.2))
        parts = figure.add_gridspec(2, 2, width_ratios=[1.25, 1], height_ratios=[1.35, 1])
        _draw_relief(figure.add_subplot(parts[0, 0], projection="3d"), landscape)
        _draw_plane(figure.add_subplot(parts[0, 1]), landscape)
        _draw_training(figure.add_subplot(parts[1, 0]), landscape)
        _draw_way(figure.add_subplot(parts[1, 1]), landscape)
        figure.suptitle(f"The loss around {title}", x=0.01, ha="left", weight="bold")
    return figure


def _heights(landscape: Landscape) -> Any:
    """The logarithm of the loss, for a minimum is orders of magnitude below its surroundings."""
    return np.log10(np.maximum(landscape.plane, 1e-12))


def _draw_relief(axes: Any, landscape: Landscape) -> None:
    u, v = np.meshgrid(landscape.axis, landscape.axis)
    heights = _heights(landscape)
    axes.plot_surface(u, v, heights, cmap="viridis", rcount=80, ccount=80, linewidth=0,
                      antialiased=True, alpha=0.97)  # fmt: skip
    low = float(heights.min()) - 0.25 * float(np.ptp(heights))
    axes.contourf(u, v, heights, levels=18, zdir="z", offset=low, cmap="viridis", alpha=0.35)
    axes.set_zlim(low, float(heights.max()))
    axes.set_zlabel("log10 loss")
    axes.set(xlabel="u", ylabel="v")
    axes.view_init(elev=32, azim=-58)
    axes.set_box_aspect((1, 1, 0.72), zoom=1.12)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))


def _draw_plane(axes: Axes, landscape: Landscape) -> None:
    axis = landscape.axis
    heights = _heights(landscape)
    drawn = axes.contourf(axis, axis, heights, levels=24, cmap="viridis")
    axes.contour(axis, axis, heights, levels=24, colors="white", linewidths=0.35, alpha=0.7)
    if landscape.along_path:
        u, v = landscape.path.T
        axes.plot(u, v, "o-", color="white", markersize=2.6, linewidth=1)
        axes.plot(u[0], v[0], "o", color="white", markeredgecolor=INK, markersize=8)
        words = f"plane of the path ({100 * landscape.explained:.0f} % of it)"
    else:
        words = "filter-normalised random directions"
    axes.plot(0, 0, "*", color="white", markeredgecolor=INK, markersize=14)
    axes.set(xlabel="u", ylabel="v", aspect="equal", title=words)
    axes.grid(visible=False)
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.85)
    bar.set_label("log10 loss")


def _draw_training(axes: Axes, landscape: Landscape) -> None:
    number = [epoch.number for epoch in landscape.epochs]
    axes.semilogy(number, [e.loss for e in landscape.epochs], color=P_COLOUR, label="learnt from")
    watched = [np.nan if (v := e.validation_loss) is None else v for e in landscape.epochs]
    axes.semilogy(number, watched, color=S_COLOUR, label="held out")
    axes.set(xlabel="epoch", ylabel="cross-entropy", title="training")
    axes.legend()


def _draw_way(axes: Axes, landscape: Landscape) -> None:
    share = np.linspace(0.0, 1.0, len(landscape.profile))
    axes.plot(share, landscape.profile, color=ACCENT_COLOUR)
    axes.fill_between(share, landscape.profile, color=ACCENT_COLOUR, alpha=0.15, linewidth=0)
    axes.plot([0, 1], landscape.profile[[0, -1]], "*", color="white", markeredgecolor=INK,
              markersize=13, clip_on=False, zorder=5)  # fmt: skip
    axes.set_xticks([0, 1], ["the network", "its twin: units permuted"])
    for label, place in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(place)
    axes.set_ylim(0, None)
    axes.set(ylabel="cross-entropy", title="one function at two places")
