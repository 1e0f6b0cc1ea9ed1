"""A network on labelled windows: the picks it makes, in the arrays that `evaluate` scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.evaluate.picks import Onsets, Records
from zilzal.evaluate.sweep import Sweep, select_records, sweep_thresholds
from zilzal.signal.peak import find_peaks, refine_peak
from zilzal.train.dataset import Coda, Record
from zilzal.train.mixture import cut_out, tapered

EDGE_S = 0.5
"""Picks this near to the ends of the real data are not judged."""

LENGTH_S = 60.0
MARGIN_S = 3.0
"""The first arrival of a random window is at least so far from its ends."""

Outputs = Callable[
    [Float32[Array, "component sample"], Bool[Array, "component sample"]],
    Float32[Array, "label sample"],
]
"""From raw samples and what is present to curves of the same length."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A window to be picked.

    Args:
        name: of the trace.
        source: of the set.
        samples: raw; 0 beyond the record's ends.
        present: True throughout: whoever made the window does not tell what is padding.
        event: what is drawn together in confidence intervals.
        truth: labelled samples of each phase inside the window; None where nobody knows.
        live: first and last sample of real data.
        is_noise: whether every pick is false.
        codas: intervals of events, where known.
    """

    name: str
    source: str
    event: str
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]
    truth: Mapping[Phase, tuple[float, ...] | None]
    live: tuple[int, int]
    is_noise: bool
    codas: tuple[Coda, ...] = ()


def random_trials(records: Sequence[Record], rng: np.random.Generator) -> list[Trial]:
    """A 60 s window of each record with its first arrival anywhere in the inner 54 s.

    Where the record is shorter the rest is zero, its ends tapered over 0.5 s.
    """
    return [trial_at(record, random_start(record, rng)) for record in records]


def random_start(record: Record, rng: np.random.Generator) -> int:
    """Sample of a record, maybe before its first, at which such a window begins."""
    length = round(LENGTH_S * record.sampling_rate)
    margin = round(MARGIN_S * record.sampling_rate)
    if record.onsets:
        return int(record.onsets[0].sample) - int(rng.integers(margin, length - margin))
    return int(rng.integers(-margin, max(1, record.length - length + margin)))


def trial_at(record: Record, first: int) -> Trial:
    """The window of a record that begins at its sample `first`.

    Raises:
        ValueError: nothing was recorded there.
    """
    length = round(LENGTH_S * record.sampling_rate)
    cut = tapered(cut_out(record, first, length), sampling_rate=record.sampling_rate)
    recorded = np.flatnonzero(cut.recorded)
    if len(recorded) == 0:
        raise ValueError(f"{record.source}: nothing recorded in {record.name} from {first} on")
    unknown = {u.phase for u in record.unknown}
    return Trial(
        name=record.name,
        source=record.source,
        event=record.event,
        samples=cut.samples,
        present=np.ones_like(cut.present),
        truth={
            phase: None
            if phase in unknown and not record.onset_samples(phase)
            else tuple(s - first for s in record.onset_samples(phase) if 0 <= s - first < length)
            for phase in Phase
        },
        live=(int(recorded[0]), int(recorded[-1])),
        is_noise=record.kind == "noise",
        codas=cut.codas,
    )


SEPARATION_S = 0.5
"""Two picks of a phase are at least this far apart."""


def pick_trials(
    outputs: Outputs, trials: Sequence[Trial], *, lowest: float = 0.05, sampling_rate: float = 100.0
) -> dict[Phase, Onsets]:
    """Peaks of P and S in each window; `record` is the number of the window."""
    rows: dict[Phase, list[tuple[int, float, float]]] = {phase: [] for phase in Phase}
    separation = round(SEPARATION_S * sampling_rate)
    for number, trial in enumerate(trials):
        curves = outputs(trial.samples, trial.present)
        for phase, curve in zip(Phase, curves, strict=False):
            for peak in find_peaks(curve, lowest, separation_samples=separation).tolist():
                place = peak + refine_peak(curve, peak)
                rows[phase].append((number, place / sampling_rate, float(curve[peak])))
    return {phase: onsets_of(found) for phase, found in rows.items()}


def onsets_of(rows: Sequence[tuple[int, float, float]]) -> Onsets:
    """Picks from rows of window number, time in the window [s], probability."""
    table = np.array(rows, float).reshape(-1, 3)
    return Onsets(record=table[:, 0].astype(int), time_s=table[:, 1], probability=table[:, 2])


def arranged(
    trials: Sequence[Trial], picks: Onsets, phase: Phase, *, sampling_rate: float = 100.0
) -> tuple[Records, Onsets, Onsets]:
    """Windows, labels and picks of a phase as `evaluate` takes them.

    Left out: windows in which the phase is not labelled, noise aside.
    """
    known = np.array([is_known(trial, phase) for trial in trials], bool)
    labels = onsets_of(
        [
            (number, sample / sampling_rate, 1.0)
            for number, trial in enumerate(trials)
            for sample in trial.truth[phase] or ()
        ]
    )
    return select_records(scored_spans(trials, sampling_rate=sampling_rate), labels, picks, known)


def scored_spans(trials: Sequence[Trial], *, sampling_rate: float = 100.0) -> Records:
    """What of each window is judged: its live part without the half seconds at its ends."""
    names = dict.fromkeys((trial.source, trial.event) for trial in trials)
    events = {name: number for number, name in enumerate(names)}
    live = np.array([trial.live for trial in trials], float).reshape(-1, 2) / sampling_rate
    return Records(
        group=np.array([events[trial.source, trial.event] for trial in trials], int),
        start_s=live[:, 0] + EDGE_S,
        end_s=live[:, 1] - EDGE_S,
        is_noise=np.array([trial.is_noise for trial in trials], bool),
    )


def is_known(trial: Trial, phase: Phase) -> bool:
    """Whether a window says anything on a phase: it is labelled, or all is noise."""
    return trial.is_noise or bool(trial.truth[phase])


THRESHOLDS = tuple(float(x) for x in np.arange(0.06, 0.96, 0.02).round(2))


def sweep(
    trials: Sequence[Trial], picks: Onsets, phase: Phase, *, tolerance_s: float = 0.2
) -> Sweep:
    """Precision, recall and noise picks by threshold."""
    return sweep_thresholds(*arranged(trials, picks, phase), THRESHOLDS, tolerance_s=tolerance_s)


def best_threshold(
    swept: Sweep, *, false_per_hour: float, slack: float = 0.005, lowest: bool = False
) -> float:
    """The highest threshold with nearly the best F1 among those that keep noise quiet enough.

    The optimum is flat: of thresholds that do equally well the highest lets least noise through.

    Args:
        swept: over the development windows.
        false_per_hour: most picks allowed per hour of noise; where no threshold keeps it, the
            highest is taken.
        slack: how much less than the best F1 counts as equal.
        lowest: take the lowest of them instead.
    """
    quiet = ~(swept.false_per_noise_hour > false_per_hour)
    if not quiet.any():
        return float(swept.threshold[-1])
    f1 = np.where(quiet, swept.f1, -1.0)
    equal = np.flatnonzero(f1 >= f1.max() - slack)
    return float(swept.threshold[equal[0] if lowest else equal[-1]])


def choose_thresholds(
    trials: Sequence[Trial], picks: Mapping[Phase, Onsets], *, false_per_hour: float
) -> dict[Phase, float]:
    """The best threshold of each phase, the lowest of those that do equally well.

    On ground unlike the training's, outputs are lower than on development records.
    """
    return {
        phase: best_threshold(
            sweep(trials, picks[phase], phase), false_per_hour=false_per_hour, lowest=True
        )
        for phase in Phase
    }


def four_f1(
    trials: Sequence[Trial], picks: Mapping[Phase, Onsets], thresholds: Mapping[Phase, float]
) -> dict[str, float]:
    """F1 of P and S at 0.1 and 0.5 s and their mean; picks per hour of noise.

    Args:
        trials: windows.
        picks: in them.
        thresholds: of those in `THRESHOLDS`.
    """
    result: dict[str, float] = {}
    for phase, threshold in thresholds.items():
        at = int(np.argmin(np.abs(np.array(THRESHOLDS) - threshold)))
        for tolerance_s in (0.1, 0.5):
            swept = sweep(trials, picks[phase], phase, tolerance_s=tolerance_s)
            result[f"{phase}@{tolerance_s}"] = float(swept.f1[at])
            result[f"{phase} per noise hour"] = float(swept.false_per_noise_hour[at])
    result["mean"] = float(np.mean([value for key, value in result.items() if "@" in key]))
    return result


_FLAT = 0.002
"""So much less F1 of detection counts as equal."""


def detection_threshold(outputs: Outputs, trials: Sequence[Trial]) -> float:
    """The highest threshold with nearly the best F1 by samples of real data: in an event or not.

    The optimum is flat, and noise fires less above it.
    Windows count whose events are all known with trust, and noise.
    """
    inside, height = [], []
    for trial in trials:
        if trial.is_noise or (trial.codas and all(coda.weight >= 0.5 for coda in trial.codas)):
            live = slice(trial.live[0], trial.live[1] + 1)
            truth = np.zeros(trial.samples.shape[1], bool)
            for coda in trial.codas:
                truth[max(0, round(coda.first)) : max(0, round(coda.last))] = True
            inside.append(truth[live])
            height.append(outputs(trial.samples, trial.present)[2, live])
    truth, value = np.concatenate(inside), np.concatenate(height)
    f1 = np.array(
        [
            2 * (truth & (value >= threshold)).sum() / (truth.sum() + (value >= threshold).sum())
            for threshold in THRESHOLDS
        ]
    )
    return THRESHOLDS[int(np.flatnonzero(f1 >= f1.max() - _FLAT)[-1])]
