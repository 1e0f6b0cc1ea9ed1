"""The history of stations: how each did, a minute at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zilzal.app.live.station_health import StationHealth
from zilzal.core.ids import StationId
from zilzal.core.performance import StationPerformance
from zilzal.core.stage import Clock
from zilzal.core.time import Time

MINUTE_S = 60.0
MINUTES_KEPT_S = 7 * 86_400.0
"""Minutes older than this are summed up by hours, in the store."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of a station, since the monitor was started."""

    packets: int
    picks: int
    arrivals_s: float

    @classmethod
    def of(cls, station: StationHealth) -> _Counts:
        return cls(station.packets, station.picks, station.arrival.sum_s)


@dataclass(slots=True, eq=False)
class Chronicle:
    """What has been told, so that the next minute tells what came since."""

    _begun: tuple[Time, float] | None = None
    _told: dict[StationId, _Counts] = field(default_factory=dict[StationId, _Counts])

    def take(
        self,
        stations: Mapping[StationId, StationHealth],
        passed: Mapping[StationId, Time],
        clock: Clock,
    ) -> list[StationPerformance]:
        """How stations did since the last time; nothing before a minute is over."""
        now, now_s = clock.now(), clock.monotonic_s()
        begun, begun_s = self._begun or (now, now_s)
        # By seconds that never jump: the clock may have been set meanwhile.
        span_s = now_s - begun_s
        if self._begun is not None and span_s < MINUTE_S:
            return []
        told, self._begun = self._told, (now, now_s)
        self._told = {station_id: _Counts.of(station) for station_id, station in stations.items()}
        if span_s <= 0:
            return []
        nothing = _Counts(0, 0, 0.0)
        return [
            _performance(
                (station_id, station),
                told.get(station_id, nothing),
                (begun, span_s),
                now,
                passed.get(station_id),
            )
            for station_id, station in stations.items()
        ]


def _performance(
    named: tuple[StationId, StationHealth],
    told: _Counts,
    since: tuple[Time, float],
    now: Time,
    worked_until: Time | None,
) -> StationPerformance:
    station_id, station = named
    packets = station.packets - told.packets
    end = station.data_end
    return StationPerformance(
        station_id=station_id,
        start=since[0],
        span_s=since[1],
        packets=packets,
        picks=station.picks - told.picks,
        arrival_s=(station.arrival.sum_s - told.arrivals_s) / packets if packets else None,
        silent_s=None if station.arrived is None else now - station.arrived,
        data_age_s=None if end is None else now - end,
        behind_s=None if end is None or worked_until is None else end - worked_until,
        noise_db=station.noise_db.now,
    )
