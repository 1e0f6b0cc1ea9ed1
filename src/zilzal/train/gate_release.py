"""From a trained gate to the picking network's file with the gate inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.infer.engine import Model, OnnxEngine, build_model
from zilzal.infer.gated import CELL, attach_gate, gate_thresholds, opened
from zilzal.infer.spec import ModelSpec, attach_spec
from zilzal.signal.prepare import prepare_record
from zilzal.train.export import curves_to_onnx
from zilzal.train.gate import DETECTION_SHARE, PHASE_SHARE, GateTraining, highest
from zilzal.train.shared import development_trials, read_development_records
from zilzal.train.skill import Trial

if TYPE_CHECKING:
    from torch import nn

_HEADING = "## Gate\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFindings:
    """What was measured of a gate on development records.

    Args:
        kept: share of the cells with picks of the network that it lets through; None without any.
        open_noise: share of the noise's time that it is open; None without noise.
        n_picks: cells with picks of the network, on these records.
        multiply_adds: per 3001 samples.
        parameters: their number.
    """

    kept: float | None
    open_noise: float | None
    n_picks: int
    multiply_adds: float
    parameters: int


def release_gate(
    training: GateTraining, gate: nn.Module, picker_path: Path, *, shifts: int = 6
) -> Path:
    """Measure a gate on the development records, then write the network's file with it inside.

    Args:
        training: options.
        gate: in evaluation mode; gives logits.
        picker_path: of the network that it was trained for; a gate it has is replaced.
        shifts: windows of each development record.

    Returns:
        The ONNX file, in the training's output folder, with its card beside it.
    """
    content = picker_path.read_bytes()
    picker = build_model(content, name=str(picker_path), gated=False)
    gate_bytes = curves_to_onnx(gate, picker.spec)
    records = read_development_records(
        training.windows.shared, sets=training.windows.sets, without=training.windows.without
    )
    trials = development_trials(records, seed=1, shifts=shifts)
    spec = picker.spec
    opens_at = training.opens_at({label: spec.thresholds[label] for label in spec.labels})
    findings = measure_gate(gate, gate_bytes, picker, trials, opens_at)
    card = f"{_without_gate(spec.card).rstrip()}\n\n{_section(findings, training, picker_path)}"
    spec = replace(
        spec,
        gate=opens_at,
        gate_multiply_adds=round(findings.multiply_adds * spec.window_samples / 3001),
        card=card,
    )
    path = training.windows.output / f"{spec.name}.onnx"
    path.write_bytes(attach_gate(attach_spec(content, spec), gate_bytes))
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return path


def measure_gate(
    gate: nn.Module,
    gate_bytes: bytes,
    picker: Model,
    trials: Sequence[Trial],
    opens_at: Mapping[str, float],
) -> GateFindings:
    """What a gate lets through that opens where an output reaches its value in `opens_at`."""
    from zilzal.models.strided_unet import multiply_adds

    engine = OnnxEngine(gate_bytes)
    thresholds = np.array(gate_thresholds(opens_at, picker.spec.labels))
    kept: list[Bool[Array, " cell"]] = []
    quiet: list[Bool[Array, " cell"]] = []
    for trial in trials:
        prepared = _prepared(picker.spec, trial)
        is_open = opened(engine.run(prepared)[0], thresholds[:, None])
        kept.append(is_open[_picked(picker, prepared)])
        if trial.is_noise:
            quiet.append(is_open)
    return GateFindings(
        kept=_share(kept),
        open_noise=_share(quiet),
        n_picks=sum(map(len, kept)),
        multiply_adds=multiply_adds(gate),
        parameters=sum(p.numel() for p in gate.parameters()),
    )


def _share(cells: Sequence[Bool[Array, " cell"]]) -> float | None:
    """Of all cells that are open; None where there are none."""
    number = sum(map(len, cells))
    return sum(int(each.sum()) for each in cells) / number if number else None


def _prepared(spec: ModelSpec, trial: Trial) -> Float32[Array, "1 component sample"]:
    rate = spec.preparation.sampling_rate
    samples = prepare_record(spec.preparation, trial.samples, trial.present, rate)
    return np.pad(samples, ((0, 0), (0, -samples.shape[1] % CELL)))[None]


def _picked(picker: Model, prepared: Float32[Array, "1 component sample"]) -> Bool[Array, " cell"]:
    """Cells in which P or S is above its threshold."""
    spec = picker.spec
    cells = highest(picker.engine.run(prepared))[0]
    rows = [spec.labels.index(phase.value) for phase in Phase]
    limits = np.array([spec.thresholds[phase.value] for phase in Phase])
    return (cells[rows] >= limits[:, None]).any(axis=0)


def _without_gate(card: str) -> str:
    """A card without the section of a gate that is replaced."""
    before, heading, rest = card.partition(_HEADING)
    return before + "".join(rest.partition("\n## ")[1:]).lstrip("\n") if heading else card


def _section(findings: GateFindings, training: GateTraining, picker_path: Path) -> str:
    windows = training.windows
    command = [f"zilzal train gate --network {picker_path.name}"]
    command += ["--shared ../shared"] if windows.shared else map(str, windows.sets)
    command += [f"--teacher {path.name}" for path in windows.teachers]
    command.append(f"--rounds {training.rounds} --pools {windows.pools} --seed {windows.seed}")
    if training.phase_share != PHASE_SHARE:
        command.append(f"--phase-share {training.phase_share:g}")
    if training.detection_share != DETECTION_SHARE:
        command.append(f"--detection-share {training.detection_share:g}")
    if windows.without:
        command.append(f"--without {','.join(windows.without)}")
    return f"""{_HEADING}A smaller network sees all samples ({findings.parameters:,} parameters,
{findings.multiply_adds / 1e6:.1f} million multiply-adds per 3001 samples); the one above is run
only where the gate finds anything, and its curves are zero elsewhere. The gate learnt the network's
own curves on the training's windows, no labels. It opens where its P or S reaches
{training.phase_share:g} of the network's threshold, or its detection {training.detection_share:g}.
{_measured(findings)}
`picker.gated = false` looks everywhere.

`{" ".join(command)} -o DIR`
"""


def _measured(findings: GateFindings) -> str:
    told: list[str] = []
    if findings.kept is not None:
        told.append(
            f"it lets {findings.kept:.1%} of the {findings.n_picks:,}\npicked cells through"
        )
    if findings.open_noise is not None:
        told.append(f"it is open in {findings.open_noise:.1%} of the noise")
    if not told:
        return "Nobody has measured what it lets through."
    return f"On development records {', and '.join(told)}."
