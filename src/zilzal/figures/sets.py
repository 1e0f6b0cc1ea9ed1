"""Sets of labelled waveforms: a page of examples, and how their traces are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase, Polarity
from zilzal.core.waveform import COMPONENTS
from zilzal.figures.style import (
    ACCENT_COLOUR,
    DETECTION_COLOUR,
    FAINT,
    INK,
    P_COLOUR,
    PHASE_COLOURS,
    S_COLOUR,
    drawing,
)
from zilzal.signal.filter import highpass, start_filter, step_filter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zilzal.train.record import Record
    from zilzal.train.sets.survey import Survey

ABOVE_HZ = 1.0
"""Traces are drawn above it: below, microseism hides what was picked."""

_COLUMNS = 3
_FEWEST_BARS = 4
_MOTIONS = {Polarity.POSITIVE: "▲", Polarity.NEGATIVE: "▼", Polarity.UNDECIDABLE: "?"}
_UNKNOWN_ALPHA = 0.13
_LITTLE = 0.5
"""Labels of less weight are dotted."""


def examples_figure(
    records: Sequence[Record], captions: Sequence[str], *, title: str = ""
) -> Figure:
    """Records with their labels, three components above 1 Hz, every one scaled to itself.

    Dotted lines are labels of little weight, shaded spans those of which nobody knows, gaps what
    was not recorded, triangles first motions, bars below the coda.

    Args:
        records: at their own rates.
        captions: a line for each.
        title: of the page.
    """
    from matplotlib.figure import Figure

    rows = -(-len(records) // _COLUMNS)
    with drawing():
        figure = Figure(figsize=(13, 0.7 + 1.95 * rows))
        panels = figure.subplots(rows, _COLUMNS, squeeze=False)
        for axes in panels.flat[len(records) :]:
            axes.axis("off")
        for axes, record, caption in zip(panels.flat, records, captions, strict=False):
            _draw_record(axes, record)
            axes.set_title(caption, fontsize=7.5, fontweight="normal")
        for axes in panels[-1]:
            axes.set_xlabel(f"time [s]; above {ABOVE_HZ:g} Hz")
        figure.suptitle(title, fontsize=10, color=INK, x=0.01, ha="left", fontweight="bold")
        _draw_legend(figure, records)
    return figure


def _draw_record(axes: Axes, record: Record) -> None:
    time_s = np.arange(record.length) / record.sampling_rate
    for row, (samples, present) in enumerate(zip(_shown(record), record.present, strict=True)):
        if present.any():
            largest = np.nanmax(np.abs(samples)) or 1.0
            axes.plot(time_s, -row + 0.46 * samples / largest, color=INK, linewidth=0.4)
        else:
            axes.plot(time_s[[0, -1]], [-row, -row], color=FAINT, linewidth=0.8, linestyle=":")
    for span in record.unknown:
        axes.axvspan(
            max(span.first, 0) / record.sampling_rate,
            min(span.last, record.length - 1) / record.sampling_rate,
            color=PHASE_COLOURS[span.phase], alpha=_UNKNOWN_ALPHA, linewidth=0,
        )  # fmt: skip
    for onset in record.onsets:
        place = onset.sample / record.sampling_rate
        colour = PHASE_COLOURS[onset.phase]
        style = "-" if onset.weight >= _LITTLE else ":"
        axes.axvline(place, color=colour, linewidth=1.1, linestyle=style)
        if onset.polarity is not None:
            axes.annotate(
                _MOTIONS[onset.polarity], (place, 0.62), color=colour, fontsize=7,
                ha="right", va="center", xytext=(-2, 0), textcoords="offset points",
            )  # fmt: skip
    for coda in record.codas:
        ends = coda.first / record.sampling_rate, coda.last / record.sampling_rate
        axes.plot(ends, [-2.62, -2.62], color=DETECTION_COLOUR, linewidth=2.5)
    axes.set_yticks([0, -1, -2], COMPONENTS)
    axes.set_xlim(0, record.length / record.sampling_rate)
    axes.set_ylim(-2.75, 0.75)
    axes.grid(axis="y", visible=False)


def _shown(record: Record) -> Float64[Array, "component sample"]:
    """Samples above `ABOVE_HZ`, NaN where nothing was recorded."""
    samples = record.samples.astype(np.float64)
    if record.sampling_rate > 4 * ABOVE_HZ:
        sections = highpass(ABOVE_HZ, order=2, sampling_rate=record.sampling_rate)
        # The filter starts at rest: an offset would ring.
        starts = record.present.argmax(axis=1)[:, None]
        first = np.take_along_axis(samples, starts, axis=1)
        samples = np.where(record.present, samples - first, 0.0)
        _, samples = step_filter(sections, start_filter(sections, len(samples)), samples)
    return np.where(record.present, samples, np.nan)


def _draw_legend(figure: Figure, records: Sequence[Record]) -> None:
    """What the page shows, and nothing else."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    onsets = [onset for record in records for onset in record.onsets]
    shown: list[Line2D | Patch] = [
        Line2D([], [], color=PHASE_COLOURS[phase], label=phase)
        for phase in Phase
        if any(onset.phase is phase for onset in onsets)
    ]
    if any(onset.weight < _LITTLE for onset in onsets):
        shown.append(Line2D([], [], color=INK, linestyle=":", label="of little weight"))
    for phase in Phase:
        if any(span.phase is phase for record in records for span in record.unknown):
            alpha = 2 * _UNKNOWN_ALPHA
            shown.append(Patch(color=PHASE_COLOURS[phase], alpha=alpha, label=f"{phase} unknown"))
    if any(record.codas for record in records):
        shown.append(Line2D([], [], color=DETECTION_COLOUR, linewidth=2.5, label="coda"))
    if shown:
        figure.legend(handles=shown, loc="upper right", ncols=len(shown), fontsize=8)


