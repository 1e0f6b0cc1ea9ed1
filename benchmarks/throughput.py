"""Seconds and memory from Steim-2 files to picks, stage by stage, per station-day.

A synthetic station-day (three components, 100 Hz) is written as miniSEED; each stage is run on it
alone, several times, in turn; then the whole. Writes benchmarks/results/throughput.json.

    python benchmarks/throughput.py [--runs 5] [--hours 24]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import zilzal
from zilzal.app.conditioning import Conditioning
from zilzal.app.configuration import read_configuration
from zilzal.app.picking import Workshop, jobs_of
from zilzal.app.plan import make_plan
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.infer.engine import load_model
from zilzal.infer.packaged import find_model
from zilzal.io.archive import Archive
from zilzal.io.sds_writer import write_sds
from zilzal.pick.neural import NeuralPicker
from zilzal.pick.stalta import StaLtaPicker
from zilzal.signal.prepare import prepare_record
from zilzal.synth.network import build_network
from zilzal.synth.record import SyntheticRecords
from zilzal.synth.scenario import parse_scenario

RESULTS = Path(__file__).parent / "results" / "throughput.json"
SCENARIO = """
name = "throughput"
seed = 1
start = "2024-03-05T00:00:00Z"
duration_s = {seconds}
latitude = 47.75
longitude = 12.75
[network]
n_stations = 1
aperture_m = 10000
[seismicity]
rate_per_hour = 2.5
"""


def stages(folder: Path) -> dict[str, Callable[[], object]]:
    """Each stage as a call on what the stage before left, and the whole chain."""
    archive = Archive.open([folder])
    (sensor,) = archive.sensors()
    channels = archive.channel_ids()
    start, end = archive.span(sensor) or (Time(0), Time(0))
    settings = read_configuration(changes={"run": {"workers": 1}})
    model = load_model(find_model("zilzal"))
    spec = model.spec

    def read() -> list:
        return list(Archive.open([folder]).steps(sensor))

    steps = read()

    def condition() -> list[Window]:
        conditioning = Conditioning.of(sensor, channels, settings.gaps, inventory=None, time=start)
        state, windows = conditioning.start(start), []
        for step in steps:
            state, found, _ = conditioning.step(state, step.traces, step.until)
            windows += found
        return [*windows, *conditioning.finish(state, end)[0]]

    windows = condition()
    samples = np.concatenate([w.samples for w in windows], axis=1)
    present = np.concatenate([w.present for w in windows], axis=1)

    def prepare() -> object:
        return prepare_record(spec.preparation, samples, present, windows[0].sampling_rate)

    prepared = np.asarray(prepare(), np.float32)
    usable = prepared.shape[1] // spec.window_samples * spec.window_samples
    frames = np.ascontiguousarray(
        prepared[:, :usable].reshape(3, -1, spec.window_samples).transpose(1, 0, 2)
    )
    there = np.ones(frames.shape, bool)

    def pick_with(picker: NeuralPicker | StaLtaPicker) -> Callable[[], object]:
        def pick() -> object:
            state = picker.start()
            state, found = picker.step(state, windows)
            return found, picker.finish(state)

        return pick

    def whole() -> object:
        plan = make_plan(archive, None, settings.sensors.preference)
        workshop = Workshop(archive=archive, inventory=None, configuration=settings)
        results = [
            workshop.work(job)
            for stretch in plan.stretches
            for job in jobs_of(stretch, settings.run.chunk_h)
        ]
        assert not any(result.error for result in results)
        return results

    return {
        "read": read,
        "gaps and alignment": condition,
        "prepare": prepare,
        "network": lambda: model.predict(frames, there),
        "neural picker (prepare, network, curves, picks)": pick_with(NeuralPicker()),
        "classical picker": pick_with(StaLtaPicker()),
        "whole, archive to picks": whole,
    }


def main() -> None:
    """Time every stage in turn and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hours", type=float, default=24.0)
    arguments = parser.parse_args()
    network = build_network(parse_scenario(SCENARIO.format(seconds=arguments.hours * 3600)))
    with tempfile.TemporaryDirectory() as out:
        write_sds(SyntheticRecords(network).traces(), Path(out))
        calls = stages(Path(out))
        wall: dict[str, list[float]] = {name: [] for name in calls}
        cpu: dict[str, list[float]] = {name: [] for name in calls}
        for run in range(arguments.runs + 1):
            for name, call in calls.items():
                begun, spent = time.perf_counter(), time.process_time()
                call()
                if run:  # the first only warms up
                    wall[name].append((time.perf_counter() - begun) * 24 / arguments.hours)
                    cpu[name].append((time.process_time() - spent) * 24 / arguments.hours)
    table = {
        name: {
            "wall_s": {"median": float(np.median(wall[name])), "min": min(wall[name])},
            "cpu_s": {"median": float(np.median(cpu[name])), "min": min(cpu[name])},
        }
        for name in calls
    }
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, row in table.items():
        print(f"{name:50} {row['wall_s']['median']:7.3f} {row['cpu_s']['median']:7.3f} s")
    print(f"peak memory {peak_mb:.0f} MB")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "version": zilzal.__version__,
                "python": platform.python_version(),
                "cores": os.cpu_count(),
                "threads": 1,
                "load_average": os.getloadavg()[0],
                "runs": arguments.runs,
                "hours": arguments.hours,
                "seconds_per_station_day": table,
                "peak_memory_mb": peak_mb,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
