"""Events on the map and along time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zilzal.core.catalogue import Catalogue
from zilzal.core.event import Ellipse, Event, Origin
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import StationId
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.core.units import km
from zilzal.figures.style import ACCENT_COLOUR, FAINT, INK, P_COLOUR, S_COLOUR, drawing
from zilzal.figures.waveforms import describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NAMES = 60
"""More stations' codes than this hide each other."""
_REACH = 1.5


def event_map(event: Event, stations: Sequence[Station]) -> Figure:
    """Epicentre with its 68 % ellipse, and the stations used (filled) and not used.

    Stations much further away than those used are left out.

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
        _draw_stations(axes, _around([event], stations), origin.used_stations)
        outline = ellipse_outline(origin.latitude, origin.longitude, origin.ellipse)
        axes.fill(outline[1], outline[0], color=S_COLOUR, alpha=0.25)
        axes.plot(origin.longitude, origin.latitude, "*", color=S_COLOUR, ms=14)
        _finish_map(figure, axes, origin.latitude)
        axes.set_title(describe(event), fontsize=8)
    return figure


def catalogue_map(catalogue: Catalogue, stations: Sequence[Station] = ()) -> Figure:
    """Epicentres by depth and magnitude, and a section of depth below it.

    Events without a magnitude are drawn as one of 1; stations much further away than
    those that events were located with are left out.
    """
    from matplotlib.figure import Figure

    events = sorted((e for e in catalogue if isinstance(e.origin, Origin)), key=marker_size)[::-1]
    place = np.array(
        [(e.origin.longitude, e.origin.latitude, km(e.origin.depth_m))
         for e in events if isinstance(e.origin, Origin)]
    ).reshape(-1, 3)  # fmt: skip
    sizes = [marker_size(event) for event in events]
    look: dict[str, Any] = {
        "s": sizes, "c": place[:, 2], "cmap": "viridis_r", "alpha": 0.75, "linewidth": 0.3,
        "edgecolor": "white",
    }  # fmt: skip
    with drawing():
        figure = Figure(figsize=(7.5, 8.5))
        axes, section = figure.subplots(2, 1, height_ratios=[3, 1])
        _draw_stations(axes, _around(events, stations))
        dots = axes.scatter(place[:, 0], place[:, 1], **look)
        section.scatter(place[:, 0], place[:, 2], **look)
        if len(place):
            figure.colorbar(dots, ax=axes, label="depth [km]", shrink=0.7).ax.invert_yaxis()
            _magnitude_legend(axes, events)
        section.invert_yaxis()
        section.set_xlabel("longitude [°]")
        section.set_ylabel("depth [km]")
        middle = float(np.median(place[:, 1])) if len(place) else 0.0
        axes.tick_params(labelbottom=False)
        _finish_map(figure, axes, middle, with_longitude=False)
        section.set_xlim(axes.get_xlim())
        axes.set_title(f"{len(events)} located event{'s' * (len(events) != 1)}{_when(events)}")
    return figure


def magnitude_time(catalogue: Catalogue) -> Figure:
    """Magnitudes along time, and the number of events until then, those without one too."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    events = sorted(catalogue, key=lambda e: e.time)
    sized = [(e.time, e.magnitude.magnitude) for e in events if e.magnitude is not None]
    size = np.array([magnitude for _, magnitude in sized], float)
    with drawing():
        figure = Figure(figsize=(9, 4))
        axes = figure.subplots()
        if events:
            count = axes.twinx()
            steps = _dates([events[0].time, *(e.time for e in events)])
            count.step(
                steps, np.arange(len(steps)), where="post", color=ACCENT_COLOUR, linewidth=1.2
            )
            count.set_ylabel("number of events", color=ACCENT_COLOUR)
            count.set_ylim(bottom=0)
            count.yaxis.set_major_locator(MaxNLocator(integer=True))
            count.grid(visible=False)
            locator = AutoDateLocator()
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        if len(size):
            when, floor = _dates([time for time, _ in sized]), size.min() - 0.2
            axes.vlines(when, floor, size, color=FAINT, linewidth=0.5)
            axes.plot(when, size, "o", color=P_COLOUR, ms=4)
            axes.set_ylim(bottom=floor)
        axes.set_ylabel("magnitude")
        axes.set_xlabel("time (UTC)")
        axes.set_title(f"{len(size)} of {len(events)} events with a magnitude{_when(events)}")
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
    value = magnitude.magnitude if magnitude and magnitude.magnitude is not None else 1.0
    return _area(value)


