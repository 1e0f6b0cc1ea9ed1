"""An event in its waveforms: the record section, and one sensor with its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zilzal.core.event import Arrival, Event, Origin
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Pick
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time
from zilzal.core.units import km
from zilzal.core.waveform import COMPONENTS, Trace, Window
from zilzal.figures.style import INK, PHASE_COLOURS, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def record_section(
    event: Event, verticals: Mapping[StationId, Sequence[Trace]], *, before_s: float = 5.0
) -> Figure:
    """Verticals by distance, with picks (solid) and predicted arrivals (dashed).

    Args:
        event: located.
        verticals: filtered traces by station; stations without any are left out.
        before_s: shown before the origin time.

    Raises:
        ValueError: the event has no origin.
    """
    from matplotlib.figure import Figure

    origin = event.origin
    if not isinstance(origin, Origin):
        raise ValueError(f"event {event.id} is not located: {origin.reason}")
    place = {arrival.station_id: arrival.distance_m for arrival in origin.arrivals}
    last_s = max((_observed_s(a, event, origin) for a in origin.arrivals), default=30.0)
    with drawing():
        figure = Figure(figsize=(9, 0.9 + 0.36 * max(len(place), 8)))
        axes = figure.subplots()
        rank = {s: i for i, s in enumerate(sorted(place, key=place.__getitem__))}
        for station, row in rank.items():
            for trace in verticals.get(station, ()):
                _draw_scaled(axes, trace, origin.time, row)
        for arrival in origin.arrivals:
            _draw_arrival(axes, arrival, _observed_s(arrival, event, origin), rank)
        axes.set_yticks(
            list(rank.values()), [f"{s}  {km(place[s]):.0f} km" for s in rank], fontsize=8
        )
        axes.set_xlim(-before_s, last_s * 1.25 + 5)
        axes.set_ylim(len(rank) - 0.4, -0.9)
        axes.set_xlabel(f"time after {origin.time} [s]")
        axes.set_title(describe(event))
        _phase_legend(axes, with_predicted=True)
    return figure


def sensor_figure(
    window: Window, picks: Sequence[Pick], probabilities: Probabilities | None = None
) -> Figure:
    """One sensor's components with picks, the network's curves, and the vertical's spectrogram."""
    from matplotlib.figure import Figure

    time_s = np.arange(window.length) / window.sampling_rate
    with drawing():
        rows = 5 if probabilities is not None else 4
        figure = Figure(figsize=(9, 1.35 * rows + 0.6))
        panels: Sequence[Axes] = figure.subplots(
            rows, 1, sharex=True, height_ratios=[1, 1, 1, 1.4, 1][:rows]
        )
        for axes, component, samples, present in zip(
            panels, COMPONENTS, window.samples, window.present, strict=False
        ):
            axes.plot(time_s, np.where(present, samples, np.nan), color=INK, linewidth=0.5)
            axes.set_ylabel(component, rotation=0, labelpad=12)
            axes.ticklabel_format(axis="y", scilimits=(-3, 4))
        _draw_spectrogram(panels[3], window)
        if probabilities is not None:
            _draw_probabilities(panels[4], probabilities, window.start)
        for pick in picks:
            for axes in panels:
                axes.axvline(pick.time - window.start, color=PHASE_COLOURS[pick.phase], linewidth=1)
        panels[0].set_title(f"{window.sensor_id}   {str(window.start)[:-5]} UTC   [counts]")
        panels[-1].set_xlabel(f"time after {window.start} [s]")
        panels[-1].set_xlim(0, time_s[-1])
        _phase_legend(panels[0], with_predicted=False)
    return figure


def describe(event: Event) -> str:
    """One line about an event: magnitude, depth, time, numbers of picks, quality."""
    origin = event.origin
    if not isinstance(origin, Origin):
        return f"{event.time}  not located: {origin.reason}"
    magnitude = event.magnitude
    size = f"{magnitude.type} {magnitude.magnitude:.1f}" if magnitude else "no magnitude"
    return (
        f"{size}  {str(origin.time)[:-5]}  depth {km(origin.depth_m):.1f} km  "
        f"{origin.count(Phase.P)} P {origin.count(Phase.S)} S  rms {origin.rms_s:.2f} s  "
        f"quality {origin.quality}"
    )


def _observed_s(arrival: Arrival, event: Event, origin: Origin) -> float:
    pick = next(p for p in event.picks if p.id == arrival.pick_id)
    return pick.time - origin.time


def _draw_scaled(axes: Axes, trace: Trace, reference: Time, row: int) -> None:
    samples = np.asarray(trace.samples, float)
    largest = np.abs(samples).max() if len(samples) else 0.0
    if largest > 0:
        time_s = (trace.start - reference) + np.arange(len(samples)) / trace.sampling_rate
        axes.plot(time_s, row - 0.48 * samples / largest, color=INK, linewidth=0.4)


def _draw_arrival(
    axes: Axes, arrival: Arrival, observed_s: float, rank: Mapping[StationId, int]
) -> None:
    row, colour = rank[arrival.station_id], PHASE_COLOURS[arrival.phase]
    used = 1.0 if arrival.weight > 0 else 0.35
    axes.plot([observed_s] * 2, [row - 0.45, row + 0.45], color=colour, linewidth=1.4, alpha=used)
    predicted_s = observed_s - arrival.residual_s
    axes.plot([predicted_s] * 2, [row - 0.45, row + 0.45], color=colour, linewidth=0.8, ls=":")


def _draw_spectrogram(axes: Axes, window: Window) -> None:
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    vertical = np.where(window.present[0], window.samples[0], 0.0).astype(float)
    length = max(16, round(window.sampling_rate))
    transform = ShortTimeFFT(hann(length), length // 8, window.sampling_rate, mfft=2 * length)
    power = transform.spectrogram(vertical - vertical.mean())
    level_db = 10 * np.log10(power + power.max() * 1e-9 + 1e-300)
    extent = transform.extent(len(vertical))
    axes.imshow(
        level_db, aspect="auto", origin="lower", extent=extent, cmap="viridis",
        vmin=np.percentile(level_db, 20), vmax=level_db.max(),
    )  # fmt: skip
    axes.set_ylim(0.5, min(40.0, window.sampling_rate / 2))
    axes.set_ylabel("f [Hz]")
    axes.grid(visible=False)


def _draw_probabilities(axes: Axes, probabilities: Probabilities, start: Time) -> None:
    number = probabilities.values.shape[1]
    time_s = (probabilities.start - start) + np.arange(number) / probabilities.sampling_rate
    for label, curve in zip(probabilities.labels, probabilities.values, strict=True):
        axes.plot(time_s, curve, color=PHASE_COLOURS.get(label, INK), linewidth=1, label=label)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("probability")
    axes.legend(loc="upper left", ncols=3, fontsize=8)  # before the event all are low


def _phase_legend(axes: Axes, *, with_predicted: bool) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=PHASE_COLOURS["P"], label="P"),
        Line2D([], [], color=PHASE_COLOURS["S"], label="S"),
    ]
    if with_predicted:
        lines.append(Line2D([], [], color=INK, linestyle=":", label="predicted"))
    axes.legend(handles=lines, loc="upper right", ncols=3, fontsize=8)
