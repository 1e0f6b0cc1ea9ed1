"""What goes over the line: names, limits, frames of packets, and replies.

Source:
    SeedLink protocol, version 4.0, FDSN; the earlier versions have no specification, their
    behaviour is that of SeisComP's server and ringserver, and what their clients expect.
"""

from __future__ import annotations

import struct
from enum import StrEnum

from zilzal.core.ids import ChannelId

PORT, TLS_PORT = 18_000, 18_500
LARGEST_COMMAND_BYTES = 4_096
"""Longer lines are refused. Version 4 has a limit of 255; clients with long names exceed it."""
SEQUENCES_3 = 1 << 24
"""Version 3 shows the last 24 bits of a sequence number."""
CAPABILITIES_3 = ("dialup", "multistation", "window-extraction")
INFO_LEVELS = ("ID", "CAPABILITIES", "STATIONS", "STREAMS", "GAPS", "CONNECTIONS", "ALL")
"""What can be asked of a server of version 3."""
INFO_ITEMS = ("ID", "FORMATS", "CAPABILITIES", "STATIONS", "STREAMS", "CONNECTIONS")
"""What can be asked of a server of version 4."""
END = b"END"
"""Follows the last packet where no more will come."""
_HEAD_4 = struct.Struct("<2sccIQB")


class ErrorCode(StrEnum):
    """Why a command is refused, in the words of version 4."""

    UNSUPPORTED = "UNSUPPORTED"
    UNEXPECTED = "UNEXPECTED"
    UNAUTHORIZED = "UNAUTHORIZED"
    LIMIT = "LIMIT"
    ARGUMENTS = "ARGUMENTS"
    AUTH = "AUTH"
    INTERNAL = "INTERNAL"


def station_code(channel_id: ChannelId) -> str:
    """SeedLink's name of a channel's station, as CI_CCC."""
    return f"{channel_id.network}_{channel_id.station}"


def stream_code(channel_id: ChannelId) -> str:
    """SeedLink's name of a channel within its station: LOC_BAND_SOURCE_SUBSOURCE, as 00_B_H_Z."""
    channel = channel_id.channel
    parts = channel if len(channel) == 3 else channel.split("_")
    return "_".join([channel_id.location, *parts])


def channel_id_of(station: str, stream: str) -> ChannelId | None:
    """The channel that SeedLink calls so within a station; None where it is none."""
    network, _, code = station.partition("_")
    location, _, rest = stream.partition("_")
    parts = rest.split("_")
    if not network or not code or len(parts) != 3:
        return None
    channel = "".join(parts) if all(len(part) == 1 for part in parts) else rest
    return ChannelId(network, code, location, channel)


def frame_3(sequence: int, record: bytes) -> bytes:
    """A packet of version 3: SL, six hexadecimal digits, 512 bytes of miniSEED 2."""
    return b"SL%06X" % (sequence % SEQUENCES_3) + record


def frame_4(sequence: int, form: str, station: str, payload: bytes) -> bytes:
    """A packet of version 4.

    Args:
        sequence: 64 bits.
        form: format and subformat, as "2D".
        station: as CI_CCC; empty for what is no station's.
        payload: a record, or a document.
    """
    name = station.encode("ascii", "replace")
    first, second = form[0].encode(), form[1].encode()
    return _HEAD_4.pack(b"SE", first, second, len(payload), sequence, len(name)) + name + payload


def refusal(protocol: int, code: ErrorCode, message: str, *, is_extended: bool = False) -> bytes:
    """The reply to a command that is not accepted.

    Args:
        protocol: 3 or 4.
        code: told in version 4.
        message: told in version 4, and in version 3 where the client asked for it.
        is_extended: the client asked for it with CAPABILITIES EXTREPLY.
    """
    if protocol == 4:
        return f"ERROR {code} {message}\r\n".encode("ascii", "replace")
    return f"ERROR\r{message}\r\n".encode("ascii", "replace") if is_extended else b"ERROR\r\n"
