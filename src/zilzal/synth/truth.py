"""What is true of a synthetic network, for whatever claims to have found it out."""

from __future__ import annotations

from dataclasses import dataclass

from zilzal.core.event import EventType
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Polarity
from zilzal.core.time import Time
from zilzal.synth.source import Mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEvent:
    """A source.

    Args:
        id: unique within the network.
        time: of the source.
        latitude: WGS84.
        longitude: WGS84.
        depth_m: below sea level.
        magnitude: local.
        event_type: earthquake or quarry blast.
        moment_n_m: seismic moment.
        stress_drop_pa: of the source.
        mechanism: None for a blast.
    """

    id: str
    time: Time
    latitude: float
    longitude: float
    depth_m: float
    magnitude: float
    event_type: EventType
    moment_n_m: float
    stress_drop_pa: float
    mechanism: Mechanism | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueArrival:
    """A direct or refracted wave at a station, whether or not it rises above the noise.

    Args:
        event_id: whose.
        station_id: where.
        phase: P or S.
        time: when it came.
        stamped_time: when the station's clock says it came.
        distance_m: epicentral.
        azimuth_deg: from the source to the station.
        takeoff_angle_deg: at the source, 0 is down and 180 up.
        slowness_s_per_m: along the surface.
        polarity: first motion on the vertical, for P.
    """

    event_id: str
    station_id: StationId
    phase: Phase
    time: Time
    stamped_time: Time
    distance_m: float
    azimuth_deg: float
    takeoff_angle_deg: float
    slowness_s_per_m: float
    polarity: Polarity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleArrival:
    """A true arrival with what the record shows of it.

    Args:
        arrival: the truth.
        snr: rms of the signal alone over 2 s from the arrival, over the expected rms of the noise,
            from 2 to 15 Hz; on the vertical for P, on the horizontals for S. For S the coda of P
            counts as signal.
        is_recorded: False where a gap, a dead sensor or zeros took the 2 s, or part of them.
    """

    arrival: TrueArrival
    snr: float
    is_recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueDetection:
    """The time in which an event rises above a station's noise.

    Args:
        event_id: whose.
        station_id: where.
        start: of P.
        end: last instant at which the signal's rms over a second exceeds the noise's.
    """

    event_id: str
    station_id: StationId
    start: Time
    end: Time
