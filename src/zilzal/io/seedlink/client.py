"""A SeedLink server as a source of packets: kept open, resumed, never given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import numpy as np

import zilzal
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.errors import ConfigError, FormatError, SourceClosed, SourceError, SourceTimeout
from zilzal.core.packet import Bookmark, LinkState, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.core.time import Time
from zilzal.io.feed import Feed, feeding
from zilzal.io.record import read_record, record_trace
from zilzal.io.seedlink.words import TLS_PORT

logger = logging.getLogger(__name__)

LARGEST_FRUITLESS = 3
"""Connections that break at the first packet before the place to resume from is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkSource:
    """A SeedLink server.

    Args:
        server: "host" or "host:port"; the port is 18000 if left out, 18500 with TLS.
        streams: what is wanted, each "NET_STA" or "NET_STA:SELECTOR SELECTOR", with ? and *; as
            "CI_*:HH? BH?". Selectors of either version are understood.
        protocol: 3 or 4; None takes the highest that the server speaks.
        tls: None uses it on port 18500 only.
        is_verified: the server's certificate must be good.
        begin: what comes first of a station without a bookmark: "next", "all" that the server
            has, or a time as 2019-07-06T03:00:00.
        connect_s: longest time for connecting and agreeing on streams.
        stale_s: a connection on which nothing came for so long is made anew.
        silent_after_s: a station from which nothing came for so long is called silent.
        keepalive_s: after so long without a packet the server is asked for a sign of life.
        retry_s: first wait after a failure; it doubles with each further one.
        longest_retry_s: the wait does not grow beyond it.
    """

    server: str
    streams: tuple[str, ...] = ("*",)
    protocol: int | None = None
    tls: bool | None = None
    is_verified: bool = True
    begin: str = "next"
    connect_s: float = 30.0
    stale_s: float = 300.0
    silent_after_s: float = 600.0
    keepalive_s: float = 60.0
    retry_s: float = 1.0
    longest_retry_s: float = 60.0

    def __post_init__(self) -> None:
        _address(self.server, is_tls=bool(self.tls))
        if self.protocol not in (None, 3, 4):
            raise ConfigError(f"no SeedLink protocol {self.protocol}; give 3 or 4, or leave it out")
        if self.begin not in ("next", "all"):
            Time.parse(self.begin)

    @property
    def name(self) -> str:
        """The server's address as a URL."""
        host, port = _address(self.server, is_tls=bool(self.tls))
        return f"seedlink://{host}:{port}"

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Connect, and go on after the bookmarks; see `PacketSource`."""
        feed = Feed(self.name, clock, self.silent_after_s)
        places = {b.part: b.place for b in bookmarks if b.source == self.name}
        return feeding(feed, _Session(self, feed, clock, places).run())


def _address(server: str, *, is_tls: bool) -> tuple[str, int]:
    """Host and port.

    Raises:
        ConfigError: it is not an address.
    """
    from seedlink_client import SeedLink

    try:
        client = SeedLink.from_server_string(server)
    except ValueError as error:
        raise ConfigError(f"not a server: {server!r}; write host:port ({error})") from error
    has_port = server.rstrip("]").rpartition(":")[2].isdecimal() or "@" in server
    return client.host, client.port if has_port or not is_tls else TLS_PORT


@dataclass(slots=True, eq=False)
class _Session:
    """A source at work.

    Args:
        source: its options.
        feed: where packets go.
        clock: tells and waits.
        places: how far each station has been read.
        last_s: when something came last, on the monotonic clock.
    """

    source: SeedLinkSource
    feed: Feed
    clock: Clock
    places: dict[str, str]
    last_s: float = 0.0

    async def run(self) -> None:
        """Connect again and again, for ever."""
        failures = fruitless = 0
        while True:
            self.feed.turn(LinkState.CONNECTING)
            before = dict(self.places)
            try:
                await self._connection()
            except SourceError as error:
                is_fruitful = self.places != before
                failures = 1 if is_fruitful else failures + 1
                fruitless = 0 if is_fruitful else fruitless + isinstance(error, SourceClosed)
                note = str(error)
            if fruitless >= LARGEST_FRUITLESS and self.places:
                logger.warning("%s: going on with the next packets: %s", self.feed.source, note)
                self.places.clear()
            wait_s = self._retry_after_s(failures)
            logger.log(
                logging.WARNING if failures == 1 else logging.INFO,
                "%s: %s; trying again in %.0f s",
                self.feed.source,
                note,
                wait_s,
            )
            self.feed.turn(LinkState.WAITING, note)
            await self.clock.sleep(wait_s)

    def _retry_after_s(self, failures: int) -> float:
        """Doubling from try to try; drawn by the instant, so that clients do not return at once."""
        longest_s = self.source.longest_retry_s
        wait_s = min(self.source.retry_s * 2.0 ** min(failures - 1, 30), longest_s)
        rng = np.random.default_rng(abs(self.clock.now().ns))
        return wait_s * rng.uniform(0.5, 1.0)

    async def _connection(self) -> None:
        """One connection, until it ends.

        Raises:
            SourceError: it could not be made, ended, or went stale.
        """
        self.last_s = self.clock.monotonic_s()
        reading = asyncio.create_task(self._read())
        watching = asyncio.create_task(self._watch())
        try:
            done, _ = await asyncio.wait((reading, watching), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _stop(reading, watching)

    async def _watch(self) -> None:
        """Raise when nothing has come for too long."""
        stale_s = self.source.stale_s
        while (left_s := self.last_s + stale_s - self.clock.monotonic_s()) > 0:
            await self.clock.sleep(left_s)
        raise SourceTimeout(f"nothing came for {stale_s:.0f} s")

    async def _read(self) -> None:
        from seedlink_client import AsyncSeedLink, SeedLinkError

        source = self.source
        host, port = _address(source.server, is_tls=bool(source.tls))
        client = AsyncSeedLink(
            host,
            port,
            timeout=source.connect_s,
            tls=source.tls,
            tls_noverify=not source.is_verified,
            protocol=_protocol(source.protocol),
            keepalive=source.keepalive_s,
            idle_timeout=float("inf"),
            clientname="zilzal",
            clientversion=zilzal.__version__,
        )
        is_connected = False
        try:
            async with client:
                _ask_for(client, source, self.places)
                await client.negotiate()
                is_connected = True
                self.feed.turn(LinkState.CONNECTED)
                logger.info("%s: connected, protocol %s", self.feed.source, client.protocol)
                async for packet in client.collect(reconnect=False):
                    self.last_s = self.clock.monotonic_s()
                    await self._pass_on(packet.station_id, packet.seqnum, packet.payload)
                    self.last_s = self.clock.monotonic_s()
        except TimeoutError as error:
            raise SourceTimeout(
                f"{source.server} did not answer in {source.connect_s:.0f} s"
            ) from error
        except SeedLinkError as error:
            kind = SourceClosed if is_connected else SourceError
            raise kind(str(error)) from error
        raise SourceClosed("the server ended the transfer")

    async def _pass_on(self, station: str, sequence: int | None, content: bytes) -> None:
        """Make a packet of what came, sound or not, and remember the place."""
        arrived = self.clock.now()
        traces, corrupt, start = _decode(content)
        place = " ".join(map(str, (sequence, *([start] if start else []))))
        bookmark = Bookmark(self.feed.source, station, place)
        packet = Packet(
            bookmark=bookmark,
            arrived=arrived,
            traces=traces,
            corrupt=corrupt,
            record=content,
            sequence=sequence,
        )
        await self.feed.put(packet)
        self.places[station] = place


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: `asyncio.wait_for`, which the library reads with, forgets a cancellation
    that comes together with data (Python 3.11).
    """
    while any(not task.done() for task in tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.1)
    await asyncio.gather(*tasks, return_exceptions=True)


