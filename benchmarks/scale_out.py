"""Station-days per hour against workers, what the driver and the store cost, and what that makes.

A synthetic archive is picked in this process, by processes, and on a local Dask cluster, in turn;
then the driver's, the store's and the events' costs are measured one by one. Writes
benchmarks/results/scale_out.json with an estimate for a large archive.

    python benchmarks/scale_out.py [--runs 5] [--stations 4] [--days 1] [--archive FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import resource
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil  # comes with the extra cluster

import zilzal
from zilzal.app.configuration import read_configuration
from zilzal.app.events import Material, complete, find_sources, settle
from zilzal.app.execution import Chain, Executor, alone, run_chains
from zilzal.app.executors import open_executor, outfit_of
from zilzal.app.picking import PickingJob, PickingResult, Workshop, jobs_of
from zilzal.app.plan import Plan, make_plan, stations_of
from zilzal.app.processes import Processes
from zilzal.app.sensors import SensorPicking
from zilzal.app.synthetic import make_synthetic
from zilzal.core.station import Inventory
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store
from zilzal.synth.scenario import demo_scenario, parse_scenario

RESULTS = Path(__file__).parent / "results" / "scale_out.json"
SCENARIO = """
name = "scale-out"
seed = 1
start = "2024-03-05T00:00:00Z"
duration_s = {seconds}
latitude = 47.75
longitude = 12.75
[network]
n_stations = {stations}
aperture_m = 40000
[seismicity]
rate_per_hour = 2.5
"""
N_EMPTY = 200
"""Jobs without data, to see what a job costs that has nothing to do."""
COPIES = 40
"""Of the results, ten days apart each, to see what the store needs."""
ASSUMED = {
    "stations": 1_000,
    "years": 10,
    "picks_per_station_day": 250,
    "events_per_day": 100,
    "workers": [1, 16, 64, 256, 1_000],
}
"""The estimate's archive; so many picks were made at Anza (archive_skill.json)."""
GIB = 2**30


@contextmanager
def one_process(workshop: Workshop) -> Iterator[Executor]:
    with Processes(outfit_of(workshop), 1) as executor:
        yield executor


def crews(archive: Archive, inventory: Inventory) -> dict[str, Callable[[], Any]]:
    """Executors to be opened, by name."""

    def opened(**run: Any) -> Callable[[], Any]:
        configuration = read_configuration(changes={"run": run})
        workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
        return lambda: open_executor(workshop, sensors=10**6)

    settings = read_configuration(changes={"run": {"workers": 1}})
    lone = Workshop(archive=archive, inventory=inventory, configuration=settings)
    return {
        "this process": opened(workers=1),
        "1 process": lambda: one_process(lone),
        "2 processes": opened(workers=2),
        "Dask, 1 worker": opened(workers=1, cluster="local"),
        "Dask, 2 workers": opened(workers=2, cluster="local"),
    }


def cpu_s() -> tuple[float, float]:
    """CPU seconds so far of this process, and of all that it started and that still run."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    times = [p.cpu_times() for p in psutil.Process().children(recursive=True)]
    return own.ru_utime + own.ru_stime, sum(t.user + t.system for t in times)


class Stopwatch:
    """Wall and CPU seconds between its making and `read`."""

    def __init__(self) -> None:
        self.wall_s, self.cpu_s = time.perf_counter(), cpu_s()

    def read(self) -> dict[str, float]:
        """Since it was made."""
        now = cpu_s()
        return {
            "wall_s": time.perf_counter() - self.wall_s,
            "driver_cpu_s": now[0] - self.cpu_s[0],
            "children_cpu_s": now[1] - self.cpu_s[1],
        }


def warm_up(executor: Executor, plan: Plan) -> None:
    """A minute's job for each slot, so that every child has started and read the network."""
    chains = (
        alone(PickingJob(
            sensor_id=s.sensor_id, channel_ids=s.channel_ids, start=s.start, end=s.start + 60 + n,
            is_last=True,
        ))
        for n, s in enumerate(plan.stretches * 2)
    )  # fmt: skip
    list(run_chains(executor, chains, attempts=1))


def pick_all(executor: Executor, plan: Plan, archive: Archive) -> dict[str, float]:
    """What picking takes, once the children are there."""
    configuration = read_configuration()
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "s.db")) as store:
        picking = SensorPicking(archive=archive, store=store, configuration=configuration)
        watch = Stopwatch()
        failures = [result.error for result in picking.run(executor, plan) if result.error]
        told = watch.read()
    assert not failures, failures
    return told


def one_after_another(jobs: Sequence[PickingJob]) -> Chain:
    for job in jobs:  # noqa: UP028  a list takes nothing that is sent
        yield job


