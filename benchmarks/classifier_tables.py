"""Numbers into the classifiers' cards and page, from results/classifier_skill.json.

    python benchmarks/classifier_tables.py --models out/classifier

copies the models beside their cards and fills the tables between the marks of
docs/explanation/classification.md.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "classifier_skill.json"
NETWORKS = ROOT / "src" / "zilzal" / "classify" / "networks"
PAGE = ROOT / "docs" / "explanation" / "classification.md"
FORESTS = ("random forest", "gradient boosting")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def lecture_table(results: dict[str, Any]) -> str:
    rows = [
        [
            name,
            case["stopped"] if case["stopped"] == "diverged" else case["epochs"],
            share(case["accuracy on the training windows"]),
            *(share(case[key]) for key in ("accuracy", "precision", "recall", "f1")),
            share(case["noise told right, Anza"]),
            share(case["noise told right, elsewhere"]),
        ]
        for name, case in results["lecture"].items()
        if name != "run"
    ]
    head = ["input", "epochs", "accuracy, learnt windows", "accuracy, dev", "precision", "recall"]
    return table([*head, "F1", "Anza's noise told right", "other noise told right"], rows)


def gate_table(results: dict[str, Any]) -> str:
    rows = []
    for kind in ("whole", "shortened"):
        section = results["gate"]["development split"][kind]
        for name in ("zilzal", *FORESTS, "STA/LTA"):
            rows += [
                [f"{kind}, {sets}", name, *scores_of(section[name][sets])]
                for sets in ("labelled sets", "peers' windows")
            ]
    crossed = results["gate"]["crossed folds (new stations and new events)"]
    for name in ("zilzal", *FORESTS):
        scores = crossed[name]["record"] if name == "zilzal" else crossed[name]
        rows.append(["new stations and new events", name, *scores_of(scores)])
    left_out = results["gate"]["one set left out, then the next"]["all"]
    rows.append(["a set not learnt", "zilzal", *scores_of(left_out)])
    head = ["windows", "method", "n", "precision", "recall", "F1 (95 %)", "F1 of noise"]
    return table([*head, "area under ROC", "calibration error"], rows)


def scores_of(scores: dict[str, Any]) -> list[str]:
    low, high = scores["f1 interval"]
    return [
        str(scores["n"]),
        share(scores["precision"]),
        share(scores["recall"]),
        f"{scores['f1']:.3f} ({low:.3f} to {high:.3f})",
        share(scores["f1 of the negative class"]),
        share(scores["area under ROC"]),
        share(scores.get("expected calibration error")),
    ]


def confusion_table(results: dict[str, Any]) -> str:
    scores = results["gate"]["development split"]["whole"]["zilzal"]["labelled sets"]
    (quiet, false), (missed, hit) = scores["confusion (rows truth, columns told; negative first)"]
    return table(
        ["", "told noise", "told event"], [["noise", quiet, false], ["event", missed, hit]]
    )


def alarm_table(results: dict[str, Any]) -> str:
    rows = []
    for station, counts in results["gate"]["quiet archive"].items():
        for key, told in counts.items():
            if key.startswith("told event at"):
                rows.append(
                    [
                        station,
                        key.split()[-1],
                        f"{told['per station-day, clean minutes (false alarms)']:.1f}",
                        f"{told['per station-day, all minutes']:.0f}",
                        share(told["of minutes with consensus picks, share"]),
                    ]
                )
    head = ["station", "threshold", "false alarms per station-day", "minutes told per station-day"]
    return table([*head, "share told of minutes with picks"], rows)


def kinds_table(results: dict[str, Any], names: Sequence[str] = ("montserrat", "esec")) -> str:
    rows = []
    for name in names:
        for who in ("zilzal", *FORESTS):
            section = results["kinds"][name][who]
            rows.append(
                [name, who]
                + [share(section[by][key]) for by in ("record", "event") for key in KEYS]
            )
    head = ["set", "method"]
    head += [f"{key}, per {by}" for by in ("record", "event") for key in KEYS]
    return table(head, rows)


KEYS = ("macro f1", "accuracy", "expected calibration error")


def classes_table(results: dict[str, Any], name: str) -> str:
    section = results["kinds"][name]["zilzal"]
    return table(
        ["class", "F1 per record", "F1 per event"],
        [[c, share(section["record"]["f1"][c]), share(section["event"]["f1"][c])] for c in
         section["classes"]],
    )  # fmt: skip


def unknown_table(results: dict[str, Any]) -> str:
    rows = [
        [name, *(share(value) for value in results["kinds"][name]["unknown below 0.6"].values())]
        for name in ("montserrat", "esec")
    ]
    keys = results["kinds"]["esec"]["unknown below 0.6"]
    return table(["set", *keys], rows)


def samples_table(results: dict[str, Any]) -> str:
    rows = []
    for name, scores in results["samples"].items():
        if isinstance(scores, dict) and "P@0.1" in scores:
            picks = [share(scores[f"{p}@{t}"]["f1"]) for p in "PS" for t in (0.1, 0.5)]
            low, high = scores["detection"]["interval"]
            found = f"{scores['detection']['f1']:.3f} ({low:.3f} to {high:.3f})"
            rows.append([name, *picks, f"{scores['P@0.5']['false per noise hour']:.1f}", found])
    head = ["method", "P, 0.1 s", "P, 0.5 s", "S, 0.1 s", "S, 0.5 s", "false P per noise hour"]
    return table([*head, "samples inside events, F1"], rows)


def monitor_table(results: dict[str, Any]) -> str:
    kinds = ("earthquake", "not reported", "not existing")
    rows = [
        [name, sum(counts.values()), *(counts.get(kind, 0) for kind in kinds)]
        for name, counts in results["monitor"].items()
        if name[0] in "Rq" and isinstance(counts, dict) and name != "run"
    ]
    return table(["put to the gate", "n", *kinds], rows)


CARDS = {
    "noise-event": """# noise-event

