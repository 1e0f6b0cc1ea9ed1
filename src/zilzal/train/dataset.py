"""Labelled waveforms: SeisBench folders and the course's `.npz`, as records on one time grid."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase, Polarity
from zilzal.core.waveform import COMPONENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """A labelled arrival in a record.

    Args:
        phase: P or S.
        sample: where, counted from the record's first sample; may lie between samples.
        weight: trust in the label, 1 for an analyst's, towards 0 for a doubtful machine's.
        polarity: first motion on the vertical, of a P only; None where nobody says.
    """

    phase: Phase
    sample: float
    weight: float = 1.0
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Samples of which nobody knows whether a phase arrives there; both ends included."""

    phase: Phase
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coda:
    """An event's interval in a record, from its P to the end of its coda.

    Args:
        first: sample of the P.
        last: sample where the coda has sunk into the noise, or where the record ends.
        weight: trust, as of the P's label.
    """

    first: float
    last: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Three components with what is known of them.

    Args:
        name: of the trace, unique within its set.
        source: name of the set.
        event: what a split must not divide: an event, or an hour of noise.
        split: "train" or "dev".
        kind: "earthquake", "noise", or as the set's category says.
        sampling_rate: of the samples.
        samples: raw, mean removed, in the order ZNE; 0 where absent.
        present: which samples were recorded; False all along for a dead component.
        onsets: labelled arrivals, in order of time.
        unknown: spans that neither carry a label nor are known to be empty.
        codas: intervals of events.
        quiet: spans (first, last sample) known to be noise; the whole of a noise record.
    """

    name: str
    source: str
    event: str
    split: str
    kind: str
    sampling_rate: float
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    onsets: tuple[Onset, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    codas: tuple[Coda, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    def onset_samples(self, phase: Phase) -> list[float]:
        """Where a phase is labelled, in order of time."""
        return sorted(onset.sample for onset in self.onsets if onset.phase is phase)


@dataclass(frozen=True, slots=True)
class Metadata:
    """One line of a SeisBench `metadata.csv`, with its columns read as what they are."""

    columns: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """A column's text; the default where it is empty or missing."""
        return self.columns.get(name) or default

    def number(self, name: str) -> float | None:
        """A column's number; None where it is empty or missing."""
        text = self.text(name)
        return None if text in ("", "nan") else float(text)

    def numbers(self, name: str) -> list[float]:
        """A column of numbers joined by `;`."""
        return [float(part) for part in self.text(name).split(";") if part]

    def spans(self, name: str) -> list[tuple[float, float]]:
        """A column of `first-last` joined by `;`."""
        pairs = (part.split("-") for part in self.text(name).split(";") if part)
        return [(float(first), float(last)) for first, last in pairs]


def read_metadata(folder: Path) -> list[Metadata]:
    """The lines of a SeisBench folder's `metadata.csv`.

    Raises:
        FormatError: the file is missing or lacks a column that every set must have.
    """
    path = folder / "metadata.csv"
    if not path.is_file():
        raise FormatError(f"{path} is missing; a SeisBench set is metadata.csv and waveforms.hdf5")
    with path.open(newline="", encoding="utf-8") as file:
        lines = [Metadata(line) for line in csv.DictReader(file)]
    for column in ("trace_name", "trace_sampling_rate_hz"):
        if lines and column not in lines[0].columns:
            raise FormatError(f"{path} has no column {column}; found {sorted(lines[0].columns)}")
    return lines


def read_waveforms(
    folder: Path, lines: Iterable[Metadata]
) -> Iterator[tuple[Metadata, Float32[Array, "component sample"]]]:
    """Each line with its samples, components put into the order ZNE.

    Blocked sets (`bucket0$3,:3,:6000`) and one data set a trace are both read.

    Raises:
        FormatError: a trace or component is missing.
    """
    import h5py

    with h5py.File(folder / "waveforms.hdf5") as file:
        order = _format(file, "component_order", COMPONENTS)
        sample_last = _format(file, "dimension_order", "CW").upper().endswith("W")
        for line in lines:
            name, _, place = line.text("trace_name").partition("$")
            if f"data/{name}" not in file:
                raise FormatError(f"{folder}/waveforms.hdf5 has no data/{name}")
            stored: Any = file[f"data/{name}"]
            samples = np.asarray(stored[_slices(place)], np.float32)
            samples = samples if sample_last else samples.T
            yield line, _zne(samples, line.text("trace_component_order", order))


