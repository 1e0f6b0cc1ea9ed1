"""From a trained picker to the file that is shipped: thresholds, tables, card, ONNX."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zilzal.core.pick import Phase
from zilzal.infer.precision import bf16_difference
from zilzal.infer.spec import ModelSpec, attach_spec, read_spec
from zilzal.synth.trial import trial_windows
from zilzal.train.card import data_in_words, write_card
from zilzal.train.export import to_onnx
from zilzal.train.findings import development_in_words, measure
from zilzal.train.labels import LABELS
from zilzal.train.options import PickerTraining
from zilzal.train.record import Record
from zilzal.train.shared import development_trials, read_development_records
from zilzal.train.skill import detection_threshold, pick_trials
from zilzal.train.training import TrainedPicker, outputs_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the file says beyond what was measured.

    Args:
        name: of the network and its files.
        version: of its weights.
        licence: of its weights, as an SPDX name.
        hop_samples: that a window decides in operation, a multiple of 32; it is longer by what
            the network sees before and after. A live pick is final after so long.
        blind_samples: at the ends of a segment. The network learnt windows cut anywhere, so half
            a second suffices.
        shifts: windows of each development record for thresholds and tables.
        commit: of the code; read from git where empty.
        created: date; today where empty.
    """

    name: str = "zilzal"
    version: str = "7"
    licence: str = "Apache-2.0"
    hop_samples: int = 4096
    blind_samples: int = 48
    shifts: int = 6
    commit: str = ""
    created: str = ""


def release_of(training: PickerTraining) -> Release:
    """What is said of a training's network: of one that went on from another, that it did."""
    if training.start is None:
        return Release()
    begun = read_spec(training.start)
    return Release(
        name=f"{begun.name.removesuffix('-tuned')}-tuned",
        version=begun.version,
        licence=begun.licence,
        hop_samples=begun.hop_samples,
        blind_samples=begun.blind_samples,
    )


def release_picker(trained: TrainedPicker, release: Release) -> Path:
    """Measure on the development records, then write `<name>.onnx` and `<name>.md`.

    Returns:
        The ONNX file, in the training's output folder.

    Raises:
        ModelError: the network finds too little to be calibrated.
    """
    from zilzal.models.strided_unet import reach

    training = trained.training
    records = read_development_records(
        training.shared, sets=training.sets, without=training.without
    )
    outputs = outputs_of(trained.network, training.preparation)
    trials = development_trials(records, seed=1, shifts=release.shifts)
    others = development_trials(records, seed=2, shifts=release.shifts)
    found, found_others = (pick_trials(outputs, windows) for windows in (trials, others))
    kept = _kept_thresholds(training, records)
    findings = measure(trials, found, others, found_others, training.false_per_hour, kept)
    thresholds = {**findings.thresholds, "detection": detection_threshold(outputs, trials)}
    reach_samples = reach(trained.network)
    card = write_card(
        trained, findings, name=f"{release.name} {release.version}", shifts=release.shifts,
        licence=release.licence,
    )  # fmt: skip
    spec = ModelSpec(
        name=release.name,
        version=release.version,
        task="pick",
        sampling_rate=training.preparation.sampling_rate,
        labels=LABELS,
        window_samples=release.hop_samples + sum(reach_samples),
        hop_samples=release.hop_samples,
        blind_samples=release.blind_samples,
        reach_samples=reach_samples,
        preparation=training.preparation,
        thresholds=thresholds,
        uncertainty=findings.uncertainty,
        calibration=findings.calibration,
        training_data=data_in_words(training),
        development_data=development_in_words(records, release.shifts, training.false_per_hour),
        licence=release.licence,
        seed=training.seed,
        commit=release.commit or _commit(),
        created=release.created or datetime.now(UTC).date().isoformat(),
        card=card,
    )
    training.output.mkdir(parents=True, exist_ok=True)
    path = training.output / f"{release.name}.onnx"
    path.write_bytes(_exported(trained.network, spec))
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return path


LEAST_NOISE_S = 1800.0
"""Records of noise that thresholds of a tuned network are chosen on; by less, chance decides."""


def _kept_thresholds(
    training: PickerTraining, records: Sequence[Record]
) -> dict[Phase, float] | None:
    """Those of the network that was gone on from, where there is too little noise for others."""
    noise_s = sum(r.length / r.sampling_rate for r in records if r.kind == "noise")
    if training.start is None or noise_s >= LEAST_NOISE_S:
        return None
    begun = read_spec(training.start).thresholds
    return {phase: begun[phase.value] for phase in Phase}


def _exported(network: nn.Module, spec: ModelSpec) -> bytes:
    """The network's file, which also says what a window costs and what 16 bits change."""
    content = to_onnx(network, spec)
    costs = replace(
        spec,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds=_multiply_adds_of_window(network, spec),
        bf16_difference=bf16_difference(content, trial_windows()),
    )
    return attach_spec(content, costs)


def _multiply_adds_of_window(network: nn.Module, spec: ModelSpec) -> int:
    from zilzal.models.strided_unet import multiply_adds

    per_3001 = multiply_adds(network.eval(), spec.window_samples)
    return round(per_3001 * spec.window_samples / 3001)


def _commit() -> str:
    git = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - the user's own git
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return git.stdout.strip() or "unknown"