Tells noise from earthquakes in a minute of one station's record; gates events in the monitor.
A perceptron of `zilzal.learn`: {layers}. Input: how steeply the power rises in 6 bands from 1 to
15 Hz and in all of them, order statistics above each band's own quiet level, the envelope around
its peak, and where the power lies; no amplitudes, so neither gain nor instrument matter much.

## Data
Train splits of: analysts' and mixed sets ncedc_phasenet, ncedc_deepdenoiser, stead_ta109c, obst,
martinique, uturuncu (machine picks), 14 sets of windows around machine picks. Noise: anza_noise,
noise windows of the sets, 28 s before P of both ncedc sets, clean minutes of the Ridgecrest and
Mesetas archives and of AZ.FRD (every third). Windows at random places, both classes cut short
alike. toc2me (10 s) is not used.

## Skill on development records
Events that were not trained on, of the same sets. STA/LTA at its best threshold; forests on the
same features.

{gate}

Minutes of the quiet Anza archive, one after the other; "false" where no published picker saw
anything. AZ.FRD was trained on.

{alarms}

In the monitor, where several stations are heard and noise needs a probability of 0.95 and three
stations:

{monitor}

Calibrated (temperature, correlation of stations {correlation:.2f}) on folds that share neither
station nor event.

## Limits
- An event in the monitor has been picked at several stations before it comes to the gate: false
  alarms per station-day are of single minutes looked at blindly, not of the monitor.
- At stations that it has not seen it is worse than on the development split: see "new stations".
- Forests on the same features lose less there.
- Sets that were left out as a whole were told worst on Martinique (see the benchmark's results,
  "one set left out").
- Not made for teleseisms (below 1 Hz) and tremor.

## Reproduction
`python -m zilzal.train.classifier noise-event --shared ../shared -o DIR`

Licence of the weights: Apache-2.0.
""",
    "montserrat": """# montserrat

