"""Where a miniSEED file has which records: read from the headers, nothing decoded.

Most files have miniSEED 2 records of one length, with blockette 1000 and perhaps 1001; their
headers are read all at once as an array. Any other file, and any file with a damaged header, goes
record by record through libmseed, which also finds its way past what is not a record.
"""

from __future__ import annotations

import logging
import mmap
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time

logger = logging.getLogger(__name__)

RECORD = np.dtype(
    [
        ("channel", "u2"),
        ("offset", "i8"),
        ("data_offset", "i4"),
        ("data_bytes", "i4"),
        ("start_ns", "i8"),
        ("count", "i4"),
        ("sampling_rate", "f8"),
        ("encoding", "u1"),
        ("swap", "?"),
    ]
)
"""A record: the number of its channel, its place in the file [bytes], the place and size of its
data within it [bytes], its time, number of samples, rate, encoding, and whether to swap bytes."""

TEXT = 0
"""The encoding of log messages."""
_BLOCK_BYTES = 2**24
_SEARCH_BYTES = 2**16
"""A file without a record in its first part is not miniSEED."""
_RECORD_START = re.compile(rb"[0-9 \x00]{6}[DRQM][ \x00]|MS\x03")
_VOLUME_HEADER = re.compile(rb"[0-9 ]{6}[VAST][ *]")
_DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that could not be used.

    Args:
        path: the file.
        offset: place in it [bytes].
        message: what is wrong.
        span: the channel and time that are lost by it; None where that cannot be known.
    """

    path: Path
    offset: int
    message: str
    span: CoverageSpan | None = None

    def __str__(self) -> str:
        """File, place and fault, for people."""
        if self.message.startswith(str(self.path)):
            return self.message
        return f"{self.path}, byte {self.offset}: {self.message}"


@dataclass(frozen=True, slots=True, eq=False)
class RecordIndex:
    """The waveform records of a file, in the order in which they are in it.

    Args:
        path: the file.
        channel_ids: the channels; records name them by number.
        records: of dtype `RECORD`.
        faults: what could not be read.
        start_ns: instant of each record's first sample.
        end_ns: where the sample after each record would be.
    """

    path: Path
    channel_ids: tuple[ChannelId, ...]
    records: Shaped[Array, " record"]
    faults: tuple[Fault, ...] = ()
    start_ns: Int64[Array, " record"] = field(init=False)
    end_ns: Int64[Array, " record"] = field(init=False)

    def __post_init__(self) -> None:
        start_ns = self.records["start_ns"].copy()
        length_ns = np.rint(self.records["count"] * (NS_PER_S / self.records["sampling_rate"]))
        object.__setattr__(self, "start_ns", start_ns)
        object.__setattr__(self, "end_ns", start_ns + length_ns.astype(np.int64))

    @property
    def memory_bytes(self) -> int:
        """Memory that it takes, about."""
        return self.records.nbytes + self.start_ns.nbytes + self.end_ns.nbytes + 1_000


def index_file(path: Path) -> RecordIndex:
    """Find the records of a file.

    Raises:
        FormatError: the file is not miniSEED.
        OSError: it cannot be read.
    """
    from pymseed.clib import clibmseed, ffi

    with path.open("rb") as file:
        head = file.read(_SEARCH_BYTES)
        version = ffi.new("uint8_t *")
        length = clibmseed.ms3_detect(ffi.from_buffer(head), len(head), version) if head else -1
        if length > 0 and version[0] == 2 and path.stat().st_size % length == 0:
            index = _index_uniform(path, file, length)
            if index is not None:
                return index
        if length < 0 and next(record_candidates(head), None) is None:
            raise FormatError(f"{path}: not miniSEED; it begins with {head[:16]!r}")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _index_any(path, content)


def index_grown(index: RecordIndex, indexed_bytes: int) -> RecordIndex:
    """The index of a file that records were appended to; only these are looked at.

    Args:
        index: of the file as it was.
        indexed_bytes: its size then.

    Raises:
        FormatError: the file is not miniSEED.
        OSError: it cannot be read.
    """
    from pymseed.clib import clibmseed, ffi

    with index.path.open("rb") as file:
        file.seek(indexed_bytes)
        head = file.read(_SEARCH_BYTES)
        version = ffi.new("uint8_t *")
        length = clibmseed.ms3_detect(ffi.from_buffer(head), len(head), version) if head else 0
        is_usual = length > 0 and version[0] == 2 and not index.faults
        grown = _index_uniform(index.path, file, length, indexed_bytes) if is_usual else None
    if grown is None or grown.channel_ids != index.channel_ids or len(index.channel_ids) > 1:
        return index_file(index.path)
    return RecordIndex(
        index.path, index.channel_ids, np.concatenate((index.records, grown.records))
    )


def _index_uniform(path: Path, file: BinaryIO, length: int, begin: int = 0) -> RecordIndex | None:
    """Index miniSEED 2 records of one length from a byte on; None where they are not quite that."""
    file.seek(begin)
    block_bytes = max(_BLOCK_BYTES // length, 1) * length
    numbers: dict[bytes, int] = {}
    blocks: list[Shaped[Array, " record"]] = []
    offset = begin
    while block := file.read(block_bytes):
        if len(block) % length:
            return None
        heads = np.frombuffer(block, np.uint8).reshape(-1, length)[:, :64]
        records = _parse_heads(np.ascontiguousarray(heads), length, numbers)
        if records is None:
            return None
        records["offset"] = offset + np.arange(len(records)) * length
        is_waveform = (records["count"] > 0) & (records["sampling_rate"] > 0)
        blocks.append(records[is_waveform & (records["encoding"] != TEXT)])
        offset += len(block)
    channel_ids = tuple(_channel_of_head(code) for code in numbers)
    return RecordIndex(path, channel_ids, np.concatenate(blocks))


def _channel_of_head(code: bytes) -> ChannelId:
    """The channel of bytes 8 to 19 of a miniSEED 2 header."""
    station, location, channel, network = (
        code[first:end].decode("ascii").strip(" \0")
        for first, end in ((0, 5), (5, 7), (7, 10), (10, 12))
    )
    return ChannelId(network, station, location, channel)


def _parse_heads(
    heads: UInt8[Array, "record 64"], length: int, numbers: dict[bytes, int]
) -> Shaped[Array, " record"] | None:
    """Read headers as an array; None where any of them is not of the usual kind.

    Source:
        SEED reference manual 2.4 (2012), chapter 8: fixed section of the data header, blockettes
        1000 and 1001; all numbers are taken as big-endian and refused otherwise.
    """

    def number(place: int, dtype: str) -> Any:
        size = np.dtype(dtype).itemsize
        return np.ascontiguousarray(heads[:, place : place + size]).view(dtype)[:, 0]

    year, day, fraction = number(20, ">u2"), number(22, ">u2"), number(28, ">u2")
    hour, minute, second = heads[:, 24], heads[:, 25], heads[:, 26]
    next_blockette, data_offset = number(50, ">u2"), number(44, ">u2")
    has_1001 = next_blockette == 56
    count = number(30, ">u2")
    usual = (
        np.isin(heads[:, 6], list(b"DRQM"))
        & np.isin(heads[:, 7], list(b" \0"))
        & ((year >= 1900) & (year <= 2100) & (day >= 1) & (day <= 366))
        & ((hour < 24) & (minute < 60) & (second < 60) & (fraction < 10_000))
        & ((number(46, ">u2") == 48) & (number(48, ">u2") == 1000))
        & (heads[:, 54] == length.bit_length() - 1)
        & (heads[:, 53] <= 1)
        & ((next_blockette == 0) | (has_1001 & (number(56, ">u2") == 1001)))
        & (~has_1001 | (number(58, ">u2") == 0))
        & ((count == 0) | ((data_offset >= 56) & (data_offset < length)))
        & (heads[:, 8:20] < 128).all(axis=1)
    )
    if not usual.all():
        return None
    records = np.zeros(len(heads), RECORD)
    days = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + day - 1
    clock_ns = ((hour * 60.0 + minute) * 60 + second).astype(np.int64) * NS_PER_S
    start_ns = days * _DAY_NS + clock_ns + fraction.astype(np.int64) * 100_000
    is_corrected = heads[:, 36] & 2 > 0
    start_ns += np.where(is_corrected, 0, number(40, ">i4").astype(np.int64) * 100_000)
    start_ns += np.where(has_1001, number(61, "i1").astype(np.int64) * 1_000, 0)
    records["start_ns"] = start_ns
    records["count"] = count
    records["data_offset"] = data_offset
    records["data_bytes"] = length - data_offset.astype(np.int32)
    records["encoding"] = heads[:, 52]
    records["swap"] = (heads[:, 53] == 1) == (sys.byteorder == "little")
    records["sampling_rate"] = _rate(number(32, ">i2"), number(34, ">i2"))
    records["channel"] = _number_channels(heads[:, 8:20], numbers)
    return records


def _rate(factor: Any, multiplier: Any) -> Any:
    """Sampling rate of the two header fields: negative ones divide (SEED manual, chapter 8)."""
    factor, multiplier = factor.astype(float), multiplier.astype(float)
    value = np.abs(np.where(factor == 0, 0, 1)).astype(float)
    for part in (factor, multiplier):
        value *= np.where(part > 0, part, np.where(part < 0, 1 / np.where(part, -part, 1), 0))
    return value


def _number_channels(codes: UInt8[Array, "record 12"], numbers: dict[bytes, int]) -> Any:
    """The number of each record's channel; new ones are added to `numbers`."""
    if (codes == codes[0]).all():
        return numbers.setdefault(codes[0].tobytes(), len(numbers))
    keys = np.ascontiguousarray(codes).view("V12")[:, 0]
    unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = {int(n): unique[n].tobytes() for n in np.argsort(first)}
    table = np.zeros(len(unique), np.uint16)
    for n, code in order.items():
        table[n] = numbers.setdefault(code, len(numbers))
    return table[inverse]


