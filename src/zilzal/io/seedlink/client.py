"""A SeedLink server as a source of packets: kept open, resumed, never given up."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zilzal.core.coverage import CoverageSpan
from zilzal.core.errors import SourceClosed, SourceError, SourceTimeout
from zilzal.core.packet import Bookmark, LinkState, Offer, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.feed import Feed, feeding, retry_after_s
from zilzal.io.record import salvage
from zilzal.io.seedlink.address import Address
from zilzal.io.seedlink.query import ServedStation, ServerInfo, ask, ask_on
from zilzal.io.seedlink.selector import selector_for
from zilzal.io.seedlink.subscription import Place, Subscription, Wanted, offers_of, subscribe

if TYPE_CHECKING:
    from seedlink_client import AsyncSeedLink

logger = logging.getLogger(__name__)

LARGEST_REPEATS = 3
"""How often a connection may break at one and the same unreadable packet."""
_UNREADABLE = ("Payload", "Could not determine", "Unexpected data", "Invalid v3", "Unrecognized v3")
"""How the library's messages begin that tell of a packet that it cannot get past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkSource:
    """A SeedLink server.

    Args:
        server: "host" or "host:port"; the port is 18000 if left out, 18500 with TLS.
        streams: what is wanted, each "NET_STA" or "NET_STA:SELECTOR SELECTOR", with ? and *; as
            "CI_*:HH? BH?". Selectors of either version are understood. The first line that
            matches a station holds.
        protocol: 3 or 4; None takes the highest that the server speaks.
        tls: None uses it on port 18500 only.
        is_verified: the server's certificate must be good.
        begin: what comes first of a station without a bookmark: "next", "all" that the server
            has, or a time as 2019-07-06T03:00:00. Servers of version 3 can be asked for "all" by
            the number 1 only, which some take for the next.
        connect_s: longest time for connecting and agreeing on streams.
        stale_s: a connection on which nothing came for so long is made anew.
        silent_after_s: a station from which nothing came for so long is called silent.
        keepalive_s: after so long without a packet the server is asked for a sign of life.
        retry_s: first wait after a failure; it doubles with each further one.
        longest_retry_s: the wait does not grow beyond it.
        missing_s: how often the server is asked for wanted stations that it did not have.
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
    missing_s: float = 300.0

    def __post_init__(self) -> None:
        self.address.client(protocol=self.protocol, is_verified=True, timeout_s=1)
        self.wanted  # noqa: B018  raises
        self.begin_time  # noqa: B018  raises

    @property
    def address(self) -> Address:
        """Where it is.

        Raises:
            ConfigError: nowhere.
        """
        return Address.parse(self.server, tls=self.tls)

    @property
    def name(self) -> str:
        """The server's address as a URL."""
        return str(self.address)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The streams, read.

        Raises:
            ConfigError: a line is wrong.
        """
        return tuple(map(Wanted.parse, self.streams))

    @property
    def begin_time(self) -> Time | None:
        """Data that end before it are not wanted; None for no limit.

        Raises:
            FormatError: it is neither a time nor one of the words.
        """
        return None if self.begin in ("next", "all") else Time.parse(self.begin)

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Connect, and go on after the bookmarks; see `PacketSource`."""
        feed = Feed(self.name, clock, self.silent_after_s)
        places = {b.part: Place.parse(b.place) for b in bookmarks if b.source == self.name}
        return feeding(feed, _Session(self, feed, clock, places).run())

    async def offers(self) -> tuple[Offer, ...]:
        """What the server has of what is wanted; see `OfferingSource`."""
        return offers_of(self.wanted, (await self.ask("STREAMS")).stations)

    async def ask(self, level: str) -> ServerInfo:
        """Ask the server about itself, on a connection of its own; see `query.ask`."""
        return await ask(
            self.server,
            level,
            protocol=self.protocol,
            tls=self.tls,
            is_verified=self.is_verified,
            timeout_s=self.connect_s,
        )


