"""The text formats of the FDSN's web services: lines of fields between bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zilzal.core.event import Event, Origin
from zilzal.core.time import Time
from zilzal.core.units import km

EVENT_COLUMNS = (
    "EventID", "Time", "Latitude", "Longitude", "Depth/km", "Author", "Catalog", "Contributor",
    "ContributorID", "MagType", "Magnitude", "MagAuthor", "EventLocationName", "EventType",
)  # fmt: skip


def field(text: str) -> str:
    """A text that can stand between bars, on one line."""
    return " ".join(text.replace("|", "/").split())


def event_text(events: Iterable[Event]) -> str:
    """Events as fdsnws-event gives them for `format=text`; those without a place are left out.

    Source:
        FDSN Web Service Specifications, version 1.2, table of the event service's text format.
    """
    lines = [
        "|".join(_event_fields(event, event.origin))
        for event in events
        if isinstance(event.origin, Origin)
    ]
    return "\n".join(["#" + "|".join(EVENT_COLUMNS), *lines]) + "\n"


def _event_fields(event: Event, origin: Origin) -> list[str]:
    magnitude, kind = event.magnitude, event.classification
    author = event.author or origin.provenance.method
    return [
        event.id,
        str(origin.time).removesuffix("Z"),
        f"{origin.latitude:.6f}",
        f"{origin.longitude:.6f}",
        f"{km(origin.depth_m):.3f}",
        field(author),
        "zilzal",
        "zilzal",
        event.id,
        "" if magnitude is None else magnitude.type,
        "" if magnitude is None else f"{magnitude.magnitude:.2f}",
        "" if magnitude is None else field(magnitude.provenance.method),
        "",
        "" if kind is None else kind.event_type.value,
    ]


STATION_COLUMNS = {
    "network": ("Network", "Description", "StartTime", "EndTime", "TotalStations"),
    "station": (
        "Network", "Station", "Latitude", "Longitude", "Elevation", "SiteName", "StartTime",
        "EndTime",
    ),
    "channel": (
        "Network", "Station", "Location", "Channel", "Latitude", "Longitude", "Elevation",
        "Depth", "Azimuth", "Dip", "SensorDescription", "Scale", "ScaleFreq", "ScaleUnits",
        "SampleRate", "StartTime", "EndTime",
    ),
}  # fmt: skip


def station_text(inventory: Any, level: str) -> str:
    """An ObsPy inventory as fdsnws-station gives it for `format=text`.

    Args:
        inventory: of networks, stations and channels.
        level: network, station or channel.

    Source:
        FDSN Web Service Specifications, version 1.2, tables of the station service's text format.
    """
    rows: list[Sequence[object]] = []
    for network in inventory:
        dates = _dates(network)
        if level == "network":
            rows.append([network.code, network.description, *dates, len(network.stations)])
            continue
        for station in network:
            if level == "station":
                rows.append(_station_row(network.code, station))
            else:
                rows += [_channel_row(network.code, station.code, channel) for channel in station]
    lines = ["|".join(field(_said(value)) for value in row) for row in rows]
    return "\n".join(["#" + "|".join(STATION_COLUMNS[level]), *lines]) + "\n"


def _said(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


ALWAYS = "1900-01-01T00:00:00.000000"
"""Stands for the start of what has none: the format, and its readers, want one."""


def _dates(thing: Any) -> tuple[str, str]:
    first, last = (
        "" if date is None else str(Time(int(date.ns))).removesuffix("Z")
        for date in (thing.start_date, thing.end_date)
    )
    return first or ALWAYS, last


def _station_row(network: str, station: Any) -> Sequence[object]:
    name = station.site.name if station.site is not None else ""
    place = float(station.latitude), float(station.longitude), float(station.elevation or 0)
    return [network, station.code, *place, name, *_dates(station)]


def _channel_row(network: str, station: str, channel: Any) -> Sequence[object]:
    sensor = channel.sensor.description if channel.sensor is not None else ""
    overall = channel.response.instrument_sensitivity if channel.response is not None else None
    scale = (
        (None, None, None) if overall is None
        else (float(overall.value), float(overall.frequency), overall.input_units)
    )  # fmt: skip
    numbers = (
        channel.latitude, channel.longitude, channel.elevation, channel.depth, channel.azimuth,
        channel.dip,
    )  # fmt: skip
    known = [None if number is None else float(number) for number in numbers]
    rate = None if channel.sample_rate is None else float(channel.sample_rate)
    codes = network, station, channel.location_code or "", channel.code
    return [*codes, *known, sensor, *scale, rate, *_dates(channel)]
