"""Law 1 on real data: the Ridgecrest hour, run over the files and played to a monitor.

Works the hour through with `zilzal run` and with a monitor's playback, with one configuration,
and compares the tables. Writes benchmarks/results/live_equals_run.json.

    python benchmarks/live_equals_run.py [--shared ../shared] [--picker stalta]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import platform
import resource
import tempfile
import time
from pathlib import Path

import zilzal
from zilzal.app.archive import run_archive
from zilzal.app.configuration import read_configuration
from zilzal.app.live.service import Settings, serve
from zilzal.io.clock import SystemClock
from zilzal.io.inventory import read_inventory
from zilzal.io.playback_source import PlaybackSource

RESULTS = Path(__file__).parent / "results" / "live_equals_run.json"
TABLES = ("picks.csv", "arrivals.csv", "catalogue.csv", "coverage.csv")
VARIABLE = ("version",)
"""Columns that tell how often an event was revised."""


def rows(folder: Path, name: str) -> list[tuple[str, ...]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        read = csv.DictReader(file)
        return sorted(tuple(v for k, v in row.items() if k not in VARIABLE) for row in read)


def compare(run: Path, live: Path) -> dict:
    """Rows that each table has in both, and in one only."""
    told = {}
    for name in TABLES:
        one, other = rows(run, name), rows(live, name)
        common = set(one) & set(other)
        told[name] = {
            "run": len(one),
            "live": len(other),
            "only_run": sum(row not in common for row in one),
            "only_live": sum(row not in common for row in other),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--picker", default="stalta")
    parser.add_argument("--min-picks", type=int, default=8)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.shared / "data" / "continuous" / "ridgecrest_2019-07-07"
    with tempfile.TemporaryDirectory() as made:
        place = options.keep or Path(made)
        changes = {
            "picker": {"use": options.picker},
            "associator": {"min_picks": options.min_picks},
            "run": {"workers": 1},
            "live": {"inventory": [str(folder / "inventory.xml")], "output": str(place / "live")},
        }
        configuration = read_configuration(changes=changes)
        begun = time.process_time()
        inventory = read_inventory([folder / "inventory.xml"])
        run_archive([folder], inventory, place / "run", configuration)
        run_s = time.process_time() - begun
        source = PlaybackSource(paths=(str(folder),))
        begun, wall = time.process_time(), time.perf_counter()
        asyncio.run(serve(lambda: Settings.of(configuration, [source]), SystemClock(), tables=True))
        result = {
            "version": zilzal.__version__,
            "machine": platform.platform(),
            "picker": options.picker,
            "min_picks": options.min_picks,
            "run_cpu_s": round(run_s, 1),
            "live_cpu_s": round(time.process_time() - begun, 1),
            "live_wall_s": round(time.perf_counter() - wall, 1),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "tables": compare(place / "run", place / "live"),
        }
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[options.picker] = result
    RESULTS.write_text(json.dumps(known, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
