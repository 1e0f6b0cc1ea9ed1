"""SeisBench's PhaseNet and EQTransformer by SeisBench, and imported, by our picker.

The same weights on the same station-hours: `classify` with its default batch and with the best
of a few, and our picker with each engine, from samples in memory to picks, in turn in one
process of one thread. Each stream begins on the network's grid and ends with a window, so that
windows coincide and picks can be compared. Needs the extras seisbench, train and fast. Writes
benchmarks/results/imported_models.json.

    python benchmarks/imported_models.py [--shared ../shared] [--runs 5] [--minutes 44]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import obspy
import onnxruntime
import openvino
import seisbench
import seisbench.models as sbm
import torch

import zilzal
from zilzal.core.pick import Pick
from zilzal.core.time import sample_number, sample_time
from zilzal.core.waveform import COMPONENTS, Window
from zilzal.infer.engine import load_model
from zilzal.infer.spec import ModelSpec
from zilzal.io.archive import Archive
from zilzal.pick.neural import NeuralPicker
from zilzal.train.seisbench import About, import_seisbench

RESULTS = Path(__file__).parent / "results" / "imported_models.json"
ENGINES = ("onnxruntime", "openvino", "openvino-bf16")
BATCHES = (16, 32, 64)
SETS = {
    "ridgecrest_2019-07-07": ("CI.CLC..HH", "CI.SLA..HH", "CI.CCC..HH", "CI.LRL..HH"),
    "mesetas_2019-12-24": (),
}
"""Sensors of each archive; none for all that have three components."""


def phasenet(shared: Path) -> Any:
    """With the weights of Zhu & Beroza (2019)."""
    model = sbm.PhaseNet(component_order="ENZ", phases="NPS", norm="std")
    return _filled(model, shared / "peers" / "weights" / "phasenet_original.npz")


def eqtransformer(shared: Path) -> Any:
    """With the conservative weights of Mousavi et al. (2020)."""
    model = sbm.EQTransformer(original_compatible="conservative", lstm_blocks=3)
    return _filled(model, shared / "peers" / "weights" / "eqt_original_conservative.npz")


def _filled(model: Any, path: Path) -> Any:
    with np.load(path) as arrays:
        model.load_state_dict({k: torch.from_numpy(arrays[k].copy()) for k in arrays.files})
    return model.eval()


def records(shared: Path, minutes: float) -> list[Window]:
    """The longest stretch of each sensor with all components, at most so many minutes."""
    found: list[Window] = []
    for name, wanted in SETS.items():
        archive = Archive.open([shared / "data" / "continuous" / name])
        for sensor in archive.sensors():
            channels = [c for c in archive.channel_ids() if c.sensor_id == sensor]
            letters = "".join(sorted(c.component for c in channels))
            if letters != "ENZ" or (wanted and str(sensor) not in wanted):
                continue
            window = _longest(archive, sensor, channels)
            length = round(minutes * 60 * window.sampling_rate)
            if window.sampling_rate == 100.0:
                found.append(_cut(window, 0, length))
    return found


def _longest(archive: Archive, sensor: Any, channels: Sequence[Any]) -> Window:
    """Where no component has a gap."""
    rows, firsts = [], []
    for component in COMPONENTS:
        (channel,) = [c for c in channels if c.component == component]
        traces = sorted(
            (t for step in archive.steps([channel]) for t in step.traces), key=lambda t: t.start
        )
        joined: list[list[Any]] = []
        for trace in traces:
            if joined and joined[-1][-1].next_start == trace.start:
                joined[-1].append(trace)
            else:
                joined.append([trace])
        longest = max(joined, key=lambda piece: sum(len(t.samples) for t in piece))
        rows.append(np.concatenate([t.samples for t in longest]))
        firsts.append(sample_number(longest[0].start, longest[0].sampling_rate))
    rate = traces[0].sampling_rate
    first = max(firsts)
    end = min(f + len(r) for f, r in zip(firsts, rows, strict=True))
    samples = np.stack([r[first - f : end - f] for f, r in zip(firsts, rows, strict=True)])
    return Window(
        sensor_id=sensor, start=sample_time(first, rate), sampling_rate=rate,
        samples=samples.astype(np.float32), present=np.ones(samples.shape, bool),
    )  # fmt: skip


def _cut(window: Window, first: int, length: int) -> Window:
    part = slice(first, first + length)
    return replace(
        window,
        start=sample_time(window.first_number + first, window.sampling_rate),
        samples=window.samples[:, part],
        present=window.present[:, part],
    )


def on_the_grid(window: Window, spec: ModelSpec) -> Window:
    """The part from the grid's first window to its last."""
    hop, first = spec.hop_samples, window.first_number
    skipped = -first % hop
    n_windows = (window.length - skipped - spec.window_samples) // hop + 1
    return _cut(window, skipped, (n_windows - 1) * hop + spec.window_samples)


def stream_of(window: Window) -> obspy.Stream:
    """As SeisBench takes it."""
    sensor = window.sensor_id
    header = {
        "network": sensor.network, "station": sensor.station, "location": sensor.location,
        "sampling_rate": window.sampling_rate, "starttime": obspy.UTCDateTime(ns=window.start.ns),
    }  # fmt: skip
    return obspy.Stream(
        obspy.Trace(row.copy(), {**header, "channel": f"{sensor.band}{c}"})
        for row, c in zip(window.samples, COMPONENTS, strict=True)
    )


Found = list[tuple[str, str, float, float]]
"""Station, phase, time [s], height."""


