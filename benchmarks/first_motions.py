"""First motions by the rule and by the network, at the picks of the picking network.

    python benchmarks/first_motions.py --shared ../shared
    python benchmarks/first_motions.py --tables

The second writes the tables of docs/explanation/first-motions.md anew from the results.

Two questions. How often is each right where an analyst read the first motion (toc2me, of which
nothing was learnt)? And how often where the motion is known because the onset is clear, once real
noise is added (development records; analysts' again)? The records are picked as in operation, and
both read the same picks: those within 0.5 s of the onset.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from zilzal.core.arrays import Array
from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase, Pick, Polarity
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.evaluate.interval import wilson
from zilzal.pick.motion import RULE
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.onset import rms
from zilzal.train.clear_motions import clear_motions, filtered
from zilzal.train.dataset import Record, read_seisbench
from zilzal.train.mixture import quiet_spans
from zilzal.train.motions import with_first_motions

SNRS = (20.0, 10.0, 6.0, 4.0, 2.5, 1.6)
DRAWS = 2
LEAD, LENGTH = 1500, 2100
BINS = (0.0, 1.6, 2.5, 4.0, 6.3, 10.0, 16.0, np.inf)
ANALYSTS = "toc2me"
RESULT = Path(__file__).parent / "results/first_motions.json"
PAGE = Path(__file__).parents[1] / "docs/explanation/first-motions.md"
UP_DOWN = (Polarity.POSITIVE, Polarity.NEGATIVE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A window to pick, the onset in it, and the true first motion."""

    samples: Array
    present: Array
    sampling_rate: float
    onset_s: float
    truth: Polarity


def of_record(record: Record, at: float, truth: Polarity) -> Case:
    """A window around an onset."""
    rate = record.sampling_rate
    first = max(0, round(at - LEAD * rate / 100))
    end = first + round(LENGTH * rate / 100)
    return Case(
        samples=record.samples[:, first:end],
        present=record.present[:, first:end],
        sampling_rate=rate,
        onset_s=(at - first) / rate,
        truth=truth,
    )


def known_by_rule(shared: Path) -> list[Case]:
    """Clear onsets of the development records."""
    folders = sorted((shared / "data/picks").iterdir()) + sorted(
        (shared / "peers/windows").iterdir()
    )
    return [
        of_record(record, motion.at, UP_DOWN[not motion.is_up])
        for folder in folders
        if folder.name != ANALYSTS
        for record in map(with_first_motions, read_seisbench(folder, splits=("dev",)))
        for motion in clear_motions([record])
    ]


def known_by_analysts(shared: Path, sampling_rate: float) -> list[Case]:
    """All that analysts read."""
    records = read_seisbench(
        shared / "data/picks" / ANALYSTS, sampling_rate=sampling_rate, splits=("train", "dev")
    )
    return [
        of_record(record, onset.sample, onset.polarity)
        for record in records
        for onset in record.onsets
        if onset.phase is Phase.P and onset.polarity is not None and onset.polarity in UP_DOWN
    ]


def noises_of(shared: Path) -> list[Array]:
    """Quiet spans of the development records, three components."""
    found: list[Array] = []
    for name in ("anza_noise", "ncedc_phasenet", "obst"):
        for record in read_seisbench(shared / "data/picks" / name, splits=("dev",)):
            for first, last in quiet_spans(record):
                if last - first >= LENGTH and record.present[:, first:last].all():
                    found.append(record.samples[:, first : first + LENGTH])
    return found


def under_noise(
    cases: Sequence[Case], noises: Sequence[Array], rng: np.random.Generator
) -> Iterator[Case]:
    """Each case as recorded and with noise at several levels, at random either way up."""
    for case in cases:
        yield case
        at = round(case.onset_s * case.sampling_rate)
        level = rms(filtered(case.samples[0])[at : at + 100])
        for snr in SNRS * DRAWS:
            noise = noises[int(rng.integers(len(noises)))][:, : case.samples.shape[1]]
            gain = level / rms(filtered(noise[0])[300:]) / snr
            sign = 1 if rng.random() < 0.5 else -1
            yield replace(
                case,
                samples=(sign * case.samples + gain * noise).astype(np.float32) * case.present,
                truth=case.truth if sign > 0 else UP_DOWN[1 - UP_DOWN.index(case.truth)],
            )


def pick_all(picker: NeuralPicker, cases: Sequence[Case]) -> list[Pick | None]:
    """The P nearest to each onset, within 0.5 s."""
    windows = [
        Window(
            sensor_id=SensorId("XX", f"W{number}", "", "HH"), start=Time(0),
            sampling_rate=case.sampling_rate, samples=case.samples, present=case.present,
        )
        for number, case in enumerate(cases)
    ]  # fmt: skip
    picks: dict[SensorId, list[Pick]] = defaultdict(list)
    for start in range(0, len(windows), 64):
        some = windows[start : start + 64]
        state, begun = picker.step(picker.start(), some)
        for pick in (*begun.picks, *picker.finish(state).picks):
            if pick.phase is Phase.P:
                picks[pick.channel_id.sensor_id].append(pick)
    return [
        min(
            (p for p in picks[w.sensor_id] if abs(p.time - w.start - case.onset_s) <= 0.5),
            key=lambda pick: abs(pick.time - w.start - case.onset_s),
            default=None,
        )
        for w, case in zip(windows, cases, strict=True)
    ]


