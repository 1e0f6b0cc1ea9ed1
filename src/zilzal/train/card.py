"""The card of a trained picker: what it learnt from, how good it is, how to make it again."""

from __future__ import annotations

from dataclasses import fields

from zilzal.core.pick import Phase
from zilzal.train.findings import Findings
from zilzal.train.options import PickerTraining
from zilzal.train.shared import ARCHIVES
from zilzal.train.start import read_start
from zilzal.train.training import TrainedPicker

TRAINING_DATA = (
    "Train splits of: ncedc_phasenet, ncedc_deepdenoiser, stead_ta109c (analysts' labels); obst, "
    "martinique, toc2me (labels of undocumented or mixed origin); uturuncu (automatic labels, "
    "replaced by the consensus of published pickers where there is one); 14 sets of event windows "
    f"and the archives {', '.join(ARCHIVES)} (machine labels: consensus of at least 3 of 6 "
    "families of published pickers, weighted by their number); anza_noise and clean spans "
    "(noise). Mixed at random: superposed, re-noised, stretched, filtered, faulted. Partly "
    "synthetic noise, no synthetic events."
)


def data_in_words(training: PickerTraining) -> str:
    """What was learnt from, in words."""
    told = TRAINING_DATA if training.shared else ""
    if training.sets:
        told += f" Train splits of {', '.join(folder.name for folder in training.sets)}."
    if training.teachers:
        names = ", ".join(path.stem for path in training.teachers)
        told += (
            f" Taught by the curves of {names} on the same windows: on outputs that are not "
            "exported, and in place of labels where there are none."
        )
    told = told.strip()
    if training.without:
        told += f" Left out: {', '.join(training.without)}."
    if training.start is None:
        return told
    start = read_start(training.start)
    return (
        f"Began from {start}, of whose weights {training.keep:.0%} are kept, and which had learnt "
        f"from: {start.spec.training_data} Then: {told}"
    )


def _commands(trained: TrainedPicker) -> str:
    """What makes the network again: one command, or one for each member and one for them all."""
    if not trained.members:
        return _command(trained.training)
    folders = [f"DIR_{number}" for number in range(1, len(trained.members) + 1)]
    lines = [_command(*each) for each in zip(trained.members, folders, strict=True)]
    last = f"zilzal train ensemble {' '.join(folders)}"
    if (allowed := trained.training.false_per_hour) != trained.members[0].false_per_hour:
        last += f" --false-per-hour {allowed:g}"
    return "\n".join(f"- {line}" for line in (*lines, f"`{last} -o DIR`"))


def _command(training: PickerTraining, folder: str = "DIR") -> str:
    """The command that trains a network again; what is not named has its default."""
    parts = ["zilzal train picker"]
    parts += ["--shared ../shared"] if training.shared else map(str, training.sets)
    if training.start is not None:
        parts.append(f"--from {training.start.name} --keep {training.keep:g}")
    parts += [f"--teacher {path.name}" for path in training.teachers]
    if training.network is not None:
        parts.append(f"--widths {','.join(map(str, training.network.widths))}")
    usual = {each.name: each.default for each in fields(training)}
    parts += [
        f"--{name.replace('_', '-')} {value:g}"
        for name in ("rounds", "pools", "windows", "batch", "rate", "seed")
        if (value := getattr(training, name)) != usual[name] or name in ("rounds", "seed")
    ]
    if training.device != "cpu":
        parts.append(f"--device {training.device}")
    if training.without:
        parts.append(f"--without {','.join(training.without)}")
    made = ", teachers made by `zilzal models import`." if training.teachers else ""
    return f"`{' '.join(parts)} -o {folder}`{made}"


