"""Waveforms for many who look at once: an archive, or one that a monitor is still writing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.archive import Archive
from zilzal.io.availability import files_of, recorded_days
from zilzal.io.recorder import Recorder
from zilzal.signal.continuity import GapPolicy

logger = logging.getLogger(__name__)

_LOOK_S = 15.0
"""New channels are looked for so often."""


@dataclass(slots=True, eq=False)
class SharedWaveforms:
    """Waveforms that several threads read, one after the other.

    Args:
        paths: where they lie.
        gap_policy: makes one clean record of them.
        within: what reads them; None where there are none.
    """

    paths: tuple[Path, ...]
    gap_policy: GapPolicy
    within: Archive | Recorder | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looked_s: float = field(default_factory=time.monotonic)

    def channel_ids(self) -> tuple[ChannelId, ...]:
        """All that can be asked for, in order; channels that a monitor has begun since, too."""
        with self._lock:
            if isinstance(self.within, Recorder) and time.monotonic() > self._looked_s + _LOOK_S:
                self.within = Recorder(self.within.root, self.gap_policy)
                self._looked_s = time.monotonic()
            return () if self.within is None else tuple(self.within.channel_ids())

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        """Clean, gap-free pieces of a channel inside [start, end), in order of time."""
        with self._lock:
            return [] if self.within is None else list(self.within.read(channel_id, start, end))

    def files(self, channels: Sequence[ChannelId], start: Time, end: Time) -> Archive:
        """The files of channels between two instants, as an archive of their own."""
        if self.within is None:
            return Archive((), (), self.gap_policy)
        return files_of(self.within, channels, start, end)

    def clip(self, start: Time, end: Time) -> tuple[Time, Time]:
        """The part of a span that may hold anything; an SDS root is looked through day by day."""
        if isinstance(self.within, Recorder):
            first, last = recorded_days(self.within.root)
        else:
            span = None if self.within is None else self.within.span()
            first, last = span or (start, start)
        return max(start, first), min(end, last)

    @property
    def is_growing(self) -> bool:
        """Whether a monitor may be writing to them."""
        return isinstance(self.within, Recorder)


def open_waveforms(
    paths: Sequence[Path], gap_policy: GapPolicy, *, must_exist: bool = False
) -> SharedWaveforms:
    """Waveforms in files, folders, or one SDS root, which may still grow.

    Args:
        paths: where; empty for none.
        gap_policy: makes one clean record of them.
        must_exist: whether it is an error that there are none.

    Raises:
        ConfigError: there are none where there should be.
    """
    within: Archive | Recorder | None = None
    if len(paths) == 1 and _is_sds(paths[0]):
        within = Recorder(paths[0], gap_policy)
    elif paths:
        try:
            within = Archive.open(paths, gap_policy=gap_policy)
        except (OSError, FormatError) as error:
            if must_exist:
                raise ConfigError(f"cannot read the waveforms: {error}") from error
            logger.warning("no waveforms: %s; give --waveforms", error)
    return SharedWaveforms(tuple(paths), gap_policy, within)


def _is_sds(path: Path) -> bool:
    """Whether a folder is laid out as SDS, or is the empty folder of a monitor's records."""
    if not path.is_dir():
        return False
    return next(path.glob("*/*/*/*.D"), None) is not None or next(path.iterdir(), None) is None
