"""Stations: where they stand, how they do, a day of them, their noise, their ledger."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from zilzal.app.display.helicorder import helicorder
from zilzal.app.display.holdings import Holdings
from zilzal.app.display.spectra import noise_spectrum
from zilzal.app.display.stations import (
    State,
    StationLine,
    pick_statistics,
    station_lines,
)
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase
from zilzal.core.station import Channel, GroundMotion
from zilzal.core.time import Time
from zilzal.web.api.trace_values import holed, numbers
from zilzal.web.api.values import Answer, Asked, Held, Instant, InstantText, parse_time, time_of
from zilzal.web.refusal import Refused, not_found

router = APIRouter(prefix="/stations", tags=["stations"])

StationCode = Annotated[str, Path(max_length=40, description="network.station, as CI.CCC")]
ChannelCode = Annotated[str, Field(max_length=40)]


class StationAnswer(Answer):
    """A station at a glance; ages and lags are null where no monitor runs.

    `gaps` are those of the channel that has most, `gap_share` is that of all its channels' time.
    """

    code: str
    network: str
    station: str
    latitude: float | None
    longitude: float | None
    elevation_m: float | None
    sensors: list[str]
    state: State
    trouble: str
    last_data: Instant | None
    data_age_s: float | None
    silent_s: float | None
    behind_s: float | None
    picks: int
    picks_per_hour: float | None
    gaps: int
    gap_share: float | None

    @classmethod
    def of(cls, line: StationLine) -> StationAnswer:
        """From what is displayed."""
        place = line.station
        return cls(
            code=str(line.station_id),
            network=line.station_id.network,
            station=line.station_id.station,
            latitude=place and place.latitude,
            longitude=place and place.longitude,
            elevation_m=place and place.elevation_m,
            sensors=[str(sensor) for sensor in line.sensors],
            state=line.state,
            trouble=line.trouble,
            last_data=line.last_data,
            data_age_s=line.data_age_s,
            silent_s=line.silent_s,
            behind_s=line.behind_s,
            picks=line.picks,
            picks_per_hour=line.picks_per_hour,
            gaps=line.gaps,
            gap_share=line.gap_share,
        )


class StationList(Answer):
    """All stations, in order of their codes."""

    total: int
    items: list[StationAnswer]


class ChannelAnswer(Answer):
    """A channel during one epoch of its life."""

    channel: str
    latitude: float
    longitude: float
    elevation_m: float
    depth_m: float
    azimuth_deg: float | None
    dip_deg: float | None
    sampling_rate: float | None
    ground_motion: GroundMotion | None
    sensitivity: float | None
    start: Instant | None
    end: Instant | None

    @classmethod
    def of(cls, channel: Channel) -> ChannelAnswer:
        """From the inventory."""
        response = channel.response
        return cls(
            channel=str(channel.channel_id),
            latitude=channel.latitude,
            longitude=channel.longitude,
            elevation_m=channel.elevation_m,
            depth_m=channel.depth_m,
            azimuth_deg=channel.azimuth_deg,
            dip_deg=channel.dip_deg,
            sampling_rate=channel.sampling_rate,
            ground_motion=response and response.ground_motion,
            sensitivity=response and response.sensitivity,
            start=channel.start,
            end=channel.end,
        )


class StationDetail(StationAnswer):
    """A station with its channels."""

    channels: list[ChannelAnswer]


class HelicorderFilter(Asked):
    """Which day, and which channel; the first vertical if none is named."""

    day: InstantText
    channel: ChannelCode | None = None
    row_min: Annotated[int, Field(ge=5, le=60)] = 15
    points: Annotated[int, Field(ge=100, le=2_000)] = 900


class HelicorderRow(Answer):
    """A row of the sheet: least and largest of each point; null where nothing was recorded."""

    start: Instant
    minimum: list[float | None]
    maximum: list[float | None]


class Helicorder(Answer):
    """A day in rows; `scale_counts` is what most rows stay within."""

    channel: str
    row_s: float
    scale_counts: float
    rows: list[HelicorderRow]


class ChannelFilter(Asked):
    """Which channel (the first vertical if none is named), from when to when."""

    start: InstantText
    end: InstantText
    channel: ChannelCode | None = None


class NoiseAnswer(Answer):
    """Power of acceleration [dB re (m/s^2)^2/Hz] by percentile, and Peterson's models."""

    channel: str
    n_segments: int
    frequency_hz: list[float]
    power_db: dict[str, list[float]]
    low_noise_db: list[float]
    high_noise_db: list[float]