Five classes of Soufriere Hills' seismicity, by station record, fused by event: volcano-tectonic,
hybrid, long-period, rockfall, long-period rockfall. A perceptron of `zilzal.learn`: {layers}.
Input: order statistics of the power in 14 bands from 0.5 to 25 Hz over 80 s, the envelope around
its peak, and where the power lies; free of the gain.

## Data
event_types/montserrat: 1,551 records of 335 events, 1996 to 2001, classes by the observatory's
analysts. All of it was trained on; skill is by cross-validation over groups of events (5 folds).

## Skill
{kinds}

{classes}

Calibration (temperature, correlation of stations {correlation:.2f}) is fitted on the same folds.

## Limits
- Made for this volcano and its network. Swarm events resemble one another: expect less in a new
  phase of an eruption, and do not use it elsewhere without training it there.
- It tells kinds of events only: put `noise-event` before it.

## Reproduction
`python -m zilzal.train.classifier montserrat --shared ../shared -o DIR`

Licence of the weights: Apache-2.0.
""",
    "esec": """# esec

Landslides and avalanches by kind: rock avalanche or slide, rockfall, debris flow or lahar, snow
avalanche. A perceptron of `zilzal.learn`: {layers}. Input: order statistics of the power in 12
bands from 0.2 to 9 Hz over 150 s, the envelope around its peak, and where the power lies.

## Data
event_types/esec: 544 records of 125 events of the Exotic Seismic Events Catalog. All of it was
trained on; skill is by cross-validation over events (5 folds).

## Skill
{kinds}

{classes}

Calibration (temperature, correlation of stations {correlation:.2f}) is fitted on the same folds.

## Limits
- Weak: it is right in about half of the records. In many the signal cannot be seen. Use it as a
  hint, with the threshold of `kind_probability`.
- 40 snow avalanches are too few to learn that class.
- It knows no earthquakes: it must not be asked about them.

## Reproduction
`python -m zilzal.train.classifier esec --shared ../shared -o DIR`

Licence of the weights: Apache-2.0.
""",
}


def write_card(name: str, results: dict[str, Any], model: Path) -> None:
    from zilzal.classify.model import read_class_model

    shutil.copyfile(model, NETWORKS / f"{name}.npz")
    told = read_class_model(model)
    widths = [layer.inputs for layer in told.network.network.dense] + [told.network.network.outputs]
    values = {
        "layers": "-".join(map(str, widths)),
        "correlation": told.correlation,
        "gate": gate_table(results) if name == "noise-event" else "",
        "alarms": alarm_table(results) if name == "noise-event" else "",
        "monitor": monitor_table(results) if name == "noise-event" else "",
        "kinds": "" if name == "noise-event" else kinds_table(results, [name]),
        "classes": "" if name == "noise-event" else classes_table(results, name),
    }
    (NETWORKS / f"{name}.md").write_text(CARDS[name].format(**values), encoding="utf-8")


def fill_page(results: dict[str, Any]) -> None:
    """Each `<!-- table: name -->` is followed by its table, to the next empty line."""
    makers = {
        "lecture": lecture_table, "gate": gate_table, "confusion": confusion_table,
        "alarms": alarm_table, "kinds": kinds_table, "unknown": unknown_table,
        "samples": samples_table, "monitor": monitor_table,
    }  # fmt: skip
    text = PAGE.read_text(encoding="utf-8")
    for name, make in makers.items():
        mark = f"<!-- table: {name} -->\n"
        made = mark + make(results) + "\n"
        text = re.sub(re.escape(mark) + r"(?:\|.*\n)*", lambda _, made=made: made, text)
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=Path("out/classifier"))
    options = parser.parse_args()
    results = json.loads(RESULT.read_text())
    files = {"noise-event": "noise-event-train.npz"}
    for name in CARDS:
        write_card(name, results, options.models / files.get(name, f"{name}.npz"))
    fill_page(results)


if __name__ == "__main__":
    main()
