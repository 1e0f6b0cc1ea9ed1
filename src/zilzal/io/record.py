"""Single miniSEED records: what their headers say, their samples, and new ones from samples."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace
from zilzal.io.miniseed import STEIM, stated_last
from zilzal.io.miniseed_index import channel_of_source
from zilzal.io.sds_writer import sample_encoding

logger = logging.getLogger(__name__)

SHORT_BYTES = 512
"""Length of a record as SeedLink 3 carries it."""
_TIME_IS_QUESTIONABLE = 0x02
STEP_2_NS = 100_000
"""Resolution of the time in a miniSEED 2 header."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """A miniSEED record.

    Args:
        channel_id: whose samples.
        start: instant of the first sample.
        end: where the sample after the last one would be.
        version: of miniSEED, 2 or 3.
        kind: D for samples, L for a log message.
        content: the bytes.
    """

    channel_id: ChannelId
    start: Time
    end: Time
    version: int
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The clock as its digitiser saw it.

    Args:
        quality_percent: 0 to 100, of the best that this clock can be; None where it is not given.
        is_questionable: the digitiser does not trust its time.
    """

    quality_percent: float | None
    is_questionable: bool


def read_record(content: bytes) -> Record:
    """What a record's header says.

    Raises:
        FormatError: the bytes do not begin with a record, or are not all of it.
    """
    parsed = _parse(content)
    rate = parsed.samprate
    count = parsed.samplecnt
    start_ns = parsed.starttime
    span_ns = round(count * NS_PER_S / rate) if rate > 0 and count > 0 else 0
    return Record(
        channel_id=channel_of_source(parsed.sourceid),
        start=Time(start_ns),
        end=Time(start_ns + span_ns),
        version=parsed.formatversion,
        kind="D" if rate > 0 else "L",
        content=content,
    )


def record_timing(content: bytes) -> Timing:
    """What a record's header says of its digitiser's clock.

    Raises:
        FormatError: the bytes do not begin with a record.

    Source:
        SEED manual 2.4, blockette 1001 (timing quality) and data quality flags, bit 7; FDSN
        miniSEED 3, extra header FDSN.Time.Quality and flags, bit 1.
    """
    parsed = _parse(content)
    quality = parsed.get_extra_header("/FDSN/Time/Quality")
    return Timing(
        quality_percent=None if quality is None else float(quality),
        is_questionable=bool(parsed.flags & _TIME_IS_QUESTIONABLE),
    )


def record_length(head: bytes | memoryview) -> int | None:
    """How long the record is that some bytes begin with [bytes]; None for more bytes needed.

    Raises:
        FormatError: no record begins there.
    """
    from pymseed.clib import clibmseed, ffi

    version = ffi.new("uint8_t *")
    length = clibmseed.ms3_detect(ffi.from_buffer(head), len(head), version)
    if length < 0:
        raise FormatError(f"not a miniSEED record; it begins with {bytes(head[:16])!r}")
    return length or None


def record_trace(content: bytes) -> Trace:
    """A record's samples.

    Raises:
        FormatError: the bytes are not a record, its checksum is wrong, or it cannot be decoded.
    """
    parsed = _parse(content, is_to_be_decoded=True)
    if not parsed.samprate > 0:
        raise FormatError(f"a record without samples ({parsed.sourceid})")
    samples = parsed.np_datasamples
    if parsed.sampletype not in ("i", "f", "d") or not 0 < len(samples) == parsed.samplecnt:
        raise FormatError(f"the samples of {parsed.sourceid} cannot be decoded")
    if parsed.encoding in STEIM and _stated_last(parsed, content) != samples[-1]:
        raise FormatError(f"the samples of {parsed.sourceid} do not end as the record says")
    return Trace(
        channel_id=channel_of_source(parsed.sourceid),
        start=Time(parsed.starttime),
        sampling_rate=float(parsed.samprate),
        samples=samples.copy(),
    )


def _stated_last(parsed: Any, content: bytes) -> int:
    from pymseed.clib import clibmseed, ffi

    place, size = ffi.new("uint32_t *"), ffi.new("uint32_t *")
    clibmseed.msr3_data_bounds(parsed._msr, place, size)  # noqa: SLF001
    swap = bool(parsed.swapflag & clibmseed.MSSWAP_PAYLOAD)
    return int(stated_last(content, np.array([place[0]]), np.array([swap]))[0])


def salvage(content: bytes) -> Trace | CoverageSpan | None:
    """A record's samples, or the time that is lost where they cannot be decoded.

    None where it holds no samples, or its header cannot be read either. What is lost is logged.
    """
    try:
        return record_trace(content)
    except FormatError as error:
        reason = str(error)
    try:
        record = read_record(content)
    except FormatError:
        logger.warning("a record cannot be read: %s", reason)
        return None
    if record.kind != "D" or record.end <= record.start:
        return None
    logger.warning("a record cannot be decoded: %s", reason)
    return CoverageSpan(record.channel_id, record.start, record.end, Reason.CORRUPT, reason)


