"""An archive of waveforms: files, folders, an SDS tree, in any mixture and order."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace
from zilzal.io.formats import read_other
from zilzal.io.miniseed import corrupt_spans, decode
from zilzal.io.miniseed_index import Fault, RecordIndex, index_file
from zilzal.io.pieces import clean_pieces, cut_traces
from zilzal.signal.continuity import GapPolicy, merge_spans

logger = logging.getLogger(__name__)

CHUNK_S = 7_200.0
"""Shorter steps cost more for being so many, longer ones for memory that is new each time."""
_CACHE_BYTES = 2**27
NOT_WAVEFORMS = re.compile(
    r"\.(xml|csv|txt|md|json|toml|ya?ml|html|pdf|png|jpg|svg|py|log|db|sqlite)$", re.IGNORECASE
)
"""Endings that are passed over in a folder; a file that is named itself is always tried."""

Progress = Callable[[int, int, Path], None]
"""Called with the number of files done, of all files, and the file."""


@dataclass(frozen=True, slots=True, order=True)
class FileSpan:
    """A file's share of a channel.

    Args:
        channel_id: whose.
        start: the first sample's instant.
        end: where the sample after the last would be.
        path: of the file.
        count: samples in it; 0 where that is not known from its headers.
    """

    channel_id: ChannelId
    start: Time
    end: Time
    path: Path
    count: int = 0


@dataclass(frozen=True, slots=True)
class ArchiveStep:
    """All samples of some channels within a stretch of time.

    Args:
        until: no later step has data from before it.
        traces: as they are in the files: by file, in the order of the records; neither merged
            nor cleaned.
        corrupt: time of which the samples were lost.
    """

    until: Time
    traces: tuple[Trace, ...]
    corrupt: tuple[CoverageSpan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Waveforms in files, found by channel and time; see `Archive.open`.

    Args:
        files: each file's share of each channel, in order.
        faults: what could not be read when the headers were, files and single records.
        gap_policy: makes one clean record of overlapping files in `read`.
    """

    files: tuple[FileSpan, ...]
    faults: tuple[Fault, ...] = ()
    gap_policy: GapPolicy = field(default_factory=GapPolicy)
    _cache: OrderedDict[Path, RecordIndex | tuple[Trace, ...]] = field(
        default_factory=OrderedDict, repr=False
    )
    _by_channel: dict[ChannelId, list[FileSpan]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_channel: dict[ChannelId, list[FileSpan]] = {}
        for span in self.files:
            by_channel.setdefault(span.channel_id, []).append(span)
        object.__setattr__(self, "_by_channel", by_channel)

    @classmethod
    def open(
        cls,
        paths: Path | str | Iterable[Path | str],
        *,
        progress: Progress | None = None,
        gap_policy: GapPolicy | None = None,
    ) -> Archive:
        """Read the headers of files, and of all files in folders and the folders in them.

        What cannot be read is kept in `faults` and counted in the log; it does not stop the rest.
        A file that is reached by several paths counts once.

        Raises:
            FileNotFoundError: a path does not exist.
            FormatError: there is no waveform in any of the files.
        """
        given = [paths] if isinstance(paths, Path | str) else list(paths)
        found = find_files(given)
        archive = cls((), (), gap_policy or GapPolicy())
        spans: list[FileSpan] = []
        faults: list[Fault] = []
        for number, path in enumerate(found, 1):
            try:
                found_spans, found_faults = archive._scan(path)
            except (FormatError, OSError) as error:
                logger.info("left out: %s", error)
                faults.append(Fault(path, 0, str(error)))
            else:
                spans += found_spans
                faults += found_faults
            if progress is not None:
                progress(number, len(found), path)
        if faults:
            n_files = len({f.path for f in faults})
            first = faults[0]
            logger.warning(
                "%d of %d files cannot be read or are damaged, such as %s",
                *(n_files, len(found), first),
            )
        if not spans:
            reasons = "; ".join(map(str, faults[:3])) or f"in {', '.join(map(str, given))}"
            raise FormatError(f"no waveforms in {len(found)} files: {reasons}")
        return cls(tuple(sorted(spans)), tuple(faults), archive.gap_policy, archive._cache)

    def channel_ids(self) -> tuple[ChannelId, ...]:
        """All channels, in order."""
        return tuple(sorted(self._by_channel))

    def sensors(self, start: Time | None = None, end: Time | None = None) -> tuple[SensorId, ...]:
        """All sensors that have data between two instants, in order."""
        return tuple(sorted({s.channel_id.sensor_id for s in self._between(None, start, end)}))

    def span(self, of: SensorId | ChannelId | None = None) -> tuple[Time, Time] | None:
        """First sample and end of a sensor, a channel, or all; None where there is nothing."""
        chosen = self._between(of, None, None)
        if not chosen:
            return None
        return min(s.start for s in chosen), max(s.end for s in chosen)

    def files_of(self, channel_ids: Iterable[ChannelId]) -> list[FileSpan]:
        """Files' shares of some channels."""
        return [span for channel_id in channel_ids for span in self._by_channel.get(channel_id, ())]

    def samples(self, number: int) -> list[Path]:
        """Some of its files, spread over all of them."""
        paths = list(dict.fromkeys(span.path for span in self.files))
        return paths[:: max(1, len(paths) // number)][:number]

    def traces(
        self,
        of: SensorId | Sequence[ChannelId] | None = None,
        start: Time | None = None,
        end: Time | None = None,
        *,
        on_corrupt: Callable[[CoverageSpan], None] | None = None,
    ) -> Iterator[Trace]:
        """What the files hold, as `steps` gives it, trace by trace."""
        for step in self.steps(of, start, end):
            for span in step.corrupt if on_corrupt is not None else ():
                assert on_corrupt is not None
                on_corrupt(span)
            yield from step.traces

    def steps(
        self,
        of: SensorId | Sequence[ChannelId] | None = None,
        start: Time | None = None,
        end: Time | None = None,
        *,
        chunk_s: float = CHUNK_S,
    ) -> Iterator[ArchiveStep]:
        """Go through the archive in order of time with bounded memory.

        Steps end at whole multiples of `chunk_s` since the epoch, the last one where the data
        end. Stretches without data are left out. Within a step, files come in order of their
        first sample, and samples in the order of the file's records. So, of two samples for one
        time, the same one comes first whatever `chunk_s` is.

        Args:
            of: a sensor, some channels, or all.
            start: samples before it are cut off.
            end: samples from it on are cut off.
            chunk_s: length of a step; memory grows with it.
        """
        limits = (start or Time(-(2**62)), end or Time(2**62))
        chunk_ns = round(chunk_s * NS_PER_S)
        coming = deque(sorted(self._between(of, start, end), key=lambda s: (s.start, s.path)))
        last_ns = min(max((s.end.ns for s in coming), default=0), limits[1].ns)
        active: list[FileSpan] = []
        first_ns = limits[0].ns
        position = max(coming[0].start.ns, limits[0].ns) if coming else limits[1].ns
        while position < limits[1].ns and (coming or active):
            until_ns = (position // chunk_ns + 1) * chunk_ns
            while coming and coming[0].start.ns < until_ns:
                active.append(coming.popleft())
            cut = Time(first_ns), Time(min(until_ns, last_ns))
            yield self._step(active, cut)
            active = [s for s in active if s.end.ns > until_ns]
            begins = [self._next_start(s, until_ns) for s in active]
            begins += [coming[0].start.ns] if coming else []
            first_ns = until_ns
            position = max(until_ns, min(begins, default=until_ns))

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        """Clean, gap-free pieces of a channel inside [start, end), in order of time.

        The gap policy has looked at them, with enough time before and after to see what they are
        a part of; only the records needed are decoded.
        """
        return clean_pieces(self._recorded, self.gap_policy, channel_id, start, end)

    def _recorded(self, channel_id: ChannelId, start: Time, end: Time) -> tuple[Trace, ...]:
        spans = sorted(self._between(channel_id, start, end), key=lambda s: (s.start, s.path))
        return self._step(spans, (start, end)).traces

    def _between(
        self,
        of: SensorId | ChannelId | Sequence[ChannelId] | None,
        start: Time | None,
        end: Time | None,
    ) -> list[FileSpan]:
        if isinstance(of, SensorId):
            wanted = [c for c in self._by_channel if c.sensor_id == of]
        elif isinstance(of, ChannelId):
            wanted = [of]
        else:
            wanted = list(self._by_channel) if of is None else list(dict.fromkeys(of))
        return [
            span
            for channel_id in wanted
            for span in self._by_channel.get(channel_id, ())
            if (start is None or span.end > start) and (end is None or span.start < end)
        ]

    def _next_start(self, span: FileSpan, after_ns: int) -> int:
        """When the first record of a file that begins at or after an instant does so."""
        content = self._cache.get(span.path)
        if isinstance(content, RecordIndex):
            start_ns = content.start_ns
            return int(start_ns.min(where=start_ns >= after_ns, initial=2**62))
        return max(span.start.ns, after_ns)

    def _step(self, spans: Sequence[FileSpan], cut: tuple[Time, Time]) -> ArchiveStep:
        """The samples in [cut), of each file once.

        Raises:
            OSError: the disk or the network fails, so that another try may succeed.
        """
        channels: dict[Path, set[ChannelId]] = {}
        for span in spans:
            channels.setdefault(span.path, set()).add(span.channel_id)
        traces: list[Trace] = []
        faults: list[Fault] = []
        for path, wanted in channels.items():
            try:
                content = self._content(path)
                if isinstance(content, RecordIndex):
                    found, bad = decode(content, _choose(content, wanted, cut), until=cut[1])
                    faults += [*bad, *content.faults]
                else:
                    found = [t for t in content if t.channel_id in wanted]
            except FormatError as error:
                logger.warning("%s cannot be read any more: %s", path, error)
                continue
            traces += cut_traces(found, *cut)
        wanted = {span.channel_id for span in spans}
        corrupt = [
            replace(span, start=max(span.start, cut[0]), end=min(span.end, cut[1]))
            for span in corrupt_spans(faults)
            if span.channel_id in wanted and span.start < cut[1] and span.end > cut[0]
        ]
        return ArchiveStep(cut[1], tuple(traces), tuple(merge_spans(corrupt)))

    def _scan(self, path: Path) -> tuple[list[FileSpan], tuple[Fault, ...]]:
        """What a file holds, from its headers."""
        try:
            index = index_file(path)
        except FormatError:
            traces = read_other(path, headers_only=True)
            return [FileSpan(t.channel_id, t.start, t.next_start, path) for t in traces], ()
        self._keep(path, index)
        return _file_spans(index), index.faults

    def _content(self, path: Path) -> RecordIndex | tuple[Trace, ...]:
        """A file's index, or its samples where it is not miniSEED."""
        content = self._cache.get(path)
        if content is None:
            try:
                content = index_file(path)
            except FormatError:
                content = tuple(read_other(path))
            self._keep(path, content)
        self._cache.move_to_end(path)
        return content

    def _keep(self, path: Path, content: RecordIndex | tuple[Trace, ...]) -> None:
        """Remember the files used last, as far as `_CACHE_BYTES` allows."""
        self._cache[path] = content
        total = sum(map(_memory, self._cache.values()))
        while len(self._cache) > 1 and total > _CACHE_BYTES:
            total -= _memory(self._cache.popitem(last=False)[1])


def _memory(content: RecordIndex | tuple[Trace, ...]) -> int:
    if isinstance(content, RecordIndex):
        return content.memory_bytes
    return sum(trace.samples.nbytes for trace in content)


def find_files(paths: Iterable[Path | str]) -> list[Path]:
    """All files, each once, in order of their paths."""
    found: dict[Path, None] = {}
    for given in map(Path, paths):
        if given.is_dir():
            inside = (p for p in sorted(given.rglob("*")) if p.is_file())
            for path in inside:
                hidden = any(part.startswith(".") for part in path.relative_to(given).parts)
                if not hidden and not NOT_WAVEFORMS.search(path.name):
                    found.setdefault(path.resolve())
        elif given.exists():
            found.setdefault(given.resolve())
        else:
            raise FileNotFoundError(f"{given}: no such file or folder")
    return list(found)


def _file_spans(index: RecordIndex) -> list[FileSpan]:
    """From when to when a file holds each of its channels."""
    start_ns, end_ns = index.start_ns, index.end_ns
    spans: list[FileSpan] = []
    for number, channel_id in enumerate(index.channel_ids):
        mine = index.records["channel"] == number
        if mine.any():
            first, end = Time(int(start_ns[mine].min())), Time(int(end_ns[mine].max()))
            count = int(index.records["count"][mine].sum())
            spans.append(FileSpan(channel_id, first, end, index.path, count))
    return spans


def _choose(
    index: RecordIndex, wanted: set[ChannelId], cut: tuple[Time, Time]
) -> Int[Array, " chosen"]:
    """Numbers of the wanted channels' records that have samples in [cut)."""
    chosen = (index.start_ns < cut[1].ns) & (index.end_ns > cut[0].ns)
    if len(wanted) < len(index.channel_ids):
        numbers = [n for n, channel_id in enumerate(index.channel_ids) if channel_id in wanted]
        chosen &= np.isin(index.records["channel"], numbers)
    return np.flatnonzero(chosen)
