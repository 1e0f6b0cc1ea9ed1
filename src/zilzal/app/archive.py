"""The archive's driver: everything on disk to a catalogue, resumable at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import zilzal
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.events import LEARNED, LESSON, Material, find_sources, settle
from zilzal.app.execution import Executor
from zilzal.app.executors import open_executor
from zilzal.app.judged import leave_judged
from zilzal.app.measuring import measure_sources
from zilzal.app.picking import Workshop
from zilzal.app.plan import Plan, make_plan, moves_of, stations_of
from zilzal.app.progress import Report, keep_quiet
from zilzal.app.sensors import SensorPicking, distinct
from zilzal.core.catalogue import Catalogue
from zilzal.core.errors import FormatError, SourceError, StoreError
from zilzal.core.event import Event, Origin, Unlocated
from zilzal.core.pick import Pick
from zilzal.core.stage import Associator, LearningAssociator, SettledAssociator
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.clock import utc_now
from zilzal.io.quakeml import write_quakeml
from zilzal.io.store import EventQuery, Store
from zilzal.io.tables import write_arrivals, write_catalogue, write_coverage, write_picks

_T = TypeVar("_T")


@dataclass(slots=True)
class Summary:
    """What a run did, for people: `unsized` events of the catalogue have no magnitude."""

    sensors: int = 0
    station_hours: float = 0.0
    picks: int = 0
    events: int = 0
    unlocated: int = 0
    noise: int = 0
    unsized: int = 0
    unused: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    bad_files: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run_archive(
    sources: Sequence[Path],
    inventory: Inventory,
    output: Path,
    configuration: Configuration,
    report: Report = keep_quiet,
    *,
    retry_failed: bool = False,
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
        retry_failed: whether time that failed in an earlier run is tried again.

    Raises:
        ClusterError: the workers cannot be had, or cannot do this run.
        SourceError: there is nothing to read, or no sensor of it can be used.
        StoreError: results cannot be written.
    """
    summary = Summary()
    configuration.picker.start()  # so that a network that cannot be used ends the run before it
    with _writing(settings := output / "zilzal.toml"):
        output.mkdir(parents=True, exist_ok=True)
        settings.write_text(configuration.to_toml(), encoding="utf-8")
    archive = _timed(summary, "scan", lambda: open_archive(sources, report, summary))
    plan = _make_plan(archive, inventory, configuration, summary)
    workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
    with (
        Store.open(configuration.store.place(output)) as store,
        open_executor(workshop, len(plan.stretches), report) as executor,
    ):
        for text in (configuration.to_toml(results_only=True), configuration.to_toml(picking=True)):
            store.put_run(text, version=zilzal.__version__, started=utc_now())
        store.put_coverage(plan.left_out)
        summary.moved = moves_of(plan, inventory)
        picking = SensorPicking(
            archive=archive, store=store, configuration=configuration, retry_failed=retry_failed
        )
        _timed(summary, "pick", lambda: _pick(picking, executor, plan, report, summary))
        key, span = configuration.picking_sha256, plan.span
        picks = distinct(store.picks(*span, configuration=key))
        material = Material(
            picks=picks,
            detections=(),
            stations=stations_of(plan, inventory),
            inventory=inventory,
            waveforms=archive,
        )
        report("learn", 0, 1)
        associator = _timed(
            summary, "learn", lambda: settle(configuration.associator, picks, material.stations)
        )
        report("learn", 1, 1)
        _keep_lesson(store, output, configuration, associator)
        solved = find_sources(material, configuration, associator, report)
        measuring = measure_sources(solved, store, executor, configuration, report)
        results = _timed(summary, "events", lambda: sorted(measuring, key=lambda r: r.number))
        events = _store_events(store, [result.event for result in results], span)
        _timed(summary, "write", lambda: export(store, output, picks, events))
    summary.failures += [f"event {r.event.id}: {r.error}" for r in results if r.error]
    summary.picks = len(picks)
    catalogue = catalogue_of(events)
    summary.events = len(catalogue)
    summary.unsized = sum(event.magnitude is None for event in catalogue)
    summary.unlocated = sum(isinstance(event.origin, Unlocated) for event in events)
    summary.noise = sum(event.is_noise for event in events)
    return summary


