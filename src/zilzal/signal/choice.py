"""Which sensor of a station to use where it has several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zilzal.core.ids import SensorId, StationId

PREFERENCE = ("HH", "BH", "EH", "SH", "HN", "EN", "BN", "HL", "EL", "DH", "CH", "DP", "GP")
"""Bands from the most to the least wanted: broadband before short-period before strong-motion,
faster before slower; then sensors of very high rates."""


@dataclass(frozen=True, slots=True)
class NotChosen:
    """A sensor that is left out, and why, for people."""

    sensor_id: SensorId
    note: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One sensor of each station, and the others; both in order."""

    chosen: tuple[SensorId, ...]
    not_chosen: tuple[NotChosen, ...]


def choose_sensors(sensors: Iterable[SensorId], preference: Sequence[str] = PREFERENCE) -> Choice:
    """Choose one sensor of each station: the band that `preference` names first.

    Bands that it does not name are never chosen. Of sensors of one band the location code that
    comes first counts: "" before "00" before "10". A station whose sensors change in time should
    be asked for each stretch of time (a day) with the sensors of that time.
    """
    rank = {band: n for n, band in enumerate(preference)}
    stations: dict[StationId, list[SensorId]] = {}
    not_chosen: list[NotChosen] = []
    for sensor_id in sorted(set(sensors)):
        if sensor_id.band in rank:
            stations.setdefault(sensor_id.station_id, []).append(sensor_id)
        else:
            note = f"band {sensor_id.band} is not among {', '.join(preference)}"
            not_chosen.append(NotChosen(sensor_id, note))
    chosen: list[SensorId] = []
    for candidates in stations.values():
        best, *others = sorted(candidates, key=lambda s: (rank[s.band], s.location))
        chosen.append(best)
        not_chosen += [NotChosen(other, f"{best} was preferred") for other in others]
    return Choice(tuple(sorted(chosen)), tuple(sorted(not_chosen, key=lambda n: n.sensor_id)))