@dataclass(slots=True, eq=False)
class _Session:
    """A source at work.

    Args:
        source: its options.
        feed: where packets go.
        clock: tells and waits.
        places: how far each station has been read.
        last_s: when something came last, on the monotonic clock; infinite while the reader is
            waited for.
        missing: wanted stations that the server did not have.
    """

    source: SeedLinkSource
    feed: Feed
    clock: Clock
    places: dict[str, Place]
    last_s: float = 0.0
    missing: tuple[str, ...] = ()
    _served: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Connect again and again, for ever."""
        failures = repeats = 0
        while True:
            self.feed.turn(LinkState.CONNECTING)
            before = dict(self.places)
            note = await self._connection()
            is_fruitful = self.places != before
            failures = 1 if is_fruitful else failures + 1
            repeats = repeats + 1 if note.startswith(_UNREADABLE) and not is_fruitful else 0
            if repeats == LARGEST_REPEATS:
                logger.warning("%s: a packet cannot be read; what waits is lost", self.feed.source)
                self.places.clear()
            source, now = self.source, self.clock.now()
            wait_s = retry_after_s(failures, source.retry_s, source.longest_retry_s, now)
            level = logging.WARNING if failures == 1 else logging.INFO
            logger.log(level, "%s: %s; next try in %.0f s", self.feed.source, note, wait_s)
            self.feed.turn(LinkState.WAITING, note)
            await self.clock.sleep(wait_s)

    async def _connection(self) -> str:
        """One connection, until it ends; why it did."""
        self.last_s = self.clock.monotonic_s()
        work = (self._read(), self._watch(), self._look_out())
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except SourceError as error:
            return str(error)
        finally:
            await _stop(*tasks)
        return "the server ended the transfer"

    async def _watch(self) -> None:
        """Raise when nothing has come for too long."""
        stale_s = self.source.stale_s
        while (left_s := self.last_s + stale_s - self.clock.monotonic_s()) > 0:
            await self.clock.sleep(min(left_s, stale_s))
        raise SourceTimeout(f"nothing came for {stale_s:.0f} s")

    async def _look_out(self) -> None:
        """Raise when the server has got stations that it did not have."""
        source = self.source
        while True:
            await self.clock.sleep(source.missing_s)
            if self.missing:
                try:
                    info = await source.ask("STATIONS")
                except SourceError as error:
                    logger.info("%s: %s", self.feed.source, error)
                    continue
                lines = [Wanted.parse(text) for text in self.missing]
                found = [s.code for s in info.stations if any(w.matches(s.code) for w in lines)]
                if found:
                    raise SourceClosed(f"the server now has {', '.join(found)}")

    async def _read(self) -> None:
        """Connect, agree on streams, and pass packets on.

        Raises:
            SourceError: it could not be done, or came to an end.
        """
        from seedlink_client import SeedLinkError

        source = self.source
        client = source.address.client(
            protocol=source.protocol,
            is_verified=source.is_verified,
            timeout_s=source.connect_s,
            keepalive_s=source.keepalive_s,
        )
        try:
            async with client:
                await self._agree(client)
                async for packet in client.collect(reconnect=False):
                    self.last_s = math.inf
                    await self._pass_on(packet.station_id, packet.seqnum, packet.payload)
                    self.last_s = self.clock.monotonic_s()
        except TimeoutError as error:
            raise SourceTimeout(f"no answer in {source.connect_s:.0f} s") from error
        except SeedLinkError as error:
            raise SourceError(str(error)) from error

    async def _agree(self, client: AsyncSeedLink) -> None:
        """Tell the server what is wanted."""
        assert client.protocol is not None
        version = client.protocol.value
        has_wildcards = version == "4" or "NSWILDCARD" in client.server_capabilities
        subscription = subscribe(
            self.source.wanted,
            self.places,
            await self._served_by(client),
            has_wildcards=has_wildcards,
            is_all=self.source.begin != "next",
        )
        self._tell(subscription)
        is_window = version == "3" and not self.places and self.source.begin != "next"
        for asked in subscription.asked:
            place = asked.place
            if version == "3" and asked.is_all and not is_window:
                place = Place(0, "")
            client.add_stream(
                asked.station,
                [selector_for(int(version), text) for text in asked.selectors],
                seqnum=place.sequence if place else None,
                all_data=asked.is_all,
                timestamp=(place.start or None) if place else None,
            )
        if is_window:
            client.set_timewindow((self.source.begin_time or Time(0)).to_datetime())
        await client.negotiate()
        note = f"not served: {', '.join(subscription.missing)}" if subscription.missing else ""
        self.feed.turn(LinkState.CONNECTED, note)
        logger.info("%s: connected, protocol %s", self.feed.source, version)

    async def _served_by(self, client: AsyncSeedLink) -> dict[str, ServedStation] | None:
        """The server's stations; None where it does not tell."""
        from seedlink_client import SeedLinkError

        try:
            info = await ask_on(client, "STATIONS")
        except (SourceError, SeedLinkError) as error:
            if not client.is_connected:
                raise
            logger.info("%s does not tell its stations: %s", self.feed.source, error)
            return None
        return {station.code: station for station in info.stations}

    def _tell(self, subscription: Subscription) -> None:
        """Log what is unusual.

        Raises:
            SourceError: there is nothing to ask for.
        """
        if subscription.missing != self.missing:
            missing = ", ".join(subscription.missing)
            logger.warning("%s does not serve %s", self.feed.source, missing or "less than wanted")
        self.missing = subscription.missing
        if subscription.renumbered:
            stations = ", ".join(subscription.renumbered)
            logger.warning("%s counts anew; reading all of %s", self.feed.source, stations)
        if not subscription.asked:
            raise SourceError("the server has no station that is wanted")

    async def _pass_on(self, station: str, sequence: int | None, content: bytes) -> None:
        """Make a packet of what came, sound or not, and remember the place."""
        arrived = self.clock.now()
        found = salvage(content)
        place = Place(sequence or 0, str(found.start) if found else "")
        packet = Packet(
            bookmark=Bookmark(self.feed.source, station, str(place)),
            arrived=arrived,
            traces=(found,) if isinstance(found, Trace) else (),
            corrupt=(found,) if isinstance(found, CoverageSpan) else (),
            record=content,
            sequence=sequence,
        )
        begin = self.source.begin_time
        if begin is None or packet.data_end is None or packet.data_end > begin:
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
