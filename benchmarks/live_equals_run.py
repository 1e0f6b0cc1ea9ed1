"""Law 1 on real data: the Ridgecrest hour, run over the files and live through SeedLink.

Works the hour through with `zilzal run`; then a SeedLink server plays it, faster than real time,
to a monitor with the same configuration that has its events in a process of their own; and the
tables are compared. Once all comes in order, and once one station comes late, and the records of
all others out of order, within what the monitor's buffer allows. Writes
benchmarks/results/live_equals_run.json.

    python benchmarks/live_equals_run.py [--shared ../shared] [--picker neural] [--speed 60]
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
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zilzal
from zilzal.app.archive import run_archive
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.live.service import Settings, serve
from zilzal.app.replay import ReplayOptions, archive_recording, play, rounds
from zilzal.core.packet import Bookmark, Link, Packet
from zilzal.core.stage import Clock, PacketStream
from zilzal.io.clock import SystemClock
from zilzal.io.inventory import read_inventory
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.server import serve as serve_records
from zilzal.synth.telemetry import LinkPlan, TelemetryPlan, travel

RESULTS = Path(__file__).parent / "results" / "live_equals_run.json"
TABLES = ("picks.csv", "arrivals.csv", "catalogue.csv", "coverage.csv")
VARIABLE = ("version",)
"""Columns that tell how often an event was revised."""
LATE = TelemetryPlan(
    seed=1,
    links=(
        LinkPlan(stations="CI_CLC", delay_s=40.0),
        LinkPlan(disorder=0.3, disorder_s=6.0, jitter_s=2.0),
    ),
)
WAYS = {"in order": (TelemetryPlan(), 10.0), "out of order": (LATE, 40.0)}
"""How the records come, and how long [s] the monitor waits for those of a sensor.

Records of quiet stretches are 24 s long: where two of them change places, 10 s are too short.
"""


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


@dataclass(frozen=True)
class Counted:
    """A source that ends after so many packets; also what it opens."""

    source: SeedLinkSource
    packets: int
    stream: PacketStream | None = None

    @property
    def name(self) -> str:
        """See `PacketSource`."""
        return self.source.name

    @asynccontextmanager
    async def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AsyncGenerator[PacketStream]:
        """See `PacketSource`."""
        async with self.source.open(bookmarks, clock) as stream:
            yield Counted(self.source, self.packets, stream)

    async def __aiter__(self) -> AsyncIterator[Packet]:
        """See `PacketStream`."""
        assert self.stream is not None
        count = 0
        async for packet in self.stream:
            yield packet
            count += 1
            if count == self.packets:
                return

    def links(self) -> tuple[Link, ...]:
        """See `PacketStream`."""
        assert self.stream is not None
        return self.stream.links()


async def live(
    folder: Path, configuration: Configuration, plan: TelemetryPlan, speed: float
) -> int:
    """Play an archive through a server to a monitor until it has had all; the number of records."""
    recording, ring, clock = archive_recording([folder]), Ring(), SystemClock()
    options = ReplayOptions(speed=speed, port=0)
    packets = sum(1 for _ in travel(rounds(recording, options), plan))
    async with serve_records(ring, recording.stations, clock) as server:
        seedlink = SeedLinkSource(server=f"127.0.0.1:{server.port}", begin="all")
        settings = Settings.of(configuration, [Counted(seedlink, packets)])
        playing = asyncio.create_task(
            play(travel(rounds(recording, options), plan), server, clock, options)
        )
        await serve(lambda: settings, clock, tables=True)
        await playing
    return packets


def cpu_s() -> float:
    """Processor time of this process, and of those that it has started and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def measure(options: argparse.Namespace, place: Path) -> dict[str, Any]:
    """The hour over the files, live in each way, and how these differ."""
    folder = options.shared / "data" / "continuous" / "ridgecrest_2019-07-07"
    inventory = folder / "inventory.xml"
    changes = {
        "picker": {"use": options.picker},
        "associator": {"min_picks": options.min_picks},
        "run": {"workers": 1},
    }
    begun_s = cpu_s()
    configuration = read_configuration(changes=changes)
    run_archive([folder], read_inventory([inventory]), place / "run", configuration)
    told: dict[str, Any] = {"run_cpu_s": round(cpu_s() - begun_s, 1), "live": {}}
    for way, (plan, reorder_s) in WAYS.items():
        output = place / way.replace(" ", "_")
        live_options = {
            "inventory": [str(inventory)], "output": str(output), "reorder_s": reorder_s,
        }  # fmt: skip
        configuration = read_configuration(changes={**changes, "live": live_options})
        begun_s, begun = cpu_s(), time.perf_counter()
        records = asyncio.run(live(folder, configuration, plan, options.speed))
        told["live"][way] = {
            "records": records,
            "reorder_s": reorder_s,
            "cpu_s": round(cpu_s() - begun_s, 1),
            "wall_s": round(time.perf_counter() - begun, 1),
            "tables": compare(place / "run", output),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--picker", default="neural")
    parser.add_argument("--min-picks", type=int, default=8)
    parser.add_argument("--speed", type=float, default=60.0, help="of the server, times real time")
    parser.add_argument("--keep", type=Path, help="folder for what the runs leave")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        told = measure(options, options.keep or Path(made))
    result = {
        "version": zilzal.__version__,
        "machine": platform.platform(),
        "picker": options.picker,
        "min_picks": options.min_picks,
        "speed": options.speed,
        "event_process": True,
        **told,
    }
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[options.picker] = result
    RESULTS.write_text(json.dumps(known, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
