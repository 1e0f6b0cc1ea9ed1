"""The course's `.npz` to a set, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

import zilzal
from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.pick import Phase
from zilzal.core.waveform import COMPONENTS
from zilzal.synth.seed import generator
from zilzal.train.course_format import (
    LENGTH,
    SAMPLING_RATE,
    CourseWindows,
    load_course,
    save_course,
)
from zilzal.train.dataset import record_of
from zilzal.train.labels import with_codas
from zilzal.train.line_labels import onsets_of
from zilzal.train.record import resampled
from zilzal.train.seisbench_format import Metadata, read_metadata, read_stored
from zilzal.train.seisbench_writer import unique, writing_set
from zilzal.train.sets.row import NOISE
from zilzal.train.sets.tally import Tally
from zilzal.train.sets.told import Told, unheard


def convert_course(paths: Sequence[Path], folder: Path) -> int:
    """Write windows of the course's files as a set, and give their number.

    The one component becomes Z, and N and E are dead. The end of the coda stands in
    `trace_coda_end_sample`.

    Raises:
        ConfigError: there is a set in the folder.
        FormatError: a file is none of the course's.
        StoreError: the folder cannot be written.
    """
    notes = {
        "made_by": "zilzal dataset convert",
        "zilzal": zilzal.__version__,
        "made_from": [path.name for path in paths],
    }
    with writing_set(folder, notes) as writer:
        for path in paths:
            for cells, samples in _traces(path):
                cells["trace_name"] = unique(cells["trace_name"], writer.names)
                writer.add(cells, samples)
    return len(writer.rows)


def _traces(path: Path) -> Iterator[tuple[dict[str, str], Shaped[Array, "3 sample"]]]:
    windows = load_course(path)
    digits = len(str(len(windows.samples)))
    for number, (row, is_event) in enumerate(zip(windows.samples, windows.is_event, strict=True)):
        samples = np.zeros((len(COMPONENTS), len(row)), row.dtype)
        samples[0] = row
        name = f"{path.stem}_{number:0{digits}d}"
        cells = {
            "trace_name": name,
            "trace_sampling_rate_hz": repr(SAMPLING_RATE),
            "trace_npts": str(len(row)),
            "trace_component_order": COMPONENTS,
            "trace_dead_components": "NE",
            "trace_category": "earthquake" if is_event else NOISE,
            "source_id": name,
        }
        if is_event:
            for column, times in (
                ("trace_p_arrival_sample", windows.p),
                ("trace_s_arrival_sample", windows.s),
                ("trace_coda_end_sample", windows.coda_end),
            ):
                cells[column] = exact(float(times[number]))
            cells["trace_s_labelled"] = str(bool(np.isfinite(windows.s[number])))
        yield cells, samples


def exact(value: float) -> str:
    """The shortest text that reads back as the same number; "" for NaN."""
    return "" if np.isnan(value) else np.format_float_positional(value, trim="-")


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    samples: Shaped[Array, " sample"]
    times: tuple[float, float, float] | None


def to_course(
    folder: Path, path: Path, *, edge_s: float = 3.0, seed: int = 0, told: Told = unheard
) -> tuple[int, Tally]:
    """Write the verticals of a set as the course's file: 6000 samples at 100 Hz.

    Windows of that length and rate stay as they are, sample by sample. Longer ones are cut, with
    the arrivals at a random place; of other rates, resampled. A coda's end that the set does not
    know is measured (`train.labels.coda_end`).

    Args:
        folder: of the set.
        path: of the `.npz` file.
        edge_s: arrivals are no nearer to the ends of a window that is cut.
        seed: of the places.
        told: hears how far the work is.

    Returns:
        The number of windows, and what was left out.

    Raises:
        ConfigError: no trace of the set can be one.
        FormatError: the set cannot be read.
        StoreError: the file cannot be written.
    """
    tally = Tally()
    lines = read_metadata(folder)
    made: list[_Window] = []

    def on_bad(line: Metadata, error: FormatError) -> None:
        tally.add("trace that cannot be read", f"{line.text('trace_name')}: {error}")

    for number, trace in enumerate(read_stored(folder, lines, on_bad=on_bad), 1):
        told("traces", number, len(lines), "")
        window = _window(folder.name, trace.line, trace.samples, edge_s, seed)
        if isinstance(window, str):
            tally.add(window, trace.line.text("trace_name"))
        else:
            made.append(window)
    if not made:
        reasons = "; ".join(f"{n} × {reason}" for reason, n in tally.counts.items())
        raise ConfigError(f"no trace of {folder} can be a window of the course: {reasons}")
    times = np.array([one.times or (np.nan,) * 3 for one in made])
    windows = CourseWindows(
        samples=np.stack([one.samples for one in made]),
        is_event=np.array([one.times is not None for one in made]),
        p=times[:, 0], s=times[:, 1], coda_end=times[:, 2],
    )  # fmt: skip
    save_course(path, windows)
    return len(made), tally


def _window(
    source: str, line: Metadata, samples: Shaped[Array, "3 sample"], edge_s: float, seed: int
) -> _Window | str:
    """A trace as the course wants it, or why it cannot be one."""
    is_noise = line.text("trace_category") == NOISE
    rate = line.number("trace_sampling_rate_hz") or np.nan
    onsets = onsets_of(line, scale=SAMPLING_RATE / rate)
    p_samples = [onset.sample for onset in onsets if onset.phase is Phase.P]
    if not is_noise and len(p_samples) != 1:
        return "neither noise nor with one P" if not p_samples else "several P: it has room for one"
    if "Z" in line.text("trace_dead_components") or not np.ptp(samples[0]):
        return "without a vertical"
    vertical = samples[:1]
    if rate != SAMPLING_RATE:
        vertical = resampled(vertical, rate, SAMPLING_RATE)
    vertical = vertical[0]
    if len(vertical) < LENGTH:
        return f"shorter than {LENGTH / SAMPLING_RATE:.0f} s"
    times = None if is_noise else _times(source, line, samples, p_samples[0])
    first = _first(line.text("trace_name"), len(vertical), times, edge_s, seed)
    moved = None if times is None else (times[0] - first, times[1] - first, times[2] - first)
    return _Window(vertical[first : first + LENGTH], moved)


def _times(
    source: str, line: Metadata, samples: Shaped[Array, "3 sample"], p_sample: float
) -> tuple[float, float, float]:
    """Samples of P, S and the end of the coda, at 100 Hz; NaN for an S that is not labelled."""
    record = with_codas(record_of(source, line, samples, SAMPLING_RATE))
    s_samples = [sample for sample in record.onset_samples(Phase.S) if sample > p_sample]
    end = next((coda.last for coda in record.codas if coda.first == p_sample), np.nan)
    return p_sample, s_samples[0] if s_samples else np.nan, end


def _first(
    name: str, length: int, times: tuple[float, ...] | None, edge_s: float, seed: int
) -> int:
    """Where a window begins that holds the P, and the S if there is room."""
    lowest, highest = 0, length - LENGTH
    if times is not None:
        edge = edge_s * SAMPLING_RATE
        p, s, _ = times
        last = s if np.isfinite(s) and s - p <= LENGTH - 2 * edge else p
        lowest = max(lowest, int(np.ceil(last + edge - LENGTH)))
        highest = min(highest, int(p - edge))
    if highest <= lowest:
        return min(max(lowest, 0), length - LENGTH)
    return int(generator(seed, "course", name).integers(lowest, highest + 1))
