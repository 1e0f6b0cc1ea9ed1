"""Labelled waveforms: SeisBench folders and the course's `.npz`, as records on one time grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped

from zilzal.core.arrays import Array
from zilzal.core.waveform import COMPONENTS
from zilzal.train.course_format import read_course_npz
from zilzal.train.line_labels import (
    TRUST_BY_FAMILIES,
    TRUST_BY_STATUS,
    codas_of,
    machine_trust,
    onsets_of,
    polarity_of,
    unknown_of,
)
from zilzal.train.record import Coda, Onset, Record, Unknown, live_samples, resampled
from zilzal.train.seisbench_format import Metadata, read_metadata, read_waveforms

__all__ = [
    "TRUST_BY_FAMILIES", "TRUST_BY_STATUS", "Coda", "Metadata", "Onset", "Record", "Unknown",
    "live_samples", "machine_trust", "polarity_of", "read_course_npz", "read_metadata",
    "read_seisbench", "read_waveforms", "record_of", "resampled",
]  # fmt: skip


def read_seisbench(
    folder: Path, *, sampling_rate: float = 100.0, splits: Sequence[str] = ("train",)
) -> list[Record]:
    """Records of a SeisBench folder, at one rate.

    Columns beyond SeisBench's are used where a set has them: `trace_dead_components`,
    `trace_first_valid_sample`, `trace_last_valid_sample`, `trace_z_missing_spans`, and what
    `line_labels` reads of arrivals, of spans that nobody knows, and of codas.

    Raises:
        FormatError: the folder is not a SeisBench set.
    """
    lines = [m for m in read_metadata(folder) if m.text("split", "train") in splits]
    return [
        record_of(folder.name, line, samples, sampling_rate)
        for line, samples in read_waveforms(folder, lines)
    ]


def record_of(
    source: str, line: Metadata, samples: Shaped[Array, "3 sample"], sampling_rate: float
) -> Record:
    """A record of a set's trace, at a rate.

    Args:
        source: name of the set.
        line: of its table.
        samples: as stored, components in the order ZNE.
        sampling_rate: of the record.
    """
    rate = float(line.text("trace_sampling_rate_hz"))
    scale = sampling_rate / rate
    first = int((line.number("trace_first_valid_sample") or 0) * scale)
    missing = missing_samples(line, samples.shape)
    samples = resampled(_centred(samples, missing), rate, sampling_rate)
    last_valid = line.number("trace_last_valid_sample")
    last = samples.shape[1] - 1 if last_valid is None else int(last_valid * scale)
    present = live_samples(samples, first, last)
    if missing.any():
        places = np.arange(samples.shape[1]) / scale
        for neighbour in (np.floor(places), np.ceil(places)):
            present &= ~missing[:, np.minimum(neighbour, missing.shape[1] - 1).astype(int)]
    for letter in line.text("trace_dead_components"):
        present[COMPONENTS.index(letter)] = False
    # The mean of the live part alone, lest padding leave a step at its edge.
    mean = _mean(samples, present)
    kind = line.text("trace_category", "earthquake")
    return Record(
        name=line.text("trace_name"),
        source=source,
        event=line.text("source_id", line.text("trace_name")),
        split=line.text("split", "train"),
        kind=kind,
        sampling_rate=sampling_rate,
        samples=np.where(present, samples - mean, 0).astype(np.float32),
        present=present,
        onsets=onsets_of(line, scale=scale),
        unknown=unknown_of(line, samples.shape[1] - 1, scale=scale),
        codas=codas_of(line, scale=scale),
        quiet=((first, last),) if kind == "noise" else (),
    )


def missing_samples(line: Metadata, shape: tuple[int, ...]) -> Bool[Array, "3 sample"]:
    """Which samples a set's table says were not recorded (`trace_z_missing_spans` and so on)."""
    missing = np.zeros(shape, bool)
    for row, letter in enumerate(COMPONENTS):
        for first, last in line.spans(f"trace_{letter.lower()}_missing_spans"):
            missing[row, int(first) : int(last) + 1] = True
    return missing


def _centred(
    samples: Shaped[Array, "3 sample"], missing: Bool[Array, "3 sample"]
) -> Shaped[Array, "3 sample"]:
    """Without the mean of what was recorded, and 0 where nothing was, lest a filter ring there."""
    samples = samples.astype(np.float32, copy=False)
    if not missing.any():
        return samples - samples.mean(1, keepdims=True)
    return np.where(missing, 0, samples - _mean(samples, ~missing)).astype(np.float32)


def _mean(
    samples: Shaped[Array, "3 sample"], present: Bool[Array, "3 sample"]
) -> Shaped[Array, "3 1"]:
    """Of the samples present in each component; 0 where there is none."""
    count = np.maximum(present.sum(1, keepdims=True), 1)
    return np.where(present, samples, 0).sum(1, keepdims=True) / count
