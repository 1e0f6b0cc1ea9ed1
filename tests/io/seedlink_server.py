"""A server with data of our own, and a client of bare sockets."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree

from tests.clock import ManualClock
from tests.io.waveform_files import noise, records
from zilzal.io.record import read_record, record_trace
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.server import SeedLinkServer, serve

LIMIT_S = 60
STATIONS = frozenset({"XX_AAA", "XX_BBB"})


def fill(ring: Ring, seconds: int, start_s: float = 0.0, channel: str = "XX_AAA__H_H_Z", **how):
    """Put a station's records into a ring."""
    for content in records(noise(seconds * 100), start_s, channel, **how):
        ring.append(read_record(content))


@asynccontextmanager
async def serving(ring: Ring | None = None, **how) -> AsyncIterator[SeedLinkServer]:
    """A server whose ring holds a minute of two stations, unless one is given."""
    if ring is None:
        ring = Ring()
        fill(ring, 60)
        fill(ring, 60, channel="XX_BBB_00_B_H_N", length=4096, version=3)
    async with (
        asyncio.timeout(LIMIT_S),
        serve(ring, STATIONS, ManualClock(), **how) as server,
    ):
        yield server


class Talk:
    """A client that sends what it is told to and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *lines: str, end: str = "\r\n") -> None:
        self.writer.write("".join(line + end for line in lines).encode())

    async def line(self) -> str:
        return (await self.reader.readuntil(b"\r\n")).decode().removesuffix("\r\n")

    async def ask(self, *lines: str) -> list[str]:
        """Send commands and read one line for each."""
        answers = []
        for line in lines:
            self.send(line)
            answers.append(await self.line())
        return answers

    async def packet_3(self) -> tuple[int, bytes]:
        """Number and record of a packet."""
        head = await self.reader.readexactly(8)
        assert head.startswith(b"SL"), head
        return int(head.removeprefix(b"SL"), 16), await self.reader.readexactly(512)

    async def info_3(self) -> ElementTree.Element:
        text, head = b"", b"SLINFO *"
        while head == b"SLINFO *":
            head = await self.reader.readexactly(8)
            record = await self.reader.readexactly(512)
            # Blockette 1000 alone: the text begins at byte 56 or 64, as the header says.
            (count,), (place,) = (
                struct.unpack_from(">H", record, 30),
                struct.unpack_from(">H", record, 44),
            )
            text += record[place : place + count]
        assert head == b"SLINFO  "
        return ElementTree.fromstring(text.decode("ascii"))

    async def packet_4(self) -> tuple[int, str, str, bytes]:
        """Number, station, format and payload of a packet."""
        head = await self.reader.readexactly(17)
        signature, form, length, sequence, size = struct.unpack("<2s2sIQB", head)
        assert signature == b"SE"
        station = await self.reader.readexactly(size)
        return sequence, station.decode(), form.decode(), await self.reader.readexactly(length)

    async def info_4(self) -> tuple[str, dict]:
        _, station, form, payload = await self.packet_4()
        assert station == ""
        return form, json.loads(payload)

    async def is_closed(self) -> bool:
        return await self.reader.read(1) == b""


@asynccontextmanager
async def talking(server: SeedLinkServer) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield Talk(reader, writer)
    finally:
        writer.transport.abort()


def start_of(record: bytes):
    return record_trace(record).start
