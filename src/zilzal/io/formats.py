"""Waveform files that are not miniSEED, through ObsPy: SAC, GSE2, SEISAN, K-NET and others."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace

logger = logging.getLogger(__name__)

NOT_TRIED = ("PICKLE", "MSEED")
"""ObsPy tells a pickle by loading it, and loading a stranger's pickle runs the stranger's code.
MiniSEED is read by `zilzal.io.miniseed`."""

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz"}


def detect_format(path: Path) -> str:
    """ObsPy's name of a file's format, as "SAC".

    Raises:
        FormatError: it is none that can be read.
    """
    from obspy.core.util.base import ENTRY_POINTS

    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise FormatError(f"{path}: the file is empty")
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise FormatError(f"{path}: compressed with {name}; unpack it first")
    for name, entry in ENTRY_POINTS["waveform"].items():
        if name not in NOT_TRIED and _is_format(entry, path):
            return str(name)
    raise FormatError(f"{path}: neither miniSEED nor another waveform format that ObsPy knows")


def read_other(path: Path, *, headers_only: bool = False) -> list[Trace]:
    """Traces of a file in any format of ObsPy's, in the file's order.

    Args:
        path: the file.
        headers_only: leave the samples out if the format allows it; then the traces hold zeros
            that take no memory.

    Raises:
        FormatError: the file cannot be read.
        OSError: it cannot be opened.
    """
    name = detect_format(path)
    from obspy import read

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            stream = read(str(path.resolve()), format=name, headonly=headers_only)
        except Exception as error:  # ObsPy's plug-ins raise what they like
            raise FormatError(f"{path}: damaged {name} file ({error})") from error
    for warning in caught:
        logger.debug("%s: %s", path, warning.message)
    return [_trace(path, one) for whole in stream for one in whole.split() if one.stats.npts]


def _is_format(entry: Any, path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from obspy.core.util.misc import buffered_load_entry_point

            group = f"obspy.plugin.waveform.{entry.name}"
            return bool(buffered_load_entry_point(entry.dist.name, group, "isFormat")(str(path)))
        except Exception as error:  # noqa: BLE001  a format's own test that fails is a no
            logger.debug("%s: test for %s failed (%s)", path, entry.name, error)
            return False


def _trace(path: Path, trace: Any) -> Trace:
    stats = trace.stats
    channel_id = ChannelId(stats.network, stats.station, stats.location, stats.channel)
    if not channel_id.station or not channel_id.channel:
        raise FormatError(f"{path}: no station or channel code in the header ({trace.id!r})")
    if not stats.sampling_rate > 0:
        raise FormatError(f"{path}: the sampling rate is {stats.sampling_rate} Hz")
    return Trace(
        channel_id=channel_id,
        start=Time(int(stats.starttime.ns)),
        sampling_rate=float(stats.sampling_rate),
        samples=_samples(trace.data, int(stats.npts)),
    )


def _samples(data: Any, count: int) -> Any:
    """Counts as int32 if they fit, else as floats of their own width."""
    if len(data) != count:
        return np.broadcast_to(np.int32(0), count)
    if data.dtype.kind in "iub":
        limits = np.iinfo(np.int32)
        fits = data.dtype.itemsize < 4 or (limits.min <= data.min() and data.max() <= limits.max)
        return data.astype(np.int32 if fits else np.float64)
    return data.astype(np.float32 if data.dtype.itemsize <= 4 else np.float64)
