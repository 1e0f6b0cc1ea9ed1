"""Stations as an operator wants them: where they stand, how they do, what was picked at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import sensors_of
from zilzal.app.live.status import StationStatus, read_status
from zilzal.core.coverage import CoverageHour, tally_hours
from zilzal.core.event import Event
from zilzal.core.ids import SensorId, StationId
from zilzal.core.pick import Phase
from zilzal.core.spread import robust_sigma
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.io.store import EventQuery

RECENT_S = 86_400.0
"""Gaps of a network that is being monitored are counted over the last day."""
LATE_S = 30.0
"""Data older than this are late, on a network that is being monitored."""


class State(StrEnum):
    """How a station does."""

    GOOD = "good"
    LATE = "late"
    SILENT = "silent"
    LEFT_OUT = "left out"
    """The machine cannot keep up with all stations."""
    STOPPED = "stopped"
    """No monitor runs, so that nothing is known of it now."""
    RECORDED = "recorded"
    """Of an archive: there are data of it."""
    WITHOUT_DATA = "without data"
    """In the inventory, but nothing was ever recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationLine:
    """A station at a glance.

    Args:
        station_id: its code.
        station: where it stands; None where the inventory does not know it.
        sensors: that were recorded.
        state: how it does.
        trouble: why no picks come of it, in words; empty where all is well.
        last_data: where its newest data end.
        data_age_s: since then, for a monitor that runs.
        silent_s: since a packet came.
        behind_s: of what was worked on behind the newest data.
        picks: of P and S, all that are in the store.
        picks_per_hour: of P and S, over the time that was analysed; None where none was.
        gaps: of the channel that has most, within the span that was asked for.
        gap_share: of all channels' time therein; None where the ledger tells nothing of it.
    """

    station_id: StationId
    station: Station | None
    sensors: tuple[SensorId, ...]
    state: State
    trouble: str
    last_data: Time | None
    data_age_s: float | None
    silent_s: float | None
    behind_s: float | None
    picks: int
    picks_per_hour: float | None
    gaps: int
    gap_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PickStatistics:
    """A station's picks of one phase.

    Args:
        phase: P or S.
        picks: all.
        used: with an arrival that was used, in the current versions of events.
        median_residual_s: of those; None where there are none.
        spread_s: robust standard deviation of those; None where there are none.
    """

    phase: Phase
    picks: int
    used: int
    median_residual_s: float | None
    spread_s: float | None


def station_lines(
    held: Holdings, span: tuple[Time | None, Time | None] | None = None
) -> list[StationLine]:
    """All stations of the inventory, of the waveforms and of the monitor, in order.

    Args:
        held: what there is.
        span: in which gaps are counted, without end where a side is None; if left out the last
            day of a monitor, else all.
    """
    now, store = held.now(), held.store
    status = read_status(store, now)
    if span is None:
        span = (None if status is None else now - RECENT_S), None
    sensors: dict[StationId, list[SensorId]] = {}
    for sensor in sensors_of(held.waveforms):
        sensors.setdefault(sensor.station_id, []).append(sensor)
    known = _Known(
        is_running=None if status is None else status.is_running,
        places=held.places(),
        sensors=sensors,
        told={} if status is None else {StationId.parse(s.station): s for s in status.stations},
        analysed=store.analysed_stations(),
        picks=store.pick_counts(),
        gaps=store.gaps(*span),
    )
    ids = {*known.places, *known.sensors, *known.analysed, *known.told}
    return [known.line(station_id) for station_id in sorted(ids)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of all stations; `is_running` is None where no monitor ever wrote."""

    is_running: bool | None
    places: Mapping[StationId, Station]
    sensors: Mapping[StationId, Sequence[SensorId]]
    told: Mapping[StationId, StationStatus]
    analysed: Mapping[StationId, tuple[Time, float]]
    picks: Mapping[tuple[StationId, Phase], int]
    gaps: Mapping[StationId, tuple[int, float]]

    def line(self, station_id: StationId) -> StationLine:
        """One of them."""
        told, analysed = self.told.get(station_id), self.analysed.get(station_id)
        lively = told if self.is_running else None
        sensors = tuple(self.sensors.get(station_id, ()))
        picks = sum(self.picks.get((station_id, phase), 0) for phase in Phase)
        hours = 0.0 if analysed is None else analysed[1] / 3_600
        gaps, gap_share = self.gaps.get(station_id, (0, None))
        has_data = bool(sensors) or analysed is not None
        return StationLine(
            station_id=station_id,
            station=self.places.get(station_id),
            sensors=sensors,
            state=_state(told, self.is_running, has_data=has_data),
            trouble="" if lively is None else lively.trouble,
            last_data=(told and told.data_end) or (analysed and analysed[0]),
            data_age_s=lively and lively.data_age_s,
            silent_s=lively and lively.silent_s,
            behind_s=lively and lively.behind_s,
            picks=picks,
            picks_per_hour=picks / hours if hours > 0 else None,
            gaps=gaps,
            gap_share=gap_share,
        )


def _state(told: StationStatus | None, is_running: bool | None, *, has_data: bool) -> State:
    if is_running is None:
        return State.RECORDED if has_data else State.WITHOUT_DATA
    if not is_running:
        return State.STOPPED
    if told is None or told.trouble == "silent":
        return State.SILENT
    if told.trouble.startswith("left out"):
        return State.LEFT_OUT
    return State.LATE if told.trouble else state_of_age(told.data_age_s)


def state_of_age(data_age_s: float | None) -> State:
    """Of a station that sends: good or late, by how old its newest sample is."""
    return State.LATE if data_age_s is None or data_age_s > LATE_S else State.GOOD


def coverage_of(
    station_id: StationId, span: tuple[Time, Time], held: Holdings
) -> list[CoverageHour]:
    """The ledger of a station by channel, hour and reason."""
    spans = held.store.coverage(*span, station_id=station_id)
    return tally_hours(spans)


def pick_statistics(
    station_id: StationId, span: tuple[Time | None, Time | None], held: Holdings
) -> list[PickStatistics]:
    """What became of a station's picks; of all where the span has no ends."""
    start, end = span
    picks = held.store.pick_counts(start, end)
    events = held.store.events(EventQuery(start=start, end=end, catalogue_only=True))
    residuals = _residuals(station_id, events.events)
    return [
        _statistics(phase, picks.get((station_id, phase), 0), residuals[phase]) for phase in Phase
    ]


def _residuals(station_id: StationId, events: Sequence[Event]) -> Mapping[Phase, list[float]]:
    found: dict[Phase, list[float]] = {phase: [] for phase in Phase}
    for event in events:
        for arrival in event.arrivals:
            if arrival.station_id == station_id and arrival.weight > 0:
                found[arrival.phase].append(arrival.residual_s)
    return found


def _statistics(phase: Phase, picks: int, residuals_s: Sequence[float]) -> PickStatistics:
    median_s = spread_s = None
    if residuals_s:
        median_s = float(np.median(residuals_s))
        spread_s = robust_sigma(np.array(residuals_s))
    return PickStatistics(
        phase=phase,
        picks=picks,
        used=len(residuals_s),
        median_residual_s=median_s,
        spread_s=spread_s,
    )
