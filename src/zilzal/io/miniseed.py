"""Reading samples from miniSEED 2 and 3, only those records that are asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace
from zilzal.io.miniseed_index import Fault, RecordIndex, index_file

TIME_RESOLUTION_NS = 101_000
"""Time stamps of miniSEED 2 are given to 100 µs: records that follow each other as exactly as
that make one trace. Anything looser is left to the gap policy."""

STEIM = (10, 11)
"""The encodings that state their last sample."""
_DTYPES = {b"i": np.dtype(np.int32), b"f": np.dtype(np.float32), b"d": np.dtype(np.float64)}
_NEAR_BYTES = 2**16
"""Records closer than this are read in one go."""


def read_miniseed(path: Path) -> tuple[list[Trace], list[Fault]]:
    """All samples of a file, by channel in the order of its records, and what was lost.

    Raises:
        FormatError: the file is not miniSEED.
        OSError: it cannot be read.
    """
    index = index_file(path)
    traces, faults = decode(index, np.arange(len(index.records)))
    return traces, [*index.faults, *faults]


def decode(
    index: RecordIndex, numbers: Int[Array, " chosen"], *, until: Time | None = None
) -> tuple[list[Trace], list[Fault]]:
    """Samples of some records of a file.

    Args:
        index: of the file.
        numbers: which records, ascending.
        until: a record that goes on beyond it begins a trace, so that where it is to be cut is
            told by its own time stamp alone.

    Returns:
        Traces by channel, in the order of the records; records that follow each other exactly
        make one trace. And the records that could not be decoded.
    """
    if not len(numbers):
        return [], []
    chosen = index.records[numbers]
    chosen = chosen[np.argsort(chosen["channel"], kind="stable")]
    content, places = _read(index.path, chosen)
    decoder = _Decoder(content)
    traces: list[Trace] = []
    faults: list[Fault] = []
    for first, end in _same_kind(chosen):
        run, samples, is_bad = chosen[first:end], *decoder.run(chosen, places, first, end)
        ends = np.cumsum(run["count"])
        faults += [_bad_record(index, record) for record in run[is_bad]]
        good = np.flatnonzero(~is_bad)
        breaks = np.flatnonzero(_breaks(run[good], until) | (np.diff(good, prepend=-1) > 1))
        for part in np.split(good, breaks[breaks > 0]):
            if len(part):
                begin = int(ends[part[0]] - run["count"][part[0]])
                traces.append(
                    Trace(
                        channel_id=index.channel_ids[int(run["channel"][0])],
                        start=Time(int(run["start_ns"][part[0]])),
                        sampling_rate=float(run["sampling_rate"][0]),
                        samples=samples[begin : int(ends[part[-1]])],
                    )
                )
    return traces, faults


def _read(path: Path, chosen: Shaped[Array, " record"]) -> tuple[bytes, Int[Array, " record"]]:
    """The chosen records' bytes, and where in them each record begins."""
    lengths = chosen["data_offset"].astype(np.int64) + chosen["data_bytes"]
    order = np.argsort(chosen["offset"])
    offsets, ends = chosen["offset"][order], (chosen["offset"] + lengths)[order]
    far = np.flatnonzero(offsets[1:] - ends[:-1] > _NEAR_BYTES) + 1
    firsts, lasts = np.r_[0, far], np.r_[far, len(order)] - 1
    parts: list[bytes] = []
    shifts = np.empty(len(order), np.int64)
    position = 0
    with path.open("rb") as file:
        for first, last in zip(firsts, lasts, strict=True):
            file.seek(int(offsets[first]))
            parts.append(file.read(int(ends[last] - offsets[first])))
            shifts[first : last + 1] = position - offsets[first]
            position += len(parts[-1])
    places = np.empty(len(order), np.int64)
    places[order] = offsets + shifts
    return (parts[0] if len(parts) == 1 else b"".join(parts)), places


def _same_kind(chosen: Shaped[Array, " record"]) -> list[tuple[int, int]]:
    """Stretches of records of one channel, rate and type of samples."""
    kind = [chosen[name] for name in ("channel", "sampling_rate", "encoding")]
    other = np.any([values[1:] != values[:-1] for values in kind], axis=0)
    edges = np.r_[0, np.flatnonzero(other) + 1, len(chosen)].tolist()
    return list(pairwise(edges))