def _area(magnitude: float) -> float:
    return float(np.clip(6 * 2.2**magnitude, 3, 900))


def _dates(times: Sequence[Time]) -> np.ndarray:
    return np.array([time.to_datetime().replace(tzinfo=None) for time in times])


def _when(events: Sequence[Event]) -> str:
    """From when to when, to the minute; "" of nothing."""
    if not events:
        return ""
    times = [event.time for event in events]
    first, last = min(times).to_datetime(), max(times).to_datetime()
    same = first.date() == last.date()
    return f", {first:%Y-%m-%d %H:%M} to {last:{'%H:%M' if same else '%Y-%m-%d %H:%M'}} UTC"


def _around(events: Sequence[Event], stations: Sequence[Station]) -> list[Station]:
    """Stations no further from every event than `_REACH` times the farthest that one used."""
    origins = [e.origin for e in events if isinstance(e.origin, Origin)]
    used_m = [a.distance_m for o in origins for a in o.arrivals if a.weight > 0]
    if not used_m or not stations:
        return list(stations)
    latitude = np.array([station.latitude for station in stations])
    longitude = np.array([station.longitude for station in stations])
    nearest_m = np.full(len(stations), np.inf)
    for origin in origins[:: len(origins) // 1_000 + 1]:
        away_m = distance_m(origin.latitude, origin.longitude, latitude, longitude)
        nearest_m = np.minimum(nearest_m, away_m)
    near = nearest_m <= _REACH * max(used_m)
    return [station for station, is_near in zip(stations, near, strict=True) if is_near]


def _draw_stations(
    axes: Axes, stations: Sequence[Station], used: Collection[StationId] = ()
) -> None:
    """Triangles, filled where `used`, and their codes unless they are too many to read."""
    for station in stations:
        place = station.longitude, station.latitude
        colour = INK if station.station_id in used else "white"
        axes.plot(*place, "^", color=colour, markeredgecolor=INK, ms=6)
        if len(stations) <= _MOST_NAMES:
            axes.annotate(
                station.station_id.station, place, xytext=(4, 4), textcoords="offset points",
                fontsize=7, color=INK,
            )  # fmt: skip


def _magnitude_legend(axes: Axes, events: Sequence[Event]) -> None:
    """How large a dot is for whole magnitudes, as far as there are events of them."""
    sizes = [e.magnitude.magnitude for e in events if e.magnitude and e.magnitude.magnitude]
    if not sizes:
        return
    shown = sorted({round(value) for value in np.linspace(min(sizes), max(sizes), 4)})
    dots = [axes.scatter([], [], s=_area(value), color=FAINT, label=f"{value}") for value in shown]
    axes.legend(
        handles=dots, title="magnitude", loc="upper left", ncols=len(dots), fontsize=8,
        title_fontsize=8, frameon=True, framealpha=0.8, edgecolor="none", borderpad=0.9,
    )  # fmt: skip


def _draw_scale(axes: Axes, latitude: float) -> None:
    """A bar of about a fifth of the map, at its lower right; the limits must have settled."""
    west, east = axes.get_xlim()
    width_km = km(float(distance_m(latitude, west, latitude, east)))
    power = 10 ** np.floor(np.log10(width_km / 5))
    length_km = max(n * power for n in (1, 2, 5) if n * power <= width_km / 5)
    ends = 0.97 - length_km / width_km, 0.97
    axes.plot(
        ends, [0.04] * 2, transform=axes.transAxes, color=INK, linewidth=2, solid_capstyle="butt"
    )
    axes.annotate(
        f"{length_km:g} km", (sum(ends) / 2, 0.04), xycoords="axes fraction", xytext=(0, 4),
        textcoords="offset points", ha="center", fontsize=8,
    )  # fmt: skip


def _finish_map(
    figure: Figure, axes: Axes, latitude: float, *, with_longitude: bool = True
) -> None:
    """Widen the limits until one kilometre is as long eastwards as northwards, and keep them."""
    axes.set_xlabel("longitude [°]" if with_longitude else "")
    axes.set_ylabel("latitude [°]")
    axes.set_aspect(1 / float(np.cos(np.radians(latitude))), adjustable="datalim")
    figure.draw_without_rendering()
    limits = axes.get_xlim(), axes.get_ylim()
    axes.set_aspect("auto")
    axes.set(xlim=limits[0], ylim=limits[1])
    if axes.has_data():
        _draw_scale(axes, latitude)
