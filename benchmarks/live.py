"""How many stations a monitor keeps up with: CPU time a second of data, memory, latency.

Synthetic stations at 100 Hz, three components, noise with an impulsive signal now and then,
packed in records of 4 s that come staggered, as from a network. They go through the engine's
rounds (`take`, `step`, `preliminary`) a second of data at a time; the CPU time of each round is
measured. Latency is that of the method: from an onset to the first preliminary pick of it, in the
time of the data, plus the CPU time of its round. Writes benchmarks/results/live.json.

    python benchmarks/live.py [--stations 50 200] [--seconds 200]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import zilzal
from zilzal.app.configuration import read_configuration
from zilzal.app.live.engine import Engine
from zilzal.core.ids import ChannelId
from zilzal.core.packet import Bookmark, Packet
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace

RESULTS = Path(__file__).parent / "results" / "live.json"
START = Time.parse("2024-03-05T00:00:00Z")
RATE = 100.0
RECORD_S = 4
EVENT_EVERY_S = 60.0


def stations(number: int) -> list[list[ChannelId]]:
    return [
        [ChannelId("XX", f"S{k:04d}", "", f"HH{letter}") for letter in "ZNE"] for k in range(number)
    ]


def inventory(channels: list[list[ChannelId]]) -> Inventory:
    side = int(np.ceil(np.sqrt(len(channels))))
    return Inventory.of(
        Channel(
            channel_id=channel,
            latitude=47.0 + 0.05 * (k // side),
            longitude=12.0 + 0.07 * (k % side),
            elevation_m=500.0,
            azimuth_deg={"Z": 0.0, "N": 0.0, "E": 90.0}[channel.component],
            dip_deg=-90.0 if channel.component == "Z" else 0.0,
            sampling_rate=RATE,
        )
        for k, station in enumerate(channels)
        for channel in station
    )


def packets(channels: list[list[ChannelId]], second: int, noise: np.ndarray) -> Iterator[Packet]:
    """The records that are complete at a second; stations take turns."""
    for k, station in enumerate(channels):
        if (second - k) % RECORD_S or second < RECORD_S:
            continue
        first = second - RECORD_S
        n = RECORD_S * int(RATE)
        at = (first * int(RATE) + 997 * k) % (noise.shape[1] - n)
        times = first + np.arange(n) / RATE
        since = (times - 20.0 - 0.05 * (k % 97)) % EVENT_EVERY_S
        signal = 3_000 * np.exp(-since / 3.0) * np.sin(2 * np.pi * 7 * since)
        for component, channel in enumerate(station):
            samples = (noise[component, at : at + n] + signal).astype(np.int32)
            trace = Trace(
                channel_id=channel, start=START + first, sampling_rate=RATE, samples=samples
            )
            mark = Bookmark("synthetic", f"XX_S{k:04d}", str(second))
            yield Packet(bookmark=mark, arrived=START + second, traces=(trace,))


def measure(number: int, seconds: int, preliminary_s: int) -> dict:
    """One network."""
    channels = stations(number)
    configuration = read_configuration()
    engine = Engine(configuration, configuration.live, inventory(channels))
    noise = np.random.default_rng(0).normal(0, 100, (3, 120 * int(RATE)))
    spent = {"take": 0.0, "step": 0.0, "preliminary": 0.0}
    seen: set[str] = set()
    waits: list[float] = []
    final = 0
    warm = 30
    for second in range(seconds):
        came = list(packets(channels, second, noise))
        if second == warm:
            spent = dict.fromkeys(spent, 0.0)
        begun = time.process_time()
        engine.take(came)
        taken = time.process_time()
        final += len(engine.step().picks)
        stepped = time.process_time()
        found = engine.preliminary() if second % preliminary_s == 0 else {}
        ended = time.process_time()
        spent["take"] += taken - begun
        spent["step"] += stepped - taken
        spent["preliminary"] += ended - stepped
        for pick in (pick for picks in found.values() for pick in picks):
            name = f"{pick.channel_id.station_id} {pick.phase} {round(pick.time.unix_s)}"
            if name not in seen:
                seen.add(name)
                waits.append((START + second) - pick.time + (ended - begun))
    measured_s = seconds - warm
    state = engine.snapshot()
    state_bytes = sum(len(state.piece(number)) for number in range(len(state.shares)))
    total_s = sum(spent.values())
    return {
        "stations": number,
        "data_s": measured_s,
        "preliminary_every_s": preliminary_s,
        "cpu_s": {name: round(span, 2) for name, span in spent.items()},
        "cores_needed": round(total_s / measured_s, 3),
        "station_hours_per_core_s": round(number * measured_s / 3_600 / total_s, 3),
        "final_picks": final,
        "preliminary_picks": len(waits),
        "onset_to_pick_s": {
            str(q): round(float(np.quantile(waits, q)), 2) for q in (0.5, 0.95, 0.99)
        } if waits else {},
        "state_mb": round(state_bytes / 1e6, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--preliminary", type=int, default=1)
    options = parser.parse_args()
    results = [measure(n, options.seconds, options.preliminary) for n in options.stations]
    told = {"version": zilzal.__version__, "machine": platform.platform(), "runs": results}
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
