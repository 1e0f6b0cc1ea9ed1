"""What is known of windows, in the arrays that `evaluate` takes, and picks in the same order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.evaluate.detection import Spans
from zilzal.evaluate.phase import PhasePicks, PhaseTruth
from zilzal.evaluate.picks import Onsets, Records
from zilzal.train.answers import Answers, sign_of
from zilzal.train.case import Case
from zilzal.train.skill import arranged, is_known, onsets_of, scored_spans
from zilzal.train.windows import SAMPLING_RATE

NEAR_S = 0.5
"""A pick this near to a label is judged, though it lies in a contested span."""

TRUSTED = 0.5
"""Only windows in which all events' intervals have this weight and more are scored."""


def known_windows(cases: Sequence[Case], phase: Phase) -> Bool[Array, " window"]:
    """Windows that say anything on a phase."""
    return np.array([is_known(case.trial, phase) for case in cases], bool)


def truth_of(cases: Sequence[Case], phase: Phase) -> PhaseTruth:
    """What the known windows say of a phase, windows numbered anew."""
    trials = [case.trial for case in cases]
    records, labels, _ = arranged(trials, onsets_of([]), phase)
    known = known_windows(cases, phase)
    labelled = [
        (case, number, sample)
        for case in cases
        for number, sample in enumerate(case.trial.truth[phase] or ())
    ]
    onsets = [(*case.key[:2], round(sample + case.first)) for case, _, sample in labelled]
    numbers = {onset: number for number, onset in enumerate(dict.fromkeys(onsets))}
    names = set_names(cases)
    chosen = [case for case, is_in in zip(cases, known, strict=True) if is_in]
    return PhaseTruth(
        records=records,
        labels=labels,
        onset=np.array([numbers[onset] for onset in onsets], int),
        polarity=np.array(
            [
                sign_of(case.polarity[number]) if phase is Phase.P else math.nan
                for case, number, _ in labelled
            ],
            float,
        ),
        source=np.array([names.index(case.trial.source) for case in chosen], int),
        traits={
            "snr_db": np.array([case.snr_db[phase] for case in chosen], float),
            "distance_km": np.array([case.distance_km for case in chosen], float),
            "s_minus_p_s": np.array([case.s_minus_p_s for case in chosen], float),
        },
    )


def set_names(cases: Sequence[Case]) -> list[str]:
    """Names of the sets, in order of appearance."""
    return list(dict.fromkeys(case.trial.source for case in cases))


def picks_of(cases: Sequence[Case], answers: Answers, phase: Phase) -> PhasePicks:
    """A picker's picks in the known windows, numbered as in `truth_of`.

    Picks in contested spans, away from any label, are left out: nobody knows what they are.
    """
    picks = answers.of_phase(phase)
    kept = ~_is_contested(cases, picks.onsets, phase)
    return picks.where(kept).of_records(known_windows(cases, phase))


def _is_contested(cases: Sequence[Case], onsets: Onsets, phase: Phase) -> Bool[Array, " pick"]:
    contested = np.zeros(len(onsets), bool)
    spans = {number: case for number, case in enumerate(cases) if case.contested[phase]}
    for pick in np.flatnonzero(np.isin(onsets.record, list(spans))):
        case, sample = spans[int(onsets.record[pick])], onsets.time_s[pick] * SAMPLING_RATE
        labels = np.array(case.trial.truth[phase] or (), float)
        near = np.abs(labels - sample).min(initial=np.inf) <= NEAR_S * SAMPLING_RATE
        inside = any(first <= sample <= last for first, last in case.contested[phase])
        contested[pick] = inside and not near
    return contested


def detection_truth(cases: Sequence[Case]) -> tuple[Records, Spans, Bool[Array, " window"]]:
    """Windows whose events' intervals are known, these intervals, and which windows they are."""
    known = np.array(
        [
            case.trial.is_noise
            or (bool(case.trial.codas) and all(c.weight >= TRUSTED for c in case.trial.codas))
            for case in cases
        ],
        bool,
    )
    chosen = [case.trial for case, is_in in zip(cases, known, strict=True) if is_in]
    rows = [
        (number, coda.first / SAMPLING_RATE, coda.last / SAMPLING_RATE)
        for number, trial in enumerate(chosen)
        for coda in trial.codas
    ]
    table = np.array(rows, float).reshape(-1, 3)
    spans = Spans(record=table[:, 0].astype(int), start_s=table[:, 1], end_s=table[:, 2])
    return scored_spans(chosen), spans, known
