"""From Steim-2 files to picks: ours with each engine, published pickers, and our stages one by one.

One synthetic sensor (three components, 100 Hz) is written as miniSEED. Every contender lives in
processes of its own, of one thread each, warmed up: ours as those of `zilzal run` are (see
app/child.py), the others as their users start them. They are called in turn, round after round,
alone and then two at a time, so that what else the machine does falls on all alike. Ratios are
taken within a round. Slow contenders get fewer hours; all times are scaled to a station-day.
Writes benchmarks/results/throughput.json.

    python benchmarks/throughput.py [--runs 5] [--hours 24] [--week 7] [--shared ../shared]
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np

import zilzal
from zilzal.app.child import MEMORY
from zilzal.app.conditioning import Conditioning
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.picking import Workshop, jobs_of
from zilzal.app.plan import make_plan
from zilzal.core.pick import Pick
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.infer.engine import EngineName, load_model
from zilzal.infer.packaged import find_model
from zilzal.infer.spec import read_spec
from zilzal.io.archive import Archive
from zilzal.io.miniseed_index import index_file
from zilzal.io.sds_writer import write_sds
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.prepare import prepare_record
from zilzal.synth.network import build_network
from zilzal.synth.record import SyntheticRecords
from zilzal.synth.scenario import parse_scenario

RESULTS = Path(__file__).parent / "results" / "throughput.json"
OURS = "zilzal, onnxruntime"
SEED = 1
SCENARIO = """
name = "throughput"
seed = {seed}
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
PACKAGES = (
    "numpy", "scipy", "pymseed", "onnxruntime", "openvino", "torch", "seisbench", "obspy",
)  # fmt: skip
BATCHES = (32, 64, 128)
"""The best of these, on an hour, is what a published picker is given besides its default."""
PHASENET_HOURS, EQT_HOURS = 4.0, 2.0

Call = Callable[[], Any]


