"""A source's magnitude and type, from its waveforms: a job, as picking is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zilzal.app.configuration import Configuration
from zilzal.app.events import DETECTION_REACH_S, Material, Solved, complete, event_id
from zilzal.app.execution import Chain, Executor, alone, run_chains
from zilzal.app.picking import Workshop
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.event import Event
from zilzal.core.pick import Detection
from zilzal.io.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringJob:
    """Measure and classify a source.

    Args:
        number: of the source, in the order in which they were found.
        solved: the source.
        detections: that may overlap its picks.
    """

    number: int
    solved: Solved
    detections: tuple[Detection, ...]

    @property
    def key(self) -> str:
        """Its name, for people."""
        return f"event {event_id(self.solved[0].picks)}"

    def do(self, workshop: Workshop) -> MeasuringResult:
        """Look at the waveforms."""
        assert workshop.inventory is not None
        material = Material(
            picks=(), detections=self.detections, stations=(),
            inventory=workshop.inventory, waveforms=workshop.archive,
        )  # fmt: skip
        try:
            (event,) = complete([self.solved], material, workshop.configuration)
        except Exception as error:  # noqa: BLE001  plug-ins and files may raise anything
            return self.give_up(f"{type(error).__name__}: {error}")
        return MeasuringResult(number=self.number, event=event)

    def give_up(self, reason: str) -> MeasuringResult:
        """The event as it was located."""
        association, origin = self.solved
        event = Event(
            id=event_id(association.picks),
            version=1,
            origin=origin,
            picks=association.picks,
            comment=f"not measured: {reason}",
        )
        return MeasuringResult(number=self.number, event=event, error=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringResult:
    """An event, measured or as it was.

    Args:
        number: of the source.
        event: made of it.
        error: why it is not measured; "" where it is.
    """

    number: int
    event: Event
    error: str = ""


def measure_sources(
    sources: Iterable[Solved],
    store: Store,
    executor: Executor,
    configuration: Configuration,
    report: Report = keep_quiet,
) -> Iterator[MeasuringResult]:
    """Events as they come; sources are looked for while others are measured.

    Args:
        sources: asked for another one when somebody is free.
        store: with the detections.
        executor: measures.
        configuration: of all stages.
        report: told of progress.
    """
    found = 0

    def chains() -> Iterator[Chain]:
        nonlocal found
        for number, solved in enumerate(sources):
            found = number + 1
            near = _detections_near(solved, store, configuration.picking_sha256)
            yield alone(MeasuringJob(number=number, solved=solved, detections=near))

    results = run_chains(executor, chains(), attempts=configuration.run.attempts)
    for measured, result in enumerate(results, 1):
        report("measure", measured, found)
        yield result


def _detections_near(solved: Solved, store: Store, picking: str) -> tuple[Detection, ...]:
    """Detections of the stations that picked, from about the time of the picks."""
    picks = solved[0].picks
    times = [pick.time for pick in picks]
    stations = {pick.channel_id.station_id for pick in picks}
    around = min(times) - DETECTION_REACH_S, max(times) + DETECTION_REACH_S + 1
    found = store.detections(*around, configuration=picking)
    return tuple(each for each in found if each.sensor_id.station_id in stations)