def record_candidates(content: Any, start: int = 0) -> Iterator[int]:
    """Places where a record may begin, by its first bytes."""
    for match in _RECORD_START.finditer(content, start):
        yield match.start()


@dataclass(slots=True)
class _Cursor:
    """Libmseed's view of a file's content: one record at a time."""

    content: Any
    bytes: Any
    record: Any
    lib: Any
    ffi: Any

    @classmethod
    def on(cls, content: Any) -> _Cursor:
        from pymseed.clib import clibmseed, ffi
        from pymseed.logging import begin_operation

        begin_operation()  # libmseed's messages are collected, not written to stderr
        return cls(content, ffi.from_buffer(content), ffi.new("MS3Record **"), clibmseed, ffi)

    def parse(self, offset: int, *, check: bool = True) -> int:
        """Read a header: 0 for success, above 0 for bytes that are missing, else an error."""
        flags = self.lib.MSF_ATENDOFFILE | (self.lib.MSF_VALIDATECRC if check else 0)
        left = len(self.content) - offset
        return self.lib.msr3_parse(self.bytes + offset, left, self.record, flags, 0)

    def row(self, offset: int, channels: dict[bytes, int]) -> tuple[Any, ...] | None:
        """The record as a row of `RECORD`; None where it holds no waveform.

        Records of before blockette 1000 do not state their encoding; Steim-1 was the rule, and
        its check of the last sample finds the exceptions.
        """
        record = self.record[0]
        rate = record.samprate if record.samprate >= 0 else -1 / record.samprate
        if record.samplecnt <= 0 or rate <= 0 or record.encoding == TEXT:
            return None
        place, size = self.ffi.new("uint32_t *"), self.ffi.new("uint32_t *")
        if self.lib.msr3_data_bounds(record, place, size):
            return None
        code = self.ffi.string(record.sid)
        number = channels.setdefault(code, len(channels))
        swap = bool(record.swapflag & self.lib.MSSWAP_PAYLOAD)
        count = record.samplecnt
        encoding = record.encoding if record.encoding >= 0 else self.lib.DE_STEIM1
        return (number, offset, place[0], size[0], record.starttime, count, rate, encoding, swap)

    def close(self) -> None:
        """Free the record and let go of the content."""
        self.lib.msr3_free(self.record)
        self.ffi.release(self.bytes)


