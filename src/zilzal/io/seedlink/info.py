"""What a server tells about itself: JSON for version 4, XML in log records for version 3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.io.record import make_text_records
from zilzal.io.seedlink.knowledge import Connection, Knowledge
from zilzal.io.seedlink.ring import Extent
from zilzal.io.seedlink.words import CAPABILITIES_3, INFO_LEVELS, SEQUENCES_3

_INFO_CHANNEL = ChannelId("SL", "INFO", "", "INF")
_FORMATS = {
    "2": {
        "mimetype": "application/vnd.fdsn.mseed",
        "subformat": {"D": "samples", "L": "log message"},
    },
    "3": {
        "mimetype": "application/vnd.fdsn.mseed3",
        "subformat": {"D": "samples", "L": "log message"},
    },
    "J": {
        "mimetype": "application/json",
        "subformat": {"I": "SeedLink information", "E": "SeedLink error"},
    },
}


def info_json(knowledge: Knowledge, item: str, patterns: Sequence[str]) -> str:
    """The document of INFO in version 4.

    Args:
        knowledge: of the server.
        item: what is asked for.
        patterns: of stations, and of streams.

    Raises:
        FormatError: a pattern is not one.
    """
    identity = knowledge.identity
    document: dict[str, Any] = {
        "software": identity.software,
        "organization": identity.organization,
        "server_start": str(identity.started),
    }
    if item == "FORMATS":
        document["format"] = _FORMATS
        document["filter"] = {"native": "records as they are"}
    elif item == "CAPABILITIES":
        document["capability"] = ["SLPROTO:4.0", "SLPROTO:3.1", "TIME"]
    elif item in ("STATIONS", "STREAMS"):
        contents = knowledge.contents.matching(patterns)
        document["station"] = [
            _station_4(station, extents, contents.next_sequence, has_streams=item == "STREAMS")
            for station, extents in contents.stations.items()
        ]
    elif item == "CONNECTIONS":
        clients = [_connection_4(connection) for connection in knowledge.connections]
        document["connections"] = {"client_count": len(clients), "client": clients}
    return json.dumps(document)


def error_json(knowledge: Knowledge, code: str, message: str) -> str:
    """The document that tells of an error in version 4."""
    return json.dumps(
        {
            "software": knowledge.identity.software,
            "organization": knowledge.identity.organization,
            "error": {"code": code, "message": message},
        }
    )


def info_xml(knowledge: Knowledge, level: str) -> str:
    """The document of INFO in version 3; see `info_json`."""
    identity = knowledge.identity
    root = ElementTree.Element(
        "seedlink",
        software=identity.software,
        organization=identity.organization,
        started=_slashed(identity.started),
    )
    if level in ("CAPABILITIES", "ALL"):
        for name in (*CAPABILITIES_3, *(f"info:{lv.lower()}" for lv in INFO_LEVELS)):
            ElementTree.SubElement(root, "capability", name=name)
    if level in ("STATIONS", "STREAMS", "GAPS", "ALL"):
        for station, extents in knowledge.contents.stations.items():
            _station_3(root, station, extents, level)
    if level in ("CONNECTIONS", "ALL"):
        for connection in knowledge.connections:
            _connection_3(root, connection)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def info_frames_3(document: str, now: Time) -> bytes:
    """Packets of version 3 that carry a document; all but the last announce another."""
    text = document.encode("ascii", "xmlcharrefreplace")
    records = list(make_text_records(_INFO_CHANNEL, now, text))
    heads = [b"SLINFO *"] * (len(records) - 1) + [b"SLINFO  "]
    return b"".join(head + record for head, record in zip(heads, records, strict=True))


def _station_4(
    station: str, extents: Sequence[Extent], next_sequence: int, *, has_streams: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": station,
        "description": station,
        "start_seq": min((e.first for e in extents), default=next_sequence),
        "end_seq": max((e.last + 1 for e in extents), default=next_sequence),
        "backfill": -1,
    }
    if has_streams:
        found["stream"] = [
            {
                "id": e.stream.partition(".")[0],
                "format": e.stream[-2],
                "subformat": e.stream[-1],
                "origin": "native",
                "start_time": str(e.start),
                "end_time": str(e.end),
            }
            for e in extents
        ]
    return found


def _connection_4(connection: Connection) -> dict[str, Any]:
    return {
        "host": connection.host,
        "ip_address": connection.host,
        "client_port": str(connection.port),
        "type": f"SeedLink {connection.protocol}",
        "client_id": connection.agent,
        "connect_time": str(connection.since),
        "transmit_packets": connection.packets,
        "transmit_bytes": connection.sent_bytes,
        "packet_id": connection.sequence,
        "behind": connection.behind,
    }


def _station_3(
    root: ElementTree.Element, station: str, extents: Sequence[Extent], level: str
) -> None:
    network, _, code = station.partition("_")
    element = ElementTree.SubElement(
        root,
        "station",
        name=code,
        network=network,
        description=station,
        begin_seq=_sequence_3(min((e.first for e in extents), default=0)),
        end_seq=_sequence_3(max((e.last + 1 for e in extents), default=0)),
        stream_check="enabled",
    )
    for extent in extents if level != "STATIONS" else ():
        stream = ElementTree.SubElement(
            element,
            "stream",
            location=extent.stream.partition("_")[0],
            seedname=extent.stream.partition(".")[0].partition("_")[2].replace("_", ""),
            type=extent.stream[-1],
            begin_time=_slashed(extent.start),
            end_time=_slashed(extent.end),
            begin_recno="0",
            end_recno="0",
            gap_check="enabled",
            gap_treshold="500000",
        )
        for start, end in extent.gaps if level in ("GAPS", "ALL") else ():
            ElementTree.SubElement(
                stream, "gap", begin_time=_slashed(start), end_time=_slashed(end)
            )


def _connection_3(root: ElementTree.Element, connection: Connection) -> None:
    station = ElementTree.SubElement(
        root,
        "station",
        name="CLIENT",
        network="SL",
        description=connection.agent or "client",
        begin_seq="0",
        end_seq="0",
        stream_check="enabled",
    )
    ElementTree.SubElement(
        station,
        "connection",
        host=connection.host,
        port=str(connection.port),
        ctime=_slashed(connection.since),
        begin_seq="0",
        current_seq=_sequence_3(connection.sequence),
        sequence_gaps="0",
        txcount=str(connection.packets),
        totBytes=str(connection.sent_bytes),
        begin_seq_valid="yes",
        realtime="yes",
        end_of_data="no",
    )


def _sequence_3(sequence: int) -> str:
    return f"{sequence % SEQUENCES_3:06X}"


def _slashed(time: Time) -> str:
    """A time as SeisComP's server writes it, to 100 µs."""
    return time.to_datetime().strftime("%Y/%m/%d %H:%M:%S.%f")[:-2]