@dataclass(frozen=True)
class Contender:
    """`start(folder)` is run in its own process and gives the call that is timed."""

    name: str
    hours: float
    start: Callable[[Path], Call]
    needs: tuple[str, ...] = ()
    weights: Path | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is run as by the workers of `zilzal run`."""
        return self.name.startswith("zilzal")

    @property
    def lacking(self) -> str:
        """Why it cannot be run; empty where it can."""
        missing = [package for package in self.needs if find_spec(package) is None]
        if missing:
            return f"{', '.join(missing)} not installed"
        if self.weights is not None and not self.weights.exists():
            return f"no weights at {self.weights}"
        return ""


def contenders(hours: float, shared: Path) -> list[Contender]:
    weights = shared / "peers" / "weights"
    phasenet, eqt = weights / "phasenet_original.npz", weights / "eqt_original_conservative.npz"
    seisbench = ("seisbench", "torch", "obspy")
    engines = [
        Contender(
            f"zilzal, {name}", hours, partial(start_ours, {"engine": name}),
            () if name == "onnxruntime" else ("openvino",),
        )
        for name in get_args(EngineName)
    ]  # fmt: skip
    live = {"window_samples": read_spec(find_model("zilzal")).window_samples}
    peers = [
        Contender(
            f"SeisBench {kind}, {batch}", min(cut, hours),
            partial(start_seisbench, kind, file, BATCHES if batch == "best batch" else ()),
            seisbench, file,
        )
        for kind, cut, file in (
            ("PhaseNet", PHASENET_HOURS, phasenet), ("EQTransformer", EQT_HOURS, eqt),
        )
        for batch in ("default batch", "best batch")
    ]  # fmt: skip
    return [
        *engines,
        Contender(f"{OURS}, windows as they come live", hours, partial(start_ours, live)),
        Contender("zilzal, STA/LTA with onsets", hours, partial(start_ours, {"use": "stalta"})),
        *peers,
        Contender("ObsPy, recursive STA/LTA", hours, start_obspy, ("obspy",)),
    ]


def start_ours(picker: dict[str, Any], folder: Path) -> Call:
    settings = read_configuration(changes={"run": {"workers": 1}, "picker": picker})
    return partial(pick_archive, folder, settings)


def pick_archive(folder: Path, settings: Configuration) -> int:
    """Number of picks of an archive."""
    return len(picks_of_archive(folder, settings))


def picks_of_archive(folder: Path, settings: Configuration) -> list[Pick]:
    """Picks of an archive, job by job as `zilzal run` makes them."""
    archive = Archive.open([folder])
    plan = make_plan(archive, None, settings.sensors.preference)
    workshop = Workshop(archive=archive, inventory=None, configuration=settings)
    picks: list[Pick] = []
    for stretch in plan.stretches:
        state = None
        for job in jobs_of(stretch, settings.run.chunk_h):
            result = workshop.work(replace(job, state=state))
            assert not result.error, result.error
            picks += result.picks
            state = result.state
    return picks


def start_seisbench(kind: str, weights: Path, batches: tuple[int, ...], folder: Path) -> Call:
    import seisbench.models as sbm
    import torch

    torch.set_num_threads(1)
    if kind == "PhaseNet":
        model = sbm.PhaseNet(component_order="ENZ", phases="NPS", norm="std")
    else:
        model = sbm.EQTransformer(original_compatible="conservative", lstm_blocks=3)
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in np.load(weights).items()})
    model.eval()

    def classify(**options: int) -> int:
        return len(model.classify(read_stream(folder), **options).picks)

    if not batches:
        return classify
    stream = read_stream(folder)
    hour = stream.slice(stream[0].stats.starttime, stream[0].stats.starttime + 3600)
    seconds = {}
    for batch_size in batches:
        begun = time.process_time()
        model.classify(hour.copy(), batch_size=batch_size)
        seconds[batch_size] = time.process_time() - begun
    best = min(seconds, key=seconds.__getitem__)
    print(f"SeisBench {kind}: best batch {best} of {batches}")
    return partial(classify, batch_size=best)


def read_stream(folder: Path) -> Any:
    import obspy

    stream = obspy.Stream()
    for path in files_in(folder):
        stream += obspy.read(path)
    return stream


def start_obspy(folder: Path) -> Call:
    from obspy.signal.trigger import recursive_sta_lta, trigger_onset

    def trigger() -> int:
        stream = read_stream(folder)
        stream.filter("bandpass", freqmin=2.0, freqmax=20.0, corners=4)
        rate = stream[0].stats.sampling_rate
        ratios = [recursive_sta_lta(t.data, int(0.3 * rate), int(5 * rate)) for t in stream]
        return sum(len(trigger_onset(ratio, 5.0, 2.0)) for ratio in ratios)

    return trigger


def start_stages(folder: Path) -> dict[str, Call]:
    """Each stage as a call on what the stage before left, and the floors of two of them."""
    archive = Archive.open([folder])
    (sensor,) = archive.sensors()
    channels = archive.channel_ids()
    start, end = archive.span(sensor) or (Time(0), Time(0))
    settings = read_configuration(changes={"run": {"workers": 1}})
    picker = settings.picker
    assert isinstance(picker, NeuralPicker)
    model = load_model(find_model(picker.model))
    spec = model.spec

    def read() -> list[Any]:
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

    def prepare() -> list[Any]:
        return [
            prepare_record(spec.preparation, w.samples, w.present, w.sampling_rate) for w in windows
        ]

    prepared = np.concatenate(prepare(), axis=1)
    hop = spec.hop_samples * model.joined
    length = spec.window_samples - spec.hop_samples + hop
    frames = [
        prepared[:, first : first + length]
        for first in range(0, prepared.shape[1] - length + 1, hop)
    ]
    there = [np.ones(frame.shape, bool) for frame in frames]
    apart = frames[: prepared.shape[1] // length]

    def pick() -> object:
        state = picker.start()
        for window in windows:
            state, _ = picker.step(state, [window])
        return picker.finish(state)

    return {
        "read": read,
        "read, the decoder alone": start_decoder(folder),
        "gaps and alignment": condition,
        "prepare": prepare,
        "network": lambda: model.predict_each(frames, there),
        "network, without overlap": lambda: model.predict_each(apart, there[: len(apart)]),
        "picker: prepare, network, curves, picks": pick,
        "all": partial(pick_archive, folder, settings),
    }


def start_decoder(folder: Path) -> Call:
    """Libmseed's decoder on all records, everything else done before: the floor of reading."""
    from pymseed.clib import clibmseed, ffi

    indices = [index_file(path) for path in files_in(folder)]
    contents = [path.read_bytes() for path in files_in(folder)]
    kind, name = ffi.new("char *"), ffi.new("char[]", b"")
    target = np.empty(max(int(index.records["count"].max()) for index in indices), np.int32)
    out = ffi.cast("char *", ffi.from_buffer(target))
    calls = [
        (
            ffi.from_buffer(content) + int(r["offset"] + r["data_offset"]), int(r["data_bytes"]),
            int(r["encoding"]), int(r["count"]), out, target.nbytes, kind, bool(r["swap"]), name, 0,
        )
        for index, content in zip(indices, contents, strict=True)
        for r in index.records
    ]  # fmt: skip

    def decode(_kept_alive: object) -> int:
        return sum(clibmseed.ms_decode_data(*arguments) for arguments in calls)

    return partial(decode, (contents, target))


