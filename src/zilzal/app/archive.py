"""The archive's driver: everything on disk to a catalogue, resumable at every step."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import zilzal
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.events import Material, make_events
from zilzal.app.judged import leave_judged
from zilzal.app.picking import PickingJob, PickingResult, Workshop, jobs_of
from zilzal.app.plan import Plan, make_plan, stations_of
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.catalogue import Catalogue
from zilzal.core.errors import FormatError, SourceError, StoreError
from zilzal.core.event import Event, EventType, Origin, Unlocated
from zilzal.core.pick import Pick
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.quakeml import write_quakeml
from zilzal.io.store import EventQuery, Store
from zilzal.io.tables import write_arrivals, write_catalogue, write_coverage, write_picks

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(slots=True)
class Summary:
    """What a run did, for people."""

    sensors: int = 0
    station_hours: float = 0.0
    picks: int = 0
    events: int = 0
    unlocated: int = 0
    noise: int = 0
    failures: list[str] = field(default_factory=list)
    bad_files: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run_archive(
    sources: Sequence[Path],
    inventory: Inventory,
    output: Path,
    configuration: Configuration,
    report: Report = keep_quiet,
) -> Summary:
    """Work an archive through, and write its catalogue.

    Run again with the same output and configuration it goes on where it was stopped; picks are
    kept as long as the settings of picking stay the same.

    Args:
        sources: miniSEED files, folders, SDS roots.
        inventory: of the stations.
        output: folder for the store, the tables, QuakeML and the effective configuration.
        configuration: of all stages.
        report: told of progress.

    Raises:
        SourceError: there is nothing to read.
        StoreError: results cannot be written.
    """
    summary = Summary()
    with _writing(settings := output / "zilzal.toml"):
        output.mkdir(parents=True, exist_ok=True)
        settings.write_text(configuration.to_toml(), encoding="utf-8")
    archive = _timed(summary, "scan", lambda: open_archive(sources, report, summary))
    plan = make_plan(archive, inventory, configuration.sensors.preference)
    workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
    with Store.open(configuration.store.place(output)) as store:
        for text in (configuration.to_toml(results_only=True), configuration.to_toml(picking=True)):
            store.put_run(text, version=zilzal.__version__, started=_now())
        store.put_coverage(plan.left_out)
        _timed(summary, "pick", lambda: pick_sensors(workshop, plan, store, report, summary))
        key, span = configuration.picking_sha256, plan.span
        picks = store.picks(*span, configuration=key)
        material = Material(
            picks=picks,
            detections=store.detections(*span, configuration=key),
            stations=stations_of(plan, inventory),
            inventory=inventory,
            waveforms=archive,
        )
        events = _timed(
            summary, "events", lambda: list(make_events(material, configuration, report))
        )
        events = _store_events(store, events, span)
        _timed(summary, "write", lambda: export(store, output, picks, events))
    summary.picks = len(picks)
    summary.events = len(catalogue_of(events))
    summary.unlocated = sum(isinstance(event.origin, Unlocated) for event in events)
    summary.noise = sum(_is_noise(event) for event in events)
    return summary


def pick_archive(
    sources: Sequence[Path],
    inventory: Inventory | None,
    output: Path,
    configuration: Configuration,
    report: Report = keep_quiet,
) -> Summary:
    """Pick an archive into one CSV file; a store beside it lets an interrupted run go on.

    Args:
        sources: miniSEED files, folders, SDS roots.
        inventory: for orientations; None takes components as their codes say.
        output: the CSV file; the store gets its name with the ending .db.
        configuration: of which the gap policy, the choice of sensors and the picker count.
        report: told of progress.

    Raises:
        SourceError: there is nothing to read.
        StoreError: results cannot be written.
    """
    summary = Summary()
    database = output.with_suffix(".db")
    if database == output:
        raise StoreError(f"{output} is where the store goes; name a file that ends in .csv")
    with _writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    archive = _timed(summary, "scan", lambda: open_archive(sources, report, summary))
    plan = make_plan(archive, inventory, configuration.sensors.preference)
    workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
    with Store.open(database) as store:
        store.put_run(
            configuration.to_toml(picking=True), version=zilzal.__version__, started=_now()
        )
        _timed(summary, "pick", lambda: pick_sensors(workshop, plan, store, report, summary))
        picks = store.picks(configuration=configuration.picking_sha256)
        write_picks(output, picks)
    summary.picks = len(picks)
    return summary


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """What the system refuses, as an error of ours.

    Raises:
        StoreError: the path cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def open_archive(sources: Sequence[Path], report: Report, summary: Summary) -> Archive:
    """Index the sources.

    Raises:
        SourceError: they hold no waveforms.
    """

    def scanned(done: int, total: int, path: Path) -> None:
        report("scan", done, total, path.name)

    try:
        archive = Archive.open(sources, progress=scanned)
    except (FileNotFoundError, FormatError) as error:
        raise SourceError(str(error)) from error
    summary.bad_files = [f"{fault.path}: {fault.message}" for fault in archive.faults]
    return archive


