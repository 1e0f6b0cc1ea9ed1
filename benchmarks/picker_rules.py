"""The picking network trained by AdamW and by the lecture's own rules, on the same windows.

    python benchmarks/picker_rules.py --shared ../shared --bank BANK [--rounds 24]

BANK is a folder of drawn windows (`zilzal train picker --bank`). All trainings begin with the same
weights and see the same crops in the same order; only rule and rate differ. The rates were chosen
among a third, one and three times a usual one, by the loss after four rounds. Writes
benchmarks/results/picker_rules.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import zilzal
from zilzal.train.options import PickerTraining
from zilzal.train.training import train_picker

RESULTS = Path(__file__).parent / "results" / "picker_rules.json"
USUAL_RATE = {
    "adamw": 3e-3,
    "adam": 3e-3,
    "rmsprop": 1e-3,
    "momentum": 0.03,
    "nesterov": 0.03,
    "jacobs": 0.01,
    "delta_bar_delta": 0.01,
    "gradient_descent": 0.1,
}
FACTORS = (1 / 3, 1.0, 3.0)


def options(arguments: argparse.Namespace, rule: str, rate: float, rounds: int) -> PickerTraining:
    drawn = json.loads((arguments.bank / "drawing.json").read_text(encoding="utf-8"))
    return PickerTraining(
        shared=arguments.shared,
        output=Path(tempfile.mkdtemp()),
        bank=arguments.bank,
        teachers=tuple(arguments.teachers / name for name in drawn["teachers"]),
        rule=rule,
        rate=rate,
        rounds=rounds,
        memory=min(12.0, rounds / 4),
        test_every=rounds,
    )


def best_rate(arguments: argparse.Namespace, rule: str) -> tuple[float, dict[str, float]]:
    """The rate with the least loss in the last of four rounds, and all losses."""
    losses = {}
    for factor in FACTORS:
        rate = USUAL_RATE[rule] * factor
        history = train_picker(options(arguments, rule, rate, 4)).history
        losses[rate] = history[-1]["loss"]
        print(f"{rule} {rate:.2g}: loss {losses[rate]:.3f} after four rounds", flush=True)
    return min(losses, key=losses.__getitem__), {f"{k:.3g}": v for k, v in losses.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, default=Path(), help="folder of their files")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--rules", default=",".join(USUAL_RATE))
    arguments = parser.parse_args()
    rows = {}
    for rule in arguments.rules.split(","):
        rate, tried = best_rate(arguments, rule)
        history = train_picker(options(arguments, rule, rate, arguments.rounds)).history
        last = history[-1]
        rows[rule] = {
            "rate": rate,
            "tried": tried,
            "losses": [entry["loss"] for entry in history],
            "seconds_per_round": sum(entry["seconds"] for entry in history) / len(history),
            "development": {
                k: v for k, v in last.items() if "@" in k or "noise" in k or k == "mean"
            },
        }
        print(f"{rule}: loss {last['loss']:.3f}, mean F1 {last['mean']:.3f}", flush=True)
        RESULTS.write_text(
            json.dumps(
                {"version": zilzal.__version__, "rounds": arguments.rounds, "rules": rows}, indent=1
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
