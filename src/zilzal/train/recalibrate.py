"""What the outputs of a network that exists already mean, measured on labelled records.

Thresholds, probabilities and uncertainties of an imported network are customary. Here they are
fitted as for a network of our own, with the network run as in operation: windows on the grid of
the epoch, overlapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ModelError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.evaluate.calibration import calibration_error, reliability_table
from zilzal.evaluate.picks import Onsets
from zilzal.infer.engine import EngineName, Model, build_model
from zilzal.infer.spec import ModelSpec, attach_spec
from zilzal.infer.windows import curves_of
from zilzal.train.calibrate import (
    apply_table,
    calibration_table,
    judge,
    share_within,
    uncertainty_table,
)
from zilzal.train.dataset import Record
from zilzal.train.findings import FEWEST_RIGHT, development_in_words
from zilzal.train.skill import (
    Outputs,
    Trial,
    best_threshold,
    detection_threshold,
    four_f1,
    pick_trials,
    random_trials,
    sweep,
)

RATE = 100.0
"""Of the records that networks are tried on [Hz]; each resamples them to its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """How to fit.

    Args:
        false_per_hour: most picks of a phase allowed per hour of noise.
        shifts: windows of each record, at random places.
        seed: of the places.
        engine: that runs the network.
    """

    false_per_hour: float = 2.0
    shifts: int = 2
    seed: int = 1
    engine: EngineName = "onnxruntime"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFindings:
    """What was found of a phase, on windows of the same records at other places.

    Args:
        threshold: chosen.
        f1_tight: at 0.1 s.
        f1_loose: at 0.5 s.
        per_noise_hour: picks; NaN without noise among the records.
        within: share of the residuals within the uncertainty; 0.68 is wanted.
        calibration_error: of the probabilities.
    """

    threshold: float
    f1_tight: float
    f1_loose: float
    per_noise_hour: float
    within: float
    calibration_error: float


def recalibrate(
    path: Path, records: Sequence[Record], how: Recalibration | None = None
) -> tuple[bytes, dict[Phase, PhaseFindings]]:
    """The network's file with thresholds, probabilities and uncertainties that were measured.

    Its picks are then "separated" ones, the rule that they were fitted with. A phase that fewer
    than 20 right picks were found of keeps what it had.

    Args:
        path: of the network's file.
        records: labelled, at 100 Hz; not of those that the network was trained on.
        how: to fit.

    Raises:
        ModelError: the network is not one for picking, or too few of its picks are right.
    """
    how = how or Recalibration()
    model_bytes = path.read_bytes()
    model = build_model(model_bytes, engine=how.engine, name=str(path), gated=False)
    phases = [phase for phase in Phase if phase.value in model.spec.labels]
    if model.spec.task != "pick" or not phases:
        raise ModelError(f"{path} gives {', '.join(model.spec.labels)}, no P or S to be calibrated")
    outputs = outputs_of_file(model)
    trials, others = (_trials(records, how, seed) for seed in (how.seed, how.seed + 1))
    found, found_others = (pick_trials(outputs, each) for each in (trials, others))
    spec, findings = model.spec, dict[Phase, PhaseFindings]()
    for phase in phases:
        if judge(trials, found[phase], phase).is_right.sum() >= FEWEST_RIGHT:
            spec = _fitted(spec, phase, trials, found[phase], how.false_per_hour)
            findings[phase] = _measured(spec, phase, others, found_others[phase])
    if not findings:
        raise ModelError(
            f"of no phase {FEWEST_RIGHT} picks are right on {len(records)} records: give more, "
            "or records that are nearer to what the network was trained for"
        )
    if "detection" in spec.labels and any(trial.codas for trial in trials):
        threshold = detection_threshold(outputs, trials)
        spec = replace(spec, thresholds={**spec.thresholds, "detection": threshold})
    development_data = development_in_words(records, how.shifts, how.false_per_hour)
    spec = replace(
        spec, peaks="separated", development_data=development_data, gate=_gate(model.spec, spec)
    )
    card = f"{spec.card.rstrip()}\n\n{_section(spec, findings)}"
    return attach_spec(model_bytes, replace(spec, card=card)), findings


