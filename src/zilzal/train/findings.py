"""What development records say of a trained picker: thresholds, tables, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zilzal.core.errors import ModelError
from zilzal.core.pick import Phase
from zilzal.evaluate.calibration import calibration_error, reliability_table
from zilzal.evaluate.picks import Onsets
from zilzal.infer.spec import Table
from zilzal.train.calibrate import (
    apply_table,
    calibration_table,
    judge,
    share_within,
    uncertainty_table,
)
from zilzal.train.record import Record
from zilzal.train.skill import Trial, choose_thresholds, four_f1

FEWEST_RIGHT = 20
"""Right picks of a phase that calibration and uncertainty need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the development windows said.

    Args:
        thresholds: by label.
        are_kept: whether these were given, not chosen here.
        calibration: by phase.
        uncertainty: by phase.
        four_f1: F1 of P and S at 0.1 and 0.5 s, their mean, noise picks.
        within: by phase, share of residuals within the uncertainty, on windows shifted otherwise.
        calibration_error: by phase, after calibration, on windows shifted otherwise.
    """

    thresholds: Mapping[str, float]
    are_kept: bool
    calibration: Mapping[str, Table]
    uncertainty: Mapping[str, Table]
    four_f1: Mapping[str, float]
    within: Mapping[str, float]
    calibration_error: Mapping[str, float]


def measure(
    trials: Sequence[Trial],
    found: Mapping[Phase, Onsets],
    others: Sequence[Trial],
    found_others: Mapping[Phase, Onsets],
    false_per_hour: float,
    thresholds: Mapping[Phase, float] | None = None,
) -> Findings:
    """Thresholds, unless they are given, and tables from one set of windows; a check on another.

    The other windows hold the same records, shifted otherwise: the check tells of over-fitting
    of the tables, not of other regions.
    """
    are_kept = thresholds is not None
    if thresholds is None:
        thresholds = choose_thresholds(trials, found, false_per_hour=false_per_hour)
    calibration, uncertainty = {}, {}
    within, error = {}, {}
    for phase in Phase:
        judged = judge(trials, found[phase], phase)
        if judged.is_right.sum() < FEWEST_RIGHT:
            raise ModelError(
                f"the network finds {judged.is_right.sum()} {phase} on the development records, "
                f"at least {FEWEST_RIGHT} are needed to calibrate it; train it for more rounds"
            )
        calibration[phase.value] = calibration_table(judged)
        probability = apply_table(calibration[phase.value], judged.output)
        uncertainty[phase.value] = uncertainty_table(judged, probability)
        check = judge(others, found_others[phase], phase)
        probability = apply_table(calibration[phase.value], check.output)
        within[phase.value] = share_within(
            check, apply_table(uncertainty[phase.value], probability)
        )
        error[phase.value] = calibration_error(reliability_table(probability, check.is_right))
    return Findings(
        thresholds={phase.value: threshold for phase, threshold in thresholds.items()},
        are_kept=are_kept,
        calibration=calibration,
        uncertainty=uncertainty,
        four_f1=four_f1(others, found_others, thresholds),
        within=within,
        calibration_error=error,
    )


def development_in_words(records: Sequence[Record], shifts: int, false_per_hour: float) -> str:
    """What thresholds and tables were chosen on.

    Args:
        records: of development.
        shifts: windows of each.
        false_per_hour: picks of noise that were allowed.
    """
    n_noise = sum(record.kind == "noise" for record in records)
    sources = ", ".join(sorted({record.source for record in records}))
    return (
        f"{len(records)} records ({n_noise} of noise) of {sources}; {shifts} windows of each, "
        f"at most {false_per_hour:g} picks per hour of noise"
    )