def _format(file: Mapping[str, Any], key: str, default: str) -> str:
    if f"data_format/{key}" not in file:
        return default
    value = file[f"data_format/{key}"][()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _slices(place: str) -> tuple[int | slice, ...]:
    """The index that SeisBench writes behind the `$` of a blocked trace's name."""
    if not place:
        return ()
    parts = []
    for part in place.split(","):
        if ":" in part:
            bounds = [int(bound) if bound else None for bound in part.split(":")]
            parts.append(slice(*bounds))
        else:
            parts.append(int(part))
    return tuple(parts)


def _zne(samples: Float32[Array, "component sample"], order: str) -> Float32[Array, "3 sample"]:
    """Components in the order ZNE; a missing one is zero, 1 and 2 stand for N and E."""
    order = order.upper().replace("1", "N").replace("2", "E")
    if order[: len(samples)] == COMPONENTS:
        return samples
    result = np.zeros((3, samples.shape[1]), np.float32)
    for row, letter in zip(samples, order, strict=False):
        if letter in COMPONENTS:
            result[COMPONENTS.index(letter)] = row
    return result


def resampled(
    samples: Shaped[Array, "component sample"], sampling_rate: float, wanted: float
) -> Float32[Array, "component sample"]:
    """Samples at another rate, by a zero-phase polyphase filter; unchanged where rates agree."""
    if abs(sampling_rate / wanted - 1) < 1e-5:
        return np.asarray(samples, np.float32)
    from scipy.signal import resample_poly

    ratio = Fraction(wanted / sampling_rate).limit_denominator(1000)
    return resample_poly(
        samples.astype(np.float64), ratio.numerator, ratio.denominator, axis=-1
    ).astype(np.float32)


def live_samples(
    samples: Shaped[Array, "component sample"], first: int, last: int
) -> Bool[Array, "component sample"]:
    """Which samples were recorded: inside [first, last], on components that are not flat."""
    alive = np.ptp(samples, axis=1) > 0
    inside = np.zeros(samples.shape[1], bool)
    inside[first : last + 1] = True
    return alive[:, None] & inside


def read_seisbench(
    folder: Path, *, sampling_rate: float = 100.0, splits: Sequence[str] = ("train",)
) -> list[Record]:
    """Records of a SeisBench folder, at one rate.

    Columns beyond SeisBench's are used where a set has them: `trace_s_labelled` (False: S is
    unknown from the P on), `trace_dead_components`, `trace_first_valid_sample`,
    `trace_last_valid_sample`, and the lists `trace_p_arrival_samples` with
    `trace_p_n_families`, `trace_p_contested_spans` and the like of machine-labelled sets.

    Raises:
        FormatError: the folder is not a SeisBench set.
    """
    lines = [m for m in read_metadata(folder) if m.text("split", "train") in splits]
    return [
        _record(folder.name, line, samples, sampling_rate)
        for line, samples in read_waveforms(folder, lines)
    ]


def _record(
    source: str, line: Metadata, samples: Float32[Array, "component sample"], sampling_rate: float
) -> Record:
    rate = float(line.text("trace_sampling_rate_hz"))
    scale = sampling_rate / rate
    first = int((line.number("trace_first_valid_sample") or 0) * scale)
    samples = resampled(samples - samples.mean(1, keepdims=True), rate, sampling_rate)
    last_valid = line.number("trace_last_valid_sample")
    last = samples.shape[1] - 1 if last_valid is None else int(last_valid * scale)
    present = live_samples(samples, first, last)
    for letter in line.text("trace_dead_components"):
        present[COMPONENTS.index(letter)] = False
    # The mean of the live part alone, lest padding leave a step at its edge.
    count = np.maximum(present.sum(1, keepdims=True), 1)
    mean = np.where(present, samples, 0).sum(1, keepdims=True) / count
    kind = line.text("trace_category", "earthquake")
    record = Record(
        name=line.text("trace_name"),
        source=source,
        event=line.text("source_id", line.text("trace_name")),
        split=line.text("split", "train"),
        kind=kind,
        sampling_rate=sampling_rate,
        samples=np.where(present, samples - mean, 0).astype(np.float32),
        present=present,
        onsets=_onsets(line, scale),
        quiet=((first, last),) if kind == "noise" else (),
    )
    return replace(record, unknown=_unknown(line, scale, record))


_POLARITIES = {
    **dict.fromkeys(("positive", "up", "u", "+"), Polarity.POSITIVE),
    **dict.fromkeys(("negative", "down", "d", "-"), Polarity.NEGATIVE),
    Polarity.UNDECIDABLE: Polarity.UNDECIDABLE,
}
"""Words of the sets for first motions; others ("unknown", "n") say nothing."""


def polarity_of(word: str) -> Polarity | None:
    """First motion by a set's word for it; None where it is no statement on the motion."""
    return _POLARITIES.get(word.strip().lower())


TRUST_BY_FAMILIES = {6: 1.0, 5: 0.9, 4: 0.7, 3: 0.25}
"""Weight of a machine label by how many of six families of pickers agree on it; fewer: none.

Measured precision within 0.2 s is 1.00, 0.95, 0.89, 0.71 for P and 0.97, 0.89, 0.77, 0.62 for S.
"""

TRUST_BY_STATUS = {"manual": 1.0, "unknown": 0.9, "automatic": 0.2}
"""Weight by the set's `trace_p_status` of a label without a count of families; else 0.5."""


def machine_trust(families: int, *, phase: Phase, spread_s: float, probability: float) -> float:
    """Weight of a label on which `families` of six pickers agree.

    An S with a wide spread or a low mean probability is worth half: 0.7 of such are right.
    """
    trust = TRUST_BY_FAMILIES.get(families, 0.0)
    doubtful = phase is Phase.S and (spread_s > 0.2 or probability < 0.3)
    return trust * (0.5 if doubtful else 1.0)


def _onsets(line: Metadata, scale: float) -> tuple[Onset, ...]:
    found = []
    for phase in Phase:
        stem = f"trace_{phase.lower()}"
        samples = line.numbers(f"{stem}_arrival_samples")
        if samples:
            families = line.numbers(f"{stem}_n_families")
            spreads = line.numbers(f"{stem}_spread_s")
            probabilities = line.numbers(f"{stem}_probability")
            for sample, n, spread, probability in zip(
                samples, families, spreads, probabilities, strict=True
            ):
                weight = machine_trust(
                    int(n), phase=phase, spread_s=spread, probability=probability
                )
                found.append(Onset(phase=phase, sample=sample * scale, weight=weight))
        else:
            sample = line.number(f"{stem}_arrival_sample")
            if sample is not None:
                weight = TRUST_BY_STATUS.get(line.text(f"{stem}_status", "unknown"), 0.5)
                told = line.text("trace_p_polarity", line.text("trace_polarity"))
                found.append(
                    Onset(
                        phase=phase,
                        sample=sample * scale,
                        weight=weight,
                        polarity=polarity_of(told) if phase is Phase.P else None,
                    )
                )
    return tuple(sorted(found, key=lambda onset: onset.sample))


def _unknown(line: Metadata, scale: float, record: Record) -> tuple[Unknown, ...]:
    spans = [
        Unknown(phase=phase, first=first * scale, last=last * scale)
        for phase in Phase
        for first, last in line.spans(f"trace_{phase.lower()}_contested_spans")
    ]
    listed = "trace_p_arrival_samples" in line.columns
    p_samples = record.onset_samples(Phase.P)
    if p_samples and not listed and line.text("trace_s_labelled") == "False":
        spans.append(Unknown(phase=Phase.S, first=p_samples[0], last=record.length - 1))
    return tuple(spans)


def read_course_npz(path: Path, *, split: str = "train") -> list[Record]:
    """Records of the course's file: `data (n, 6000)`, `label`, `P`, `S`, `E`, at 100 Hz.

    The one component becomes Z; N and E are absent. `E` is the end of the coda.

    Raises:
        FormatError: an array is missing.
    """
    with np.load(path) as arrays:
        missing = {"data", "label", "P", "S", "E"} - set(arrays.files)
        if missing:
            raise FormatError(f"{path} lacks the arrays {sorted(missing)}; it has {arrays.files}")
        data, label, p, s, end = (np.asarray(arrays[k]) for k in ("data", "label", "P", "S", "E"))
    data = data.reshape(len(data), -1).astype(np.float32)
    return [
        _course_record(path.stem, number, split, row, _times(bool(event), arrivals))
        for number, (row, event, *arrivals) in enumerate(
            zip(data, label.ravel(), p.ravel(), s.ravel(), end.ravel(), strict=True)
        )
    ]


def _times(is_event: bool, arrivals: Sequence[float]) -> tuple[float, float, float] | None:
    return (float(arrivals[0]), float(arrivals[1]), float(arrivals[2])) if is_event else None


def _course_record(
    source: str,
    number: int,
    split: str,
    row: Float[Array, " sample"],
    times: tuple[float, float, float] | None,
) -> Record:
    samples = np.zeros((3, len(row)), np.float32)
    samples[0] = row - row.mean()
    onsets: tuple[Onset, ...] = ()
    codas: tuple[Coda, ...] = ()
    if times is not None:
        onsets = (Onset(phase=Phase.P, sample=times[0]), Onset(phase=Phase.S, sample=times[1]))
        codas = (Coda(first=times[0], last=times[2]),)
    return Record(
        name=f"{source}_{number}",
        source=source,
        event=f"{source}_{number}",
        split=split,
        kind="noise" if times is None else "earthquake",
        sampling_rate=100.0,
        samples=samples,
        present=live_samples(samples, 0, len(row) - 1),
        onsets=onsets,
        codas=codas,
        quiet=((0, len(row) - 1),) if times is None else (),
    )
