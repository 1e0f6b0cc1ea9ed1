"""Asking a SeedLink server about itself: what it serves, how fresh that is, and to whom."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from zilzal.core.errors import FormatError, SourceError, SourceTimeout
from zilzal.core.time import Time
from zilzal.io.seedlink.address import Address

if TYPE_CHECKING:
    from seedlink_client import AsyncSeedLink


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStream:
    """A stream that a server has.

    Args:
        code: location and channel, as "00_B_H_Z".
        kind: D for samples, L for log messages, and other letters.
        start: of what the server has; None where it does not say.
        end: of the newest data; None where it does not say.
        gaps: times without data, where the server counts them.
    """

    code: str
    kind: str
    start: Time | None
    end: Time | None
    gaps: tuple[tuple[Time, Time], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStation:
    """A station that a server has.

    Args:
        code: as CI_CCC.
        description: by the server.
        first: sequence number of the oldest packet; None where it does not say.
        last: sequence number of the newest packet, or the one after it; None where it does not say.
        streams: empty where they were not asked for.
    """

    code: str
    description: str
    first: int | None = None
    last: int | None = None
    streams: tuple[ServedStream, ...] = ()

    @property
    def end(self) -> Time | None:
        """Of its newest data."""
        return max((s.end for s in self.streams if s.end is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedClient:
    """A client of a server.

    Args:
        host: its address.
        agent: what it calls itself.
        since: when it came, as the server writes it.
        packets: that were sent to it.
    """

    host: str
    agent: str
    since: str
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What a server tells about itself.

    Args:
        software: name and version.
        organization: whose it is.
        protocol: spoken, 3 or 4.
        capabilities: in the server's words.
        stations: in order of code; empty where they were not asked for.
        clients: empty where they were not asked for, or are nobody's business.
    """

    software: str
    organization: str
    protocol: int
    capabilities: tuple[str, ...] = ()
    stations: tuple[ServedStation, ...] = ()
    clients: tuple[ServedClient, ...] = ()


async def ask(
    server: str,
    level: str = "STREAMS",
    *,
    protocol: int | None = None,
    tls: bool | None = None,
    is_verified: bool = True,
    timeout_s: float = 30.0,
) -> ServerInfo:
    """Connect, ask, and leave.

    Args:
        server: "host" or "host:port".
        level: ID, CAPABILITIES, STATIONS, STREAMS, CONNECTIONS, or GAPS in version 3.
        protocol: 3 or 4; None takes the highest that the server speaks.
        tls: None uses it on port 18500 only.
        is_verified: the server's certificate must be good.
        timeout_s: longest time for it.

    Raises:
        ConfigError: the server's address is none.
        SourceTimeout: there was no answer in time.
        SourceError: it cannot be reached, or does not tell.
    """
    from seedlink_client import SeedLinkError

    client = Address.parse(server, tls=tls).client(
        protocol=protocol, is_verified=is_verified, timeout_s=timeout_s
    )
    try:
        async with client:
            return await ask_on(client, level)
    except TimeoutError as error:
        raise SourceTimeout(f"{server} did not answer in {timeout_s:.0f} s") from error
    except SeedLinkError as error:
        raise SourceError(f"{server}: {error}") from error


async def ask_on(client: AsyncSeedLink, level: str) -> ServerInfo:
    """Ask on a connection that is open and not yet streaming.

    Raises:
        SourceError: the server does not tell, or tells something that cannot be read.
        seedlink_client.SeedLinkError: the connection failed.
    """
    assert client.protocol is not None
    text = await client.info(level)
    read = _read_4 if client.protocol.value == "4" else _read_3
    try:
        return read(text)
    except (KeyError, ValueError, TypeError, ElementTree.ParseError, FormatError) as error:
        raise SourceError(f"the answer to INFO {level} cannot be read: {error}") from error


def _read_4(text: str) -> ServerInfo:
    document: dict[str, Any] = json.loads(text)
    if "error" in document:
        raise SourceError(str(document["error"].get("message", "the server does not tell")))
    clients = (document.get("connections") or {}).get("client", [])
    return ServerInfo(
        software=str(document.get("software", "")),
        organization=str(document.get("organization", "")),
        protocol=4,
        capabilities=tuple(map(str, document.get("capability", ()))),
        stations=tuple(sorted(map(_station_4, document.get("station", ())), key=lambda s: s.code)),
        clients=tuple(map(_client_4, clients)),
    )


def _station_4(station: Mapping[str, Any]) -> ServedStation:
    # Drafts of version 4 said begin where the final one says start.
    first = station.get("start_seq", station.get("begin_seq"))
    return ServedStation(
        code=str(station["id"]),
        description=str(station.get("description", "")),
        first=None if first is None else int(first),
        last=None if station.get("end_seq") is None else int(station["end_seq"]),
        streams=tuple(
            ServedStream(
                code=str(stream["id"]),
                kind=str(stream.get("subformat", "D")),
                start=_time(stream.get("start_time", stream.get("begin_time"))),
                end=_time(stream.get("end_time")),
            )
            for stream in station.get("stream", ())
        ),
    )


def _client_4(client: Mapping[str, Any]) -> ServedClient:
    return ServedClient(
        host=str(client.get("ip_address", client.get("host", ""))),
        agent=str(client.get("client_id", "")),
        since=str(client.get("connect_time", "")),
        packets=int(client.get("transmit_packets", 0)),
    )


def _read_3(text: str) -> ServerInfo:
    root = ElementTree.fromstring(text.rstrip("\0"))  # noqa: S314  expat bounds entities
    stations = [e for e in root.iter("station") if e.find("connection") is None]
    return ServerInfo(
        software=root.get("software", ""),
        organization=root.get("organization", ""),
        protocol=3,
        capabilities=tuple(e.get("name", "") for e in root.iter("capability")),
        stations=tuple(sorted(map(_station_3, stations), key=lambda s: s.code)),
        clients=tuple(
            ServedClient(
                host=e.get("host", ""),
                agent=station.get("description", ""),
                since=e.get("ctime", ""),
                packets=int(e.get("txcount", "0")),
            )
            for station in root.iter("station")
            for e in station.iter("connection")
        ),
    )


def _station_3(element: ElementTree.Element) -> ServedStation:
    # The numbers are left out: some servers write them hexadecimal, others decimal.
    return ServedStation(
        code=f"{element.get('network', '')}_{element.get('name', '')}",
        description=element.get("description", ""),
        streams=tuple(_stream_3(stream) for stream in element.iter("stream")),
    )


def _stream_3(element: ElementTree.Element) -> ServedStream:
    location = element.get("location", "").strip()
    return ServedStream(
        code="_".join([location, *element.get("seedname", "")]),
        kind=element.get("type", "D"),
        start=_time(element.get("begin_time")),
        end=_time(element.get("end_time")),
        gaps=_gaps(element.findall("gap")),
    )


def _gaps(elements: Sequence[ElementTree.Element]) -> tuple[tuple[Time, Time], ...]:
    pairs = ((_time(e.get("begin_time")), _time(e.get("end_time"))) for e in elements)
    return tuple((start, end) for start, end in pairs if start is not None and end is not None)


def _time(text: str | None) -> Time | None:
    """A time as 2024/03/05 10:00:00.0000 or ISO 8601; None where it is neither."""
    try:
        return Time.parse((text or "").replace("/", "-").strip())
    except FormatError:
        return None
