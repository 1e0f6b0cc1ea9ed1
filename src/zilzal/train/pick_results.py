"""What a contest found, as files: scores.json, scores.csv, windows.csv, and picks by picker."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

import zilzal
from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.evaluate.calibration import Coverage
from zilzal.evaluate.interval import Estimate
from zilzal.evaluate.picks import PickScore
from zilzal.evaluate.polarity import POLARITIES, SIGNS
from zilzal.evaluate.report import PhaseReport, PhaseScore
from zilzal.io.table_file import fixed, significant, whole_file, write_table
from zilzal.train.answers import Answers
from zilzal.train.case import Case
from zilzal.train.comparing import Outcome, PickerReport
from zilzal.train.contest import Contest
from zilzal.train.truths import NEAR_S, set_names
from zilzal.train.window_table import write_windows
from zilzal.train.windows import SAMPLING_RATE

POOLED, MEAN = "pooled", "mean over sets"

SCORE_COLUMNS = (
    "picker", "phase", "set", "trait", "low", "high", "tolerance_s", "threshold", "n_labels",
    "precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high",
    "f1", "f1_low", "f1_high", "precision_at_recall", "residual_median_s",
    "residual_mean_absolute_s", "residual_mad_s", "outlier_share", "n_noise_picks",
    "false_per_noise_hour", "false_per_station_hour", "within_one_sigma", "within_two_sigma",
)  # fmt: skip
"""Of scores.csv. A row is of all windows, of a set, of the mean over sets, or of a bin [low, high)
of a trait of the windows."""

PICK_COLUMNS = (
    "set", "trace_name", "shift", "phase", "window_sample", "time", "score", "probability",
    "uncertainty_s", "polarity", "residual_s",
)  # fmt: skip
"""Of a picker's picks: `score` is what its threshold acts on, `residual_s` is to the nearest label
within half a second."""


def write_outcome(outcome: Outcome, contest: Contest, folder: Path) -> list[Path]:
    """Write all tables into a folder; the paths.

    Raises:
        StoreError: a file cannot be written.
    """
    (folder / "picks").mkdir(parents=True, exist_ok=True)
    cases, answers = outcome.picked.cases, outcome.picked.answers
    scores = folder / "scores.json"
    with whole_file(scores) as file:
        text = json.dumps(as_json(outcome, contest), indent=1, allow_nan=False)
        file.write(f"{text}\n".encode())
    table, windows = folder / "scores.csv", folder / "windows.csv"
    rows = (row for report in outcome.reports for row in _score_rows(report, contest))
    write_table(table, SCORE_COLUMNS, rows)
    write_windows(windows, cases, seed=contest.protocol.seed)
    lists = [folder / "picks" / f"{name}.csv" for name in answers]
    for path, said in zip(lists, answers.values(), strict=True):
        write_table(path, PICK_COLUMNS, _pick_rows(cases, said))
    return [scores, table, windows, *lists]


def as_json(outcome: Outcome, contest: Contest) -> dict[str, Any]:
    """All scores, with what was compared on what."""
    protocol, cases = contest.protocol, outcome.picked.cases
    tuning = contest.tuning
    return {
        "zilzal": zilzal.__version__,
        "protocol": {
            "windows": "of a table" if protocol.table else protocol.placing,
            "windows_of_record": protocol.windows_of_record,
            "seed": protocol.seed,
            "split": protocol.split,
            "thresholds_chosen_on": None
            if tuning is None
            else {
                "sets": [str(path) for path in tuning.paths],
                "split": tuning.protocol.split,
                "false_per_noise_hour_at_most": plain(tuning.false_per_hour),
            },
        },
        "judging": plain(contest.judging) | {"seed": contest.seed},
        "sets": {name: _set_facts(cases, name) for name in set_names(cases)},
        "pickers": {report.name: plain(report) for report in outcome.reports},
        "differences": plain(outcome.differences),
    }


def _set_facts(cases: Sequence[Case], name: str) -> dict[str, Any]:
    chosen = [case.trial for case in cases if case.trial.source == name]
    return {
        "windows": len(chosen),
        "noise_windows": sum(trial.is_noise for trial in chosen),
        "events": len({trial.event for trial in chosen if not trial.is_noise}),
        **{
            f"{phase} labels": sum(len(trial.truth[phase] or ()) for trial in chosen)
            for phase in Phase
        },
    }


def plain(value: Any) -> Any:
    """As JSON can hold it: None for what is not finite, residuals left to the tables of picks."""
    if is_dataclass(value):
        hidden = {"residual_s"} if isinstance(value, PhaseReport) else set[str]()
        names = [each.name for each in fields(value) if each.name not in hidden]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _score_rows(report: PickerReport, contest: Contest) -> Iterator[list[str]]:
    for phase, found in report.phases.items():
        head = [report.name, phase.value]
        for name, score in {POOLED: found.pooled, **found.sets}.items():
            coverage = found.coverage if name == POOLED else None
            for tolerance_s in score.by_tolerance:
                where = [name, "", "", "", f"{tolerance_s:g}", significant(found.threshold)]
                yield head + where + _cells(score, tolerance_s, coverage)
        for tolerance_s, mean in found.mean.items():
            where = [MEAN, "", "", "", f"{tolerance_s:g}", significant(found.threshold), ""]
            values = [*_three(mean.precision), *_three(mean.recall), *_three(mean.f1)]
            yield head + where + values + [""] * 10
        for trait, bins in found.bins.items():
            for each in bins:
                at = contest.judging.tolerance_s
                where = [POOLED, trait, *map(_edge, (each.low, each.high)), f"{at:g}"]
                score = PhaseScore(
                    by_tolerance={at: each.score},
                    precision_at_recall=Estimate(math.nan, math.nan, math.nan),
                )
                cells = _cells(score, at, each.coverage)
                yield head + where + [significant(found.threshold)] + cells


def _edge(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else ""


def _three(value: Estimate) -> list[str]:
    return [fixed(each, 4) for each in (value.value, value.low, value.high)]


def _cells(score: PhaseScore, tolerance_s: float, coverage: Coverage | None) -> list[str]:
    at: PickScore = score.by_tolerance[tolerance_s]
    off = at.residuals
    within = (coverage.within_one.value, coverage.within_two.value) if coverage else (None, None)
    return [
        str(at.n_labels),
        *_three(at.precision), *_three(at.recall), *_three(at.f1),
        fixed(score.precision_at_recall.value, 4),
        fixed(off.median_s.value, 4), fixed(off.mean_absolute_s, 4), fixed(off.mad_s, 4),
        fixed(off.outlier_share, 4),
        str(at.n_noise_picks), fixed(at.false_per_noise_hour, 3),
        fixed(at.false_per_station_hour, 3), *(fixed(each, 4) for each in within),
    ]  # fmt: skip


def _pick_rows(cases: Sequence[Case], answers: Answers) -> Iterator[list[str]]:
    rows = answers.picks[np.lexsort((answers.picks["time_s"], answers.picks["window"]))]
    for window, phase, time_s, output, probability, uncertainty_s, polarity in rows.tolist():
        case = cases[window]
        yield [
            case.trial.source, case.trial.name, str(case.shift), phase,
            fixed(time_s * SAMPLING_RATE, 2), _utc(case, time_s), fixed(output, 4),
            fixed(probability, 4), fixed(uncertainty_s, 4),
            "" if math.isnan(polarity) else POLARITIES[SIGNS.index(polarity)].value,
            fixed(_residual_s(case, Phase(phase), time_s), 4),
        ]  # fmt: skip


def _utc(case: Case, time_s: float) -> str:
    try:
        return str(Time.parse(case.record_start) + (case.first / SAMPLING_RATE + time_s))
    except FormatError:
        return ""


def _residual_s(case: Case, phase: Phase, time_s: float) -> float | None:
    labels = np.array(case.trial.truth[phase] or (), float) / SAMPLING_RATE
    off_s = time_s - labels
    nearest = off_s[np.abs(off_s).argmin()] if len(off_s) else math.inf
    return float(nearest) if abs(nearest) <= NEAR_S else None
