"""How a station did for a while, as the one who acquires its data sees it."""

from __future__ import annotations

from dataclasses import dataclass

from zilzal.core.ids import StationId
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPerformance:
    """A stretch of a station's acquisition, by the acquirer's clock; a minute, or a summed-up hour.

    Args:
        station_id: whose.
        start: of the stretch.
        span_s: of it that is told of; less than the hour where nobody acquired all the while.
        packets: that came.
        picks: that became final.
        arrival_s: mean from a record's last sample to when it came; None where none came.
        silent_s: since a packet had come, at the end; of an hour the longest. None where none
            had, since the acquirer was started.
        data_age_s: since the newest sample, likewise.
        behind_s: of the samples not yet worked on, likewise; None where none were worked on.
        noise_db: rms of the steps between vertical samples, in dB re 1 count, as `StationHealth`
            has it; of an hour the mean. None where none came.
    """

    station_id: StationId
    start: Time
    span_s: float
    packets: int
    picks: int
    arrival_s: float | None
    silent_s: float | None
    data_age_s: float | None
    behind_s: float | None
    noise_db: float | None
