"""Made miniSEED files for the tests of waveforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zilzal.core.ids import ChannelId
from zilzal.core.time import Time

T0 = Time.parse("2020-01-01T00:00:00Z")


def noise(n, seed=0):
    return np.random.default_rng(seed).integers(-1000, 1000, n).astype(np.int32)


def records(samples, start_s=0.0, channel="XX_AAA__H_H_Z", *, rate=100.0, length=512, version=2):
    """Encoded records (Steim-2 for whole numbers) as a list of bytes, by pymseed."""
    from pymseed import DataEncoding, MS3Record

    record = MS3Record()
    record.sourceid = f"FDSN:{channel}"
    record.starttime = (T0 + start_s).ns
    record.samprate = rate
    record.reclen = length
    record.formatversion = version
    kind = {"i4": "i", "f4": "f", "f8": "d"}[samples.dtype.str[1:]]
    record.encoding = {
        "i": DataEncoding.STEIM2,
        "f": DataEncoding.FLOAT32,
        "d": DataEncoding.FLOAT64,
    }[kind]
    return list(record.generate(data_samples=samples, sample_type=kind))


def write(path: Path, *parts: list[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(b"".join(part) for part in parts))
    return path


HHZ = ChannelId("XX", "AAA", "", "HHZ")