def serve(
    pipe: Connection,
    start: Callable[[Path], Any],
    folder: Path,
    is_worker: bool,
) -> None:
    """A process that runs a contender whenever it is told to; may be set up like our workers."""
    warnings.simplefilter("ignore")
    calls = start(folder)
    named = calls if isinstance(calls, dict) else {"": calls}
    for call in named.values():
        call()
    if is_worker:
        gc.collect()
        gc.freeze()
    pipe.send(time.process_time())
    while pipe.recv():
        told = {}
        for name, call in named.items():
            wall, cpu = time.perf_counter(), time.process_time()
            result = call()
            told[name] = {
                "wall_s": time.perf_counter() - wall,
                "cpu_s": time.process_time() - cpu,
                "picks": result if isinstance(result, int) else None,
            }
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send(told)


@contextmanager
def processes(
    start: Callable[[Path], Any], folder: Path, count: int, *, is_worker: bool = True
) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes, workers = [], []
    for _ in range(count):
        ours, theirs = context.Pipe()
        arguments = (theirs, start, folder, is_worker)
        workers.append(context.Process(target=serve, args=arguments, daemon=True))
        with patch.dict(os.environ, {**MEMORY, **os.environ} if is_worker else {}):
            workers[-1].start()
        theirs.close()
        pipes.append(ours)
    for pipe in pipes:
        pipe.recv()
    yield pipes
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(None)
        worker.join()


def call_all(pipes: list[Connection]) -> list[dict[str, Any]]:
    """Run in all of some processes at once."""
    for pipe in pipes:
        pipe.send("run")
    return [pipe.recv() for pipe in pipes]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write_archive(folder: Path, hours: float) -> Path:
    scenario = parse_scenario(SCENARIO.format(seed=SEED, seconds=hours * 3600))
    write_sds(SyntheticRecords(build_network(scenario)).traces(), folder)
    return folder


def measure(chosen: list[Contender], folders: dict[float, Path], runs: int) -> dict[str, Any]:
    """Rounds of all contenders and of our stages."""
    rows: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in chosen}
    stage_rows: list[dict[str, Any]] = []
    hours = chosen[0].hours
    with ExitStack() as stack:
        stage_pipes = stack.enter_context(processes(start_stages, folders[hours], 1))
        ready = [
            stack.enter_context(
                processes(each.start, folders[each.hours], 2, is_worker=each.is_ours)
            )
            for each in chosen
        ]
        for number in range(runs):
            stage_rows += call_all(stage_pipes)
            for contender, pipes in zip(chosen, ready, strict=True):
                (alone,) = call_all(pipes[:1])
                together = call_all(pipes)
                scale = 24 / contender.hours
                rows[contender.name].append(
                    {
                        "wall_s": alone[""]["wall_s"] * scale,
                        "cpu_s": alone[""]["cpu_s"] * scale,
                        "two_wall_s": max(each[""]["wall_s"] for each in together) * scale,
                        "picks": alone[""]["picks"],
                        "peak_mb": max(each["peak_mb"] for each in together),
                    }
                )
            print(f"round {number + 1} of {runs}: {told_round(rows)}", flush=True)
    return {
        "contenders": {c.name: summary(c, rows[c.name], rows[OURS]) for c in chosen},
        "stages": {
            name: {
                key: spread([row[name][key] * 24 / hours for row in stage_rows])
                for key in ("cpu_s", "wall_s")
            }
            for name in stage_rows[0]
            if name != "peak_mb"
        },
    }