def _keep_lesson(
    store: Store, output: Path, configuration: Configuration, settled: Associator
) -> None:
    """Write what an associator learned from this archive, for a monitor of the same network."""
    asked = configuration.associator
    learned = isinstance(asked, LearningAssociator) and not asked.is_settled
    if learned and isinstance(settled, SettledAssociator):
        text = settled.to_text()
        store.save_checkpoint(LEARNED, text.encode(), configuration.sha256, done=True)
        with _writing(lesson := output / LESSON):
            lesson.write_text(text + "\n", encoding="utf-8")


def pick_archive(
    sources: Sequence[Path],
    inventory: Inventory | None,
    output: Path,
    configuration: Configuration,
    report: Report = keep_quiet,
    *,
    retry_failed: bool = False,
) -> Summary:
    """Pick an archive into one CSV file; a store beside it lets an interrupted run go on.

    Args:
        sources: miniSEED files, folders, SDS roots.
        inventory: for orientations; None takes components as their codes say.
        output: the CSV file; the store gets its name with the ending .db.
        configuration: of which the gap policy, the choice of sensors and the picker count.
        report: told of progress.
        retry_failed: whether time that failed in an earlier run is tried again.

    Raises:
        ClusterError: the workers cannot be had, or cannot do this run.
        SourceError: there is nothing to read, or no sensor of it can be used.
        StoreError: results cannot be written.
    """
    summary = Summary()
    database = output.with_suffix(".db")
    if database == output:
        raise StoreError(f"{output} is where the store goes; name a file that ends in .csv")
    with _writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    archive = _timed(summary, "scan", lambda: open_archive(sources, report, summary))
    plan = _make_plan(archive, inventory, configuration, summary)
    workshop = Workshop(archive=archive, inventory=inventory, configuration=configuration)
    with (
        Store.open(database) as store,
        open_executor(workshop, len(plan.stretches), report) as executor,
    ):
        store.put_run(
            configuration.to_toml(picking=True), version=zilzal.__version__, started=utc_now()
        )
        store.put_coverage(plan.left_out)
        picking = SensorPicking(
            archive=archive, store=store, configuration=configuration, retry_failed=retry_failed
        )
        _timed(summary, "pick", lambda: _pick(picking, executor, plan, report, summary))
        picks = distinct(store.picks(configuration=configuration.picking_sha256))
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
    summary.bad_files = list(map(str, archive.faults))
    return archive


def _make_plan(
    archive: Archive, inventory: Inventory | None, configuration: Configuration, summary: Summary
) -> Plan:
    """Choose what is worked through.

    Raises:
        SourceError: nothing is.
    """
    plan = make_plan(archive, inventory, configuration.sensors.preference)
    summary.unused = plan.unused()
    if not plan.stretches:
        raise SourceError(
            f"none of {len(summary.unused)} sensors can be used, as {'; '.join(summary.unused[:3])}"
        )
    return plan


def _pick(
    picking: SensorPicking, executor: Executor, plan: Plan, report: Report, summary: Summary
) -> None:
    """Pick all sensors that are not done yet."""
    summary.sensors = len({stretch.sensor_id for stretch in plan.stretches})
    summary.station_hours = sum(stretch.duration_s for stretch in plan.stretches) / 3_600
    for result in picking.run(executor, plan, report):
        if result.error:
            job = result.job
            summary.failures.append(f"{job.sensor_id} from {job.start}: {result.error}")


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
        event for event in events if isinstance(event.origin, Origin) and not event.is_noise
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


def _timed(summary: Summary, name: str, action: Callable[[], _T]) -> _T:
    begun = time.perf_counter()
    try:
        return action()
    finally:
        summary.seconds[name] = time.perf_counter() - begun
