"""A folder that files are dropped into: each is read once, when it is complete."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from zilzal.core.coverage import CoverageSpan
from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.packet import Bookmark, LinkState, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.core.time import NS_PER_S
from zilzal.core.waveform import Trace
from zilzal.io.archive import NOT_WAVEFORMS
from zilzal.io.feed import Feed, feeding
from zilzal.io.formats import read_other
from zilzal.io.miniseed import corrupt_spans, read_miniseed

logger = logging.getLogger(__name__)

LARGEST_QUEUE = 2
_UNFINISHED = re.compile(
    r"\.(tmp|temp|part|partial|filepart|crdownload|swp|lock)$|~$", re.IGNORECASE
)
"""Endings that writers give to files which they rename when they are complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A folder, and the folders in it.

    A file counts as complete when it has not changed for a while, or when it was last written so
    long ago, as one is that was renamed into place. Hidden files, and those whose name ends like
    that of an unfinished one (.tmp, .part and others), are left alone. A file that changes after
    it was read is read again.

    Args:
        folder: that is looked into.
        pattern: of the names of files, as "*.mseed".
        interval_s: time between looks.
        quiet_s: a file that has not changed for so long is complete.
        silent_after_s: a station from which nothing came for so long is called silent.
    """

    folder: str
    pattern: str = "*"
    interval_s: float = 5.0
    quiet_s: float = 10.0
    silent_after_s: float = 3_600.0

    def __post_init__(self) -> None:
        if not self.interval_s > 0 or not self.quiet_s >= 0:
            raise ConfigError(
                f"interval_s is {self.interval_s}, quiet_s is {self.quiet_s}; "
                "give seconds above 0, and from 0"
            )

    @property
    def name(self) -> str:
        """The folder as a URL."""
        return Path(self.folder).absolute().as_uri()

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Look into the folder, but not into files that have bookmarks; see `PacketSource`."""
        feed = Feed(self.name, clock, self.silent_after_s, LARGEST_QUEUE)
        known = {b.part: b.place for b in bookmarks if b.source == self.name and b.place}
        return feeding(feed, _Session(self, feed, clock, known).run())


@dataclass(slots=True, eq=False)
class _Session:
    """A source at work.

    Args:
        source: its options.
        feed: where packets go.
        clock: tells and waits.
        known: size and time of each file that has been read.
        seen: size and time of each file that has not, and since when they are so.
    """

    source: FolderSource
    feed: Feed
    clock: Clock
    known: dict[str, str]
    seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            try:
                found = await asyncio.to_thread(
                    _look, Path(self.source.folder), self.source.pattern
                )
            except OSError as error:
                if self.feed.state is not LinkState.WAITING:
                    logger.warning("%s: %s", self.source.folder, error.strerror)
                    self.feed.turn(LinkState.WAITING, str(error.strerror))
            else:
                if self.feed.state is not LinkState.CONNECTED:
                    self.feed.turn(LinkState.CONNECTED)
                for part in self._complete(found):
                    await self._pass_on(part, found[part][0])
                for part in self.known.keys() - found.keys():
                    await self._put(part, "", (), ())
            await self.clock.sleep(self.source.interval_s)

    def _complete(self, found: dict[str, tuple[str, int]]) -> list[str]:
        """The files to read now, the one written first before others."""
        now_s, now_ns = self.clock.monotonic_s(), self.clock.now().ns
        quiet_s = self.source.quiet_s
        ready: list[tuple[int, str]] = []
        self.seen = {part: seen for part, seen in self.seen.items() if part in found}
        for part, (place, written_ns) in found.items():
            if self.known.get(part) == place:
                continue
            if self.seen.get(part, ("", 0.0))[0] != place:
                self.seen[part] = place, now_s
            is_quiet = now_s - self.seen[part][1] >= quiet_s
            if is_quiet or now_ns - written_ns >= quiet_s * NS_PER_S:
                ready.append((written_ns, part))
        return [part for _, part in sorted(ready)]

    async def _pass_on(self, part: str, place: str) -> None:
        try:
            traces, corrupt = await asyncio.to_thread(_read, Path(self.source.folder, part))
        except FileNotFoundError:
            return
        except (FormatError, OSError) as error:
            logger.warning("left out: %s", error)
            traces, corrupt = (), ()
        await self._put(part, place, traces, corrupt)

    async def _put(
        self,
        part: str,
        place: str,
        traces: tuple[Trace, ...],
        corrupt: tuple[CoverageSpan, ...],
    ) -> None:
        packet = Packet(
            bookmark=Bookmark(self.source.name, part, place),
            arrived=self.clock.now(),
            traces=traces,
            corrupt=corrupt,
        )
        await self.feed.put(packet)
        self.seen.pop(part, None)
        if place:
            self.known[part] = place
        else:
            del self.known[part]


def _look(folder: Path, pattern: str) -> dict[str, tuple[str, int]]:
    """Files by their path within the folder: size and time as a word, and the time [ns].

    Raises:
        OSError: the folder cannot be read.
    """
    found: dict[str, tuple[str, int]] = {}
    for path in _files(folder):
        name = path.name
        if (
            fnmatch.fnmatch(name, pattern)
            and not _UNFINISHED.search(name)
            and not NOT_WAVEFORMS.search(name)
        ):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            place = f"{status.st_size} {status.st_mtime_ns}"
            found[path.relative_to(folder).as_posix()] = place, status.st_mtime_ns
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _read(path: Path) -> tuple[tuple[Trace, ...], tuple[CoverageSpan, ...]]:
    try:
        traces, faults = read_miniseed(path)
    except FormatError:
        return tuple(read_other(path)), ()
    return tuple(traces), tuple(corrupt_spans(faults))
