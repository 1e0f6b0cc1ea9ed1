"""The course's file of windows, `.npz`: one component at 100 Hz, with P, S and end of the coda."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase
from zilzal.train.record import Coda, Onset, Record, live_samples

SAMPLING_RATE = 100.0
LENGTH = 6_000
"""Samples of a window in the course's exercise."""

ARRAYS = ("data", "label", "P", "S", "E")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CourseWindows:
    """Windows of one component as the course's file has them.

    Args:
        samples: in the file's type.
        is_event: False is noise.
        p: sample of the P, of events; NaN where there is none.
        s: sample of the S, as `p`.
        coda_end: sample where the coda ends, as `p`.
    """

    samples: Shaped[Array, "window sample"]
    is_event: Bool[Array, " window"]
    p: Float[Array, " window"]
    s: Float[Array, " window"]
    coda_end: Float[Array, " window"]


def load_course(path: Path) -> CourseWindows:
    """Read the course's file: `data (n, 6000)`, `label`, `P`, `S`, `E`.

    `data` may be of another length, and have an axis of length 1 more.

    Raises:
        FormatError: it cannot be read, or an array is missing or of another length.
    """
    try:
        with np.load(path) as arrays:
            missing = set(ARRAYS) - set(arrays.files)
            if missing:
                raise FormatError(
                    f"{path} lacks the arrays {sorted(missing)}; it has {arrays.files}"
                )
            data, label, p, s, end = (np.asarray(arrays[name]) for name in ARRAYS)
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} is no .npz file of arrays: {error}") from error
    lengths = [len(np.atleast_1d(one)) for one in (data, label, p, s, end)]
    if len(set(lengths)) > 1:
        raise FormatError(f"{path}: {', '.join(ARRAYS)} have the unequal lengths {lengths}")
    is_event = np.ravel(label) != 0
    times = [np.where(is_event, np.ravel(a).astype(float), np.nan) for a in (p, s, end)]
    return CourseWindows(
        samples=data.reshape(len(data), -1),
        is_event=is_event,
        p=times[0],
        s=times[1],
        coda_end=times[2],
    )


def save_course(path: Path, windows: CourseWindows) -> None:
    """Write the course's file; P, S and E of noise are 0, as there.

    They are whole numbers where all of them are, else floats with NaN for what is not known.
    """
    from zilzal.io.table_file import whole_file

    times = [
        np.where(windows.is_event, times, 0.0) for times in (windows.p, windows.s, windows.coda_end)
    ]
    if all((one == np.floor(one)).all() for one in times):
        times = [one.astype(np.int64) for one in times]
    with whole_file(path) as file:
        np.savez(
            file, data=windows.samples, label=windows.is_event.astype(np.int64), P=times[0],
            S=times[1], E=times[2],
        )  # fmt: skip


def read_course_npz(path: Path, *, split: str = "train") -> list[Record]:
    """Records of the course's file, at 100 Hz.

    The one component becomes Z; N and E are absent. `E` is the end of the coda.

    Raises:
        FormatError: an array is missing.
    """
    windows = load_course(path)
    times = np.stack((windows.p, windows.s, windows.coda_end), axis=1).tolist()
    return [
        _record(path.stem, number, split, row.astype(np.float32), bool(is_event), arrivals)
        for number, (row, is_event, arrivals) in enumerate(
            zip(windows.samples, windows.is_event, times, strict=True)
        )
    ]


def _record(
    source: str,
    number: int,
    split: str,
    row: Float[Array, " sample"],
    is_event: bool,
    times: Sequence[float],
) -> Record:
    samples = np.zeros((3, len(row)), np.float32)
    samples[0] = row - row.mean()
    p, s, end = times
    return Record(
        name=f"{source}_{number}",
        source=source,
        event=f"{source}_{number}",
        split=split,
        kind="earthquake" if is_event else "noise",
        sampling_rate=SAMPLING_RATE,
        samples=samples,
        present=live_samples(samples, 0, len(row) - 1),
        onsets=tuple(
            Onset(phase=phase, sample=sample)
            for phase, sample in ((Phase.P, p), (Phase.S, s))
            if np.isfinite(sample)
        ),
        codas=(Coda(first=p, last=end),) if np.isfinite(p) and np.isfinite(end) else (),
        quiet=() if is_event else ((0, len(row) - 1),),
    )
