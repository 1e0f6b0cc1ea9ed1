"""From a trained picker to the file that is shipped: thresholds, tables, card, ONNX."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zilzal.core.errors import ModelError
from zilzal.core.pick import Phase
from zilzal.evaluate.calibration import calibration_error, reliability_table
from zilzal.evaluate.picks import Onsets
from zilzal.infer.spec import ModelSpec, Table
from zilzal.train.calibrate import (
    apply_table,
    calibration_table,
    judge,
    share_within,
    uncertainty_table,
)
from zilzal.train.export import to_onnx
from zilzal.train.labels import LABELS
from zilzal.train.shared import ARCHIVES, development_trials, read_development_records
from zilzal.train.skill import (
    Trial,
    choose_thresholds,
    detection_threshold,
    four_f1,
    pick_trials,
)
from zilzal.train.training import TrainedPicker, outputs_of

TRAINING_DATA = (
    "Train splits of: ncedc_phasenet, ncedc_deepdenoiser, stead_ta109c (analysts' labels); obst, "
    "martinique, toc2me (labels of undocumented or mixed origin); uturuncu (automatic labels, "
    "replaced by the consensus of published pickers where there is one); 14 sets of event windows "
    f"and the archives {', '.join(ARCHIVES)} (machine labels: consensus of at least 3 of 6 "
    "families of published pickers, weighted by their number); anza_noise and clean spans "
    "(noise). Mixed at random: superposed, re-noised, stretched, filtered, faulted. Partly "
    "synthetic noise, no synthetic events."
)


FEWEST_RIGHT = 20
"""Right picks of a phase that calibration and uncertainty need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the file says beyond what was measured.

    Args:
        name: of the network and its files.
        version: of its weights.
        window_samples: length of its windows in operation; any multiple of 32 runs.
        hop_samples: from window to window.
        blind_samples: at the edges. The network learnt windows cut anywhere, so half a second
            suffices.
        shifts: windows of each development record for thresholds and tables.
        commit: of the code; read from git where empty.
        created: date; today where empty.
    """

    name: str = "zilzal"
    version: str = "1"
    window_samples: int = 8192
    hop_samples: int = 6144
    blind_samples: int = 48
    shifts: int = 2
    commit: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the development windows said.

    Args:
        thresholds: by label.
        calibration: by phase.
        uncertainty: by phase.
        four_f1: F1 of P and S at 0.1 and 0.5 s, their mean, noise picks.
        within: by phase, share of residuals within the uncertainty, on windows shifted otherwise.
        calibration_error: by phase, after calibration, on windows shifted otherwise.
    """

    thresholds: Mapping[str, float]
    calibration: Mapping[str, Table]
    uncertainty: Mapping[str, Table]
    four_f1: Mapping[str, float]
    within: Mapping[str, float]
    calibration_error: Mapping[str, float]


def release_picker(trained: TrainedPicker, release: Release) -> Path:
    """Measure on the development records, then write `<name>.onnx` and `<name>.md`.

    Returns:
        The ONNX file, in the training's output folder.

    Raises:
        ModelError: the network finds too little to be calibrated.
    """
    training = trained.training
    records = read_development_records(
        training.shared, sets=training.sets, without=training.without
    )
    outputs = outputs_of(trained.network, training.preparation)
    trials = development_trials(records, seed=1, shifts=release.shifts)
    others = development_trials(records, seed=2, shifts=release.shifts)
    found, found_others = (pick_trials(outputs, windows) for windows in (trials, others))
    findings = measure(trials, found, others, found_others, training.false_per_hour)
    thresholds = {**findings.thresholds, "detection": detection_threshold(outputs, trials)}
    card = write_card(release, trained, findings)
    spec = ModelSpec(
        name=release.name,
        version=release.version,
        task="pick",
        sampling_rate=training.preparation.sampling_rate,
        labels=LABELS,
        window_samples=release.window_samples,
        hop_samples=release.hop_samples,
        blind_samples=release.blind_samples,
        overlap="context",
        preparation=training.preparation,
        thresholds=thresholds,
        uncertainty=findings.uncertainty,
        calibration=findings.calibration,
        training_data=TRAINING_DATA + _left_out(training.without),
        licence="Apache-2.0",
        seed=training.seed,
        commit=release.commit or _commit(),
        created=release.created or datetime.now(UTC).date().isoformat(),
        card=card,
    )
    path = training.output / f"{release.name}.onnx"
    path.write_bytes(to_onnx(trained.network, spec))
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return path


