"""The record section of an event: stations by distance, with picks and predicted arrivals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import Segment, View, read_view, sensors_of
from zilzal.core.event import Event, Origin
from zilzal.core.geo import azimuth_deg, distance_m
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import Phase, Pick
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.signal.choice import choose_sensors
from zilzal.travel import EarthModel, first_arrivals, load_model

BEFORE_S = 8.0
AFTER_SHARE = 0.3
"""Of the time from the origin to the last arrival, shown after it."""
AFTER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionLine:
    """One station of a record section.

    Args:
        station_id: whose.
        channel_id: that is shown; None where nothing was recorded.
        distance_m: epicentral; None where the place is not known.
        azimuth_deg: from the source.
        segments: of the trace.
        picks: of the event at the station.
        predicted: computed arrival by phase, with the station's correction where it is known.
    """

    station_id: StationId
    channel_id: ChannelId | None
    distance_m: float | None
    azimuth_deg: float | None
    segments: tuple[Segment, ...]
    picks: tuple[Pick, ...]
    predicted: Mapping[Phase, Time]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRequest:
    """What is to be shown.

    Args:
        component: of every station, as "Z"; another one where a station lacks it.
        n_stations: the nearest, and all that have picks.
        view: of the traces.
    """

    component: str = "Z"
    n_stations: int = 40
    view: View = field(default_factory=lambda: View(low_hz=1.0, high_hz=20.0))


def record_section(
    event: Event, held: Holdings, wanted: SectionRequest
) -> tuple[tuple[Time, Time], list[SectionLine]]:
    """From when to when, and the stations in order of distance; those without a place come last."""
    stations = _stations(event, held, wanted.n_stations)
    origin = event.origin if isinstance(event.origin, Origin) else None
    predicted = {} if origin is None else predict(origin, list(stations.values()))
    span = _span(event, [t for times in predicted.values() for t in times.values()])
    channels = _channels(event, held, wanted.component)
    lines: list[SectionLine] = []
    for station_id in {**stations, **{p.channel_id.station_id: None for p in event.picks}}:
        channel_id, station = channels.get(station_id), stations.get(station_id)
        away_m, towards_deg = _path(origin, station)
        segments: list[Segment] = []
        if channel_id is not None:
            segments = read_view(channel_id, span, wanted.view, held.waveforms, held.inventory)
        lines.append(
            SectionLine(
                station_id=station_id,
                channel_id=channel_id,
                distance_m=away_m,
                azimuth_deg=towards_deg,
                segments=tuple(segments),
                picks=tuple(p for p in event.picks if p.channel_id.station_id == station_id),
                predicted=predicted.get(station_id, {}),
            )
        )
    return span, sorted(lines, key=_order)


def predicted_arrivals(event: Event, held: Holdings) -> dict[StationId, dict[Phase, Time]]:
    """Computed P and S at the stations of an event's section; none if it is not located."""
    if not isinstance(event.origin, Origin):
        return {}
    stations = _stations(event, held, SectionRequest().n_stations)
    return predict(event.origin, list(stations.values()))


def _order(line: SectionLine) -> tuple[float, StationId]:
    return math.inf if line.distance_m is None else line.distance_m, line.station_id


def _path(origin: Origin | None, station: Station | None) -> tuple[float | None, float | None]:
    """Epicentral distance [m] and azimuth [deg]; None where an end is not known."""
    if origin is None or station is None:
        return None, None
    places = origin.latitude, origin.longitude, station.latitude, station.longitude
    return float(distance_m(*places)), float(azimuth_deg(*places))


def predict(origin: Origin, stations: Sequence[Station]) -> dict[StationId, dict[Phase, Time]]:
    """Computed P and S arrivals at stations, with the corrections that the location used."""
    if not stations:
        return {}
    model: EarthModel = load_model(origin.earth_model)
    terms = {(a.station_id, a.phase): a.correction_s for a in origin.arrivals}
    places = [(s.latitude, s.longitude, s.elevation_m) for s in stations]
    latitudes, longitudes, elevations_m = np.array(places, float).T
    away_m = distance_m(origin.latitude, origin.longitude, latitudes, longitudes)
    found: dict[StationId, dict[Phase, Time]] = {s.station_id: {} for s in stations}
    for phase in Phase:
        rays = first_arrivals(
            model, phase, elevation_m=elevations_m, distance_m=away_m, depth_m=origin.depth_m
        )
        for station, travel_s in zip(stations, rays.time_s.tolist(), strict=True):
            correction_s = terms.get((station.station_id, phase), 0.0)
            found[station.station_id][phase] = origin.time + (travel_s + correction_s)
    return found


def _stations(event: Event, held: Holdings, nearest: int) -> dict[StationId, Station]:
    """The nearest stations that recorded something, and all that have picks."""
    picked = {pick.channel_id.station_id for pick in event.picks}
    recorded = {sensor.station_id for sensor in sensors_of(held.waveforms)}
    known = {s.station_id: s for s in held.inventory.stations(event.time)}
    origin = event.origin
    chosen = [s for i, s in known.items() if i in picked]
    if isinstance(origin, Origin):
        others = [s for i, s in known.items() if i in recorded - picked]
        place = origin.latitude, origin.longitude
        others.sort(key=lambda s: float(distance_m(*place, s.latitude, s.longitude)))
        chosen += others[: max(0, nearest - len(chosen))]
    return {station.station_id: station for station in chosen}


def _span(event: Event, arrivals: Sequence[Time]) -> tuple[Time, Time]:
    last = max([*arrivals, *(pick.time for pick in event.picks)], default=event.time + 30)
    end = last + AFTER_SHARE * max(last - event.time, 0) + AFTER_S
    return event.time - BEFORE_S, end


def _channels(event: Event, held: Holdings, component: str) -> dict[StationId, ChannelId]:
    """What is shown of each station: of the sensor that was picked, or else the preferred one."""
    by_sensor: dict[SensorId, list[ChannelId]] = {}
    for channel_id in held.waveforms.channel_ids():
        by_sensor.setdefault(channel_id.sensor_id, []).append(channel_id)
    preference = held.configuration.sensors.preference
    chosen = {s.station_id: s for s in choose_sensors(by_sensor, preference).chosen}
    for pick in event.picks:
        if pick.channel_id.sensor_id in by_sensor:
            chosen[pick.channel_id.station_id] = pick.channel_id.sensor_id
    return {
        station_id: min(by_sensor[sensor], key=lambda c: (c.component != component, c))
        for station_id, sensor in chosen.items()
    }
