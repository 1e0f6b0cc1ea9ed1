"""Events on the map and along time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zilzal.core.catalogue import Catalogue
from zilzal.core.event import Ellipse, Event, Origin
from zilzal.core.geo import displace
from zilzal.core.station import Station
from zilzal.core.units import km
from zilzal.figures.style import ACCENT_COLOUR, FAINT, INK, P_COLOUR, S_COLOUR, drawing
from zilzal.figures.waveforms import describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def event_map(event: Event, stations: Sequence[Station]) -> Figure:
    """Epicentre with its 68 % ellipse, and the stations used (filled) and not used.

    Raises:
        ValueError: the event has no origin.
    """
    from matplotlib.figure import Figure

    origin = event.origin
    if not isinstance(origin, Origin):
        raise ValueError(f"event {event.id} is not located: {origin.reason}")
    with drawing():
        figure = Figure(figsize=(6.5, 6))
        axes = figure.subplots()
        for station in stations:
            colour = INK if station.station_id in origin.used_stations else "white"
            axes.plot(
                station.longitude, station.latitude, "^", color=colour, markeredgecolor=INK, ms=7
            )
            axes.annotate(
                station.station_id.station, (station.longitude, station.latitude),
                xytext=(4, 4), textcoords="offset points", fontsize=7, color=FAINT,
            )  # fmt: skip
        outline = ellipse_outline(origin.latitude, origin.longitude, origin.ellipse)
        axes.fill(outline[1], outline[0], color=S_COLOUR, alpha=0.25)
        axes.plot(origin.longitude, origin.latitude, "*", color=S_COLOUR, ms=14)
        _finish_map(axes, origin.latitude)
        axes.set_title(describe(event), fontsize=8)
    return figure


def catalogue_map(catalogue: Catalogue, stations: Sequence[Station] = ()) -> Figure:
    """Epicentres by depth and magnitude, and a section of depth below it."""
    from matplotlib.figure import Figure

    events = [e for e in catalogue if isinstance(e.origin, Origin)]
    place = np.array(
        [(e.origin.longitude, e.origin.latitude, km(e.origin.depth_m))
         for e in events if isinstance(e.origin, Origin)]
    ).reshape(-1, 3)  # fmt: skip
    with drawing():
        figure = Figure(figsize=(7.5, 8.5))
        axes, section = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
        for station in stations:
            axes.plot(station.longitude, station.latitude, "^", color="white", mec=INK, ms=6)
        sizes = [marker_size(event) for event in events]
        dots = axes.scatter(
            place[:, 0], place[:, 1], s=sizes, c=place[:, 2], cmap="viridis_r", alpha=0.75,
            linewidth=0.3, edgecolor="white",
        )  # fmt: skip
        if len(place):
            figure.colorbar(dots, ax=axes, label="depth [km]", shrink=0.7)
        section.scatter(place[:, 0], place[:, 2], s=sizes, c=place[:, 2], cmap="viridis_r", lw=0)
        section.invert_yaxis()
        section.set_xlabel("longitude [°]")
        section.set_ylabel("depth [km]")
        middle = float(np.median(place[:, 1])) if len(place) else 0.0
        _finish_map(axes, middle)
        axes.set_xlabel("")
        axes.set_title(f"{len(events)} located events")
    return figure


def magnitude_time(catalogue: Catalogue) -> Figure:
    """Magnitudes and their number along time."""
    from matplotlib.figure import Figure

    sized = [(e.time, e.magnitude.magnitude) for e in catalogue if e.magnitude is not None]
    when = np.array([time.to_datetime().replace(tzinfo=None) for time, _ in sized])
    size = np.array([magnitude for _, magnitude in sized], float)
    with drawing():
        figure = Figure(figsize=(9, 4))
        axes = figure.subplots()
        if len(size):
            axes.vlines(when, size.min() - 0.2, size, color=FAINT, linewidth=0.5)
            axes.plot(when, size, "o", color=P_COLOUR, ms=4)
            count = axes.twinx()
            count.plot(when, np.arange(1, len(when) + 1), color=ACCENT_COLOUR, linewidth=1.2)
            count.set_ylabel("number of events", color=ACCENT_COLOUR)
            count.grid(visible=False)
            axes.tick_params(axis="x", rotation=20)
        axes.set_ylabel("magnitude")
        axes.set_title(f"{len(size)} events with a magnitude")
    return figure


def ellipse_outline(
    latitude: float, longitude: float, ellipse: Ellipse, *, points: int = 72
) -> np.ndarray:
    """Latitudes and longitudes of a confidence ellipse's outline, shape (2, points) [deg]."""
    turn = np.linspace(0, 2 * np.pi, points)
    along, across = ellipse.semi_major_m * np.cos(turn), ellipse.semi_minor_m * np.sin(turn)
    azimuth = np.radians(ellipse.azimuth_deg)
    east = along * np.sin(azimuth) + across * np.cos(azimuth)
    north = along * np.cos(azimuth) - across * np.sin(azimuth)
    return np.array(
        [
            displace(latitude, longitude, float(e), float(n))
            for e, n in zip(east, north, strict=True)
        ]
    ).T


def marker_size(event: Event) -> float:
    """Area of an event's dot [points squared], growing with magnitude."""
    magnitude = event.magnitude
    value = magnitude.magnitude if magnitude and magnitude.magnitude is not None else 0.0
    return float(np.clip(6 * 2.2**value, 3, 900))


def _finish_map(axes: Axes, latitude: float) -> None:
    # One kilometre is as long eastwards as northwards.
    axes.set_aspect(1 / float(np.cos(np.radians(latitude))), adjustable="datalim")
    axes.set_xlabel("longitude [°]")
    axes.set_ylabel("latitude [°]")