def distributions_figure(found: Survey) -> Figure:
    """How the traces of a set are distributed, and what nobody knows of them."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(13, 6.2))
        panels = figure.subplots(2, 4)
        _draw_values(panels[0, 0], found.p_place_s, "P after the window's start", "s", P_COLOUR)
        _draw_values(panels[0, 1], found.s_minus_p_s, "S − P", "s", S_COLOUR)
        _draw_values(panels[0, 2], found.snr_db, "signal to noise", "dB", DETECTION_COLOUR)
        _draw_values(panels[0, 3], found.distances_km, "epicentral distance", "km", INK)
        magnitudes = list(found.magnitudes.values())
        _draw_values(panels[1, 0], magnitudes, "magnitude, of events", "", ACCENT_COLOUR)
        _draw_counts(panels[1, 1], _rates(found), "sampling rate")
        _draw_counts(panels[1, 2], _labels(found), "labels")
        _draw_counts(panels[1, 3], _parts(found), "traces")
        figure.suptitle(
            f"{found.name}: {len(found.traces)} traces, {len(found.events)} events, "
            f"{len(found.stations)} stations",
            fontsize=10, color=INK, x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
    return figure


def _draw_values(axes: Axes, values: Sequence[float], title: str, unit: str, colour: str) -> None:
    """A histogram, with the median as a line; or that nothing is known."""
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title)
    if not values:
        axes.text(0.5, 0.5, "not known", ha="center", va="center", transform=axes.transAxes,
                  color=FAINT)  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return
    low, high = np.min(values), np.max(values)
    margin = 0.5 if low == high else 0.0
    bins = np.linspace(low - margin, high + margin, 31)
    axes.hist(values, bins=bins, color=colour, alpha=0.75, linewidth=0)
    median = float(np.median(values))
    axes.axvline(median, color=INK, linewidth=1, linestyle="--")
    axes.text(
        0.98, 0.95, f"median {median:.3g}{' ' if unit else ''}{unit}\n{len(values)} known",
        ha="right", va="top", transform=axes.transAxes, fontsize=8,
    )  # fmt: skip
    axes.set_xlabel(unit or title.partition(",")[0])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _draw_counts(axes: Axes, counts: Mapping[str, tuple[int, str]], title: str) -> None:
    """Bars by name, with their numbers."""
    axes.set_title(title)
    places = list(range(len(counts)))
    values = [count for count, _ in counts.values()]
    axes.barh(places, values, color=[colour for _, colour in counts.values()], alpha=0.75)
    for place, value in zip(places, values, strict=True):
        axes.text(value, place, f" {value}", va="center", fontsize=8)
    axes.set_yticks(places, list(counts))
    axes.set_xlim(0, 1.2 * max(values, default=1))
    axes.set_ylim(max(len(counts), _FEWEST_BARS) - 0.4, -0.6)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def _rates(found: Survey) -> dict[str, tuple[int, str]]:
    common = found.rates.most_common(6)
    shown = {f"{rate:g} Hz": (count, INK) for rate, count in sorted(common)}
    others = sum(found.rates.values()) - sum(count for _, count in common)
    return shown | ({"others": (others, FAINT)} if others else {})


def _labels(found: Survey) -> dict[str, tuple[int, str]]:
    shown = {
        f"{phase} {status}": (count, PHASE_COLOURS[phase])
        for phase in Phase
        for status, count in sorted(found.arrivals[phase].items())
    }
    motions = {f"first motion {m}": (n, ACCENT_COLOUR) for m, n in sorted(found.polarities.items())}
    return shown | motions


def _parts(found: Survey) -> dict[str, tuple[int, str]]:
    shown = {"events": (len(found.traces) - found.n_noise, DETECTION_COLOUR)}
    shown["noise"] = (found.n_noise, FAINT)
    splits = {s: n for s, n in sorted(found.splits.items()) if s}
    return shown | {f"split {name}": (count, INK) for name, count in splits.items()}