def _gate(before: ModelSpec, spec: ModelSpec) -> dict[str, float]:
    """A gate opens at the same share of the thresholds as before."""
    return {
        label: min(value * spec.thresholds[label] / before.thresholds[label], 1.0)
        for label, value in before.gate.items()
    }


def outputs_of_file(model: Model) -> Outputs:
    """From raw samples at 100 Hz to P, S and detection as the network says in operation."""
    labels = model.spec.labels

    def outputs(
        samples: Float32[Array, "component sample"], present: Bool[Array, "component sample"]
    ) -> Float32[Array, "label sample"]:
        window = Window(
            sensor_id=SensorId("XX", "TRIAL", "", "HH"), start=Time(0), sampling_rate=RATE,
            samples=samples, present=present,
        )  # fmt: skip
        curves = curves_of(model, window)
        rate = model.spec.sampling_rate
        seen_s = (curves.first_number + np.arange(curves.values.shape[1])) / rate
        wanted_s = np.arange(samples.shape[1]) / RATE
        rows = np.zeros((3, samples.shape[1]), np.float32)
        for row, label in zip(rows, (*(phase.value for phase in Phase), "detection"), strict=True):
            if label in labels and len(seen_s):
                curve = np.nan_to_num(curves.values[labels.index(label)])
                row[:] = np.interp(wanted_s, seen_s, curve, left=0.0, right=0.0)
        return rows

    return outputs


def _trials(records: Sequence[Record], how: Recalibration, seed: int) -> list[Trial]:
    rng = np.random.default_rng(seed)
    return [trial for _ in range(how.shifts) for trial in random_trials(records, rng)]


def _fitted(
    spec: ModelSpec, phase: Phase, trials: Sequence[Trial], found: Onsets, false_per_hour: float
) -> ModelSpec:
    judged = judge(trials, found, phase)
    calibration = calibration_table(judged)
    uncertainty = uncertainty_table(judged, apply_table(calibration, judged.output))
    threshold = best_threshold(sweep(trials, found, phase), false_per_hour=false_per_hour)
    return replace(
        spec,
        thresholds={**spec.thresholds, phase.value: threshold},
        calibration={**spec.calibration, phase.value: calibration},
        uncertainty={**spec.uncertainty, phase.value: uncertainty},
    )


def _measured(
    spec: ModelSpec, phase: Phase, others: Sequence[Trial], found: Onsets
) -> PhaseFindings:
    judged = judge(others, found, phase)
    probability = apply_table(spec.calibration[phase.value], judged.output)
    sigma_s = apply_table(spec.uncertainty[phase.value], probability)
    threshold = spec.thresholds[phase.value]
    scores = four_f1(others, {phase: found}, {phase: threshold})
    return PhaseFindings(
        threshold=threshold,
        f1_tight=scores[f"{phase}@0.1"],
        f1_loose=scores[f"{phase}@0.5"],
        per_noise_hour=scores[f"{phase} per noise hour"],
        within=share_within(judged, sigma_s),
        calibration_error=calibration_error(reliability_table(probability, judged.is_right)),
    )


def _section(spec: ModelSpec, findings: Mapping[Phase, PhaseFindings]) -> str:
    rows = "\n".join(
        f"| {phase} | {f.threshold:.2f} | {f.f1_tight:.3f} | {f.f1_loose:.3f} | "
        f"{f.per_noise_hour:.1f} | {f.within:.2f} | {f.calibration_error:.3f} |"
        for phase, f in findings.items()
    )
    return f"""## Calibrated
Thresholds, probabilities and uncertainties of {", ".join(findings)} were fitted on
{spec.development_data}. Picks are the largest samples within half a second.

| phase | threshold | F1 at 0.1 s | F1 at 0.5 s | picks per noise hour | within uncertainty | \
calibration error |
|---|---|---|---|---|---|---|
{rows}
"""
