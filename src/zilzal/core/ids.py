"""Names of stations, sensors and channels, and identifiers that any host derives alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from zilzal.core.errors import FormatError


@dataclass(frozen=True, slots=True, order=True)
class StationId:
    """A station, as CI.CCC."""

    network: str
    station: str

    @classmethod
    def parse(cls, text: str) -> StationId:
        """Read network.station.

        Raises:
            FormatError: it is none.
        """
        network, _, station = text.partition(".")
        if not station or "." in station:
            raise FormatError(f"not a station: {text!r}; write network.station, as CI.CCC")
        return cls(network, station)

    def __str__(self) -> str:
        return f"{self.network}.{self.station}"


@dataclass(frozen=True, slots=True, order=True)
class SensorId:
    """The channels of a location that share all but the component letter, as CI.CCC..HH."""

    network: str
    station: str
    location: str
    band: str

    @classmethod
    def parse(cls, text: str) -> SensorId:
        """Read network.station.location.band.

        Raises:
            FormatError: there are not four parts.
        """
        return cls(*_four_parts(text, "sensor"))

    @property
    def station_id(self) -> StationId:
        """The station it stands at."""
        return StationId(self.network, self.station)

    def channel_id(self, component: str) -> ChannelId:
        """The channel of one component, for instance "Z"."""
        return ChannelId(self.network, self.station, self.location, self.band + component)

    def __str__(self) -> str:
        return f"{self.network}.{self.station}.{self.location}.{self.band}"


@dataclass(frozen=True, slots=True, order=True)
class ChannelId:
    """network.station.location.channel, the NSLC code, as CI.CCC..HHZ."""

    network: str
    station: str
    location: str
    channel: str

    @classmethod
    def parse(cls, text: str) -> ChannelId:
        """Read network.station.location.channel.

        Raises:
            FormatError: there are not four parts.
        """
        return cls(*_four_parts(text, "channel"))

    @property
    def station_id(self) -> StationId:
        """The station it belongs to."""
        return StationId(self.network, self.station)

    @property
    def sensor_id(self) -> SensorId:
        """The sensor it is a component of."""
        return SensorId(self.network, self.station, self.location, self.channel[:-1])

    @property
    def component(self) -> str:
        """The last letter: Z, N, E, or 1, 2, 3 where the orientation is in the inventory only."""
        return self.channel[-1:]

    def __str__(self) -> str:
        return f"{self.network}.{self.station}.{self.location}.{self.channel}"


def _four_parts(text: str, what: str) -> list[str]:
    parts = text.split(".")
    if len(parts) != 4 or not parts[1] or not parts[3]:
        raise FormatError(f"not a {what} code: {text!r}; write network.station.location.channel")
    return parts


def derive_id(kind: str, *parts: object) -> str:
    """Identifier that depends on nothing but its parts, so that two hosts agree on it.

    Args:
        kind: a word put in front, as "pick".
        parts: what makes the thing itself; their `str` is hashed in order.
    """
    text = "\x1f".join(map(str, parts))
    return f"{kind}/{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