def _index_any(path: Path, content: Any) -> RecordIndex:
    """Index a file record by record, past whatever is not a record."""
    cursor = _Cursor.on(content)
    channels: dict[bytes, int] = {}
    rows: list[tuple[Any, ...]] = []
    lost: list[tuple[int, str, tuple[Any, ...] | None]] = []
    offset, parsed = 0, 0
    while offset < len(content):
        status = cursor.parse(offset)
        if status == 0:
            parsed += 1
            row = cursor.row(offset, channels)
            rows += [row] if row else []
            offset += cursor.record[0].reclen
        elif status == cursor.lib.MS_INVALIDCRC and cursor.parse(offset, check=False) == 0:
            lost.append((offset, "the checksum is wrong", cursor.row(offset, channels)))
            offset += cursor.record[0].reclen
        else:
            if status > 0:
                row = _truncated_row(content, offset, channels)
                lost.append((offset, "the record is cut off", row))
            elif not _VOLUME_HEADER.match(content, offset):
                lost.append((offset, "not a miniSEED record", None))
            offset = next((o for o in record_candidates(content, offset + 1)), len(content))
    cursor.close()
    if not parsed and not any(row for _, _, row in lost):
        raise FormatError(f"{path}: not miniSEED; there is no record in it")
    channel_ids = tuple(channel_of_source(code.decode(errors="replace")) for code in channels)
    index = RecordIndex(path, channel_ids, np.array(rows, RECORD))
    faults = tuple(_fault(index, *each) for each in _first_of_each(lost, rows))
    for fault in faults:
        logger.debug("%s, byte %d: %s", path, fault.offset, fault.message)
    return RecordIndex(path, channel_ids, index.records, faults)