def told_round(rows: dict[str, list[dict[str, Any]]]) -> str:
    return "; ".join(f"{name} {row[-1]['cpu_s']:.2f}" for name, row in rows.items())


def spread(values: list[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "min": min(values), "max": max(values)}


def summary(
    contender: Contender, rows: list[dict[str, Any]], ours: list[dict[str, Any]]
) -> dict[str, Any]:
    """Medians and spreads of a contender, and its ratios to ours within the rounds."""
    pairs = list(zip(rows, ours, strict=True))
    two_wall_s = float(np.median([row["two_wall_s"] for row in rows]))
    return {
        "hours": contender.hours,
        "picks": rows[-1]["picks"],
        "cpu_s": spread([row["cpu_s"] for row in rows]),
        "wall_s": spread([row["wall_s"] for row in rows]),
        "times_ours_cpu": spread([row["cpu_s"] / our["cpu_s"] for row, our in pairs]),
        "times_ours_wall": spread([row["wall_s"] / our["wall_s"] for row, our in pairs]),
        "station_days_per_hour": {
            "one process": 3600 / float(np.median([row["wall_s"] for row in rows])),
            "two processes": 2 * 3600 / two_wall_s,
        },
        "peak_memory_mb": max(row["peak_mb"] for row in rows),
    }


def memory_of(folder: Path) -> float:
    """Peak memory of picking an archive once; `serve` has done so already when it is called."""
    with processes(partial(start_ours, {}), folder, 1) as pipes:
        return call_all(pipes)[0]["peak_mb"]


def environment() -> dict[str, Any]:
    def installed(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if (
        info.exists()
    ) else []  # fmt: skip
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    return {
        "version": zilzal.__version__,
        "commit": commit.stdout.strip(),
        "command": " ".join(["python", "benchmarks/throughput.py", *sys.argv[1:]]),
        "python": platform.python_version(),
        "packages": {package: installed(package) for package in PACKAGES},
        "machine": names[0].split(":")[1].strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": 1,
    }


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hours", type=float, default=24.0, help="of data for the quick ones")
    parser.add_argument("--week", type=float, default=7.0, help="days for the peak of memory")
    default = os.environ.get("ZILZAL_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    arguments = parser.parse_args()
    told = {**environment(), "runs": arguments.runs, "hours": arguments.hours}
    wanted = contenders(arguments.hours, arguments.shared)
    skipped = {each.name: each.lacking for each in wanted if each.lacking}
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}")
    chosen = [each for each in wanted if not each.lacking]
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as out:
        folders = {h: write_archive(Path(out) / f"{h:g}", h) for h in {c.hours for c in chosen}}
        content = b"".join(path.read_bytes() for path in files_in(folders[arguments.hours]))
        measured = measure(chosen, folders, arguments.runs)
        load_after = os.getloadavg()[0]
        memory = {"a day": memory_of(folders[arguments.hours])}
        week = write_archive(Path(out) / "week", 24 * arguments.week)
        memory[f"{arguments.week:g} days"] = memory_of(week)
    told |= {
        "seed": SEED,
        "data_sha256": hashlib.sha256(content).hexdigest(),
        "load_average": [load_before, load_after],
        "skipped": skipped,
        **measured,
        "peak_memory_mb": memory,
    }
    for name, row in told["contenders"].items():
        print(
            f"{name:36} {row['cpu_s']['median']:7.3f} s CPU {row['wall_s']['median']:7.3f} s wall "
            f"{row['times_ours_cpu']['median']:6.1f} times ours, {row['peak_memory_mb']:5.0f} MB"
        )
    for name, row in told["stages"].items():
        print(f"{name:42} {row['cpu_s']['median']:7.3f} s CPU")
    print("peak memory", ", ".join(f"{name} {mb:.0f} MB" for name, mb in memory.items()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