def pick_sensors(
    workshop: Workshop, plan: Plan, store: Store, report: Report, summary: Summary
) -> None:
    """Pick all sensors that are not done yet; each chunk is stored in one transaction."""
    key = workshop.configuration.picking_sha256
    done = store.done_keys(key)
    queues: list[list[PickingJob]] = []
    for stretch in plan.stretches:
        jobs = list(jobs_of(stretch, workshop.configuration.run.chunk_h))
        summary.station_hours += stretch.duration_s / 3_600
        # Jobs after one that is not done began from another state, as where an archive grew.
        finished = sum(1 for _ in takewhile(lambda job: job.key in done, jobs))
        rest = jobs[finished:]
        if rest and finished:
            state = store.load_checkpoint(jobs[finished - 1].key, key)
            rest[0] = replace(rest[0], state=state or None)
        queues.append(rest)
    summary.sensors = len({stretch.sensor_id for stretch in plan.stretches})
    total = sum(map(len, queues))
    for number, result in enumerate(_work_all(workshop, queues), 1):
        job = result.job
        with store.transaction():
            store.put_picks(result.picks)
            store.put_detections(result.detections)
            store.put_coverage(result.spans)
            store.save_checkpoint(job.key, result.state or b"", key, done=True)
        if result.error:
            summary.failures.append(f"{job.sensor_id} from {job.start}: {result.error}")
        report("pick", number, total, str(job.sensor_id))


def _work_all(
    workshop: Workshop, queues: Sequence[Sequence[PickingJob]]
) -> Iterator[PickingResult]:
    """Results as they come; each queue's jobs one after the other, queues side by side."""
    busy = [iter(jobs) for jobs in queues if jobs]
    workers = min(workshop.configuration.run.workers or os.cpu_count() or 1, len(busy))
    if workers <= 1:
        for jobs in busy:
            state = None
            for job in jobs:
                result = workshop.work(replace(job, state=job.state or state))
                state = result.state
                yield result
        return
    with ExitStack() as stack:
        pool = stack.enter_context(
            ProcessPoolExecutor(
                workers,
                mp_context=get_context("spawn"),
                initializer=_settle,
                initargs=(workshop.light(),),
            )
        )
        # Left early, by an error or Ctrl-C, nothing that waits is begun.
        stack.callback(pool.shutdown, cancel_futures=True)
        running = {pool.submit(_work_here, next(jobs)): jobs for jobs in busy}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                jobs, result = running.pop(future), future.result()
                following = next(jobs, None)
                if following is not None:
                    job = replace(following, state=result.state)
                    running[pool.submit(_work_here, job)] = jobs
                yield result


_workshops: list[Workshop] = []
"""Of a worker process: filled once when it starts, empty in every other process."""


def _settle(workshop: Workshop) -> None:
    _workshops.append(workshop)


def _work_here(job: PickingJob) -> PickingResult:
    return _workshops[0].work(job)


def _store_events(store: Store, events: Sequence[Event], span: tuple[Time, Time]) -> list[Event]:
    """Write events; automatic ones of an earlier run over the same time are retracted.

    Returns:
        The run's events as they are in the store: where a person has judged one, that judgement.
    """
    known = store.events(EventQuery(start=span[0], end=span[1])).events
    events, judged = leave_judged(events, known)
    current = {event.id for event in events}
    gone = [
        replace(event, origin=Unlocated(reason="not found again by a later run", time=event.time))
        for event in known
        if event.id not in current and isinstance(event.origin, Origin)
    ]
    stored = store.put_events([*events, *gone])
    return sorted([*stored[: len(events)], *judged], key=lambda e: (e.time, e.id))


def store_place(run: Path) -> str | Path:
    """What to open for the results of a run, as its settings say; they may be gone."""
    settings = run / "zilzal.toml"
    return read_configuration(settings if settings.exists() else None).store.place(run)


def catalogue_of(events: Sequence[Event]) -> Catalogue:
    """The located events that are not noise."""
    return Catalogue.of(
        event for event in events if isinstance(event.origin, Origin) and not _is_noise(event)
    )


def export(store: Store, output: Path, picks: Sequence[Pick], events: Sequence[Event]) -> None:
    """Write the tables and QuakeML."""
    catalogue = catalogue_of(events)
    members = {pick.id: event.id for event in catalogue for pick in event.picks}
    write_picks(output / "picks.csv", picks, members)
    write_catalogue(output / "catalogue.csv", catalogue)
    write_arrivals(output / "arrivals.csv", catalogue)
    write_coverage(output / "coverage.csv", store.coverage_hours())
    write_quakeml(output / "catalogue.xml", catalogue)


def _is_noise(event: Event) -> bool:
    kind = event.classification
    return kind is not None and kind.event_type is EventType.NOT_EXISTING


def _timed(summary: Summary, name: str, action: Callable[[], _T]) -> _T:
    begun = time.perf_counter()
    try:
        return action()
    finally:
        summary.seconds[name] = time.perf_counter() - begun


def _now() -> Time:
    return Time(time.time_ns())
