"""Tables of windows, so that others can be scored on the very same ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from zilzal.core.pick import Phase
from zilzal.io.table_file import Line, read_table, write_table
from zilzal.train.case import Case

COLUMNS = (
    "set", "trace_name", "split", "seed", "window_start_sample_100hz", "live_first_sample",
    "live_last_sample", "p_sample", "s_sample", "category", "trace_start_time", "shift",
)  # fmt: skip
"""Samples are of 60 s windows at 100 Hz; several labels of a phase are joined by `;`."""

NEEDED = ("set", "trace_name", "window_start_sample_100hz", "live_first_sample",
          "live_last_sample", "p_sample", "s_sample", "category")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """A window of a table.

    Args:
        trace_name: of its record.
        split: of its record; "" where the table does not say.
        first: sample of the record, at 100 Hz, at which the window begins.
        live: first and last sample of the window that are real data.
        labels: samples of the window by phase.
        is_noise: whether every pick is false.
        shift: number of the window among those of its record.
    """

    trace_name: str
    split: str
    first: int
    live: tuple[int, int]
    labels: Mapping[Phase, tuple[float, ...]]
    is_noise: bool
    shift: int


def read_windows(path: Path) -> dict[str, list[WindowRow]]:
    """The windows of each set, in order of the table.

    Raises:
        FormatError: it is no such table; the message says where.
    """
    rows: dict[str, list[WindowRow]] = defaultdict(list)
    for line in read_table(path, NEEDED):
        live = int(line.real("live_first_sample", low=0)), int(line.real("live_last_sample"))
        if live[1] < live[0]:
            raise line.fault("live_last_sample", f"a sample from {live[0]} on")
        rows[line.text("set")].append(
            WindowRow(
                trace_name=line.text("trace_name"),
                split=line.text("split"),
                first=int(line.real("window_start_sample_100hz")),
                live=live,
                labels={phase: _samples(line, f"{phase.lower()}_sample") for phase in Phase},
                is_noise=line.text("category") == "noise",
                shift=int(line.real_or_none("shift") or 0),
            )
        )
    return dict(rows)


def _samples(line: Line, column: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in line.text(column).split(";") if part)
    except ValueError as error:
        raise line.fault(column, "samples joined by ;") from error


def write_windows(path: Path, cases: Iterable[Case], *, seed: int) -> None:
    """Write the table of some windows, for `read_windows` and for others.

    Raises:
        StoreError: it cannot be written.
    """
    write_table(path, COLUMNS, (_cells(case, seed) for case in cases))


def _cells(case: Case, seed: int) -> list[str]:
    trial = case.trial
    labels = [";".join(f"{s:g}" for s in trial.truth[phase] or ()) for phase in Phase]
    return [
        trial.source, trial.name, case.split, str(seed), str(case.first), str(trial.live[0]),
        str(trial.live[1]), *labels, "noise" if trial.is_noise else "earthquake",
        case.record_start, str(case.shift),
    ]  # fmt: skip
