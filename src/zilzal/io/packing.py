"""Samples in chunks packed into records as a digitiser does it: each is full before it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.record import SHORT_BYTES, Record, make_records, read_record

_JOIN = 0.01
"""Traces join where they meet to this part of a sample."""


def pack(chunks: Iterable[Iterable[Trace]], *, record_bytes: int = SHORT_BYTES) -> Iterator[Record]:
    """Records of traces, chunk by chunk in order of their ends.

    A channel's samples that do not fill a record wait for the next chunk; a gap, another rate and
    the end let them go.

    Args:
        chunks: traces of consecutive stretches of time; of a channel in order of time.
        record_bytes: the longest a record may be.
    """
    held: dict[ChannelId, Trace] = {}
    for chunk in chunks:
        ready: list[Record] = []
        for trace in chunk:
            before = held.pop(trace.channel_id, None)
            if before is not None and not _continues(before, trace):
                ready += _records(before, record_bytes)
                before = None
            joined = trace if before is None else _join(before, trace)
            *full, last = _records(joined, record_bytes)
            ready += full
            held[trace.channel_id] = _from(joined, last.start)
        yield from sorted(ready, key=lambda record: record.end)
    rest = [record for trace in held.values() for record in _records(trace, record_bytes)]
    yield from sorted(rest, key=lambda record: record.end)


def _records(trace: Trace, record_bytes: int) -> list[Record]:
    return [read_record(content) for content in make_records(trace, record_bytes=record_bytes)]


def _continues(before: Trace, trace: Trace) -> bool:
    return (
        before.sampling_rate == trace.sampling_rate
        and before.samples.dtype == trace.samples.dtype
        and abs(trace.start - before.next_start) * trace.sampling_rate < _JOIN
    )


def _join(before: Trace, trace: Trace) -> Trace:
    return replace(before, samples=np.concatenate([before.samples, trace.samples]))


def _from(trace: Trace, start: Time) -> Trace:
    """The samples of a trace from those of a record on, whose stamp may be rounded."""
    first = round((start - trace.start) * trace.sampling_rate)
    return replace(
        trace, start=trace.start + first / trace.sampling_rate, samples=trace.samples[first:]
    )
