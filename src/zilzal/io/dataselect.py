"""A web service that is asked for new data again and again: fdsnws-dataselect.

Each request reaches back over time that has been asked for before, for what came late; samples
that have come before are left out.
"""

from __future__ import annotations

import asyncio
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import zilzal
from zilzal.core.coverage import CoverageSpan
from zilzal.core.errors import ConfigError, FormatError, SourceError, SourceTimeout
from zilzal.core.ids import ChannelId
from zilzal.core.packet import Bookmark, LinkState, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.feed import Feed, feeding, retry_after_s
from zilzal.io.received import Received
from zilzal.io.record import record_length, salvage

logger = logging.getLogger(__name__)

LARGEST_BYTES = 2**29
"""Of one answer; a larger one is refused."""
LARGEST_QUEUE = 100
_CHANNELS = re.compile(r"[A-Z0-9?*]+\.[A-Z0-9?*]+\.(?:[A-Z0-9?*]*|--)\.[A-Z0-9?*]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataselectSource:
    """An fdsnws-dataselect service.

    Args:
        url: of its query, as https://service.iris.edu/fdsnws/dataselect/1/query.
        channels: what is wanted, each NET.STA.LOC.CHA, with ? and *; as "CI.*.*.HH?".
        interval_s: time between requests.
        reach_s: how far each request reaches back for what comes late.
        longest_s: how far a request reaches back at most, after a long time without any.
        piece_s: longest time asked for at once; longer is asked for in pieces.
        timeout_s: longest time that the service may keep silent.
        silent_after_s: a station from which nothing came for so long is called silent.
        retry_s: first wait after a failure; it doubles with each further one.
        longest_retry_s: the wait does not grow beyond it.
    """

    url: str
    channels: tuple[str, ...]
    interval_s: float = 60.0
    reach_s: float = 1_800.0
    longest_s: float = 86_400.0
    piece_s: float = 3_600.0
    timeout_s: float = 60.0
    silent_after_s: float = 3_600.0
    retry_s: float = 10.0
    longest_retry_s: float = 600.0

    def __post_init__(self) -> None:
        if not re.match(r"https?://\S+$", self.url):
            raise ConfigError(f"not a service: {self.url!r}; give a URL that begins with http")
        wrong = [text for text in self.channels if not _CHANNELS.fullmatch(text)]
        if wrong or not self.channels:
            raise ConfigError(f"not channels: {wrong}; write NET.STA.LOC.CHA, as CI.*.*.HH?")
        for name in ("interval_s", "piece_s", "timeout_s", "longest_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; give seconds above 0")

    @property
    def name(self) -> str:
        """The service's URL."""
        return self.url

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Ask, and go on after the bookmarks; see `PacketSource`."""
        feed = Feed(self.name, clock, self.silent_after_s, LARGEST_QUEUE)
        received = {
            ChannelId.parse(b.part): Received.parse(b.place)
            for b in bookmarks
            if b.source == self.name and b.place
        }
        return feeding(feed, _Session(self, feed, clock, received).run())


@dataclass(slots=True, eq=False)
class _Session:
    """A source at work.

    Args:
        source: its options.
        feed: where packets go.
        clock: tells and waits.
        received: what has come of each channel.
    """

    source: DataselectSource
    feed: Feed
    clock: Clock
    received: dict[ChannelId, Received]

    async def run(self) -> None:
        """Ask again and again, for ever."""
        source = self.source
        # All channels are asked for at once: the newest data tell when that was last done.
        asked = max((r.end for r in self.received.values()), default=self.clock.now())
        failures = 0
        while True:
            now = self.clock.now()
            start = max(asked - source.reach_s, now - source.longest_s)
            try:
                for first, last in _pieces(start, now, source.piece_s):
                    await self._ask(first, last)
                    asked = max(asked, last)
            except SourceError as error:
                failures += 1
                wait_s = retry_after_s(failures, source.retry_s, source.longest_retry_s, now)
                level = logging.WARNING if failures == 1 else logging.INFO
                logger.log(level, "%s: %s; next try in %.0f s", source.name, error, wait_s)
                self.feed.turn(LinkState.WAITING, str(error))
            else:
                if failures or self.feed.state is not LinkState.CONNECTED:
                    self.feed.turn(LinkState.CONNECTED)
                failures, wait_s = 0, source.interval_s
            await self.clock.sleep(wait_s)

    async def _ask(self, start: Time, end: Time) -> None:
        """Ask for a piece of time and hand on what is new in it."""
        content = await asyncio.to_thread(fetch, self.source, start, end)
        traces: dict[ChannelId, list[Trace]] = {}
        spans: dict[ChannelId, list[CoverageSpan]] = {}
        for found in _read(content):
            if isinstance(found, Trace):
                traces.setdefault(found.channel_id, []).append(found)
            else:
                spans.setdefault(found.channel_id, []).append(found)
        for channel_id in sorted(traces.keys() | spans.keys()):
            before = self.received.get(channel_id, Received(start))
            new: list[Trace] = []
            after = before
            for trace in traces.get(channel_id, ()):
                new += after.new(trace)
                after = after.with_spans([(trace.start, trace.next_start)], floor=start)
            lost = [s for s in spans.get(channel_id, ()) if not _is_covered(s, after)]
            after = after.with_spans([(s.start, s.end) for s in lost], floor=start)
            if new or lost:
                bookmark = Bookmark(self.source.name, str(channel_id), str(after))
                arrived = self.clock.now()
                await self.feed.put(
                    Packet(
                        bookmark=bookmark,
                        arrived=arrived,
                        traces=tuple(new),
                        corrupt=tuple(lost),
                    )
                )
            self.received[channel_id] = after


def _pieces(start: Time, end: Time, longest_s: float) -> Iterator[tuple[Time, Time]]:
    while start < end:
        until = min(start + longest_s, end)
        yield start, until
        start = until


def _is_covered(span: CoverageSpan, received: Received) -> bool:
    """Whether nothing of a span is new."""
    if span.end <= received.floor:
        return True
    return any(start <= span.start and span.end <= end for start, end in received.spans)


def fetch(source: DataselectSource, start: Time, end: Time) -> bytes:
    """The records that the service has of a time; waits for it.

    Raises:
        SourceTimeout: it keeps silent.
        SourceError: it cannot be reached, or refuses.
    """
    rows = [text.split(".") for text in source.channels]
    window = f"{str(start)[:-1]} {str(end)[:-1]}"
    lines = [f"{n} {s} {location or '--'} {c} {window}" for n, s, location, c in rows]
    request = urllib.request.Request(  # noqa: S310  the URL is checked to be http
        source.url,
        "\n".join(["format=miniseed", "nodata=204", *lines, ""]).encode(),
        {"User-Agent": f"zilzal/{zilzal.__version__}", "Content-Type": "text/plain"},
    )
    try:
        with urllib.request.urlopen(request, timeout=source.timeout_s) as answer:  # noqa: S310
            content = answer.read(LARGEST_BYTES + 1)
    except urllib.error.HTTPError as error:
        if error.code in (204, 404):
            return b""
        reason = error.read(300).decode(errors="replace").strip().partition("\n")[0]
        raise SourceError(f"the service refuses ({error.code} {error.reason}): {reason}") from error
    except TimeoutError as error:
        raise SourceTimeout(f"no answer in {source.timeout_s:.0f} s") from error
    except (OSError, urllib.error.URLError) as error:
        raise SourceError(f"cannot reach the service: {error}") from error
    if len(content) > LARGEST_BYTES:
        raise SourceError(f"the answer has more than {LARGEST_BYTES} bytes; lower piece_s")
    return content


def _read(content: bytes) -> Iterator[Trace | CoverageSpan]:
    """Each record's samples, or the time that is lost with it."""
    place = 0
    while place < len(content):
        try:
            length = record_length(memoryview(content)[place:]) or len(content) - place
        except FormatError as error:
            logger.warning("%d bytes of an answer cannot be read: %s", len(content) - place, error)
            return
        found = salvage(content[place : place + length])
        place += length
        if found is not None:
            yield found
