"""Several pickers on the same windows: given thresholds, measured, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zilzal.core.errors import ConfigError, DataError
from zilzal.core.pick import Phase
from zilzal.evaluate.detection import DetectionScore, Spans, score_detections
from zilzal.evaluate.paired import PickerDifference, compare_pickers
from zilzal.evaluate.report import Judging, PhaseReport, report_phase
from zilzal.evaluate.sweep import own_thresholds, sweep_thresholds
from zilzal.train.answers import Answers
from zilzal.train.candidates import Candidate
from zilzal.train.case import Case
from zilzal.train.contest import Contest, Picked, Told, Tuning, pick_windows, say_nothing
from zilzal.train.overlap import refuse_overlap
from zilzal.train.pick_lists import PickList
from zilzal.train.protocol import identities
from zilzal.train.skill import best_threshold
from zilzal.train.truths import detection_truth, set_names

Origin = Literal["own", "given", "tuned"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PickerReport:
    """All that is measured of a picker.

    Args:
        name: of the picker.
        about: of its network or its file.
        origin: whose thresholds these are.
        phases: by phase; phases that the windows say nothing on, or the picker does not pick,
            are left out.
        detection: of events; None where none is known or the picker does not detect.
    """

    name: str
    about: Mapping[str, Any]
    origin: Origin
    phases: Mapping[Phase, PhaseReport]
    detection: DetectionScore | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first picker against another on one phase, at one tolerance."""

    first: str
    second: str
    phase: Phase
    tolerance_s: float
    difference: PickerDifference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a contest found.

    Args:
        picked: windows and answers.
        reports: of each picker, in their order.
        differences: of the first picker from each other one.
    """

    picked: Picked
    reports: Sequence[PickerReport]
    differences: Sequence[Difference]


def compare(contest: Contest, *, told: Told = say_nothing) -> Outcome:
    """Pick, choose thresholds, measure, and compare the first picker with the others.

    Raises:
        ConfigError: thresholds would be chosen on what is scored.
        DataError: a set has no such records, or a list no picks.
    """
    tuning = contest.tuning
    if tuning is not None and not tuning.allow_overlap:
        refuse_overlap(
            identities(tuning.paths, tuning.protocol), identities(contest.paths, contest.protocol)
        )
    picked = pick_windows(contest, contest.paths, contest.protocol, told=told)
    chosen = {} if tuning is None else _tuned(contest, tuning, told)
    reports: list[PickerReport] = []
    for number, picker in enumerate(contest.pickers):
        told("measure", number, len(contest.pickers), picker.name)
        reports.append(_report(contest, picked, picker, chosen.get(picker.name, {})))
    told("measure", len(reports), len(reports), "")
    differences = _differences(contest, picked, reports)
    return Outcome(picked=picked, reports=reports, differences=differences)


def _phases(picker: Candidate | PickList, answers: Answers) -> list[Phase]:
    """The phases that a picker picks; of a list, those that are in it."""
    if isinstance(picker, Candidate):
        return list(picker.thresholds)
    return [phase for phase in Phase if (answers.picks["phase"] == phase.value).any()]


def _tuned(contest: Contest, tuning: Tuning, told: Told) -> dict[str, dict[Phase, float]]:
    """The best threshold of each picker and phase on the tuning's windows."""
    picked = pick_windows(
        contest, tuning.paths, tuning.protocol, told=lambda _, *rest: told("tune", *rest)
    )
    if np.isfinite(tuning.false_per_hour) and not any(c.trial.is_noise for c in picked.cases):
        raise ConfigError(
            "a limit of picks in noise is given, but the windows for choosing thresholds hold no "
            "noise; add a set of noise with --tune-on, or leave the limit out"
        )
    return {
        picker.name: {
            phase: _best(picked, picker.name, phase, tuning, contest.judging)
            for phase in _phases(picker, picked.answers[picker.name])
            if len(picked.truths[phase].labels)
        }
        for picker in contest.pickers
    }


def _best(picked: Picked, name: str, phase: Phase, tuning: Tuning, judging: Judging) -> float:
    truth, onsets = picked.truths[phase], picked.picks(name, phase).onsets
    if not len(onsets):
        raise DataError(
            f"{name} has no {phase} in the windows for choosing thresholds; leave it out, or "
            "choose on others"
        )
    swept = sweep_thresholds(
        truth.records, truth.labels, onsets, own_thresholds(onsets), tolerance_s=judging.tolerance_s
    )
    return best_threshold(swept, false_per_hour=tuning.false_per_hour)


def _report(
    contest: Contest,
    picked: Picked,
    picker: Candidate | PickList,
    chosen: Mapping[Phase, float],
) -> PickerReport:
    """Measure a picker with the thresholds that were given, else chosen, else its own."""
    rng = np.random.default_rng(contest.seed)
    answers, names = picked.answers[picker.name], set_names(picked.cases)
    given = contest.thresholds.get(picker.name, {})
    thresholds = {**picker.thresholds, **chosen, **given}
    origin: Origin = "given" if given else "tuned" if chosen else "own"
    phases = {
        phase: report_phase(
            picked.truths[phase], picked.picks(picker.name, phase),
            thresholds.get(phase, -np.inf), names, rng, judging=contest.judging,
        )
        for phase in _phases(picker, answers)
        if len(picked.truths[phase].records.group)
    }  # fmt: skip
    return PickerReport(
        name=picker.name,
        about=picker.about if isinstance(picker, Candidate) else {"file": str(picker.path)},
        origin=origin,
        phases=phases,
        detection=_score_detections(contest, picked.cases, answers, rng),
    )


def _score_detections(
    contest: Contest, cases: Sequence[Case], answers: Answers, rng: np.random.Generator
) -> DetectionScore | None:
    if answers.detections is None:
        return None
    records, events, known = detection_truth(cases)
    if not len(events):
        return None
    rows = answers.detections
    found = Spans(record=rows["window"], start_s=rows["start_s"], end_s=rows["end_s"])
    return score_detections(
        records, events, found.of_records(known), rng, resampling=contest.judging.resampling
    )


def _differences(
    contest: Contest, picked: Picked, reports: Sequence[PickerReport]
) -> list[Difference]:
    first, *others = reports
    return [
        Difference(
            first=first.name,
            second=other.name,
            phase=phase,
            tolerance_s=tolerance_s,
            difference=_difference(contest, picked, (first, other), phase, tolerance_s),
        )
        for other in others
        for phase in first.phases
        if phase in other.phases
        for tolerance_s in contest.judging.tolerances_s
    ]


def _difference(
    contest: Contest,
    picked: Picked,
    pair: tuple[PickerReport, PickerReport],
    phase: Phase,
    tolerance_s: float,
) -> PickerDifference:
    truth = picked.truths[phase]
    ours, theirs = (
        picked.picks(each.name, phase).above(each.phases[phase].threshold).onsets for each in pair
    )
    return compare_pickers(
        truth.records, truth.labels, ours, theirs, np.random.default_rng(contest.seed),
        tolerance=contest.judging.tolerance(tolerance_s), resampling=contest.judging.resampling,
    )  # fmt: skip