def by_seisbench(model: Any, streams: Sequence[obspy.Stream], **arguments: Any) -> Found:
    """Picks of `classify`."""
    return sorted(
        (p.trace_id.split(".")[1], p.phase, p.peak_time.ns / 1e9, float(p.peak_value))
        for stream in streams
        for p in model.classify(stream, **arguments).picks
    )


def by_us(picker: NeuralPicker, windows: Sequence[Window]) -> Found:
    """Picks of our picker."""
    state = picker.start()
    picks: list[Pick] = []
    for window in windows:
        state, picked = picker.step(state, [window])
        picks += picked.picks
    picks += picker.finish(state).picks
    return sorted(
        (p.channel_id.sensor_id.station, p.phase.value, p.time.ns / 1e9, p.probability)
        for p in picks
    )


def compared(theirs: Found, ours: Found) -> dict[str, float]:
    """How many of SeisBench's picks we have, and how far they are off."""
    kinds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for station, phase, time_s, height in ours:
        kinds.setdefault((station, phase), []).append((time_s, height))
    off = []
    for station, phase, time_s, height in theirs:
        near = kinds.get((station, phase), [])
        best = min(near, key=lambda pick: abs(pick[0] - time_s), default=(np.inf, np.inf))
        off.append((abs(best[0] - time_s), abs(best[1] - height)))
    time_off, height_off = np.array(off).T
    same = (time_off <= 0.01) & (height_off <= 1e-3)
    return {
        "seisbench": len(theirs),
        "ours": len(ours),
        "same_within_a_sample_and_0.001": int(same.sum()),
        "within_0.03_s": int((time_off <= 0.03).sum()),
        "largest_height_difference_within_0.03_s": float(height_off[time_off <= 0.03].max()),
    }


def timed(
    calls: Mapping[str, Callable[[], object]], runs: int
) -> dict[str, dict[str, list[float]]]:
    """Seconds of each call, in turn; the first round only warms up."""
    spent = {name: {"cpu_s": [], "wall_s": []} for name in calls}
    for run in range(runs + 1):
        for name, call in calls.items():
            begun, cpu = time.perf_counter(), time.process_time()
            call()
            if run:
                spent[name]["cpu_s"].append(time.process_time() - cpu)
                spent[name]["wall_s"].append(time.perf_counter() - begun)
    return spent


def measure(model: Any, path: Path, windows: Sequence[Window], runs: int) -> dict[str, Any]:
    """Times and picks of one network."""
    path.write_bytes(import_seisbench(model, About(name=path.stem, licence="MIT")))
    spec = load_model(path).spec
    windows = [on_the_grid(window, spec) for window in windows]
    streams = [stream_of(window) for window in windows]
    days = sum(w.length / w.sampling_rate for w in windows) / 86_400
    tried = timed(
        {str(n): lambda n=n: by_seisbench(model, streams, batch_size=n) for n in BATCHES}, 1
    )
    best = min(BATCHES, key=lambda n: tried[str(n)]["cpu_s"][0])
    pickers = {engine: NeuralPicker(model=str(path), engine=engine) for engine in ENGINES}
    compiling = {}
    for engine, picker in pickers.items():
        begun = time.process_time()
        picker.start()
        compiling[engine] = time.process_time() - begun
    calls: dict[str, Callable[[], object]] = {
        "seisbench, default batch": lambda: by_seisbench(model, streams),
        "seisbench, best batch": lambda: by_seisbench(model, streams, batch_size=best),
    }
    calls |= {e: lambda p=p: by_us(p, windows) for e, p in pickers.items()}
    spent = timed(calls, runs)
    theirs = by_seisbench(model, streams)
    table = {}
    for name, seconds in spent.items():
        row = {
            kind: {"median": float(np.median(values)) / days, "min": min(values) / days,
                   "max": max(values) / days}
            for kind, values in seconds.items()
        }  # fmt: skip
        table[name] = row
    usual = spent["seisbench, default batch"]["cpu_s"]
    for name, seconds in spent.items():
        ratios = np.array(usual) / np.array(seconds["cpu_s"])
        table[name]["times_as_quick_as_default"] = float(np.median(ratios))
    return {
        "station_days": days,
        "best_batch": best,
        "bf16_difference": spec.bf16_difference,
        "million_multiply_adds_per_window": (spec.multiply_adds or 0) / 1e6,
        "cpu_s_to_load": compiling,
        "seconds_per_station_day": table,
        "picks": {engine: compared(theirs, by_us(p, windows)) for engine, p in pickers.items()},
    }


def main() -> None:
    """Measure both networks and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=44.0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of SeisBench and the libraries below it
    torch.set_num_threads(1)
    windows = records(arguments.shared, arguments.minutes)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("PhaseNet", phasenet), ("EQTransformer", eqtransformer)):
            path = Path(folder) / f"{name.lower()}.onnx"
            results[name] = measure(make(arguments.shared), path, windows, arguments.runs)
            print(json.dumps({name: results[name]}, indent=1), flush=True)
    head = {
        "version": zilzal.__version__,
        "python": platform.python_version(),
        "libraries": {
            "seisbench": seisbench.__version__, "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__, "openvino": openvino.__version__,
        },
        "cores": os.cpu_count(),
        "threads": 1,
        "load_average": os.getloadavg()[0],
        "runs": arguments.runs,
        "sensors": [str(window.sensor_id) for window in windows],
        "minutes": arguments.minutes,
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**head, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
