"""The monitor's own archive: records as they came, in SDS, and readable at once."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zilzal.core.ids import ChannelId
from zilzal.core.packet import Packet
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.miniseed import decode
from zilzal.io.miniseed_index import RecordIndex, index_file, index_grown
from zilzal.io.pieces import clean_pieces, cut_traces
from zilzal.io.record import make_records
from zilzal.io.sds_writer import DAY_NS, read_sds_name, sds_path, split_at_midnight
from zilzal.signal.continuity import GapPolicy

LONGEST_RECORD_S = 600.0
"""A record that began so long before midnight may hold samples of the next day."""
_KEPT_INDICES = 512


@dataclass(slots=True, eq=False)
class Recorder:
    """Records on disk by channel and day; appended to while they are read.

    A record that comes again, as after a crash, is there twice; reading drops what comes twice.

    Args:
        root: of the SDS archive; made if it is not there.
        gap_policy: makes one clean record of what was written.
    """

    root: Path
    gap_policy: GapPolicy
    _channels: set[ChannelId] = field(default_factory=set[ChannelId])
    _ordered: tuple[ChannelId, ...] = ()
    _indices: OrderedDict[Path, tuple[int, RecordIndex]] = field(
        default_factory=OrderedDict[Path, tuple[int, RecordIndex]]
    )

    def __post_init__(self) -> None:
        self._channels.update(channel_id for _, channel_id, _ in day_files(self.root))

    def write(self, packets: Iterable[Packet]) -> None:
        """Append records.

        Raises:
            OSError: the disk refuses; no part of a record is left behind.
        """
        for packet in packets:
            for trace in packet.traces:
                self._channels.add(trace.channel_id)
                if packet.record and len(packet.traces) == 1:
                    _append(self.root / sds_path(trace.channel_id, trace.start), packet.record)
                    continue
                for piece in split_at_midnight(trace):
                    content = b"".join(make_records(piece))
                    _append(self.root / sds_path(piece.channel_id, piece.start), content)

    def know(self, channel_ids: Iterable[ChannelId]) -> None:
        """Channels that another process writes."""
        self._channels.update(channel_ids)

    def channel_ids(self) -> tuple[ChannelId, ...]:
        """All that have been written."""
        if len(self._ordered) != len(self._channels):
            self._ordered = tuple(sorted(self._channels))
        return self._ordered

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        """Clean, gap-free pieces of a channel inside [start, end), as `Archive.read` gives them."""
        return clean_pieces(self._recorded, self.gap_policy, channel_id, start, end)

    def forget_before(self, time: Time) -> int:
        """Remove the files of days that ended before; give their number."""
        removed = 0
        for path, _, midnight in day_files(self.root):
            if midnight.ns + DAY_NS <= time.ns:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _recorded(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        traces: list[Trace] = []
        first = (start - LONGEST_RECORD_S).ns // DAY_NS
        for day in range(first, end.ns // DAY_NS + 1):
            index = self._index(self.root / sds_path(channel_id, Time(day * DAY_NS)))
            if index is not None:
                records = index.records
                chosen = (records["start_ns"] < end.ns) & (index.end_ns > start.ns)
                traces += decode(index, np.flatnonzero(chosen), until=end)[0]
        return cut_traces(traces, start, end)

    def _index(self, path: Path) -> RecordIndex | None:
        """Which records a file has; read again when it has grown."""
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return None
        known = self._indices.get(path)
        if known is None or known[0] != size:
            has_grown = known is not None and 0 < known[0] < size
            index = index_grown(known[1], known[0]) if known and has_grown else index_file(path)
            # Where more came meanwhile, nobody can tell how much of it the index has.
            is_exact = path.stat().st_size == size
            self._indices[path] = known = size if is_exact else 0, index
            if len(self._indices) > _KEPT_INDICES:
                self._indices.popitem(last=False)
        self._indices.move_to_end(path)
        return known[1]


def day_files(root: Path) -> Iterator[tuple[Path, ChannelId, Time]]:
    """An archive's files by their names, with channel and midnight; others are passed over."""
    for path in root.glob("*/*/*/*.D/*.D.*"):
        said = read_sds_name(path.name)
        if said is not None:
            yield path, *said


def _append(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            written = file.write(content)
            if written != len(content):
                raise OSError(f"only {written} of {len(content)} bytes fit")
        except OSError:
            os.ftruncate(file.fileno(), size)
            raise
