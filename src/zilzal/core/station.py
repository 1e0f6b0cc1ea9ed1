"""Stations as an inventory describes them: places, orientations, responses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.time import Time


class GroundMotion(StrEnum):
    """What a sensor's sensitivity is per unit of."""

    DISPLACEMENT = "M"
    VELOCITY = "M/S"
    ACCELERATION = "M/S**2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """From ground motion to counts.

    The transfer function is `sensitivity * scale(s) * prod(s - zeros) / prod(s - poles)` with s
    in rad/s, scaled so that its modulus at `frequency_hz` is `sensitivity`.

    Args:
        sensitivity: counts per unit of ground motion at `frequency_hz`; not zero.
        ground_motion: the unit, in metres and seconds.
        frequency_hz: where the sensitivity holds.
        poles: of the sensor [rad/s]; empty together with zeros means that the shape is not known
            and taken as flat.
        zeros: of the sensor [rad/s].
    """

    sensitivity: float
    ground_motion: GroundMotion
    frequency_hz: float = 1.0
    poles: tuple[complex, ...] = ()
    zeros: tuple[complex, ...] = ()

    @property
    def is_flat(self) -> bool:
        """Whether only the sensitivity is known."""
        return not self.poles and not self.zeros


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel during one epoch of its life.

    Args:
        channel_id: its code.
        latitude: WGS84.
        longitude: WGS84.
        elevation_m: of the ground above sea level.
        depth_m: of the sensor below the ground, positive down.
        azimuth_deg: of the sensing direction, clockwise from north; None where not given.
        dip_deg: of the sensing direction, down from horizontal (-90 is up); None where not given.
        sampling_rate: nominal; None where not given.
        response: None where there is none that can be used.
        start: first instant of the epoch; None is for ever.
        end: last instant of the epoch; None is for ever.
    """

    channel_id: ChannelId
    latitude: float
    longitude: float
    elevation_m: float
    depth_m: float = 0.0
    azimuth_deg: float | None = None
    dip_deg: float | None = None
    sampling_rate: float | None = None
    response: Response | None = None
    start: Time | None = None
    end: Time | None = None

    @property
    def sensor_elevation_m(self) -> float:
        """Elevation of the sensor itself: ground minus depth of burial."""
        return self.elevation_m - self.depth_m

    def covers(self, time: Time) -> bool:
        """Whether the epoch holds the instant."""
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)


@dataclass(frozen=True, slots=True)
class Station:
    """A place with sensors, as location needs it.

    Args:
        station_id: its code.
        latitude: WGS84.
        longitude: WGS84.
        elevation_m: of the sensor above sea level.
    """

    station_id: StationId
    latitude: float
    longitude: float
    elevation_m: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """Channels with their epochs; looked up by code and instant."""

    channels: tuple[Channel, ...]
    _epochs: dict[ChannelId, list[Channel]] = field(init=False, repr=False, compare=False)
    _sensors: dict[SensorId, list[Channel]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        epochs: dict[ChannelId, list[Channel]] = {}
        sensors: dict[SensorId, list[Channel]] = {}
        for channel in self.channels:
            epochs.setdefault(channel.channel_id, []).append(channel)
        for channel_id, members in epochs.items():
            sensors.setdefault(channel_id.sensor_id, []).extend(members)
        object.__setattr__(self, "_epochs", epochs)
        object.__setattr__(self, "_sensors", sensors)

    @classmethod
    def of(cls, channels: Iterable[Channel]) -> Inventory:
        """An inventory in order of code and epoch."""
        start = Time(-(2**63))
        return cls(tuple(sorted(channels, key=lambda c: (c.channel_id, c.start or start))))

    def channel(self, channel_id: ChannelId, time: Time) -> Channel | None:
        """The channel's epoch at an instant; None if it had none then."""
        found = [c for c in self._epochs.get(channel_id, ()) if c.covers(time)]
        return found[-1] if found else None

    def sensor(self, sensor_id: SensorId, time: Time) -> tuple[Channel, ...]:
        """The channels of a sensor at an instant, in order of code."""
        return tuple(c for c in self._sensors.get(sensor_id, ()) if c.covers(time))

    def stations(self, time: Time | None = None) -> tuple[Station, ...]:
        """Each station once, where its first channel (alive at `time`, if given) stands."""
        found: dict[StationId, Station] = {}
        for channel in self.channels:
            if time is None or channel.covers(time):
                station_id = channel.channel_id.station_id
                found.setdefault(
                    station_id,
                    Station(
                        station_id, channel.latitude, channel.longitude, channel.sensor_elevation_m
                    ),
                )
        return tuple(found.values())
