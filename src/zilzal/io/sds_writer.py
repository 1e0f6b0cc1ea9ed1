"""Writing an SDS archive: YEAR/NET/STA/CHAN.D/NET.STA.LOC.CHAN.D.YEAR.DOY, miniSEED 2."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
from jaxtyping import Shaped

from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace

DAY_NS = 86_400 * NS_PER_S
LARGEST_STEIM2_STEP = 2**29 - 1
"""Largest difference of neighbouring samples that Steim-2 can hold (30 bits with sign)."""


_NAME = re.compile(r"([^.]*)\.([^.]+)\.([^.]*)\.([^.]+)\.D\.(\d{4})\.(\d{3})")


def sds_path(channel_id: ChannelId, time: Time) -> Path:
    """The file of a channel's day, below the archive's root.

    Codes come from whoever sends records: what could lead out of the root is written as in URLs.
    """
    day = time.to_datetime()
    network, station, location, channel = (
        quote(code, safe="").replace(".", "%2E") for code in astuple(channel_id)
    )
    name = f"{network}.{station}.{location}.{channel}.D.{day:%Y.%j}"
    return Path(f"{day:%Y}", network, station, f"{channel}.D", name)


def read_sds_name(name: str) -> tuple[ChannelId, Time] | None:
    """The channel and the midnight before its day; None where it is no name of an archive's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    *codes, year, day = found.groups()
    midnight = Time(Time.parse(f"{year}-01-01").ns + (int(day) - 1) * DAY_NS)
    return ChannelId(*map(unquote, codes)), midnight


def write_sds(traces: Iterable[Trace], root: Path, *, record_bytes: int = 512) -> int:
    """Write traces into an SDS archive and give the number of records.

    A trace is cut at midnight UTC, so that no record lies in two days. What the archive already
    holds stays: records are appended, in the order in which the traces come. Writing the same
    traces twice leaves them there twice.

    Args:
        traces: int32 (Steim-2), float32 or float64 samples.
        root: of the archive; made if it is not there.
        record_bytes: a power of two, 128 to 65536.

    Raises:
        TypeError: samples of another type.
    """
    return sum(
        _append(piece, root / sds_path(piece.channel_id, piece.start), record_bytes)
        for trace in traces
        for piece in split_at_midnight(trace)
    )


def split_at_midnight(trace: Trace) -> Iterator[Trace]:
    """The parts of a trace that lie in one UTC day each, in order."""
    first = 0
    while first < len(trace.samples):
        start = trace.start + first / trace.sampling_rate
        midnight = Time((start.ns // DAY_NS + 1) * DAY_NS)
        # The next day's first sample is the first at or after midnight, to a microsecond, which
        # is as fine as miniSEED 2 writes time.
        left = int(np.ceil(((midnight - start) - 1e-6) * trace.sampling_rate))
        last = min(first + max(left, 1), len(trace.samples))
        yield Trace(
            channel_id=trace.channel_id,
            start=start,
            sampling_rate=trace.sampling_rate,
            samples=trace.samples[first:last],
        )
        first = last


def _append(piece: Trace, path: Path, record_bytes: int) -> int:
    import pymseed

    sample_type, encoding = sample_encoding(piece.samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    channel = piece.channel_id
    source = pymseed.nslc2sourceid(
        channel.network, channel.station, channel.location, channel.channel
    )
    with pymseed.MS3TraceList() as records:
        records.add_data(
            source,
            np.ascontiguousarray(piece.samples),
            sample_type,
            piece.sampling_rate,
            starttime=piece.start.ns,
        )
        return records.to_file(
            path,
            max_record_length=record_bytes,
            encoding=pymseed.DataEncoding[encoding],
            format_version=2,
        )


def sample_encoding(samples: Shaped[Array, " sample"]) -> tuple[str, str]:
    """Pymseed's letter for the sample type, and the encoding's name."""
    if samples.dtype == np.int32:
        steps = np.abs(np.diff(samples.astype(np.int64), prepend=0))
        return "i", "STEIM2" if steps.max(initial=0) <= LARGEST_STEIM2_STEP else "INT32"
    if samples.dtype == np.float32:
        return "f", "FLOAT32"
    if samples.dtype == np.float64:
        return "d", "FLOAT64"
    raise TypeError(f"samples are {samples.dtype}; miniSEED takes int32, float32 or float64")
