"""What acquisition costs: CPU time of the SeedLink server and client for each packet and station.

Records of a digitiser at 100 Hz (Steim-2, 512 bytes) of many stations are played at full speed
through the server to the client, each in a process of its own; the CPU time of each process, over
the time of the data, is the share of a core that it takes in real time. Making a synthetic network
while it is played is measured beside it. Writes benchmarks/results/replay_rate.json.

    python benchmarks/replay_rate.py [--stations 1000] [--seconds 30] [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

import zilzal
from zilzal.app.replay import Recording, ReplayOptions, replay, rounds, synthetic_recording
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.clock import SystemClock
from zilzal.io.packing import pack
from zilzal.io.record import Record
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.words import station_code
from zilzal.synth.scenario import NetworkPlan, demo_scenario

RESULTS = Path(__file__).parent / "results" / "replay_rate.json"
START = Time.parse("2024-03-05T00:00:00Z")
RATE = 100.0


def make_records(stations: int, seconds: int) -> list[Record]:
    """Noise of three components at each station, as a broadband sensor's: 12 bits, red."""
    rng = np.random.default_rng(1)
    white = rng.standard_normal((3, int(seconds * RATE)))
    samples = np.rint(1_000 * np.cumsum(white, axis=1) / np.sqrt(100)).astype(np.int32)
    channels = [
        ChannelId("XX", f"S{number:04d}", "", f"HH{letter}")
        for number in range(stations)
        for letter in "ZNE"
    ]
    traces = (
        Trace(
            channel_id=channel,
            start=START,
            sampling_rate=RATE,
            # Records of different stations are not full at the same time.
            samples=np.roll(samples[number % 3], 97 * number),
        )
        for number, channel in enumerate(channels)
    )
    return list(pack([traces]))


def recording_of(records: list[Record]) -> Recording:
    return Recording(
        stations=frozenset(station_code(r.channel_id) for r in records),
        start=min(r.start for r in records),
        end=max(r.end for r in records),
        records=lambda _, __: iter(records),
    )


def read(port: int, protocol: int, count: int, pipe: Connection) -> None:
    """The client's process: read so many packets and tell the CPU time of it."""

    async def main() -> float:
        begun_s = time.process_time()
        source = SeedLinkSource(
            server=f"127.0.0.1:{port}", protocol=protocol, begin="2000-01-01", connect_s=300.0
        )
        async with source.open((), SystemClock()) as stream:
            left = count
            async for _ in stream:
                left -= 1
                if not left:
                    break
        return time.process_time() - begun_s

    spent_s = asyncio.run(main())
    pipe.send((spent_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def play(recording: Recording, count: int, protocol: int, clients: int) -> dict[str, float]:
    """Play to some clients; CPU seconds of the server and of a client, wall seconds, memory."""
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []

    def start(server) -> None:
        for _ in range(clients):
            ours, theirs = context.Pipe()
            process = context.Process(target=read, args=(server.port, protocol, count, theirs))
            process.start()
            pipes.append(ours)
            processes.append(process)

    begun_s, spent_s = time.perf_counter(), time.process_time()
    options = ReplayOptions(speed=None, port=0)
    asyncio.run(replay(recording, options, SystemClock(), on_ready=start))
    server_s, wall_s = time.process_time() - spent_s, time.perf_counter() - begun_s
    told = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    return {
        "server_cpu_s": server_s,
        "client_cpu_s": float(np.median([cpu_s for cpu_s, _ in told])),
        "client_memory_mb": max(memory for _, memory in told),
        "wall_s": wall_s,
    }


def append_all(records: list[Record]) -> float:
    """CPU seconds of putting all records into a ring, without anybody to read them."""

    async def main() -> float:
        ring = Ring(limit_bytes=50_000_000)
        begun_s = time.process_time()
        for record in records:
            ring.append(record)
        return time.process_time() - begun_s

    return asyncio.run(main())


def make_synthetic(stations: int, seconds: int) -> float:
    """CPU seconds of making a synthetic network's records while they are taken."""
    scenario = replace(
        demo_scenario(),
        network=NetworkPlan(n_stations=stations),
        sites=(),
        faults=(),
        duration_s=float(seconds),
    )
    recording = synthetic_recording(scenario)
    begun_s = time.process_time()
    for _ in islice(rounds(recording, ReplayOptions(speed=None)), None):
        pass
    return time.process_time() - begun_s


def main() -> None:
    """Measure in turn, several times, and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    records = make_records(arguments.stations, arguments.seconds)
    recording, count = recording_of(records), len(records)
    calls: dict[str, Callable[[], dict[str, float]]] = {
        "ring": lambda: {"server_cpu_s": append_all(records)},
        "version 3, 1 client": lambda: play(recording, count, 3, 1),
        "version 4, 1 client": lambda: play(recording, count, 4, 1),
        "version 4, 4 clients": lambda: play(recording, count, 4, 4),
        "synthetic, 20 stations": lambda: {"server_cpu_s": make_synthetic(20, 600)},
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in calls}
    for run in range(arguments.runs + 1):
        for name, call in calls.items():
            result = call()
            if run:  # the first only warms up
                found[name].append(result)
    table = {
        name: {key: float(np.median([row[key] for row in rows])) for key in rows[0]}
        for name, rows in found.items()
    }
    real_time = {
        f"{name}: {who}": row[f"{who}_cpu_s"] / arguments.seconds / arguments.stations * 1_000
        for name, row in table.items()
        for who in ("server", "client")
        if f"{who}_cpu_s" in row and name.startswith("version")
    }
    real_time["synthetic: made"] = (
        table["synthetic, 20 stations"]["server_cpu_s"] / 600 / 20 * 1_000
    )
    for name, row in table.items():
        print(f"{name:26}", "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    for name, share in real_time.items():
        print(f"{name:32} {share:6.3f} cores for 1,000 stations in real time")
    RESULTS.write_text(
        json.dumps(
            {
                "version": zilzal.__version__,
                "python": platform.python_version(),
                "cores": os.cpu_count(),
                "load_average": os.getloadavg()[0],
                "runs": arguments.runs,
                "stations": arguments.stations,
                "seconds_of_data": arguments.seconds,
                "packets": count,
                "packets_per_s_real_time": count / arguments.seconds,
                "medians": table,
                "cores_for_1000_stations": real_time,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
