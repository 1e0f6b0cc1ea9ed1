"""From archives to catalogues, scored: the Ridgecrest hour and the quiet Anza day.

Runs `zilzal run` with default settings for each picker, holds the Ridgecrest catalogue against
the 26 reviewed events, picks against the consensus of published pickers, and counts picks and
events of the quiet day. Writes benchmarks/results/archive_skill.json.

    python benchmarks/archive_skill.py [--shared ../shared] [--pickers neural stalta phasenet.onnx]

A picker that ends in .onnx is a network's file, as `zilzal models import` writes it.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import zilzal
from zilzal.app.archive import catalogue_of, run_archive
from zilzal.app.configuration import read_configuration
from zilzal.core.event import Origin
from zilzal.core.pick import Phase, Pick
from zilzal.core.time import Time
from zilzal.evaluate.catalogue import Hypocentres, compare_catalogues
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store
from zilzal.io.tables import read_catalogue

RESULTS = Path(__file__).parent / "results" / "archive_skill.json"
NEAR_S = 0.5
"""A pick this near to a consensus is of the same arrival."""


def run_set(shared: Path, name: str, picker: str, changes: dict) -> dict:
    """One archive with one picker: what was found and how long it took."""
    folder = shared / "data" / "continuous" / name
    inventory = read_inventory([folder / "inventory.xml"])
    chosen = {"use": "neural", "model": picker} if picker.endswith(".onnx") else {"use": picker}
    configuration = read_configuration(changes={"picker": chosen, "run": {"workers": 1}, **changes})
    with tempfile.TemporaryDirectory() as out:
        begun = time.perf_counter()
        summary = run_archive([folder], inventory, Path(out), configuration)
        seconds = time.perf_counter() - begun
        with Store.open(Path(out) / "zilzal.db") as store:
            events = catalogue_of(store.events().events)
            picks = store.picks()
    result = {
        "picker": Path(picker).stem,
        "set": name,
        "changes": changes,
        "station_hours": summary.station_hours,
        "picks": {str(p): sum(q.phase is p for q in picks) for p in Phase},
        "events": len(events),
        "least_picks_of_an_event": min((len(event.picks) for event in events), default=None),
        "unlocated": summary.unlocated,
        "noise": summary.noise,
        "seconds": seconds,
        "seconds_by_stage": summary.seconds,
        "against_consensus": hold_against_consensus(shared / "peers" / "consensus", name, picks),
    }
    reference = folder / "catalogue.csv"
    if reference.exists():
        result["against_reviewed"] = compare(reference, events)
    return result


def hold_against_consensus(folder: Path, name: str, picks: Sequence[Pick]) -> dict:
    """Arrivals on which published pickers agree, and picks where two of them found nothing."""
    times: dict[tuple[str, str, str], list[int]] = {}
    for pick in picks:
        sensor = pick.channel_id
        times.setdefault((sensor.network, sensor.station, str(pick.phase)), []).append(pick.time.ns)
    arrivals = rows_of(folder / f"{name}.csv")
    found = {str(phase): 0 for phase in Phase}
    for row in arrivals:
        near = times.get((row["network"], row["station"], row["phase"]), [])
        off_s = [abs(ns - Time.parse(row["time"]).ns) / 1e9 for ns in near]
        found[row["phase"]] += min(off_s, default=np.inf) <= NEAR_S
    clean_s, within = 0.0, {str(phase): 0 for phase in Phase}
    for row in rows_of(folder / f"{name}_clean.csv"):
        start, end = Time.parse(row["start"]), Time.parse(row["end"])
        clean_s += end - start
        for phase in within:
            near = times.get((row["network"], row["station"], phase), [])
            within[phase] += sum(start.ns <= ns <= end.ns for ns in near)
    return {
        "arrivals": {p: sum(row["phase"] == p for row in arrivals) for p in found},
        "found": {phase: int(number) for phase, number in found.items()},
        "clean_station_hours": clean_s / 3600,
        "picks_in_clean_spans": within,
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compare(reference: Path, events) -> dict:
    """Differences from a reviewed catalogue."""
    rows = read_catalogue(reference)
    truth = Hypocentres(
        ids=tuple(r.event_id for r in rows),
        time_ns=np.array([r.time.ns for r in rows]),
        latitude=np.array([r.latitude for r in rows], float),
        longitude=np.array([r.longitude for r in rows], float),
        depth_m=np.array([r.depth_m for r in rows], float),
        magnitude=np.array([r.magnitude for r in rows], float),
    )
    ours = Hypocentres.of(events)
    found = compare_catalogues(truth, ours, np.random.default_rng(0))
    inside = [_inside(events.events[int(j)].origin, rows[int(i)]) for i, j in found.pairs]
    return {
        "reviewed": len(rows),
        "found": len(found.pairs),
        "missed": [rows[int(i)].event_id for i in found.missed],
        "extra": len(found.extra),
        "median_epicentral_km": found.epicentral_m.median_absolute.value / 1e3,
        "median_depth_km": found.depth_m.median.value / 1e3,
        "median_absolute_depth_km": found.depth_m.median_absolute.value / 1e3,
        "median_absolute_time_s": found.time_s.median_absolute.value,
        "median_magnitude": found.magnitude.median.value,
        "median_absolute_magnitude": found.magnitude.median_absolute.value,
        "reviewed_epicentres_inside_68_percent_ellipse": float(np.mean(inside)),
    }


def _inside(origin: Origin, row) -> bool:
    from zilzal.core.geo import azimuth_deg, distance_m

    away = distance_m(origin.latitude, origin.longitude, row.latitude, row.longitude)
    turn = np.radians(
        azimuth_deg(origin.latitude, origin.longitude, row.latitude, row.longitude)
        - origin.ellipse.azimuth_deg
    )
    along, across = away * np.cos(turn), away * np.sin(turn)
    return bool(
        (along / origin.ellipse.semi_major_m) ** 2 + (across / origin.ellipse.semi_minor_m) ** 2
        <= 1
    )


def main() -> None:
    """Run all combinations and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pickers", nargs="+", default=["neural", "stalta"])
    arguments = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    head = {
        "version": zilzal.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    results = []
    local = {"earth": {"model": "hadley-kanamori"}}
    for picker in arguments.pickers:
        for name, changes in (("ridgecrest_2019-07-07", {}), ("anza_1998-01-01", {}),
                              ("ridgecrest_2019-07-07", local)):  # fmt: skip
            results.append(run_set(arguments.shared, name, picker, changes))
            print(json.dumps(results[-1]), flush=True)
            RESULTS.write_text(json.dumps({**head, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