def channel_of_source(source_id: str) -> ChannelId:
    """The channel of a source identifier; all of it is the station where it is not FDSN's."""
    from pymseed import sourceid2nslc

    try:
        return ChannelId(*sourceid2nslc(source_id))
    except ValueError:
        return ChannelId("", source_id, "", "")


def _truncated_row(content: Any, offset: int, channels: dict[bytes, int]) -> tuple[Any, ...] | None:
    """The header of a record that the file's end cuts off, if that much is there."""
    rest = bytes(content[offset : offset + 2**17])
    for length in (2**n for n in range(7, 18)):
        if length > len(rest):
            padded = _Cursor.on(rest + bytes(length - len(rest)))
            try:
                if padded.parse(0, check=False) == 0:
                    return padded.row(offset, channels)
            finally:
                padded.close()
    return None


def _first_of_each(
    lost: list[tuple[int, str, tuple[Any, ...] | None]], rows: list[tuple[Any, ...]]
) -> Iterator[tuple[int, str, tuple[Any, ...] | None]]:
    """Of stretches without a header between two good records, the first place alone."""
    offsets = np.array([row[1] for row in rows], np.int64)
    last = -1
    for each in lost:
        before = int(np.searchsorted(offsets, each[0]))
        if each[2] is not None or before != last:
            yield each
        last = before


def _fault(index: RecordIndex, offset: int, message: str, row: tuple[Any, ...] | None) -> Fault:
    """Say which channel and time a loss concerns, as far as that can be known."""
    records, end_ns = index.records, index.end_ns
    if row is not None:
        end = row[4] + round(row[5] * NS_PER_S / row[6])
        where = index.channel_ids[row[0]], row[4], end
    else:
        after = int(np.searchsorted(records["offset"], offset))
        if not 0 < after < len(records) or len(index.channel_ids) != 1:
            return Fault(index.path, offset, message)
        where = index.channel_ids[0], int(end_ns[after - 1]), int(records["start_ns"][after])
    channel_id, start_ns, end_ns = where
    if end_ns <= start_ns:
        return Fault(index.path, offset, message)
    note = f"{index.path.name}, byte {offset}: {message}"
    span = CoverageSpan(channel_id, Time(start_ns), Time(end_ns), Reason.CORRUPT, note)
    return Fault(index.path, offset, message, span)