def empty_jobs(executor: Executor, plan: Plan) -> dict[str, float]:
    """What jobs take that find no data."""
    stretch = plan.stretches[0]
    jobs = [
        PickingJob(
            sensor_id=stretch.sensor_id, channel_ids=stretch.channel_ids,
            start=stretch.start - 86_400.0 * (n + 10), end=stretch.start - 86_400.0 * (n + 9),
            is_last=True,
        )
        for n in range(N_EMPTY)
    ]  # fmt: skip
    watch = Stopwatch()
    list(run_chains(executor, (one_after_another(jobs[n::10]) for n in range(10)), attempts=1))
    return {name: value / N_EMPTY for name, value in watch.read().items()}


def rates(archive: Archive, inventory: Inventory, runs: int) -> dict[str, Any]:
    """Each crew in turn, `runs` times."""
    plan = make_plan(archive, inventory, read_configuration().sensors.preference)
    days = sum(stretch.duration_s for stretch in plan.stretches) / 86_400
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for _ in range(runs):
        for name, opened in crews(archive, inventory).items():
            with opened() as executor:
                warm_up(executor, plan)
                told = found.setdefault(name, {"picking": [], "empty": []})
                told["picking"].append(pick_all(executor, plan, archive))
                told["empty"].append(empty_jobs(executor, plan))
            print(name, {k: round(v, 2) for k, v in told["picking"][-1].items()}, flush=True)
    return {"station_days": days, "crews": {n: summed(each, days) for n, each in found.items()}}


def summed(told: dict[str, list[dict[str, float]]], days: float) -> dict[str, Any]:
    """Medians per station-day, and per empty job."""
    picking = {key: values(told["picking"], key, days) for key in told["picking"][0]}
    total = [row["driver_cpu_s"] + row["children_cpu_s"] for row in told["picking"]]
    hourly = [3600 * days / row["wall_s"] for row in told["picking"]]
    return {
        "station_days_per_hour": spread(hourly),
        "per_station_day": {**picking, "cpu_s": spread([value / days for value in total])},
        "per_empty_job": {key: values(told["empty"], key, 1.0) for key in told["empty"][0]},
    }  # fmt: skip


def values(rows: list[dict[str, float]], key: str, share: float) -> dict[str, float]:
    return spread([row[key] / share for row in rows])


def spread(numbers: Sequence[float]) -> dict[str, float]:
    return {"median": float(np.median(numbers)), "min": min(numbers), "max": max(numbers)}


def picked(archive: Archive, inventory: Inventory) -> tuple[list[PickingResult], dict[str, float]]:
    """All results, made here, and what travels for one of them."""
    configuration = read_configuration()
    plan = make_plan(archive, inventory, configuration.sensors.preference)
    workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
    results: list[PickingResult] = []
    job_bytes: list[int] = []
    for stretch in plan.stretches:
        state = None
        for bare in jobs_of(stretch, configuration.run.chunk_h):
            job = replace(bare, state=state)
            results.append(workshop.work(job))
            state = results[-1].state
            job_bytes.append(len(pickle.dumps(job)))
    days = sum(stretch.duration_s for stretch in plan.stretches) / 86_400
    return results, {
        "job_bytes": float(max(job_bytes)),
        "result_bytes": float(max(len(pickle.dumps(result)) for result in results)),
        "state_bytes": float(max(len(result.state or b"") for result in results)),
        "waveform_bytes": sum(p.stat().st_size for p in {s.path for s in archive.files}) / days,
        "picks": sum(len(result.picks) for result in results) / days,
        "detections": sum(len(result.detections) for result in results) / days,
    }


def store_costs(results: Sequence[PickingResult]) -> dict[str, float]:
    """CPU seconds for a job's results, bytes for each kind of row, and for a pick in memory."""
    many = [shifted(result, number) for number in range(COPIES) for result in results]
    n_picks = sum(len(result.picks) for result in many)
    n_detections = sum(len(result.detections) for result in many)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "some.db")
        empty = size_of(place, lambda _: None)
        with_picks = size_of(place, lambda s: [s.put_picks(r.picks) for r in many])
        whole = size_of(place, lambda s: [s.put_detections(r.detections) for r in many])
        with Store.open(place) as store:
            tracemalloc.start()
            kept = store.picks()
            in_memory = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            assert len(kept) == n_picks
        with Store.open(Path(folder, "all.db")) as store:
            begun = time.process_time()
            for result in many:
                with store.transaction():
                    store.put_picks(result.picks)
                    store.put_detections(result.detections)
                    store.put_coverage(result.spans)
                    key, state = result.job.key, result.state or b""
                    store.save_checkpoint(key, state, "x" * 16, done=True)
            cpu_s = time.process_time() - begun
    return {
        "bytes_per_pick": (with_picks - empty) / n_picks,
        "bytes_per_detection": (whole - with_picks) / n_detections,
        "memory_bytes_per_pick": in_memory / n_picks,
        "cpu_s_per_job": cpu_s / len(many),
    }


