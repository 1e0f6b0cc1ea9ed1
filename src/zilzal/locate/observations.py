"""Picks of one association as arrays, one of each phase from each station."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Pick
from zilzal.core.station import Station
from zilzal.core.time import NS_PER_S, Time

Key = tuple[StationId, Phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCorrection:
    """Time to add to what the earth model gives.

    Args:
        station: network.station, as "CI.CCC".
        phase: P or S.
        correction_s: positive where waves come later than the model says.
    """

    station: str
    phase: Phase
    correction_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Picks in the order that arrays have: P before S, each by station.

    Args:
        picks: one of a phase and station.
        stations: of each pick.
        n_p: number of P picks.
        reference: instant that times count from, the earliest pick.
        time_s: of each pick after `reference`.
        uncertainty_s: standard deviation of each pick.
        correction_s: the station's term for each pick, to be added to the computed time.
    """

    picks: tuple[Pick, ...]
    stations: tuple[Station, ...]
    n_p: int
    reference: Time
    time_s: Float64[Array, " pick"]
    uncertainty_s: Float64[Array, " pick"]
    correction_s: Float64[Array, " pick"]

    @property
    def n_stations(self) -> int:
        """Number of different stations."""
        return len({station.station_id for station in self.stations})


def key_of(pick: Pick) -> Key:
    """Station and phase."""
    return pick.channel_id.station_id, pick.phase


def choose(picks: Iterable[Pick]) -> dict[Key, list[Pick]]:
    """Picks by phase and station, the best first: most probable, then most certain, then first."""
    groups: dict[Key, list[Pick]] = {}
    for pick in picks:
        groups.setdefault(key_of(pick), []).append(pick)
    for group in groups.values():
        group.sort(key=lambda p: (-p.probability, p.uncertainty_s, p.time, p.id))
    return groups


def observe(
    picks: Sequence[Pick],
    stations: Mapping[StationId, Station],
    corrections_s: Mapping[Key, float],
) -> Observations:
    """Arrays of picks; at least one, each of a known station, no two of the same key."""
    ordered = tuple(sorted(picks, key=lambda p: (p.phase is Phase.S, p.channel_id.station_id)))
    reference = min(pick.time for pick in ordered)
    return Observations(
        picks=ordered,
        stations=tuple(stations[pick.channel_id.station_id] for pick in ordered),
        n_p=sum(pick.phase is Phase.P for pick in ordered),
        reference=reference,
        time_s=np.array([(pick.time.ns - reference.ns) / NS_PER_S for pick in ordered]),
        uncertainty_s=np.array([pick.uncertainty_s for pick in ordered]),
        correction_s=np.array([corrections_s.get(key_of(pick), 0.0) for pick in ordered]),
    )
