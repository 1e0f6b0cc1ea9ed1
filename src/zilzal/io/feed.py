"""What a source that waits for data shares with whoever reads it; and several sources as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from zilzal.core.ids import StationId
from zilzal.core.packet import Bookmark, Heard, Link, LinkState, Packet
from zilzal.core.stage import Clock, PacketSource, PacketStream
from zilzal.core.time import Time

LARGEST_QUEUE = 1_000


@dataclass(slots=True, eq=False)
class _Tally:
    """What has come of one station."""

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
        silent_after_s: a station that has given nothing for so long is called silent.
        largest_queue: packets that wait to be read; then the source waits. None is 1,000.
    """

    source: str
    clock: Clock
    silent_after_s: float
    largest_queue: int | None = None
    _queue: asyncio.Queue[Packet | None] = field(init=False, repr=False)
    _tallies: dict[StationId, _Tally] = field(default_factory=dict, repr=False)
    _state: LinkState = LinkState.CONNECTING
    _since: Time = field(init=False)
    _note: str = ""
    _connections: int = 0

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(self.largest_queue or LARGEST_QUEUE)
        self._since = self.clock.now()

    @property
    def state(self) -> LinkState:
        """How it stands."""
        return self._state

    def turn(self, state: LinkState, note: str = "") -> None:
        """Say how it stands now."""
        self._connections += state is LinkState.CONNECTED
        self._state, self._since, self._note = state, self.clock.now(), note

    async def put(self, packet: Packet) -> None:
        """Hand a packet on; wait where the reader is behind."""
        await self._queue.put(packet)
        end = packet.data_end
        if end is None:
            return
        now_s = self.clock.monotonic_s()
        for station_id in packet.station_ids:
            tally = self._tallies.setdefault(station_id, _Tally(0, packet.arrived, now_s, end))
            tally.packets += 1
            tally.arrived, tally.arrived_s = packet.arrived, now_s
            tally.data_end = max(tally.data_end, end)

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
                station_id=station_id,
                packets=tally.packets,
                arrived=tally.arrived,
                data_end=tally.data_end,
                is_silent=now_s - tally.arrived_s > self.silent_after_s,
            )
            for station_id, tally in sorted(self._tallies.items())
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


def retry_after_s(failures: int, first_s: float, longest_s: float, now: Time) -> float:
    """How long to wait before trying again.

    Args:
        failures: how many there were in a row, from 1.
        first_s: longest wait after the first.
        longest_s: the wait doubles with each failure, but not beyond it.
        now: draws the wait, at least half the longest, for clients not to come all at once.
    """
    wait_s = min(first_s * 2.0 ** min(failures - 1, 30), longest_s)
    return wait_s * float(np.random.default_rng(abs(now.ns)).uniform(0.5, 1.0))
