"""Which records there are of which channels, and the records themselves, as they lie on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time
from zilzal.io.archive import Archive
from zilzal.io.formats import read_other
from zilzal.io.miniseed_index import index_file
from zilzal.io.playback import archive_records
from zilzal.io.record import Record
from zilzal.io.recorder import LONGEST_RECORD_S, Recorder, day_files
from zilzal.io.sds_writer import DAY_NS, sds_path

TOLERANCE_SAMPLES = 0.5
"""Records that miss each other by less follow each other."""


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A stretch of a channel without a gap; `end` is where the next sample would be."""

    channel_id: ChannelId
    start: Time
    end: Time
    sampling_rate: float


def files_of(
    waveforms: Archive | Recorder, channels: Iterable[ChannelId], start: Time, end: Time
) -> Archive:
    """The archive of what lies in some channels' files between two instants."""
    wanted = set(channels)
    if isinstance(waveforms, Archive):
        spans = tuple(
            s for s in waveforms.files
            if s.channel_id in wanted and s.start < end and s.end > start
        )  # fmt: skip
        return Archive(spans, (), waveforms.gap_policy)
    paths = sorted(set(_day_files(waveforms.root, wanted, start, end)))
    if not paths:
        return Archive((), (), waveforms.gap_policy)
    found = Archive.open(paths, gap_policy=waveforms.gap_policy)
    kept = tuple(s for s in found.files if s.start < end and s.end > start)
    return Archive(kept, (), waveforms.gap_policy)


def _day_files(root: Path, channels: Iterable[ChannelId], start: Time, end: Time) -> Iterator[Path]:
    first = (start - LONGEST_RECORD_S).ns // DAY_NS
    for channel_id in channels:
        for day in range(first, end.ns // DAY_NS + 1):
            path = root / sds_path(channel_id, Time(day * DAY_NS))
            if path.is_file():
                yield path


def recorded_days(root: Path) -> tuple[Time, Time]:
    """Midnights around all files of an SDS root, from their names; nothing is opened."""
    midnights = [midnight for _, _, midnight in day_files(root)]
    if not midnights:
        return Time(0), Time(0)
    return min(midnights), Time(max(midnights).ns + 2 * DAY_NS)


def records_between(
    archive: Archive, channels: Sequence[ChannelId], start: Time, end: Time
) -> Iterator[Record]:
    """Whole records of channels that have samples in [start, end), in order of time."""
    wanted = set(channels)
    for record in archive_records(archive, start, end):
        if record.channel_id in wanted and record.kind == "D":
            yield record


def extents(
    archive: Archive, start: Time, end: Time, *, longest_gap_s: float = 0.0
) -> list[Extent]:
    """Stretches without a gap, cut at the ends, in order of channel and time.

    Args:
        archive: of the files.
        start: first instant.
        end: last instant, exclusive.
        longest_gap_s: gaps up to this are overlooked.
    """
    pieces: list[Extent] = []
    for path in sorted({span.path for span in archive.files}):
        wanted = {s.channel_id for s in archive.files if s.path == path}
        pieces += [e for e in _pieces(path) if e.channel_id in wanted]
    joined: list[Extent] = []
    for piece in sorted(p for p in pieces if p.start < end and p.end > start):
        last = joined[-1] if joined else None
        if last is not None and _follows(last, piece, longest_gap_s):
            end_of_both = max(last.end, piece.end)
            joined[-1] = Extent(last.channel_id, last.start, end_of_both, last.sampling_rate)
        else:
            joined.append(piece)
    return [
        Extent(e.channel_id, max(e.start, start), min(e.end, end), e.sampling_rate) for e in joined
    ]


def _follows(last: Extent, piece: Extent, longest_gap_s: float) -> bool:
    if (last.channel_id, last.sampling_rate) != (piece.channel_id, piece.sampling_rate):
        return False
    allowed_s = max(longest_gap_s, TOLERANCE_SAMPLES / piece.sampling_rate)
    return piece.start - last.end <= allowed_s


def _pieces(path: Path) -> Iterator[Extent]:
    """Runs of records of a file that follow each other."""
    try:
        index = index_file(path)
    except FormatError:
        for trace in read_other(path, headers_only=True):
            yield Extent(trace.channel_id, trace.start, trace.next_start, trace.sampling_rate)
        return
    records, ends = index.records, index.end_ns
    for number, channel_id in enumerate(index.channel_ids):
        mine = np.flatnonzero(records["channel"] == number)
        mine = mine[np.argsort(records["start_ns"][mine], kind="stable")]
        if not len(mine):
            continue
        starts, rates = records["start_ns"][mine], records["sampling_rate"][mine]
        reach = np.maximum.accumulate(ends[mine])
        gap_ns = starts[1:] - reach[:-1]
        is_cut = (gap_ns > TOLERANCE_SAMPLES * NS_PER_S / rates[1:]) | (rates[1:] != rates[:-1])
        for part in np.split(np.arange(len(mine)), np.flatnonzero(is_cut) + 1):
            first, last = int(starts[part[0]]), int(ends[mine][part].max())
            yield Extent(channel_id, Time(first), Time(last), float(rates[part[0]]))
