"""A few traces of a set, to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zilzal.train.dataset import record_of
from zilzal.train.record import Record
from zilzal.train.seisbench_format import Metadata, pass_over, read_metadata, read_stored
from zilzal.train.sets.row import NOISE


def draw_examples(
    folder: Path, number: int, chance: np.random.Generator, *, noise: float = 0.15
) -> tuple[list[Record], list[str]]:
    """Some traces as records at their own rates, with a caption each; events before noise.

    Traces that cannot be read are passed over.

    Args:
        folder: of the set.
        number: of traces.
        chance: draws them.
        noise: share of them that is noise, if there is as much.

    Raises:
        FormatError: it is no set.
    """
    lines = [line for line in read_metadata(folder) if line.number("trace_sampling_rate_hz")]
    quiet = [line for line in lines if line.text("trace_category") == NOISE]
    events = [line for line in lines if line.text("trace_category") != NOISE]
    n_quiet = min(len(quiet), max(round(number * noise), number - len(events)))
    chosen = _some(events, number - n_quiet, chance) + _some(quiet, n_quiet, chance)
    records: list[Record] = []
    captions: list[str] = []
    for trace in read_stored(folder, chosen, on_bad=pass_over):
        rate = trace.line.number("trace_sampling_rate_hz")
        if rate and trace.samples.shape[1]:
            records.append(record_of(folder.name, trace.line, trace.samples, rate))
            captions.append(_caption(trace.line, rate))
    return records, captions


def _some(lines: list[Metadata], number: int, chance: np.random.Generator) -> list[Metadata]:
    places = chance.permutation(len(lines))[:number]
    return [lines[place] for place in np.sort(places)]


def _caption(line: Metadata, rate: float) -> str:
    """Station, time, rate, and what is known of the source."""
    codes = (line.text("station_network_code"), line.text("station_code"))
    parts = [".".join(code for code in codes if code) or line.text("trace_name")]
    parts += [line.text("trace_start_time")[:19], f"{rate:g} Hz"]
    if line.text("trace_category") == NOISE:
        parts.append(NOISE)
    for column, form in (
        ("source_magnitude", "M {:.1f}"),
        ("path_ep_distance_km", "{:.0f} km"),
        ("trace_snr_db", "{:.0f} dB"),
    ):
        value = line.number(column)
        if value is not None:
            parts.append(form.format(value))
    return "  ".join(part for part in parts if part)
