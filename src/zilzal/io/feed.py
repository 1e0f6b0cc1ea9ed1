"""What a source that waits for data shares with whoever reads it; and several sources as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from zilzal.core.packet import Bookmark, Heard, Link, LinkState, Packet
from zilzal.core.stage import Clock, PacketSource, PacketStream
from zilzal.core.time import Time

LARGEST_QUEUE = 1_000
"""Packets that wait to be read; then the source waits."""


@dataclass(slots=True, eq=False)
class _Tally:
    """What has come of one part."""

    packets: int
    arrived: Time
    arrived_s: float
    data_end: Time


@dataclass(slots=True, eq=False)
class Feed:
    """Packets on their way from a source to its reader, and the state of the link.

    Args:
        source: name of it, as in the bookmarks.
        clock: of whoever opened the source.
        silent_after_s: a part that has given nothing for so long is called silent.
    """

    source: str
    clock: Clock
    silent_after_s: float
    _queue: asyncio.Queue[Packet | None] = field(
        default_factory=lambda: asyncio.Queue(LARGEST_QUEUE), repr=False
    )
    _tallies: dict[str, _Tally] = field(default_factory=dict, repr=False)
    _state: LinkState = LinkState.CONNECTING
    _since: Time = field(init=False)
    _note: str = ""
    _connections: int = 0

    def __post_init__(self) -> None:
        self._since = self.clock.now()

    def turn(self, state: LinkState, note: str = "") -> None:
        """Say how it stands now."""
        self._connections += state is LinkState.CONNECTED
        self._state, self._since, self._note = state, self.clock.now(), note

    async def put(self, packet: Packet) -> None:
        """Hand a packet on; wait where the reader is behind."""
        await self._queue.put(packet)
        part, end = packet.bookmark.part, packet.data_end or packet.arrived
        tally = self._tallies.get(part)
        if tally is not None:
            tally.packets += 1
            tally.arrived, tally.arrived_s = packet.arrived, self.clock.monotonic_s()
            tally.data_end = max(tally.data_end, end)
        else:
            self._tallies[part] = _Tally(1, packet.arrived, self.clock.monotonic_s(), end)

    async def end(self, note: str = "") -> None:
        """No more will come."""
        self.turn(LinkState.CLOSED, note)
        await self._queue.put(None)

    async def __aiter__(self) -> AsyncIterator[Packet]:
        """Packets in the order in which they came."""
        while (packet := await self._queue.get()) is not None:
            yield packet

    def links(self) -> tuple[Link, ...]:
        """How it stands with the source."""
        now_s = self.clock.monotonic_s()
        heard = tuple(
            Heard(
                part=part,
                packets=tally.packets,
                arrived=tally.arrived,
                data_end=tally.data_end,
                is_silent=now_s - tally.arrived_s > self.silent_after_s,
            )
            for part, tally in sorted(self._tallies.items())
        )
        return (
            Link(
                source=self.source,
                state=self._state,
                since=self._since,
                note=self._note,
                connections=self._connections,
                heard=heard,
            ),
        )


@asynccontextmanager
async def feeding(feed: Feed, work: Coroutine[None, None, None]) -> AsyncGenerator[Feed]:
    """Let a source work in the background while the block runs; its failure ends the block's loop.

    Raises:
        Exception: what the work failed with, when the block ends.
    """

    async def run() -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise  # Nobody reads any more.
        except BaseException as error:
            await feed.end(f"failed: {error!r}")
            raise
        await feed.end()

    task = asyncio.create_task(run())
    try:
        yield feed
    finally:
        is_done = task.done()
        task.cancel()
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        if is_done and isinstance(result, Exception):
            raise result


@dataclass(slots=True, eq=False)
class _Merged:
    """Several open sources."""

    streams: Sequence[PacketStream]
    queue: asyncio.Queue[Packet | None]

    async def __aiter__(self) -> AsyncIterator[Packet]:
        left = len(self.streams)
        while left:
            packet = await self.queue.get()
            if packet is None:
                left -= 1
            else:
                yield packet

    def links(self) -> tuple[Link, ...]:
        return tuple(link for stream in self.streams for link in stream.links())


@asynccontextmanager
async def open_all(
    sources: Iterable[PacketSource], bookmarks: Iterable[Bookmark], clock: Clock
) -> AsyncGenerator[PacketStream]:
    """Open several sources as one; none waits for another, all wait for the reader.

    Args:
        sources: with names that differ.
        bookmarks: of all of them.
        clock: see `PacketSource.open`.

    Raises:
        ValueError: two sources have one name.
    """
    sources, bookmarks = list(sources), list(bookmarks)
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise ValueError(f"two sources have one name: {', '.join(sorted(names))}")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(s.open(bookmarks, clock)) for s in sources]
        merged = _Merged(streams, asyncio.Queue(1))
        tasks = [asyncio.create_task(_pump(stream, merged.queue)) for stream in streams]
        try:
            yield merged
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(stream: PacketStream, queue: asyncio.Queue[Packet | None]) -> None:
    async for packet in stream:
        await queue.put(packet)
    await queue.put(None)