def _breaks(run: Shaped[Array, " record"], until: Time | None) -> Bool[Array, " record"]:
    """Where a record does not follow the one before it exactly; runs keep their first clock."""
    sample_ns = NS_PER_S / run["sampling_rate"][:1]
    tolerance_ns = min(TIME_RESOLUTION_NS, float(sample_ns[0] / 4)) if len(run) else 0.0
    counted = np.cumsum(run["count"]) - run["count"]
    clock_ns = run["start_ns"] - np.rint(counted * sample_ns).astype(np.int64)
    breaks = np.r_[False, np.abs(np.diff(clock_ns)) > tolerance_ns][: len(run)]
    if until is not None:
        breaks |= run["start_ns"] + run["count"] * sample_ns > until.ns
    first = 0
    while first < len(run):
        # Steps too small to break may add up: break where they do.
        later = np.flatnonzero(breaks[first + 1 :])
        end = first + 1 + int(later[0]) if len(later) else len(run)
        off = np.flatnonzero(np.abs(clock_ns[first:end] - clock_ns[first]) > tolerance_ns)
        if len(off):
            end = first + int(off[0])
            breaks[end] = True
        first = end
    return breaks


def _bad_record(index: RecordIndex, record: Any) -> Fault:
    channel_id = index.channel_ids[int(record["channel"])]
    start_ns, offset = int(record["start_ns"]), int(record["offset"])
    end_ns = start_ns + round(int(record["count"]) * NS_PER_S / float(record["sampling_rate"]))
    message = "the samples cannot be decoded"
    note = f"{index.path.name}, byte {offset}: {message}"
    span = CoverageSpan(channel_id, Time(start_ns), Time(end_ns), Reason.CORRUPT, note)
    return Fault(index.path, offset, message, span)


class _Decoder:
    """Libmseed's decoders on the bytes of some records."""

    def __init__(self, content: bytes) -> None:
        from pymseed.clib import clibmseed, ffi
        from pymseed.logging import begin_operation

        begin_operation()  # libmseed's messages are collected, not written to stderr
        self.lib, self.ffi, self.content = clibmseed, ffi, content
        self.bytes = ffi.from_buffer(content)

    def run(
        self, chosen: Shaped[Array, " record"], places: Int[Array, " record"], first: int, end: int
    ) -> tuple[Shaped[Array, " sample"], Bool[Array, " record"]]:
        """Samples of records of one kind, and which of the records are not to be trusted."""
        run, places = chosen[first:end], places[first:end]
        encoding = int(run["encoding"][0])
        size, kind = self.ffi.new("uint8_t *"), self.ffi.new("char *")
        is_known = self.lib.ms_encoding_sizetype(encoding, size, kind) == 0
        if not is_known or kind[0] not in _DTYPES:
            return np.zeros(int(run["count"].sum()), np.int32), np.ones(len(run), bool)
        samples = np.empty(int(run["count"].sum()), _DTYPES[kind[0]])
        target = self.ffi.cast("char *", self.ffi.from_buffer(samples))
        source_id = self.ffi.new("char[]", b"")
        is_bad = np.zeros(len(run), bool)
        item = samples.itemsize
        rows = zip(
            (places + run["data_offset"]).tolist(),
            run["data_bytes"].tolist(),
            run["count"].tolist(),
            run["swap"].tolist(),
            strict=True,
        )
        decode_data, content, limit = self.lib.ms_decode_data, self.bytes, len(self.content)
        position = 0
        for number, (place, size_bytes, count, swap) in enumerate(rows):
            out_bytes = count * item
            # A file may have become shorter since it was indexed.
            if place + size_bytes > limit or count != decode_data(
                content + place, size_bytes, encoding, count,
                target + position, out_bytes, kind, swap, source_id, 0,
            ):  # fmt: skip
                is_bad[number] = True
                samples[position // item : position // item + count] = 0
            position += out_bytes
        if encoding in STEIM:
            is_bad |= self._ends_differ(run, places, samples)
        return samples, is_bad

    def _ends_differ(
        self,
        run: Shaped[Array, " record"],
        places: Int[Array, " record"],
        samples: Shaped[Array, " sample"],
    ) -> Bool[Array, " record"]:
        """Whether the last sample is not the one that the Steim frame states."""
        expected = stated_last(self.content, places + run["data_offset"], run["swap"])
        return expected != samples[np.cumsum(run["count"]) - 1]


def stated_last(
    content: bytes, places: Int[Array, " record"], swap: Bool[Array, " record"]
) -> Int[Array, " record"]:
    """The last samples of Steim records as their first frames state them (X_n).

    Args:
        content: bytes that hold the records.
        places: where each one's data begin.
        swap: whether the byte order is not the machine's.
    """
    view = np.frombuffer(content, np.uint8)
    first = np.minimum(places + 8, max(len(view) - 4, 0))
    stated = view[first[:, None] + np.arange(4)]
    is_big = swap == (sys.byteorder == "little")
    return np.where(is_big, stated.view(">i4")[:, 0], stated.view("<i4")[:, 0])


def corrupt_spans(faults: Sequence[Fault]) -> list[CoverageSpan]:
    """The time that faults cost, for the ledger."""
    return [fault.span for fault in faults if fault.span is not None]