def _left_out(without: Sequence[str]) -> str:
    return f" Left out: {', '.join(without)}." if without else ""


def _commit() -> str:
    git = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - the user's own git
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return git.stdout.strip() or "unknown"


def measure(
    trials: Sequence[Trial],
    found: Mapping[Phase, Onsets],
    others: Sequence[Trial],
    found_others: Mapping[Phase, Onsets],
    false_per_hour: float,
) -> Findings:
    """Thresholds and tables from one set of windows, their check on another.

    The other windows hold the same records, shifted otherwise: the check tells of over-fitting
    of the tables, not of other regions.
    """
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
        calibration=calibration,
        uncertainty=uncertainty,
        four_f1=four_f1(others, found_others, thresholds),
        within=within,
        calibration_error=error,
    )


def write_card(release: Release, trained: TrainedPicker, findings: Findings) -> str:
    """The model card in Markdown, every number from `findings` or the network itself."""
    from zilzal.models.strided_unet import multiply_adds

    f1, network = findings.four_f1, trained.network
    n_parameters = sum(p.numel() for p in network.parameters())
    training = trained.training
    options = f" --rounds {training.rounds} --seed {training.seed}"
    options += f" --without {','.join(training.without)}" if training.without else ""
    tables = "\n".join(
        f"| {phase} | {f1[f'{phase}@0.1']:.3f} | {f1[f'{phase}@0.5']:.3f} | "
        f"{findings.thresholds[phase]:.2f} | {f1[f'{phase} per noise hour']:.1f} | "
        f"{findings.within[phase]:.2f} | {findings.calibration_error[phase]:.3f} |"
        for phase in (phase.value for phase in Phase)
    )
    return f"""# {release.name} {release.version}

P, S and detection curves at 100 Hz from three components of one sensor. A U-Net that works at a
quarter of the sampling rate and below ({n_parameters:,} parameters,
{multiply_adds(network.eval()) / 1e6:.1f} million multiply-adds per 3001 samples; PhaseNet 19.5).
Input: causal high-pass, division by the running level of each component, asinh. It takes windows
of any length that is a multiple of 32 samples; an output depends on the 13.6 s before and the
7.2 s after it.

## Data
{TRAINING_DATA}{_left_out(trained.training.without)}

Labels: Gaussians of 0.1 s at P and S; detection from P until the coda has sunk to twice the noise
before P (root mean square of each second above 2 Hz), at most 60 s.

## Skill on development records
Events that were not trained on, of the same networks as the training: a window of 60 s of each
record, shifted at random ({release.shifts} shifts). Strict counts.

| phase | F1 at 0.1 s | F1 at 0.5 s | threshold | picks per noise hour | within uncertainty | \
calibration error |
|---|---|---|---|---|---|---|
{tables}

Mean of the four F1: {f1["mean"]:.3f}. "Within uncertainty" is a share of the residuals; 0.68 is
wanted. Thresholds: highest with an F1 at 0.2 s within 0.005 of the best one that has at most
{training.false_per_hour} picks per hour of noise.

## Limits
- Regions and instruments unlike the training's score lower; `docs/reference/picker-model-card.md`
  tells what was found with sets held out.
- Made for local and regional earthquakes. Teleseisms, tremor and rockfalls were not labelled.
- Of two events within about a second only one is picked. Polarities are not given.
- Most labels are machine-made, by pickers whose habits (clear onsets first) it has learnt.

## Reproduction
`python -m zilzal.train.picker --shared ../shared -o DIR{options}`

Licence of the weights: Apache-2.0.
"""