def write_card(
    trained: TrainedPicker,
    findings: Findings,
    *,
    name: str,
    shifts: int,
    licence: str,
) -> str:
    """The model card in Markdown, every number from what was measured or the network itself.

    Args:
        trained: the network and its training.
        findings: on development records.
        name: of the network, with its version.
        shifts: windows of each record in `findings`.
        licence: of the weights.
    """
    f1, training = findings.four_f1, trained.training
    return f"""# {name}

P, S and detection curves at 100 Hz from three components of one sensor. {_architecture(trained)}
Input: causal high-pass, division by the running level of each component, asinh. It takes windows
of any length that is a multiple of 32 samples; an output depends on the 29.8 s before and the
5.5 s after it.

## Data
{data_in_words(training)}

Labels: Gaussians of 0.1 s at P and S; detection from P until the coda has sunk to twice the noise
before P (root mean square of each second above 2 Hz), at most 60 s.

## Skill on development records
Events that were not trained on, of the same networks as the training: a window of 60 s of each
record, shifted at random ({shifts} shifts). Strict counts.

| phase | F1 at 0.1 s | F1 at 0.5 s | threshold | picks per station-day of noise | \
within uncertainty | calibration error |
|---|---|---|---|---|---|---|
{_skill_rows(findings)}

Mean of the four F1: {f1["mean"]:.3f}. "Within uncertainty" is a share of the residuals; 0.68 is
wanted. {_thresholds(training, findings)}

## Limits
- Regions and instruments unlike the training's score lower; `docs/reference/picker-model-card.md`
  tells what was found with sets held out.
- Made for local and regional earthquakes. Teleseisms, tremor and rockfalls were not labelled.
- Of two events within about a second only one is picked.
- Most labels are machine-made, by pickers whose habits (clear onsets first) it has learnt.
{_forgotten(training)}
## Reproduction
{_commands(trained)}

Licence of the weights: {licence}.
"""


def _architecture(trained: TrainedPicker) -> str:
    """What the network is made of and what it costs."""
    from zilzal.models.ensemble import Ensemble, members_of
    from zilzal.models.strided_unet import multiply_adds

    million = multiply_adds(trained.network.eval()) / 1e6
    cost = f"{million:.1f} million multiply-adds per 3001 samples; PhaseNet 19.5"
    parameters = [
        f"{sum(p.numel() for p in member.parameters()):,} parameters"
        for member in members_of(trained.network)
    ]
    if not isinstance(trained.shape, Ensemble):
        return (
            "A U-Net that works at a\nquarter of the sampling rate and below "
            f"({parameters[0]},\n{cost})."
        )
    members = "\n".join(
        f"- channels {', '.join(map(str, shape.widths))}: {its}"
        for shape, its in zip(trained.shape.members, parameters, strict=True)
    )
    alike = ", trained alike" if trained.members else ""
    return (
        f"The mean of the\nlogits of {len(parameters)} U-Nets that work at a quarter of the "
        f"sampling rate and below{alike}\n({cost}):\n\n{members}\n"
    )


def _thresholds(training: PickerTraining, findings: Findings) -> str:
    if findings.are_kept:
        return "Thresholds: those of the network before; there was too little noise for others."
    return (
        "Thresholds: lowest with an F1 at 0.2 s within 0.005 of the best one that lets at most\n"
        f"{24 * training.false_per_hour:.0f} false picks a station-day through."
    )


def _forgotten(training: PickerTraining) -> str:
    if training.start is None:
        return ""
    return (
        f"- Of what {training.start.stem} knew of other regions some may be forgotten; the tables "
        "above say nothing of that.\n"
    )


def _skill_rows(findings: Findings) -> str:
    f1 = findings.four_f1
    return "\n".join(
        f"| {phase} | {f1[f'{phase}@0.1']:.3f} | {f1[f'{phase}@0.5']:.3f} | "
        f"{findings.thresholds[phase]:.2f} | {24 * f1[f'{phase} per noise hour']:.0f} | "
        f"{findings.within[phase]:.2f} | {findings.calibration_error[phase]:.3f} |"
        for phase in (phase.value for phase in Phase)
    )
