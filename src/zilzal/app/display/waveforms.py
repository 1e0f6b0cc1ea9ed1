"""Waveforms for many who look at once: an archive, or one that a monitor is still writing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.stage import Waveforms
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.archive import Archive
from zilzal.io.recorder import Recorder
from zilzal.signal.continuity import GapPolicy

logger = logging.getLogger(__name__)


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
    within: Waveforms | None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def channel_ids(self) -> tuple[ChannelId, ...]:
        """All that can be asked for, in order."""
        with self._lock:
            return () if self.within is None else tuple(self.within.channel_ids())

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> list[Trace]:
        """Clean, gap-free pieces of a channel inside [start, end), in order of time."""
        with self._lock:
            return [] if self.within is None else list(self.within.read(channel_id, start, end))

    def refresh(self) -> None:
        """Look for channels that a monitor has begun since."""
        if isinstance(self.within, Recorder):
            found = Recorder(self.within.root, self.gap_policy)
            with self._lock:
                self.within = found

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
    within: Waveforms | None = None
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
