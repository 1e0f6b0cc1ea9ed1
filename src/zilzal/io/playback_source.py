"""An archive as a source of packets, without a socket: for tuning, tests and benchmarks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from zilzal.core.errors import ConfigError, FormatError, SourceError
from zilzal.core.packet import Bookmark, LinkState, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.io.archive import Archive
from zilzal.io.feed import Feed, feeding
from zilzal.io.playback import Delivery, archive_records, deliveries
from zilzal.io.record import record_trace

_BATCH = 256
"""Records read at once, in a thread of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackSource:
    """The records of an archive, in the order in which they would have come.

    Args:
        paths: miniSEED files, folders, SDS roots.
        speed: times real time; 0 is as fast as they are taken.

    Raises:
        ConfigError: an option is out of range.
    """

    paths: tuple[str, ...]
    speed: float = 0.0

    def __post_init__(self) -> None:
        if not self.paths or self.speed < 0:
            raise ConfigError("a playback needs paths, and a speed of 0 or more")

    @property
    def name(self) -> str:
        """The paths."""
        return f"playback:{','.join(self.paths)}"

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Begin after the bookmark; ends with the archive."""
        feed = Feed(self.name, clock, float("inf"))
        done = max((int(b.place) for b in bookmarks if b.source == self.name), default=0)
        return feeding(feed, self._play(feed, clock, done))

    async def _play(self, feed: Feed, clock: Clock, done: int) -> None:
        feed.turn(LinkState.CONNECTED)
        try:
            archive = await asyncio.to_thread(Archive.open, [Path(path) for path in self.paths])
        except (OSError, FormatError) as error:
            raise SourceError(f"cannot play {self.paths}: {error}") from error
        coming = islice(deliveries(archive_records(archive)), done, None)
        number, begin_s, first = done, clock.monotonic_s(), None
        while batch := await asyncio.to_thread(_take, coming):
            for delivery in batch:
                first = first or delivery.time
                if self.speed:
                    due_s = begin_s + (delivery.time - first) / self.speed
                    await clock.sleep(due_s - clock.monotonic_s())
                number += 1
                await feed.put(self._packet(delivery, number, clock))

    def _packet(self, delivery: Delivery, number: int, clock: Clock) -> Packet:
        record = delivery.record
        try:
            traces = (record_trace(record.content),)
        except FormatError:
            traces = ()
        return Packet(
            bookmark=Bookmark(self.name, "", str(number)),
            arrived=clock.now(),
            traces=traces,
            record=record.content,
            sequence=number,
        )


def _take(coming: Iterator[Delivery]) -> list[Delivery]:
    return list(islice(coming, _BATCH))
