"""Picks that were made elsewhere, read from CSV files and put into the windows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zilzal.core.errors import ConfigError, DataError
from zilzal.core.pick import Phase, Polarity
from zilzal.core.time import Time
from zilzal.io.table_file import Line, read_table
from zilzal.train.answers import Answers, sign_of
from zilzal.train.case import Case
from zilzal.train.skill import LENGTH_S
from zilzal.train.windows import SAMPLING_RATE

PLACES = ("window_sample", "sample", "time")
"""Columns that say where a pick is, the first one found counts: sample of the window at 100 Hz,
sample of the record at its own rate, UTC time."""

OUTPUTS = ("n_families", "score", "probability")
"""Columns that thresholds act on; the first one found counts. Without any, all picks have 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickList:
    """A list of picks by a picker that is not run here.

    Args:
        name: of the picker.
        path: a CSV file with the columns trace_name, phase and one of `PLACES`, and maybe set,
            shift, one of `OUTPUTS`, uncertainty_s, polarity; or a folder with such files, named
            `<set>__<name>.csv` or `<set>.csv`.
        thresholds: from which its picks count, by phase; all of them where not given.
    """

    name: str
    path: Path
    thresholds: Mapping[Phase, float]


def find_list(text: str) -> PickList:
    """A list by NAME=FILE or NAME=FOLDER.

    Raises:
        ConfigError: it is neither.
    """
    name, separator, place = text.partition("=")
    if not separator or not Path(place).exists():
        raise ConfigError(f"--picks takes NAME=FILE or NAME=FOLDER of what exists, not {text!r}")
    return PickList(name=name, path=Path(place), thresholds={})


def read_list(picks: PickList, cases: Sequence[Case]) -> Answers:
    """The picks of a list that lie in some windows.

    Raises:
        DataError: no file tells of one of the sets, or the list has no picks for any window.
        FormatError: a file is no list of picks; the message says where.
    """
    at: dict[tuple[str, str], list[tuple[int, Case]]] = defaultdict(list)
    for number, case in enumerate(cases):
        at[case.trial.source, case.trial.name].append((number, case))
    rows: list[tuple[Any, ...]] = []
    names = list(dict.fromkeys(case.trial.source for case in cases))
    for name, path in _files(picks, names):
        for line in read_table(path, ("trace_name", "phase")):
            for number, case in at.get((line.text("set") or name, line.text("trace_name")), ()):
                if not line.text("shift") or int(line.real("shift")) == case.shift:
                    rows += _rows_of(line, number, case)
    if not rows:
        raise DataError(f"{picks.path} has no picks of {picks.name} for any of the windows")
    answers = Answers.of_rows(rows)
    # A ratio is no probability, though some of its values could be one.
    if (answers.picks["probability"] > 1).any():
        answers.picks["probability"] = math.nan
    return answers


def _files(picks: PickList, names: Sequence[str]) -> list[tuple[str, Path]]:
    """Files by the set that they tell of; "" where the lines say it."""
    if picks.path.is_file():
        return [(names[0] if len(names) == 1 else "", picks.path)]
    found: list[tuple[str, Path]] = []
    for name in names:
        candidates = [picks.path / f"{name}__{picks.name}.csv", picks.path / f"{name}.csv"]
        there = [path for path in candidates if path.is_file()]
        if not there:
            raise DataError(
                f"{picks.path} has neither {candidates[0].name} nor {candidates[1].name}: "
                f"no picks of {picks.name} on {name}"
            )
        found.append((name, there[0]))
    return found


def _rows_of(line: Line, number: int, case: Case) -> list[tuple[Any, ...]]:
    """The row of `answers.PICK` that a line gives in a window; none where it lies outside."""
    time_s = _time_s(line, case)
    if not 0 <= time_s < LENGTH_S:
        return []
    phase = line.choice("phase", Phase)
    output = _first_of(line, OUTPUTS, 1.0)
    claimed = _first_of(line, ("probability", "score"), math.nan)
    polarity = line.choice_or_none("polarity", Polarity)
    return [
        (
            number, phase.value, time_s, output, claimed,
            _first_of(line, ("uncertainty_s",), math.nan), sign_of(polarity),
        )
    ]  # fmt: skip


def _first_of(line: Line, columns: Sequence[str], default: float) -> float:
    for column in columns:
        value = line.real_or_none(column)
        if value is not None:
            return value
    return default


def _time_s(line: Line, case: Case) -> float:
    """Time of a line's pick in a window."""
    start_s = case.first / SAMPLING_RATE
    readers: dict[str, Callable[[], float]] = {
        "window_sample": lambda: line.real("window_sample") / SAMPLING_RATE,
        "sample": lambda: line.real("sample") / case.record_rate - start_s,
        "time": lambda: line.time("time") - _start_of(case) - start_s,
    }
    for column, read in readers.items():
        if line.text(column):
            return read()
    raise line.fault(PLACES[0], f"a value in one of the columns {', '.join(PLACES)}")


def _start_of(case: Case) -> Time:
    if not case.record_start:
        raise DataError(
            f"trace {case.trial.name} of {case.trial.source} has no trace_start_time, so picks "
            "with times cannot be put into it; give their samples"
        )
    return Time.parse(case.record_start)