def shares(said: Sequence[tuple[Polarity | None, Polarity]]) -> dict[str, Any]:
    """How many are decided, and how many of these are right, with 95 % intervals."""
    decided = [told is truth for told, truth in said if told in UP_DOWN]
    share, right = wilson(len(decided), len(said)), wilson(sum(decided), len(decided))
    return {
        "picks": len(said),
        "decided": [round(x, 3) for x in (share.value, share.low, share.high)],
        "right": [round(x, 3) for x in (right.value, right.low, right.high)],
    }


def judge(cases: Sequence[Case], pickers: dict[str, NeuralPicker]) -> dict[str, Any]:
    """Each reader's shares, over all picks and by their signal to noise ratio."""
    told: dict[str, Any] = {"onsets": len(cases)}
    for name, picker in pickers.items():
        found = pick_all(picker, cases)
        pairs = [(p, c.truth) for p, c in zip(found, cases, strict=True) if p is not None]
        told[name] = {"all": shares([(pick.polarity, truth) for pick, truth in pairs])}
        for low, high in pairwise(BINS):
            of_bin = [(p.polarity, truth) for p, truth in pairs if low <= (p.snr or 0) < high]
            if len(of_bin) >= 20:
                told[name][f"snr {low:g} to {high:g}"] = shares(of_bin)
    return told


def interval(told: dict[str, Any], key: str) -> str:
    """A share with its interval."""
    value, low, high = told[key]
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def page_tables(results: dict[str, Any]) -> dict[str, str]:
    """Tables of the page by their names."""
    materials = {n: r for n, r in results.items() if isinstance(r, dict) and "onsets" in r}
    overall = ["| picks | reader | decided | of these right |", "| --- | --- | --- | --- |"]
    for name, told in materials.items():
        for reader in (reader for reader in told if reader != "onsets"):
            of_all = told[reader]["all"]
            cells = [f"{name} ({of_all['picks']})", reader]
            cells += [interval(of_all, key) for key in ("decided", "right")]
            overall.append(f"| {' | '.join(cells)} |")
    *_, last = materials.values()
    readers = [reader for reader in last if reader != "onsets"]
    by_snr = [
        "| signal to noise | picks | " + " | ".join(f"{r}: decided, right" for r in readers) + " |",
        "| --- | --- |" + " --- |" * len(readers),
    ]
    for label in last[RULE]:
        if label != "all":
            cells = [f"{last[r][label]['decided'][0]:.2f}, {last[r][label]['right'][0]:.2f}"
                     for r in readers]  # fmt: skip
            picks = last[RULE][label]["picks"]
            by_snr.append(f"| {label.removeprefix('snr ')} | {picks} | {' | '.join(cells)} |")
    return {"overall": "\n".join(overall), "by snr": "\n".join(by_snr)}


def write_tables() -> None:
    """Each `<!-- table: name -->` of the page is followed by its table."""
    page = PAGE.read_text(encoding="utf-8")
    for name, table in page_tables(json.loads(RESULT.read_text(encoding="utf-8"))).items():
        mark = f"<!-- table: {name} -->\n"
        made = mark + table + "\n"
        page = re.sub(re.escape(mark) + r"(?:\|.*\n)*", lambda _, made=made: made, page)
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", default="first-motion", help="network for first motions")
    parser.add_argument("--picker", default="zilzal", help="picking network")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    parser.add_argument("--tables", action="store_true", help="only write the page's tables")
    options = parser.parse_args()
    if options.tables:
        write_tables()
        return
    pickers = {RULE: NeuralPicker(model=options.picker, first_motions=RULE)} | {
        f"network at {p:g}": NeuralPicker(
            model=options.picker, first_motions=options.model, motion_probability=p
        )
        for p in (0.8, 0.9, 0.95)
    }
    rng, noises = np.random.default_rng(1), noises_of(options.shared)
    by_rule = known_by_rule(options.shared)
    materials = {
        "analysts (toc2me, 500 Hz), as recorded": known_by_analysts(options.shared, 500.0),
        "analysts (toc2me, at 100 Hz), as recorded": known_by_analysts(options.shared, 100.0),
        "analysts (toc2me, at 100 Hz), as recorded and under noise": [
            *under_noise(known_by_analysts(options.shared, 100.0), noises, rng)
        ],
        "clear onsets (development), as recorded and under noise": [
            *under_noise(by_rule, noises, rng)
        ],
    }
    results: dict[str, Any] = {
        "command": f"python benchmarks/first_motions.py --model {options.model}",
        "machine": platform.machine(),
        "seed": 1,
        "clear onsets": len(by_rule),
        "noises": len(noises),
    }
    for name, cases in materials.items():
        results[name] = judge(cases, pickers)
        print(name, json.dumps(results[name], indent=1), flush=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.output == RESULT:
        write_tables()


if __name__ == "__main__":
    main()