def shifted(result: PickingResult, number: int) -> PickingResult:
    """The same ten days later, so many times."""
    by_s = 864_000.0 * number
    return replace(
        result,
        job=replace(result.job, start=result.job.start + by_s, end=result.job.end + by_s),
        picks=tuple(replace(pick, time=pick.time + by_s) for pick in result.picks),
        detections=tuple(
            replace(d, start=d.start + by_s, end=d.end + by_s) for d in result.detections
        ),
        spans=tuple(replace(s, start=s.start + by_s, end=s.end + by_s) for s in result.spans),
    )


def size_of(path: Path, fill: Callable[[Store], Any]) -> int:
    """Bytes of a store's file after it was filled in one transaction."""
    with Store.open(path) as store, store.transaction():
        fill(store)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.stat().st_size


def scan_cost(waveforms: Path) -> float:
    """CPU seconds for the headers of a file, a channel's day."""
    Archive.open([waveforms])
    begun = time.process_time()
    archive = Archive.open([waveforms])
    return (time.process_time() - begun) / len({span.path for span in archive.files})


def event_costs(folder: Path) -> dict[str, float]:
    """CPU seconds for a pick's share of association and location, and for measuring an event."""
    made = make_synthetic(demo_scenario(), folder)
    configuration = read_configuration()
    archive, inventory = Archive.open([made.waveforms]), read_inventory([made.inventory])
    results, _ = picked(archive, inventory)
    plan = make_plan(archive, inventory, configuration.sensors.preference)
    material = Material(
        picks=[pick for result in results for pick in result.picks],
        detections=[each for result in results for each in result.detections],
        stations=stations_of(plan, inventory),
        inventory=inventory,
        waveforms=archive,
    )
    associator = settle(configuration.associator, material.picks, material.stations)
    list(find_sources(material, configuration, associator))
    begun = time.process_time()
    sources = list(find_sources(material, configuration, associator))
    solving_s = time.process_time() - begun
    begun = time.process_time()
    events = list(complete(sources, material, configuration))
    return {
        "picks": len(material.picks),
        "events": len(events),
        "solving_cpu_s_per_pick": solving_s / len(material.picks),
        "measuring_cpu_s_per_event": (time.process_time() - begun) / len(events),
    }


def estimate(measured: dict[str, Any]) -> dict[str, Any]:
    """What the measured figures make of a large archive."""
    days = ASSUMED["years"] * 365.25
    station_days = ASSUMED["stations"] * days
    sizes, store, events = measured["sizes"], measured["store"], measured["events"]
    crew = measured["rates"]["crews"]["Dask, 2 workers"]
    job_s = crew["per_station_day"]["children_cpu_s"]["median"]
    driver_s = store["cpu_s_per_job"] + crew["per_empty_job"]["driver_cpu_s"]["median"]
    picks = station_days * ASSUMED["picks_per_station_day"]
    detections = picks * sizes["detections"] / sizes["picks"]
    picking_h = {
        str(workers): max(
            station_days * job_s / min(workers, ASSUMED["stations"]),  # the work itself
            station_days * driver_s,  # the driver takes one result after the other
            days * job_s,  # one station's days follow each other
        ) / 3_600
        for workers in ASSUMED["workers"]
    }  # fmt: skip
    return {
        "assumed": ASSUMED,
        "station_days": station_days,
        "picking_core_days": station_days * job_s / 86_400,
        "picking_hours_by_workers": picking_h,
        "driver_jobs_per_second": 1 / driver_s,
        "scan_hours": 3 * station_days * measured["scan_cpu_s_per_file"] / 3_600,
        "associating_hours": picks * events["solving_cpu_s_per_pick"] / 3_600,
        "measuring_core_days": (
            days * ASSUMED["events_per_day"] * events["measuring_cpu_s_per_event"] / 86_400
        ),
        "memory_gib_per_month": picks
        * store["memory_bytes_per_pick"]
        / ASSUMED["years"]
        / 12
        / GIB,
        "waveforms_tib": station_days * sizes["waveform_bytes"] / 2**40,
        "network_tib": station_days * (sizes["job_bytes"] + sizes["result_bytes"]) / 2**40,
        "store_gib": {
            "picks": picks * store["bytes_per_pick"] / GIB,
            "detections": detections * store["bytes_per_detection"] / GIB,
        },
    }


def main() -> None:
    """Measure everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stations", type=int, default=4)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--archive", type=Path, help="folder of an earlier run's synthetic archive")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        folder = arguments.archive or Path(out, "archive")
        if not (folder / "waveforms").is_dir():
            scenario = SCENARIO.format(seconds=arguments.days * 86_400, stations=arguments.stations)
            make_synthetic(parse_scenario(scenario), folder)
        archive = Archive.open([folder / "waveforms"])
        inventory = read_inventory([folder / "inventory.xml"])
        results, sizes = picked(archive, inventory)
        measured = {
            "sizes": sizes,
            "store": store_costs(results),
            "scan_cpu_s_per_file": scan_cost(folder / "waveforms"),
            "events": event_costs(Path(out, "demo")),
            "rates": rates(archive, inventory, arguments.runs),
        }
    told = {
        "version": zilzal.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "runs": arguments.runs,
        **measured,
        "estimate": estimate(measured),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