class OptionalSpan(Asked):
    """From when to when; all if not given."""

    start: InstantText | None = None
    end: InstantText | None = None


class PhaseStatistics(Answer):
    """A station's picks of a phase; residuals are those of arrivals that were used."""

    phase: Phase
    picks: int
    used: int
    median_residual_s: float | None
    spread_s: float | None


class PickStatisticsAnswer(Answer):
    """Of P and S."""

    total: int
    items: list[PhaseStatistics]


@router.get("")
def list_stations(held: Held, wanted: Annotated[OptionalSpan, Query()]) -> StationList:
    """All stations of the inventory, of the waveforms and of the monitor.

    The span is that in which gaps are counted: if not given the last day where a monitor writes,
    all where none does.
    """
    start, end = _optional(wanted)
    span = None if start is None and end is None else (start, end)
    lines = [StationAnswer.of(line) for line in station_lines(held, span)]
    return StationList(total=len(lines), items=lines)


@router.get("/{code}")
def one_station(held: Held, code: StationCode) -> StationDetail:
    """A station with all epochs of its channels."""
    station_id = StationId.parse(code)
    line = next((found for found in station_lines(held) if found.station_id == station_id), None)
    if line is None:
        raise not_found(f"station {code}")
    epochs = [c for c in held.inventory.channels if c.channel_id.station_id == station_id]
    channels = [ChannelAnswer.of(channel) for channel in epochs]
    return StationDetail(**StationAnswer.of(line).model_dump(), channels=channels)


@router.get("/{code}/helicorder")
def station_helicorder(
    held: Held, code: StationCode, wanted: Annotated[HelicorderFilter, Query()]
) -> Helicorder:
    """A day of a station on one sheet."""
    if 1_440 % wanted.row_min:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"rows of {wanted.row_min} min do not fill a day; give 5, 10, 15, 20, 30 or 60",
        )
    channel = _channel(held, StationId.parse(code), wanted.channel)
    sheet = helicorder(
        channel, parse_time(wanted.day), held, row_s=60.0 * wanted.row_min, points=wanted.points
    )
    return Helicorder(
        channel=str(channel),
        row_s=sheet.row_s,
        scale_counts=sheet.scale,
        rows=[
            HelicorderRow(start=start, minimum=holed(low), maximum=holed(high))
            for start, low, high in zip(sheet.starts, sheet.minimum, sheet.maximum, strict=True)
        ],
    )


@router.get("/{code}/noise")
def station_noise(
    held: Held, code: StationCode, wanted: Annotated[ChannelFilter, Query()]
) -> NoiseAnswer:
    """Power of a channel's noise against Peterson's new low- and high-noise models."""
    channel = _channel(held, StationId.parse(code), wanted.channel)
    found = noise_spectrum(channel, (parse_time(wanted.start), parse_time(wanted.end)), held)
    return NoiseAnswer(
        channel=str(channel),
        n_segments=found.n_segments,
        frequency_hz=numbers(found.frequency_hz),
        power_db={
            str(percentile): numbers(power)
            for percentile, power in zip(found.percentiles, found.power_db, strict=True)
        },
        low_noise_db=numbers(found.low_noise_db),
        high_noise_db=numbers(found.high_noise_db),
    )


@router.get("/{code}/picks")
def station_picks(
    held: Held, code: StationCode, wanted: Annotated[OptionalSpan, Query()]
) -> PickStatisticsAnswer:
    """How many picks a station gave, how many were used, and how they fit."""
    found = pick_statistics(StationId.parse(code), _optional(wanted), held)
    lines = [
        PhaseStatistics(
            phase=s.phase,
            picks=s.picks,
            used=s.used,
            median_residual_s=s.median_residual_s,
            spread_s=s.spread_s,
        )
        for s in found
    ]
    return PickStatisticsAnswer(total=len(lines), items=lines)


def _optional(wanted: OptionalSpan) -> tuple[Time | None, Time | None]:
    return time_of(wanted.start), time_of(wanted.end)


def _channel(held: Holdings, station_id: StationId, named: str | None) -> ChannelId:
    """The channel that is named, or the station's first vertical.

    Raises:
        Refused: there is none, or it is another station's.
    """
    mine = [c for c in held.waveforms.channel_ids() if c.station_id == station_id]
    if named is not None:
        mine = [c for c in mine if c == ChannelId.parse(named)]
    if not mine:
        raise not_found(f"recorded channel {named or ''} of {station_id}")
    return min(mine, key=lambda c: (c.component != "Z", c))
