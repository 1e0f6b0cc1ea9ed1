"""What a server knows of itself, for those who ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from zilzal.core.time import Time
from zilzal.io.seedlink.ring import Extent, Ring
from zilzal.io.seedlink.selector import selector_4, station_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client as INFO CONNECTIONS shows it.

    Args:
        host: address of the client.
        port: of the client.
        since: when it came.
        protocol: 3 or 4.
        agent: what it calls itself.
        packets: sent to it.
        sent_bytes: sent to it.
        sequence: of the last packet sent; 0 before the first.
        behind: records in the ring that it has not been offered yet.
    """

    host: str
    port: int
    since: Time
    protocol: int
    agent: str
    packets: int
    sent_bytes: int
    sequence: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the server is.

    Args:
        software: name and version.
        organization: whose it is.
        started: when it began.
    """

    software: str
    organization: str
    started: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the server has, or is to have.

    Args:
        stations: by code, in order, each with what the ring has had of its streams.
        next_sequence: number of the next record.
    """

    stations: Mapping[str, Sequence[Extent]]
    next_sequence: int

    @classmethod
    def of(cls, ring: Ring, stations: Iterable[str]) -> Contents:
        """Of a ring, with the stations that are to come."""
        found: dict[str, list[Extent]] = {station: [] for station in stations}
        for extent in ring.extents():
            found.setdefault(extent.station, []).append(extent)
        return cls(stations=dict(sorted(found.items())), next_sequence=ring.next_sequence)

    def matching(self, patterns: Sequence[str]) -> Contents:
        """Only the stations that match the first pattern, with streams that match the second.

        Raises:
            FormatError: a pattern is not one.
        """
        if not patterns:
            return self
        station = station_pattern(patterns[0])
        chosen = {code: e for code, e in self.stations.items() if station.fullmatch(code)}
        if len(patterns) > 1:
            stream = selector_4(patterns[1]).pattern
            streams = {
                code: [e for e in extents if stream.fullmatch(e.stream)]
                for code, extents in chosen.items()
            }
            chosen = {code: extents for code, extents in streams.items() if extents}
        return replace(self, stations=chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All that can be asked for.

    Args:
        identity: of the server.
        contents: what it has.
        connections: its clients.
        now: the time of asking.
    """

    identity: Identity
    contents: Contents
    connections: Sequence[Connection]
    now: Time