def _decode(content: bytes) -> tuple[tuple, tuple[CoverageSpan, ...], Time | None]:
    """A record's samples, or the time that is lost with it, as far as its header tells."""
    try:
        trace = record_trace(content)
    except FormatError as error:
        try:
            record = read_record(content)
        except FormatError:
            logger.warning("a record that cannot be read: %s", error)
            return (), (), None
        if record.kind == "D" and record.end > record.start:
            logger.warning("a record that cannot be decoded: %s", error)
            span = CoverageSpan(
                record.channel_id, record.start, record.end, Reason.CORRUPT, str(error)
            )
            return (), (span,), record.start
        return (), (), record.start
    return (trace,), (), trace.start


def _protocol(number: int | None) -> object:
    from seedlink_client import Protocol

    return None if number is None else Protocol(str(number))


def _ask_for(client, source: SeedLinkSource, places: Mapping[str, str]) -> None:
    """Choose streams: stations that have been read before by name, then the patterns."""
    from seedlink_client.streams import Stream, parse_streamlist

    wanted: Sequence[Stream] = parse_streamlist(",".join(source.streams))
    for station, place in sorted(places.items()):
        asked = next((s for s in wanted if s.matches(station)), None)
        if asked is not None:
            sequence, _, start = place.partition(" ")
            client.add_stream(
                station, asked.selectors, seqnum=int(sequence), timestamp=start or None
            )
    for stream in wanted:
        if stream.station_id not in places:
            station = "*_*" if stream.station_id == "*" else stream.station_id
            client.add_stream(station, stream.selectors, all_data=source.begin == "all")
    if not places and source.begin not in ("next", "all"):
        client.set_timewindow(Time.parse(source.begin).to_datetime())
