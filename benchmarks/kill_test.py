"""`kill -9` again and again: a monitor on real data ends as if nothing had happened.

Plays an archive to `zilzal monitor` in a process of its own, kills it with SIGKILL at seeded
random instants, starts it again, and holds the tables at the end against those of a monitor that
was left alone. Both work events out in a process of their own. Writes
benchmarks/results/kill_test.json.

    python benchmarks/kill_test.py [--shared ../shared] [--kills 50] [--picker neural]

The one that is killed plays faster than real time, but not as fast as it goes. Kills fall on all of
the hour: each waits until as many records have been worked on as its share of them, but not for
long, and a random time more. Every fifth comes while the monitor still starts, and some of the
others kill the process for events first. After the last kill the rest is played as fast as it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import zilzal
from zilzal.core.errors import StoreError
from zilzal.core.event import Origin
from zilzal.io.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from live_equals_run import compare

RESULTS = Path(__file__).parent / "results" / "kill_test.json"
START_S = 6.0
"""A monitor has started by then, on this kind of machine."""
PAUSE_S = 3.0
"""Between two states that are stored, about."""
POLL_S = 0.2
LONGEST_S = 40.0
"""A monitor that has not come so far by then is killed where it is."""
LAST = 0.95
"""Share of the records before which all kills fall: the last state is stored a little before."""


def command(folder: Path, settings: Path, output: Path, speed: str = "max") -> list[str]:
    return [
        *(sys.executable, "-c", "from zilzal.cli.main import main; main()", "monitor"),
        *("-c", str(settings), "-o", str(output), "--speed", speed),
        *("-i", str(folder / "inventory.xml"), "--playback", str(folder)),
    ]


def records_done(output: Path) -> int:
    """Records before the stored state: a playback's bookmark counts them."""
    try:
        with Store.open(output / "zilzal.db", create=False) as store:
            return max((int(mark.place) for mark in store.bookmarks()), default=0)
    except (FileNotFoundError, StoreError):
        return 0  # it is not made yet


@dataclass(frozen=True)
class Kill:
    """When the monitor is killed.

    Args:
        records: that have been worked on before.
        after_s: so long later.
        is_events_first: kill the process for events a moment before.
    """

    records: int
    after_s: float
    is_events_first: bool = False


def plan(kills: int, records: int, generator: np.random.Generator) -> list[Kill]:
    """Kills all over the records, every fifth while the monitor starts."""
    planned: list[Kill] = []
    for number in range(kills):
        if number % 5 == 4:
            planned.append(Kill(0, float(generator.uniform(0.0, START_S))))
            continue
        share = LAST * (number + float(generator.uniform())) / kills
        after_s = float(generator.uniform(0.0, PAUSE_S))
        is_events_first = number % 5 == 1
        planned.append(Kill(round(share * records), after_s, is_events_first))
    return planned


def events_process(pid: int) -> int | None:
    """The process for events that a monitor has started; None where there is none."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == pid and b"spawn_main" in command:
            return int(path.parent.name)
    return None


def killed_as_planned(process: subprocess.Popen[bytes], output: Path, kill: Kill) -> bool:
    """Kill the monitor; whether it had not ended before."""
    until_s = time.perf_counter() + LONGEST_S
    while records_done(output) < kill.records and time.perf_counter() < until_s:
        if process.poll() is not None:
            return False
        time.sleep(POLL_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(kill.after_s)
        return False
    if kill.is_events_first and (events := events_process(process.pid)) is not None:
        with suppress(ProcessLookupError):
            os.kill(events, signal.SIGKILL)
        time.sleep(POLL_S)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def doubled(output: Path) -> dict[str, int]:
    """Picks and events that the store has twice: of one channel, phase and time, or one origin."""
    with Store.open(output / "zilzal.db", create=False) as store:
        picks = Counter((p.channel_id, p.phase, p.time) for p in store.picks())
        located = [e.origin for e in store.events() if isinstance(e.origin, Origin)]
        origins = Counter((o.time, o.latitude, o.longitude) for o in located)
    return {
        "picks": sum(count - 1 for count in picks.values()),
        "origins": sum(count - 1 for count in origins.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--set", default="ridgecrest_2019-07-07")
    parser.add_argument("--picker", default="neural")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--speed", default="20", help="of the killed one, times real time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for what the two monitors leave")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        result = measure(options, options.keep or Path(made))
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def measure(options: argparse.Namespace, place: Path) -> dict[str, Any]:
    """One monitor left alone, one killed, and what differs between them."""
    folder = options.shared / "data" / "continuous" / options.set
    place.mkdir(parents=True, exist_ok=True)
    settings = place / "settings.toml"
    settings.write_text(
        f'[picker]\nuse = "{options.picker}"\n[associator]\nmin_picks = 8\n'
        "[live]\ncheckpoint_s = 2.0\nbacklog = 500\n",
        encoding="utf-8",
    )
    begun = time.perf_counter()
    subprocess.run(command(folder, settings, place / "whole"), check=True)
    whole_s = time.perf_counter() - begun
    records = records_done(place / "whole")
    generator = np.random.default_rng(options.seed)
    kills: list[dict[str, Any]] = []
    begun = time.perf_counter()
    for kill in plan(options.kills, records, generator):
        line = command(folder, settings, place / "killed", options.speed)
        started = time.perf_counter()
        with subprocess.Popen(line) as process:
            if killed_as_planned(process, place / "killed", kill):
                after_s = round(time.perf_counter() - started, 1)
                kills.append({
                    "records_done": records_done(place / "killed"),
                    "after_s": after_s,
                    "events_first": kill.is_events_first,
                })  # fmt: skip
                print(f"kill {len(kills)}: {kills[-1]}", flush=True)
    subprocess.run(command(folder, settings, place / "killed"), check=True)
    return {
        "version": zilzal.__version__,
        "machine": platform.platform(),
        "set": options.set,
        "picker": options.picker,
        "model": model(place / "whole"),
        "event_process": True,
        "seed": options.seed,
        "speed": options.speed,
        "kills": len(kills),
        "records": records,
        "killed_at": kills,
        "undisturbed_wall_s": round(whole_s, 1),
        "killed_wall_s": round(time.perf_counter() - begun, 1),
        "doubled": doubled(place / "killed"),
        "tables": compare(place / "whole", place / "killed"),
    }


def model(output: Path) -> str:
    """SHA-256 of the network that made the picks; empty where none did."""
    with Store.open(output / "zilzal.db", create=False) as store:
        found = {pick.provenance.model for pick in store.picks()}
    return ", ".join(sorted(filter(None, found)))


if __name__ == "__main__":
    main()
