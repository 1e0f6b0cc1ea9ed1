"""The records of an archive, one by one, in the order in which a network would have sent them."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.formats import read_other
from zilzal.io.miniseed_index import RecordIndex, index_file, record_candidates
from zilzal.io.record import Record, make_records, read_record, record_length

logger = logging.getLogger(__name__)

LOOKAHEAD = 64
"""Records of a file that are sorted by time: more than any digitiser's own disorder."""
_BLOCK_BYTES = 2**15
_LONGEST_BYTES = 2**20
_HEAD_BYTES = 48
"""Shorter is no record."""


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A record that reaches the server.

    Args:
        time: when, in the time of the data.
        record: it.
    """

    time: Time
    record: Record


def deliveries(records: Iterable[Record]) -> Iterator[Delivery]:
    """Each record when its last sample has been taken, or with the one before it."""
    latest = Time(-(2**62))
    for record in records:
        latest = max(latest, record.end)
        yield Delivery(latest, record)


def archive_records(
    archive: Archive, start: Time | None = None, end: Time | None = None
) -> Iterator[Record]:
    """Records of all files, in order of their ends, with memory that does not grow with files.

    Of a file with one channel a few records are held at a time, of another one its index. Files
    that are not miniSEED are packed into records of 512 bytes. What cannot be read is left out
    with a warning.

    Args:
        archive: the files.
        start: records that end at or before it are left out.
        end: records that start at or after it are left out.
    """
    limits = (start or Time(-(2**62)), end or Time(2**62))
    first: dict[Path, Time] = {}
    for span in archive.files:
        if span.end > limits[0] and span.start < limits[1]:
            first[span.path] = min(first.get(span.path, span.start), span.start)
    coming = sorted(first.items(), key=lambda item: (item[1], item[0]))
    lanes = (_Lane.of(time, number, path, limits) for number, (path, time) in enumerate(coming))
    heap: list[_Lane] = []
    upcoming = next(lanes, None)
    while heap or upcoming is not None:
        while upcoming is not None and (not heap or upcoming.time <= heap[0].time):
            heapq.heappush(heap, upcoming)
            upcoming = next(lanes, None)
        lane = heap[0]
        record = lane.record
        if lane.advance():
            heapq.heapreplace(heap, lane)
        else:
            heapq.heappop(heap)
        if record is not None:
            yield record


@dataclass(slots=True, eq=False)
class _Lane:
    """A file on its way: its next record, and a time before which it has none.

    Args:
        time: end of the record; start of the file's data before the first.
        number: of the file, to keep the order the same.
        records: those to come.
        record: the next one; None where the file has not been opened.
    """

    time: Time
    number: int
    records: Iterator[Record]
    record: Record | None = None

    @classmethod
    def of(cls, time: Time, number: int, path: Path, limits: tuple[Time, Time]) -> _Lane:
        chosen = (r for r in _file_records(path, limits[0]) if _is_within(r, limits))
        return cls(max(time, limits[0]), number, chosen)

    def __lt__(self, other: _Lane) -> bool:
        return (self.time, self.number) < (other.time, other.number)

    def advance(self) -> bool:
        """Go to the next record; False where there is none."""
        self.record = next(self.records, None)
        if self.record is None:
            return False
        self.time = self.record.end
        return True


def _is_within(record: Record, limits: tuple[Time, Time]) -> bool:
    return record.end > limits[0] and record.start < limits[1]


def _file_records(path: Path, start: Time) -> Iterator[Record]:
    """Records of a file in order of their ends, most of what ends before `start` left out."""
    try:
        try:
            index = index_file(path)
        except FormatError:
            for trace in sorted(read_other(path), key=lambda t: t.start):
                yield from map(read_record, make_records(trace))
            return
        if len(index.channel_ids) > 1:
            yield from _indexed(index, start)
        else:
            later = index.records["offset"][index.end_ns > start.ns]
            first = int(later.min()) if len(later) else path.stat().st_size
            yield from _sorted(_walk(path, first))
    except (FormatError, OSError) as error:
        logger.warning("%s cannot be read any more: %s", path, error)


def _sorted(records: Iterator[Record]) -> Iterator[Record]:
    """Nearly sorted records, sorted; a record with a wild time holds nobody up."""
    held: list[tuple[Time, int, Record]] = []
    for number, record in enumerate(records):
        heapq.heappush(held, (record.end, number, record))
        if len(held) > LOOKAHEAD:
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]


def _indexed(index: RecordIndex, start: Time) -> Iterator[Record]:
    order = np.argsort(index.end_ns, kind="stable")
    offsets = index.records["offset"][order][index.end_ns[order] > start.ns]
    del order
    for group in np.array_split(offsets, max(len(offsets) // LOOKAHEAD, 1)):
        contents: list[bytes] = []
        with index.path.open("rb") as file:
            for offset in group.tolist():
                file.seek(offset)
                content = file.read(_BLOCK_BYTES)
                length = record_length(content)
                while length is None or length > len(content):
                    more = file.read(max(_BLOCK_BYTES, (length or 0) - len(content)))
                    content += more
                    length = record_length(content) if more else len(content)
                contents.append(content[:length])
        yield from map(read_record, contents)


def _walk(path: Path, offset: int) -> Iterator[Record]:
    """Waveform records in the order of the file, past what is none; the file is not held open."""
    content, is_all = b"", False
    while not is_all:
        with path.open("rb") as file:
            file.seek(offset + len(content))
            block = file.read(_BLOCK_BYTES)
        content, is_all = content + block, not block
        place = 0
        while (length := _length_at(content, place, is_all=is_all)) is not None:
            if length:
                record = _read_or_none(content[place : place + length])
                if record is not None:
                    yield record
                place += length
            else:
                # The next record may begin in the last bytes that are here.
                following = record_candidates(content, place + 1)
                place = next(following, max(len(content) - 7, place + 1))
        offset, content = offset + place, content[place:]


def _length_at(content: bytes, place: int, *, is_all: bool) -> int | None:
    """Length of the record at a place; 0 where there is none, None where more is to be read."""
    view = memoryview(content)[place:]
    if len(view) < _HEAD_BYTES:
        return None
    try:
        length = record_length(view)
    except FormatError:
        return 0
    if length is None:
        return len(view) if is_all else None
    if length > len(view):
        return 0 if is_all or length > _LONGEST_BYTES else None
    return length


def _read_or_none(content: bytes) -> Record | None:
    """A record with samples."""
    try:
        record = read_record(content)
    except FormatError:
        return None
    return record if record.kind == "D" and record.end > record.start else None
