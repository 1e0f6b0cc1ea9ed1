"""Skill of a picking network on the development records, beside published pickers.

    python benchmarks/picker_skill.py --shared ../shared -o benchmarks/results/picker_skill.json

With `--model PATH --split all --sets A,B` for a network that was trained without the sets A and B.

The windows are those on which the peers' picks were made (`peers/picks/windows_used.csv`): 60 s,
shifted at random, zero beyond the record. The network runs as in operation: `NeuralPicker` on
the grid anchored at the epoch, each window at a random time. Scoring is `zilzal.evaluate`'s.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Window
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.picks import Onsets, PickTolerance, score_picks
from zilzal.infer.engine import load_model
from zilzal.infer.packaged import find_model
from zilzal.pick.neural import NeuralPicker
from zilzal.train.augment import Cut
from zilzal.train.dataset import read_metadata, read_waveforms, resampled
from zilzal.train.mixture import tapered
from zilzal.train.skill import Trial, arranged, onsets_of

LENGTH, RATE_HZ = 6000, 100.0
TOLERANCES_S = (0.1, 0.2, 0.5)
PEERS = (
    "phasenet_original", "seist_l", "seist_s", "pickerxl", "eqt_original_conservative", "eqcct",
    "pnsn", "stalta_aic",
)  # fmt: skip


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_trials(shared: Path, split: str, sets: Sequence[str] = ()) -> list[Trial]:
    """The windows that the peers were scored on, of one split or "all", of some sets or of all."""
    rows = [
        row
        for row in read_rows(shared / "peers/picks/windows_used.csv")
        if split in (row["split"], "all") and (not sets or row["set"] in sets)
    ]
    return [
        trial
        for name in dict.fromkeys(row["set"] for row in rows)
        for trial in read_set(shared / "data/picks" / name, [r for r in rows if r["set"] == name])
    ]


def read_set(folder: Path, rows: Sequence[dict[str, str]]) -> list[Trial]:
    wanted = {row["trace_name"]: row for row in rows}
    lines = [line for line in read_metadata(folder) if line.text("trace_name") in wanted]
    trials = []
    for line, samples in read_waveforms(folder, lines):
        row = wanted[line.text("trace_name")]
        rate = float(line.text("trace_sampling_rate_hz"))
        centred = samples - samples.mean(1, keepdims=True)
        live = live_part(resampled(centred, rate, RATE_HZ), int(row["window_start_sample_100hz"]))
        trials.append(
            Trial(
                name=row["trace_name"],
                source=folder.name,
                event=line.text("source_id", row["trace_name"]),
                samples=live,
                present=np.ones(live.shape, bool),
                truth={phase: label_of(row, phase) for phase in Phase},
                live=(int(row["live_first_sample"]), int(row["live_last_sample"])),
                is_noise=row["category"] == "noise",
            )
        )
    return trials


def live_part(samples: np.ndarray, start: int) -> np.ndarray:
    """The window from a sample on: mean of the live part removed, its ends at padding tapered."""
    window = np.zeros((3, LENGTH), np.float32)
    first, last = max(0, start), min(samples.shape[1], start + LENGTH)
    live = samples[:, first:last]
    window[:, first - start : last - start] = live - live.mean(1, keepdims=True)
    present = np.zeros(window.shape, bool)
    present[:, first - start : last - start] = True
    return tapered(Cut(samples=window, present=present)).samples


def label_of(row: dict[str, str], phase: Phase) -> tuple[float, ...] | None:
    text = row[f"{phase.lower()}_sample"]
    return (float(text),) if text and 0 <= float(text) < LENGTH else None


def own_picks(model: str, trials: Sequence[Trial], *, lowest: float) -> dict[Phase, Onsets]:
    """Picks of our network, with the network's own output as their probability."""
    rng = np.random.default_rng(0)
    picker = NeuralPicker(
        model=model, thresholds={"P": lowest, "S": lowest}, with_probabilities=True
    )
    rows: dict[Phase, list[tuple[int, float, float]]] = {phase: [] for phase in Phase}
    for number, trial in enumerate(trials):
        start = Time(int(rng.integers(15 * 10**10)) * (NS_PER_S // 100))
        window = Window(
            sensor_id=SensorId("XX", "A", "", "HH"), start=start, sampling_rate=RATE_HZ,
            samples=trial.samples, present=trial.present,
        )  # fmt: skip
        state, begun = picker.step(picker.start(), [window])
        rest = picker.finish(state)
        curves = (*begun.probabilities, *rest.probabilities)
        for pick in (*begun.picks, *rest.picks):
            rows[pick.phase].append((number, pick.time - start, height(pick, curves)))
    return {phase: onsets_of(found) for phase, found in rows.items()}


def height(pick, curves) -> float:
    """The network's output at a pick: thresholds are on it, not on the calibrated probability."""
    for curve in curves:
        at = round((pick.time - curve.start) * curve.sampling_rate)
        row = curve.labels.index(pick.phase.value)
        if 0 <= at < curve.values.shape[1]:
            return float(np.nanmax(curve.values[row, max(0, at - 1) : at + 2]))
    raise ValueError(f"no curve holds the pick at {pick.time}")


def peer_picks(shared: Path, peer: str, trials: Sequence[Trial]) -> dict[Phase, Onsets]:
    """A peer's picks at its default threshold; "consensus" is the vote of 2 of 6 families."""
    number = {(trial.source, trial.name): k for k, trial in enumerate(trials)}
    default = {
        (row["set"], row["phase"]): float(row["threshold"] or 0)
        for row in read_rows(shared / "peers/scores.csv")
        if row["peer"] == peer and row["threshold_kind"] in ("default", "as_shipped")
    }
    rows: dict[Phase, list[tuple[int, float, float]]] = {phase: [] for phase in Phase}
    for source in dict.fromkeys(trial.source for trial in trials):
        for row in read_rows(shared / f"peers/picks/{source}__{peer}.csv"):
            k = number.get((source, row["trace_name"]))
            score = float(row.get("score") or row.get("probability") or 1)
            if k is None or int(row.get("n_families") or 2) < 2:
                continue
            if score >= default.get((source, row["phase"]), threshold_elsewhere(default, row)):
                rows[Phase(row["phase"])].append((k, float(row["window_sample"]) / RATE_HZ, score))
    return {phase: onsets_of(found) for phase, found in rows.items()}


def threshold_elsewhere(default: dict[tuple[str, str], float], row: dict[str, str]) -> float:
    """A peer's threshold on sets without a score of the phase is that of the others."""
    return max((t for (_, phase), t in default.items() if phase == row["phase"]), default=0.0)


def skill(trials: Sequence[Trial], picks: dict[Phase, Onsets]) -> dict[str, object]:
    """All sets pooled, and each alone."""
    sources = list(dict.fromkeys(trial.source for trial in trials))
    return {"pooled": both_phases(trials, picks)} | {
        source: both_phases(*chosen(trials, picks, source)) for source in sources
    }


def chosen(trials: Sequence[Trial], picks: dict[Phase, Onsets], source: str):
    of_set = [k for k, trial in enumerate(trials) if trial.source == source]
    place = {k: n for n, k in enumerate(of_set)}
    kept = {
        phase: onsets_of(
            [
                (place[int(k)], t, p)
                for k, t, p in zip(found.record, found.time_s, found.probability, strict=True)
                if int(k) in place
            ]
        )
        for phase, found in picks.items()
    }
    return [trials[k] for k in of_set], kept


def both_phases(trials: Sequence[Trial], picks: dict[Phase, Onsets]) -> dict[str, object]:
    result: dict[str, object] = {}
    four = []
    for phase in Phase:
        records, labels, found = arranged(trials, picks[phase], phase)
        for tolerance_s in TOLERANCES_S if len(records.group) else ():
            score = score_picks(
                records, labels, found, np.random.default_rng(0),
                tolerance=PickTolerance(tolerance_s=tolerance_s),
                resampling=Resampling(n_draws=400),
            )  # fmt: skip
            if score.n_labels:
                result[f"{phase}@{tolerance_s}"] = {
                    "n_labels": score.n_labels,
                    "f1": asdict(score.f1),
                    "precision": score.precision.value,
                    "recall": score.recall.value,
                    "median_s": score.residuals.median_s.value,
                    "mean_absolute_s": score.residuals.mean_absolute_s,
                }
                four += [score.f1.value] if tolerance_s in (0.1, 0.5) else []
            if np.isfinite(score.false_per_noise_hour):
                result[f"{phase} per noise hour"] = score.false_per_noise_hour
    if len(four) == 4:
        result["mean of four f1"] = float(np.mean(four))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--model", default="zilzal", help="packaged name or path")
    parser.add_argument("--split", default="dev", choices=["train", "dev", "all"])
    parser.add_argument("--sets", default="", help="joined by commas; all where empty")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    model = load_model(find_model(arguments.model))
    sets = [name for name in arguments.sets.split(",") if name]
    trials = read_trials(arguments.shared, arguments.split, sets)
    picks = own_picks(arguments.model, trials, lowest=0.05)
    at_default = {
        phase: found.where(found.probability >= model.spec.thresholds[phase.value])
        for phase, found in picks.items()
    }
    table = {"zilzal": skill(trials, at_default)}
    for peer in (*PEERS, "consensus"):
        table[peer] = skill(trials, peer_picks(arguments.shared, peer, trials))
    for name, scores in table.items():
        pooled = scores["pooled"]
        four = [pooled[f"{p}@{t}"]["f1"]["value"] for p in "PS" for t in (0.1, 0.5)]
        noise = [pooled.get(f"{p} per noise hour", np.nan) for p in "PS"]
        print(f"{name:28}", *(f"{x:.3f}" for x in four), f"mean {np.mean(four):.3f}",
              "noise", *(f"{x:.1f}" for x in noise))  # fmt: skip
    if arguments.output:
        result = {
            "split": arguments.split,
            "sets": sets or "all",
            "training_data": model.spec.training_data,
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "model": {
                "sha256": model.sha256, "version": model.spec.version,
                "commit": model.spec.commit, "thresholds": dict(model.spec.thresholds),
            },
            "protocol": "peers/picks/windows_used.csv, strict counts, peers at default thresholds",
            "n_windows": len(trials),
            "skill": table,
        }  # fmt: skip
        arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
