"""What is in a set: counts, distributions, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase
from zilzal.core.waveform import COMPONENTS
from zilzal.train.dataset import missing_samples
from zilzal.train.line_labels import onsets_of
from zilzal.train.record import live_samples
from zilzal.train.seisbench_format import Metadata, StoredTrace, read_metadata, read_stored
from zilzal.train.seisbench_writer import read_notes
from zilzal.train.sets.leakage import find_leaks
from zilzal.train.sets.merge import digest
from zilzal.train.sets.moments import Moment, moments
from zilzal.train.sets.row import NOISE, snr_db
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.told import Told, unheard

FIXED_PLACE_S = 2.0
"""If four fifths of the P lie within it, a network would learn the place and not the arrival."""
_FEWEST_PLACES = 20


@dataclass(slots=True)
class Survey:
    """What is in a set; filled in while it is looked through.

    Args:
        name: of its folder.
        traces: where and when each was recorded.
        notes: of its `dataset.json`.
        arrivals: number of labels by phase and by who made them.
        polarities: of first motions, by word.
        rates: of the traces [Hz], with their number.
        units: of the samples, and types they are stored in.
        durations_s: of the traces.
        p_place_s: time from the first sample to each P.
        s_minus_p_s: of the events that have both.
        distances_km: epicentral.
        magnitudes: of the events, each event once.
        snr_db: of the first arrivals.
        problems: what is wrong, counted.
    """

    name: str
    traces: Sequence[Moment]
    notes: Mapping[str, Any]
    arrivals: dict[Phase, Counter[str]] = field(
        default_factory=lambda: {phase: Counter() for phase in Phase}
    )
    polarities: Counter[str] = field(default_factory=Counter)
    rates: Counter[float] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    durations_s: list[float] = field(default_factory=list)
    p_place_s: list[float] = field(default_factory=list)
    s_minus_p_s: list[float] = field(default_factory=list)
    distances_km: list[float] = field(default_factory=list)
    magnitudes: dict[str, float] = field(default_factory=dict)
    snr_db: list[float] = field(default_factory=list)
    problems: Tally = field(default_factory=Tally)

    @property
    def n_noise(self) -> int:
        """Traces of noise."""
        return sum(trace.category == NOISE for trace in self.traces)

    @property
    def events(self) -> set[str]:
        """Of all traces but noise."""
        return {trace.event for trace in self.traces if trace.category != NOISE}

    @property
    def stations(self) -> set[str]:
        """Codes of the stations that are known."""
        return {trace.station for trace in self.traces if trace.station}

    @property
    def splits(self) -> Counter[str]:
        """Traces by split; "" is none."""
        return Counter(trace.split for trace in self.traces)


def survey(folder: Path, *, with_waveforms: bool = True, told: Told = unheard) -> Survey:
    """Look a set through.

    Args:
        folder: of the set.
        with_waveforms: look at the samples too; without, what only they tell is left out.
        told: hears how far the work is.

    Raises:
        FormatError: it is no set.
    """
    lines = read_metadata(folder)
    found = Survey(folder.resolve().name, moments(lines), read_notes(folder))
    _look_at_names(found)
    for line in lines:
        try:
            _look_at_line(found, line)
        except FormatError as error:
            found.problems.add("cell that cannot be read", str(error))
    if with_waveforms:
        _look_at_waveforms(found, folder, lines, told)
    _look_at_places(found)
    for leak in find_leaks(found.traces):
        found.problems.add(f"leakage between splits: {leak.leak}", f"{leak.one}, {leak.other}")
    return found


def _look_at_names(found: Survey) -> None:
    names = Counter(trace.name for trace in found.traces)
    for name, count in names.items():
        if count > 1:
            found.problems.add("trace name given twice", name)
    for trace in found.traces:
        if trace.start_s is None:
            found.problems.add("no start time", trace.name)
        if not trace.station:
            found.problems.add("no station code", trace.name)


def _look_at_line(found: Survey, line: Metadata) -> None:
    """What a line says, and where it cannot be right."""
    name, rate = line.text("trace_name"), line.number("trace_sampling_rate_hz")
    if not rate:
        found.problems.add("no sampling rate", name)
        return
    found.rates[rate] += 1
    count = line.number("trace_npts")
    if count:
        found.durations_s.append(count / rate)
    _count_labels(found, line)
    _look_at_labels(found, line, rate, count or np.inf)
    for column, values in (
        ("trace_snr_db", found.snr_db),
        ("path_ep_distance_km", found.distances_km),
    ):
        value = line.number(column)
        if value is not None:
            values.append(value)
    magnitude = line.number("source_magnitude")
    if magnitude is not None:
        found.magnitudes[line.text("source_id", name)] = magnitude


def _look_at_labels(found: Survey, line: Metadata, rate: float, count: float) -> None:
    """Where arrivals lie, and whether they can."""
    name, onsets = line.text("trace_name"), onsets_of(line)
    for onset in onsets:
        if not 0 <= onset.sample < count:
            found.problems.add("arrival outside its window", f"{name} {onset.phase}")
        if onset.polarity is not None:
            found.polarities[onset.polarity] += 1
    p_sample, s_sample = (line.number(f"trace_{p.lower()}_arrival_sample") for p in Phase)
    if p_sample is not None:
        found.p_place_s.append(p_sample / rate)
        if s_sample is not None:
            found.s_minus_p_s.append((s_sample - p_sample) / rate)
            if s_sample <= p_sample:
                found.problems.add("S not after its P", name)
    category = line.text("trace_category", "earthquake")
    if category == NOISE and onsets:
        found.problems.add("noise with an arrival", name)
    elif category == "earthquake" and not onsets:
        found.problems.add("no arrival labelled", name)


def _count_labels(found: Survey, line: Metadata) -> None:
    for phase in Phase:
        stem = f"trace_{phase.lower()}"
        count = len(line.numbers(f"{stem}_arrival_samples"))
        if count and not line.text(f"{stem}_n_families"):
            statuses = line.parts(f"{stem}_statuses", count)
        elif count or line.number(f"{stem}_arrival_sample") is not None:
            statuses = [line.text(f"{stem}_status")] * max(count, 1)
        else:
            continue
        found.arrivals[phase].update(status or "unknown" for status in statuses)


def _look_at_waveforms(found: Survey, folder: Path, lines: Sequence[Metadata], told: Told) -> None:
    """What only the samples tell."""
    seen: dict[bytes, str] = {}

    def on_bad(line: Metadata, error: FormatError) -> None:
        found.problems.add("trace that cannot be read", f"{line.text('trace_name')}: {error}")

    for number, trace in enumerate(read_stored(folder, lines, on_bad=on_bad), 1):
        told("traces", number, len(lines), "")
        name = trace.line.text("trace_name")
        found.units[f"{trace.samples.dtype}, {trace.unit or 'unit not said'}"] += 1
        first = seen.setdefault(digest(trace.samples), name)
        if first != name and trace.samples.any():
            found.problems.add("waveform that is there already", f"{name} as {first}")
        try:
            _look_at_samples(found, trace)
        except FormatError:
            continue  # counted when its line was looked at


def _look_at_samples(found: Survey, trace: StoredTrace) -> None:
    line, samples, name = trace.line, trace.samples, trace.line.text("trace_name")
    count, rate = line.number("trace_npts"), line.number("trace_sampling_rate_hz")
    if count is None and rate:
        found.durations_s.append(samples.shape[1] / rate)
    elif count is not None and count != samples.shape[1]:
        found.problems.add("number of samples is not trace_npts", name)
    if not np.isfinite(samples).all():
        found.problems.add("samples that are not finite", name)
        return
    present = _present(line, samples)
    flat = "".join(c for c, there in zip(COMPONENTS, present, strict=True) if not there.any())
    told = set(line.text("trace_dead_components")) | set(trace.absent)
    if len(flat) == len(COMPONENTS):
        found.problems.add("flat components only", name)
    elif set(flat) - told:
        found.problems.add("flat component that trace_dead_components does not name", name)
    if rate and len(flat) < len(COMPONENTS):
        _look_at_arrivals(found, line, samples, present, rate)


def _present(line: Metadata, samples: Shaped[Array, "3 sample"]) -> Any:
    last = line.number("trace_last_valid_sample")
    first = int(line.number("trace_first_valid_sample") or 0)
    end = samples.shape[1] - 1 if last is None else int(last)
    return live_samples(samples, first, end) & ~missing_samples(line, samples.shape)


def _look_at_arrivals(
    found: Survey, line: Metadata, samples: Shaped[Array, "3 sample"], present: Any, rate: float
) -> None:
    onsets = [onset for onset in onsets_of(line) if 0 <= onset.sample < samples.shape[1]]
    for onset in onsets:
        if not present[:, int(onset.sample)].any():
            found.problems.add(
                "arrival where nothing was recorded", f"{line.text('trace_name')} {onset.phase}"
            )
    if onsets and line.number("trace_snr_db") is None:
        # The first P, or the first S where there is none.
        first = min(onsets, key=lambda onset: (onset.phase, onset.sample))
        measured = snr_db(samples, present, first.sample, first.phase, rate)
        found.snr_db += [] if measured is None else [measured]


def _look_at_places(found: Survey) -> None:
    places = np.array(found.p_place_s)
    if len(places) >= _FEWEST_PLACES:
        low, high = np.quantile(places, (0.1, 0.9))
        if high - low < FIXED_PLACE_S:
            found.problems.add(
                f"P nearly always lies {np.median(places):.1f} s into its window: shift windows "
                "at random when training",
                "",
                count=len(places),
            )


def quartiles(values: Sequence[float]) -> Float64[Array, " 5"] | None:
    """Least, quartiles and largest of some values; None of none."""
    return np.quantile(np.array(values, float), (0, 0.25, 0.5, 0.75, 1)) if values else None
