"""Picks by the stations of an archive, whatever their files left out of the codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from zilzal.core.ids import StationId
from zilzal.io.phases import ReportedEvent, ReportedPick
from zilzal.train.sets.tally import Tally


@dataclass(frozen=True, slots=True)
class Stations:
    """Finds a pick's station in an archive, if its file left the network out."""

    known: frozenset[StationId]
    _networks: dict[str, list[StationId]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        networks: dict[str, list[StationId]] = {}
        for station_id in sorted(self.known):
            networks.setdefault(station_id.station, []).append(station_id)
        object.__setattr__(self, "_networks", networks)

    def find(self, station_id: StationId) -> StationId | str:
        """The archive's station, or why there is none."""
        if station_id in self.known:
            return station_id
        candidates = self._networks.get(station_id.station, [])
        if not candidates or station_id.network:
            return "pick of a station that the archive does not have"
        if len(candidates) > 1:
            return "pick without a network code, of a station that several networks have"
        return candidates[0]


def sort_by_station(
    events: Iterable[ReportedEvent], stations: Stations, tally: Tally
) -> dict[StationId, dict[str, list[ReportedPick]]]:
    """Picks by station and event; those without a station in the archive are counted."""
    found: dict[StationId, dict[str, list[ReportedPick]]] = {}
    find = lru_cache(maxsize=None)(stations.find)
    for event in events:
        for pick in event.picks:
            station_id = find(pick.station_id)
            if isinstance(station_id, str):
                tally.add(station_id, f"{pick.station_id} {pick.phase} {pick.time}")
            else:
                found.setdefault(station_id, {}).setdefault(event.event_id, []).append(pick)
    return found