def make_records(
    trace: Trace, *, record_bytes: int = SHORT_BYTES, version: int = 2
) -> Iterator[bytes]:
    """Pack samples; all records but the last are full.

    Args:
        trace: int32 (Steim-2 where the steps allow it), float32 or float64 samples.
        record_bytes: the longest a record may be; a power of two for version 2.
        version: of miniSEED.

    Raises:
        TypeError: samples of another type.
    """
    from pymseed import DataEncoding, MS3Record, nslc2sourceid

    kind, encoding = sample_encoding(trace.samples)
    channel = trace.channel_id
    record = MS3Record(reclen=record_bytes, encoding=DataEncoding[encoding])
    record.formatversion = version
    record.sourceid = nslc2sourceid(
        channel.network, channel.station, channel.location, channel.channel
    )
    record.starttime = trace.start.ns
    record.samprate = trace.sampling_rate
    yield from record.generate(np.ascontiguousarray(trace.samples), kind)


def short_records(record: Record) -> tuple[bytes, ...]:
    """The record as miniSEED 2 of 512 bytes, as SeedLink 3 needs it; itself where it is that.

    Raises:
        FormatError: it cannot be decoded.
    """
    if record.version == 2 and len(record.content) == SHORT_BYTES:
        return (record.content,)
    return tuple(make_records(record_trace(record.content)))


def shift_record(record: Record, span_ns: int) -> Record:
    """The same record with its time moved, in whole steps of 100 µs for miniSEED 2."""
    if record.version == 2:
        steps = round(span_ns / STEP_2_NS)
        span_ns = steps * STEP_2_NS
        content = _shift_2(record.content, steps)
    else:
        content = _shift_3(record.content, record.start, span_ns)
    return replace(
        record,
        start=Time(record.start.ns + span_ns),
        end=Time(record.end.ns + span_ns),
        content=content,
    )


def _shift_2(content: bytes, steps: int) -> bytes:
    """A miniSEED 2 record with its time moved.

    Source:
        SEED reference manual 2.4 (2012), chapter 8: the time is bytes 20 to 29 of the header; its
        byte order is the one in which the year makes sense.
    """
    order = ">" if 1900 <= struct.unpack_from(">H", content, 20)[0] <= 2100 else "<"
    form = f"{order}HHBBBxH"
    year, day, hour, minute, second, fraction = struct.unpack_from(form, content, 20)
    seconds, fraction = divmod(fraction + steps, NS_PER_S // STEP_2_NS)
    moved = datetime(year, 1, 1, tzinfo=UTC) + timedelta(
        days=day - 1, hours=hour, minutes=minute, seconds=second + seconds
    )
    day = moved.timetuple().tm_yday
    clock = (moved.hour, moved.minute, moved.second)
    return content[:20] + struct.pack(form, moved.year, day, *clock, fraction) + content[30:]


def _shift_3(content: bytes, start: Time, span_ns: int) -> bytes:
    """A miniSEED 3 record with its time moved and its checksum made anew."""
    from pymseed.clib import clibmseed, ffi

    parsed = _parse(content)
    parsed.starttime = start.ns + span_ns
    target = ffi.new("char[]", len(content))
    length = clibmseed.msr3_repack_mseed3(parsed._msr, target, len(content), 0)  # noqa: SLF001
    if length != len(content):
        raise FormatError(f"the time of a record of {parsed.sourceid} cannot be changed")
    return bytes(ffi.buffer(target, length))


def _parse(content: bytes, *, is_to_be_decoded: bool = False) -> Any:
    from pymseed import MiniSEEDError, MS3Record

    try:
        return MS3Record.parse(content, unpack_data=is_to_be_decoded, validate_crc=is_to_be_decoded)
    except (MiniSEEDError, BufferError) as error:
        raise FormatError(f"not a sound miniSEED record: {error}") from error


def make_text_records(channel_id: ChannelId, time: Time, text: bytes) -> Iterator[bytes]:
    """Log messages of 512 bytes, miniSEED 2, that hold a text one after the other."""
    from pymseed import DataEncoding, MS3Record, nslc2sourceid

    record = MS3Record(reclen=SHORT_BYTES, encoding=DataEncoding.TEXT)
    record.formatversion = 2
    record.sourceid = nslc2sourceid(
        channel_id.network, channel_id.station, channel_id.location, channel_id.channel
    )
    record.starttime = time.ns
    record.samprate = 0
    yield from record.generate(text, "t")
