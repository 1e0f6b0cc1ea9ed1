"""Windows on which pickers are compared, cut from labelled sets."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import DataError
from zilzal.core.pick import Phase, Polarity
from zilzal.train.augment import Cut
from zilzal.train.case import Case
from zilzal.train.dataset import (
    Metadata,
    Record,
    read_course_npz,
    read_waveforms,
    record_of,
    resampled,
)
from zilzal.train.labels import with_codas
from zilzal.train.mixture import cut_out, tapered
from zilzal.train.protocol import Protocol, chosen_lines, rows_by_trace, source_name
from zilzal.train.sets.row import snr_db
from zilzal.train.skill import LENGTH_S, Trial, random_start, trial_at
from zilzal.train.window_table import WindowRow

logger = logging.getLogger(__name__)

SAMPLING_RATE = 100.0
"""Of all windows [Hz]."""

FIXED_S = 20.0
"""Where the first arrival lies in windows at fixed places."""


def iterate_cases(paths: Iterable[Path], protocol: Protocol) -> Iterator[Case]:
    """The windows of some sets, record by record, as a protocol puts them."""
    for path in paths:
        if path.suffix == ".npz":
            for record in read_course_npz(path):
                if protocol.takes(record.split):
                    yield from _placed_cases(record, Metadata({}), protocol)
            continue
        rows = rows_by_trace(protocol, source_name(path))
        for line, samples in read_waveforms(path, chosen_lines(path, protocol, rows)):
            record = with_codas(record_of(source_name(path), line, samples, SAMPLING_RATE))
            if protocol.table:
                yield from _listed_cases(record, line, samples, rows[record.name])
            else:
                yield from _placed_cases(record, line, protocol)


def _placed_cases(record: Record, line: Metadata, protocol: Protocol) -> Iterator[Case]:
    for shift, first in enumerate(_starts(record, protocol)):
        try:
            trial = trial_at(record, first)
        except ValueError as error:
            logger.warning("%s; left out", error)
            continue
        yield _case(record, line, trial, first, shift)


def _listed_cases(
    record: Record,
    line: Metadata,
    samples: Float32[Array, "component sample"],
    rows: Sequence[WindowRow],
) -> Iterator[Case]:
    centred = samples - samples.mean(1, keepdims=True)
    whole = resampled(centred, float(line.text("trace_sampling_rate_hz")), SAMPLING_RATE)
    for row in rows:
        yield _case(record, line, _trial_of_row(record, whole, row), row.first, row.shift)


def _starts(record: Record, protocol: Protocol) -> list[int]:
    """Where in a record its windows begin."""
    if protocol.placing == "fixed":
        onset = record.onsets[0].sample - FIXED_S * record.sampling_rate if record.onsets else 0
        return [round(onset)]
    name = zlib.crc32(f"{record.source}/{record.name}".encode())
    rng = np.random.default_rng([protocol.seed, name])
    return [random_start(record, rng) for _ in range(protocol.windows_of_record)]


def _trial_of_row(
    record: Record, whole: Float32[Array, "component sample"], row: WindowRow
) -> Trial:
    """The window that a table tells of: its samples, live part and labels."""
    length = round(LENGTH_S * record.sampling_rate)
    first, last = row.live
    live = whole[:, max(first + row.first, 0) : last + row.first + 1]
    if live.shape[1] != last + 1 - first or last >= length:
        raise DataError(
            f"the table of windows says that samples {first} to {last} of the window of "
            f"{record.name} in {record.source} are real data, but its record has "
            f"{whole.shape[1]} samples at 100 Hz; give the set that the table was made from"
        )
    window = np.zeros((len(whole), length), np.float32)
    present = np.zeros(window.shape, bool)
    window[:, first : last + 1] = live - live.mean(1, keepdims=True)
    present[:, first : last + 1] = True
    return Trial(
        name=record.name,
        source=record.source,
        event=record.event,
        samples=tapered(Cut(samples=window, present=present)).samples,
        present=np.ones_like(present),
        truth={
            phase: tuple(s for s in row.labels[phase] if 0 <= s < length) or None for phase in Phase
        },
        live=row.live,
        is_noise=row.is_noise,
        codas=cut_out(record, row.first, length).codas,
    )


def _case(record: Record, line: Metadata, trial: Trial, first: int, shift: int) -> Case:
    rate = record.sampling_rate
    contested = {
        phase: tuple((u.first - first, u.last - first) for u in record.unknown if u.phase is phase)
        for phase in Phase
    }
    p_samples, s_samples = (record.onset_samples(phase) for phase in Phase)
    after = [s for s in s_samples if p_samples and s > p_samples[0]]
    distance_km = line.number("path_ep_distance_km")
    return Case(
        trial=trial,
        split=line.text("split", record.split),
        shift=shift,
        first=first,
        record_start=line.text("trace_start_time"),
        record_rate=float(line.text("trace_sampling_rate_hz", str(rate))),
        contested=contested,
        polarity=tuple(_polarity(record, s + first) for s in trial.truth[Phase.P] or ()),
        snr_db={phase: _snr_db(record, phase, trial.truth[phase], first) for phase in Phase},
        distance_km=math.nan if distance_km is None else distance_km,
        s_minus_p_s=(after[0] - p_samples[0]) / rate if after else math.nan,
    )


def _polarity(record: Record, sample: float) -> Polarity | None:
    """First motion of the labelled P at a sample of the record."""
    for onset in record.onsets:
        if onset.phase is Phase.P and abs(onset.sample - sample) <= 1:
            return onset.polarity
    return None


def _snr_db(record: Record, phase: Phase, labels: Sequence[float] | None, first: int) -> float:
    """Signal to noise of a phase's first label, as operation measures that of a pick."""
    if not labels:
        return math.nan
    onset = labels[0] + first
    if not 0 <= onset < record.length:
        return math.nan
    found = snr_db(record.samples, record.present, onset, phase, record.sampling_rate)
    return math.nan if found is None else found
