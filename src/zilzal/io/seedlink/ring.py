"""The server's memory: the newest records, numbered, each reader with a place of its own."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.io.record import SHORT_BYTES, Record, short_records
from zilzal.io.seedlink.words import SEQUENCES_3, station_code, stream_code

logger = logging.getLogger(__name__)

RING_BYTES = 2**28
LARGEST_GAPS = 100
"""How many gaps of a stream are remembered."""
GAP_S = 0.5
"""Smaller ones are not reported, as SeisComP's server does."""
ENTRY_BYTES = 700
"""What an entry takes beside its bytes, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A record in the ring.

    Args:
        sequence: number of the record, and of the last of its short ones.
        station: as CI_CCC.
        stream: with format and subformat, as "00_B_H_Z.2D".
        record: as it was put in.
        short: the same as 512-byte miniSEED 2; each has a number, in order, up to `sequence`.
            Empty where it is longer and cannot be decoded, so that version 3 has nothing of it.
    """

    sequence: int
    station: str
    stream: str
    record: Record
    short: tuple[bytes, ...]

    @property
    def first_sequence(self) -> int:
        """Number of the first of its short records."""
        return self.sequence - max(len(self.short), 1) + 1

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, about."""
        content = len(self.record.content)
        is_same = len(self.short) == 1 and self.short[0] is self.record.content
        return ENTRY_BYTES + content + (0 if is_same else SHORT_BYTES * len(self.short))


class Overrun(Exception):
    """A reader wants an entry that the ring no longer has."""


@dataclass(slots=True, eq=False)
class Extent:
    """What the ring has had of one stream.

    Args:
        station: as CI_CCC.
        stream: with format and subformat, as "00_B_H_Z.2D".
        first: sequence number from which on the ring still has all.
        last: sequence number of the newest.
        start: where the data begin that the ring still has.
        end: where the newest data end.
        gaps: the latest times without data, or with data twice where the end is before the start.
    """

    station: str
    stream: str
    first: int
    last: int
    start: Time
    end: Time
    gaps: deque[tuple[Time, Time]] = field(default_factory=lambda: deque(maxlen=LARGEST_GAPS))


@dataclass(slots=True, eq=False)
class Ring:
    """Records in the order in which they came; the oldest go when there is no more room.

    Entries have a place, counted from 0 without a gap, for readers to go by, and a sequence number
    for clients to name them. A record longer than 512 bytes takes as many sequence numbers as it
    makes short records, so that a client of version 3 can go on between them.

    Args:
        limit_bytes: memory that the entries may take; the newest one is always kept.
        next_sequence: number of the next record.
        next_place: place of the next entry.
        first_place: place of the oldest entry that is there.
        newest: latest end of any data so far; None before the first.
    """

    limit_bytes: int = RING_BYTES
    next_sequence: int = 1
    next_place: int = 0
    first_place: int = 0
    newest: Time | None = None
    _entries: dict[int, Entry] = field(default_factory=dict, repr=False)
    _size_bytes: int = 0
    _extents: dict[tuple[str, str], Extent] = field(default_factory=dict, repr=False)
    _grown: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def append(self, record: Record) -> Entry:
        """Put a record in and wake those who wait for one."""
        try:
            short = short_records(record)
        except FormatError as error:
            logger.info("a record that version 3 cannot have: %s", error)
            short = ()
        channel = record.channel_id
        taken = max(len(short), 1)
        entry = Entry(
            self.next_sequence + taken - 1,
            station_code(channel),
            f"{stream_code(channel)}.{record.version}{record.kind}",
            record,
            short,
        )
        self.next_sequence += taken
        self._entries[self.next_place] = entry
        self.next_place += 1
        self._size_bytes += entry.size_bytes
        self.newest = record.end if self.newest is None else max(self.newest, record.end)
        self._extend(entry)
        while self._size_bytes > self.limit_bytes and len(self._entries) > 1:
            self._drop_oldest()
        self._grown.set()
        self._grown = asyncio.Event()
        return entry

    def __getitem__(self, place: int) -> Entry:
        """The entry at a place.

        Raises:
            Overrun: it is gone.
            IndexError: it has not come yet.
        """
        if place in self._entries:
            return self._entries[place]
        if place < self.first_place:
            raise Overrun(f"the ring begins {self.first_place - place} records later")
        raise IndexError(place)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_half_full(self) -> bool:
        """Whether half of its memory is taken."""
        return 2 * self._size_bytes > self.limit_bytes

    @property
    def middle_place(self) -> int:
        """As many entries are before it as from it on."""
        return self.first_place + len(self._entries) // 2

    def entries(self) -> Iterator[Entry]:
        """All that is there, the oldest first."""
        for place in range(self.first_place, self.next_place):
            yield self._entries[place]

    async def grown(self, place: int) -> None:
        """Return when there is an entry at a place, or has been."""
        while place >= self.next_place:
            await self._grown.wait()

    def place_of(self, sequence: int) -> int:
        """Place of the first entry that has this sequence number or a later one."""
        low, high = self.first_place, self.next_place
        while low < high:
            middle = (low + high) // 2
            if self._entries[middle].sequence < sequence:
                low = middle + 1
            else:
                high = middle
        return low

    def widen(self, sequence: int) -> int:
        """The largest number in use or next that has the 24 bits which version 3 shows of it."""
        newest = self.next_sequence
        return newest - (newest - sequence) % SEQUENCES_3

    def extents(self) -> list[Extent]:
        """What the ring has had, in order of station and stream."""
        return [self._extents[key] for key in sorted(self._extents)]

    def _extend(self, entry: Entry) -> None:
        key, record = (entry.station, entry.stream), entry.record
        extent = self._extents.get(key)
        if extent is None:
            first, last = entry.first_sequence, entry.sequence
            self._extents[key] = Extent(*key, first, last, record.start, record.end)
            return
        if abs(record.start - extent.end) > GAP_S:
            extent.gaps.append((extent.end, record.start))
        extent.last = entry.sequence
        extent.end = max(extent.end, record.end)

    def _drop_oldest(self) -> None:
        entry = self._entries.pop(self.first_place)
        self.first_place += 1
        self._size_bytes -= entry.size_bytes
        extent = self._extents[entry.station, entry.stream]
        extent.first = entry.sequence + 1
        extent.start = max(extent.start, entry.record.end)
        while extent.gaps and extent.gaps[0][1] < extent.start:
            extent.gaps.popleft()
