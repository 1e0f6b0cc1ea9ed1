"""What the gate before the picking network saves and loses, on continuous data.

Archives are picked with the gate and with the network everywhere, in turn, round after round. Told
are the processor time of either (their ratio within a round), the share of the samples that the
network is still run on, multiply-adds per 3001 samples of three components, and the picks that
only one of the two makes. Writes benchmarks/results/gate.json.

    python benchmarks/gate.py --shared ../shared [--runs 3] [--model zilzal]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from throughput import picks_of_archive, write_archive

import zilzal
from zilzal.app.configuration import read_configuration
from zilzal.app.plan import make_plan
from zilzal.core.pick import Pick
from zilzal.infer.engine import load_model
from zilzal.infer.gated import GatedEngine
from zilzal.infer.packaged import find_model
from zilzal.io.archive import Archive

RESULTS = Path(__file__).parent / "results" / "gate.json"
ARCHIVES = ("anza_1998-01-01", "mesetas_2019-12-24", "ridgecrest_2019-07-07")
PHASENET = 19.5e6
NEAR_S = 0.2


def timed(folder: Path, model: Path, *, gated: bool) -> tuple[list[Pick], float]:
    """Picks of an archive, and the processor time that they took [s]."""
    settings = read_configuration(
        changes={"run": {"workers": 1}, "picker": {"model": str(model), "gated": gated}}
    )
    begun = time.process_time()
    picks = picks_of_archive(folder, settings)
    return picks, time.process_time() - begun


def station_days(folder: Path) -> float:
    """Time between the first and the last sample of each sensor."""
    plan = make_plan(Archive.open([folder]), None, read_configuration().sensors.preference)
    return sum(stretch.end - stretch.start for stretch in plan.stretches) / 86_400


def only_in(some: Sequence[Pick], others: Sequence[Pick]) -> int:
    """Picks that have none of the same phase and sensor within 0.2 s among the others."""
    times: dict[tuple[Any, Any], list[float]] = {}
    for pick in others:
        times.setdefault((pick.channel_id.sensor_id, pick.phase), []).append(pick.time.ns / 1e9)
    number = 0
    for pick in some:
        near = np.array(times.get((pick.channel_id.sensor_id, pick.phase), [np.inf]))
        number += bool(np.abs(near - pick.time.ns / 1e9).min() > NEAR_S)
    return number


def measured(name: str, folder: Path, model: Path, runs: int) -> dict[str, Any]:
    engine = load_model(model).engine
    assert isinstance(engine, GatedEngine), f"{model} has no gate"
    spec = load_model(model).spec
    given, run = engine.given_samples, engine.run_samples
    gated, _ = timed(folder, model, gated=True)
    share = (engine.run_samples - run) / (engine.given_samples - given)
    everywhere, _ = timed(folder, model, gated=False)
    times_s = [[timed(folder, model, gated=g)[1] for g in (True, False)] for _ in range(runs)]
    assert spec.multiply_adds is not None
    assert spec.gate_multiply_adds is not None
    each = 3001 / spec.window_samples
    adds = each * (spec.gate_multiply_adds + share * spec.multiply_adds)
    return {
        "name": name,
        "station_days": round(station_days(folder), 3),
        "picks_gated": len(gated),
        "picks_everywhere": len(everywhere),
        "picks_lost": only_in(everywhere, gated),
        "picks_gained": only_in(gated, everywhere),
        "share_of_samples_run": round(share, 4),
        "million_multiply_adds_per_3001": round(adds / 1e6, 2),
        "phasenet_to_ours": round(PHASENET / adds, 2),
        "cpu_ratio_gated_to_everywhere": round(float(np.median([a / b for a, b in times_s])), 3),
        "cpu_s_gated": round(min(a for a, _ in times_s), 2),
    }


def folders(shared: Path, made: Path) -> Iterator[tuple[str, Path]]:
    yield "synthetic, 2.5 events an hour", write_archive(made, hours=24.0)
    for name in ARCHIVES:
        yield name, shared / "data" / "continuous" / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", default="zilzal")
    options = parser.parse_args()
    model = find_model(options.model)
    with tempfile.TemporaryDirectory() as made:
        results = []
        for name, folder in folders(options.shared, Path(made)):
            results.append(measured(name, folder, model, options.runs))
            print(json.dumps(results[-1]), flush=True)
    RESULTS.write_text(
        json.dumps(
            {
                "zilzal": zilzal.__version__,
                "machine": platform.machine(),
                "model": f"{load_model(model).spec.name} {load_model(model).spec.version}",
                "multiply_adds_per_3001": {"phasenet": PHASENET},
                "results": results,
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
