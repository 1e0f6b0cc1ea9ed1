"""`kill -9` again and again: a monitor on real data ends as if nothing had happened.

Plays an archive to `zilzal monitor` in a process of its own, kills it with SIGKILL at seeded
random instants, starts it again, and holds the tables at the end against those of a monitor that
was left alone. Writes benchmarks/results/kill_test.json.

    python benchmarks/kill_test.py [--shared ../shared] [--kills 50] [--picker stalta]

The one that is killed plays faster than real time, but not as fast as it goes, so that kills fall
on all of the hour; after the last kill the rest is played as fast as it goes.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import zilzal
from zilzal.io.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from live_equals_run import compare

RESULTS = Path(__file__).parent / "results" / "kill_test.json"


def command(folder: Path, settings: Path, output: Path, speed: str = "max") -> list[str]:
    return [
        *(sys.executable, "-c", "from zilzal.cli.main import main; main()", "monitor"),
        *("-c", str(settings), "-o", str(output), "--speed", speed),
        *("-i", str(folder / "inventory.xml"), "--playback", str(folder)),
    ]


def records_done(output: Path) -> int:
    """Records before the stored state: a playback's bookmark counts them."""
    if not (output / "zilzal.db").is_file():
        return 0
    with Store.open(output / "zilzal.db", create=False) as store:
        return max((int(mark.place) for mark in store.bookmarks()), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--set", default="ridgecrest_2019-07-07")
    parser.add_argument("--picker", default="stalta")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--speed", default="20", help="of the killed one, times real time")
    parser.add_argument("--longest", type=float, default=9.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.shared / "data" / "continuous" / options.set
    generator = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        settings = place / "settings.toml"
        settings.write_text(
            f'[picker]\nuse = "{options.picker}"\n[associator]\nmin_picks = 8\n'
            "[live]\ncheckpoint_s = 2.0\nbacklog = 500\n",
            encoding="utf-8",
        )
        begun = time.perf_counter()
        subprocess.run(command(folder, settings, place / "whole"), check=True)
        whole_s = time.perf_counter() - begun
        kills: list[int] = []
        ended = None
        while ended != 0:
            left = len(kills) < options.kills
            speed = options.speed if left else "max"
            process = subprocess.Popen(command(folder, settings, place / "killed", speed))
            try:
                wait_s = float(generator.uniform(2.0, options.longest)) if left else None
                ended = process.wait(wait_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                ended = process.wait()
                kills.append(records_done(place / "killed"))
        result = {
            "version": zilzal.__version__,
            "machine": platform.platform(),
            "set": options.set,
            "picker": options.picker,
            "seed": options.seed,
            "speed": options.speed,
            "kills": len(kills),
            "records": records_done(place / "whole"),
            "records_done_at_kills": kills,
            "undisturbed_wall_s": round(whole_s, 1),
            "tables": compare(place / "whole", place / "killed"),
        }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
