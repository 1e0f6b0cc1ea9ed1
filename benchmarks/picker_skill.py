"""Skill of a picking network on the development records, beside published pickers.

    python benchmarks/picker_skill.py --shared ../shared -o benchmarks/results/picker_skill.json

With `--fold PATH=A,B --fold OTHER=C,D` each record is picked by a network that was trained without
its set: a cross-validation by sets, on all their records.

The windows are those on which the peers' picks were made (`peers/picks/windows_used.csv`): 60 s,
shifted at random, zero beyond the record. All is done by what `zilzal evaluate picks` does.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from zilzal.core.pick import Phase
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.report import Judging, PhaseScore
from zilzal.io.table_file import read_table
from zilzal.train.candidates import Candidate, find_candidates
from zilzal.train.comparing import Outcome, PickerReport, compare
from zilzal.train.contest import Contest, pick_windows
from zilzal.train.pick_lists import PickList
from zilzal.train.pick_results import plain
from zilzal.train.protocol import Protocol
from zilzal.train.window_table import read_windows

PEERS = (
    "phasenet_original", "seist_l", "seist_s", "pickerxl", "eqt_original_conservative", "eqcct",
    "pnsn", "stalta_aic",
)  # fmt: skip
FAMILIES = 2.0
"""Of six, that must agree on a pick of the consensus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A network, and the sets that it was trained without."""

    model: str
    sets: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Fold:
        """From PATH=SET,SET."""
        model, _, sets = text.rpartition("=")
        return cls(model=model, sets=tuple(sets.split(",")))


def contest_of(
    shared: Path,
    models: Sequence[str],
    split: str,
    sets: Sequence[str],
    own: Sequence[PickList] = (),
) -> Contest:
    """Networks and the peers, on the windows that the peers were scored on."""
    table = read_windows(shared / "peers/picks/windows_used.csv")
    asked = [
        shared / "data/picks" / name
        for name, rows in table.items()
        if (not sets or name in sets) and any(split in (row.split, "all") for row in rows)
    ]
    lists = [
        PickList(
            name=peer, path=shared / "peers/picks", thresholds=default_thresholds(shared, peer)
        )
        for peer in PEERS
    ]
    vote = PickList(
        name="consensus", path=shared / "peers/picks", thresholds=dict.fromkeys(Phase, FAMILIES)
    )
    return Contest(
        paths=asked,
        protocol=Protocol(split=split, table=table),
        candidates=find_candidates([f"zilzal={model}" for model in models]),
        lists=[*own, *lists, vote],
        judging=Judging(resampling=Resampling(n_draws=400)),
    )


def list_of(folds: Sequence[Fold], shared: Path, split: str, folder: Path) -> PickList:
    """What the network of each fold picks on the sets that it has not seen."""
    for fold in folds:
        contest = contest_of(shared, [fold.model], split, fold.sets)
        picked = pick_windows(replace(contest, lists=()), contest.paths, contest.protocol)
        own = contest.candidates[0]
        rows = [
            (*picked.cases[row["window"]].key, row["phase"], row["time_s"] * 100, row["output"],
             row["uncertainty_s"])
            for row in picked.answers[own.name].picks
            if row["output"] >= own.thresholds[Phase(row["phase"])]
        ]  # fmt: skip
        for name in fold.sets:
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(("set", "trace_name", "shift", "phase", "window_sample", "score",
                                "uncertainty_s"))  # fmt: skip
                table.writerows(row for row in rows if row[0] == name)
    return PickList(name="zilzal", path=folder, thresholds={})


def default_thresholds(shared: Path, peer: str) -> dict[Phase, float]:
    """The thresholds that a peer was published with; none where they are in its list already."""
    return {
        Phase(line.text("phase")): line.real("threshold")
        for line in read_table(shared / "peers/scores.csv", ("peer", "phase", "threshold"))
        if line.text("peer") == peer and line.text("threshold_kind") == "default"
    }


def skill(report: PickerReport) -> dict[str, dict[str, object]]:
    """All sets pooled, and each alone."""
    names = list(dict.fromkeys(name for of in report.phases.values() for name in of.sets))
    pooled = {phase: of.pooled for phase, of in report.phases.items()}
    return {"pooled": both_phases(pooled)} | {
        name: both_phases({p: of.sets[name] for p, of in report.phases.items() if name in of.sets})
        for name in names
    }


def both_phases(scores: dict[Phase, PhaseScore]) -> dict[str, object]:
    """F1 of P and S at each tolerance, and what goes with it."""
    told: dict[str, object] = {}
    four: list[float] = []
    for phase, of_phase in scores.items():
        for tolerance_s, score in of_phase.by_tolerance.items():
            if score.n_labels:
                told[f"{phase}@{tolerance_s}"] = {
                    "n_labels": score.n_labels,
                    "f1": asdict(score.f1),
                    "precision": score.precision.value,
                    "recall": score.recall.value,
                    "median_s": score.residuals.median_s.value,
                    "mean_absolute_s": score.residuals.mean_absolute_s,
                }
                four += [score.f1.value] if tolerance_s in (0.1, 0.5) else []
            if np.isfinite(score.false_per_noise_hour):
                told[f"{phase} per noise hour"] = score.false_per_noise_hour
    if len(four) == 4:
        told["mean of four f1"] = float(np.mean(four))
    return told


def tell(table: dict[str, dict[str, dict]]) -> None:
    for name, scores in table.items():
        pooled = scores["pooled"]
        four = [pooled[key]["f1"]["value"] for p in "PS" for t in (0.1, 0.5)
                if (key := f"{p}@{t}") in pooled]  # fmt: skip
        noise = [pooled.get(f"{p} per noise hour", np.nan) for p in "PS"]
        print(f"{name:28}", *(f"{x:.3f}" for x in four), f"mean {np.mean(four):.3f}",
              "noise", *(f"{x:.1f}" for x in noise))  # fmt: skip


def result_of(
    outcome: Outcome, contest: Contest, sets: Sequence[str], models: Sequence[Candidate]
) -> dict[str, object]:
    return {
        "split": contest.protocol.split,
        "sets": sets or "all",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "models": [
            {
                "sha256": own.about["sha256"],
                "version": own.about["version"],
                "commit": own.about["commit"],
                "training_data": own.about["training_data"],
                "thresholds": {phase.value: value for phase, value in own.thresholds.items()},
            }
            for own in models
        ],
        "protocol": "peers/picks/windows_used.csv, strict counts, peers at default thresholds",
        "n_windows": len(outcome.picked.cases),
        "skill": {report.name: skill(report) for report in outcome.reports},
        "zilzal minus others": plain(outcome.differences),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--model", default="zilzal", help="packaged name or path")
    parser.add_argument("--split", default="dev", choices=["train", "dev", "all"])
    parser.add_argument("--sets", default="", help="joined by commas; all where empty")
    parser.add_argument("--fold", action="append", type=Fold.parse, default=[], help="PATH=SET,SET")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    sets = [name for name in arguments.sets.split(",") if name]
    folds, split, shared = arguments.fold, arguments.split, arguments.shared
    with tempfile.TemporaryDirectory() as folder:
        if folds:
            split, sets = "all", sorted(name for fold in folds for name in fold.sets)
            own = list_of(folds, shared, split, Path(folder))
            contest = contest_of(shared, [], split, sets, [own])
            models = [find_candidates([f"zilzal={fold.model}"])[0] for fold in folds]
        else:
            contest = contest_of(shared, [arguments.model], split, sets)
            models = list(contest.candidates)
        result = result_of(compare(contest), contest, sets, models)
    tell(result["skill"])
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
