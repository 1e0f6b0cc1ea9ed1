"""One sensor's piece of an archive, from files to picks: the unit of work that is repeated.

A `PickingJob` is a value and `work` a function of it, so that jobs run in this process, in
others, or on other machines alike, and that what was done can be taken up again later.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from zilzal.app.conditioning import Conditioning, ConditioningState
from zilzal.app.configuration import Configuration
from zilzal.app.plan import Stretch
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId, SensorId, derive_id
from zilzal.core.pick import Detection, Pick, Provenance
from zilzal.core.stage import Picked
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.archive import Archive, FileSpan

logger = logging.getLogger(__name__)

_T = TypeVar("_T", Pick, Detection)

_LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PickingJob:
    """A sensor's channels from one instant to another.

    Args:
        sensor_id: whose.
        channel_ids: of its components.
        start: first instant.
        end: last instant, exclusive.
        is_last: whether nothing follows, so that all that waits is to be handed out.
        content: tells the samples that there are from those that there were before, where the
            archive has changed; "" where that does not matter.
        state: pickled, of the job before; None for the first, or to begin anew.
    """

    sensor_id: SensorId
    channel_ids: tuple[ChannelId, ...]
    start: Time
    end: Time
    is_last: bool
    content: str = ""
    state: bytes | None = None

    @property
    def key(self) -> str:
        """Name of the piece of work in the store."""
        return "/".join(
            filter(None, (str(self.sensor_id), str(self.start.ns), str(self.end.ns), self.content))
        )

    @property
    def bare(self) -> PickingJob:
        """The same without the state, which need not come back with the result."""
        return replace(self, state=None)

    def do(self, workshop: Workshop) -> PickingResult:
        """Pick."""
        return workshop.work(self)

    def give_up(self, reason: str) -> PickingResult:
        """Its time is told as failed; what follows begins anew."""
        note = reason[:_LONGEST_NOTE]
        spans = tuple(
            CoverageSpan(channel_id, self.start, self.end, Reason.FAILED, note)
            for channel_id in self.channel_ids
        )
        state = pickle.dumps(Failed(reason))
        return PickingResult(job=self.bare, spans=spans, state=state, error=reason)


@dataclass(frozen=True, slots=True)
class Failed:
    """In the place of a state: the job failed, and the one after it begins anew."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PickingResult:
    """What became of a job.

    Args:
        job: done, without its state.
        picks: final.
        detections: closed.
        spans: of the ledger.
        state: pickled, for the job after.
        error: why it failed; "" where it did not.
    """

    job: PickingJob
    picks: tuple[Pick, ...] = ()
    detections: tuple[Detection, ...] = ()
    spans: tuple[CoverageSpan, ...] = ()
    state: bytes | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What all jobs need.

    Args:
        archive: of the waveforms.
        inventory: of the stations; None where there is none, and then orientation and gain are
            not known.
        configuration: of the stages.
    """

    archive: Archive
    inventory: Inventory | None
    configuration: Configuration

    def light(self) -> Workshop:
        """The same without what can be read again, to be sent to another process."""
        archive = Archive(self.archive.files, self.archive.faults, self.archive.gap_policy)
        return replace(self, archive=archive)

    def work(self, job: PickingJob) -> PickingResult:
        """Do a job; a failure is a result too, so that one station never stops the rest."""
        try:
            return self._work(job)
        except Exception as error:  # noqa: BLE001  plug-ins and files may raise anything
            message = f"{type(error).__name__}: {error}"
            logger.info("%s failed from %s: %s", job.sensor_id, job.start, message)
            return job.give_up(message)

    def _work(self, job: PickingJob) -> PickingResult:
        picker = self.configuration.picker
        conditioning = self._conditioning(job)
        conditioned: ConditioningState
        picking: Any  # the picker's own
        left = pickle.loads(job.state) if job.state else None  # noqa: S301  our own store
        if left is None or isinstance(left, Failed):
            conditioned, picking = conditioning.start(job.start), picker.start()
        else:
            conditioned, picking = left
        found: list[Picked] = []
        spans: list[CoverageSpan] = []
        for part in self.archive.steps(job.channel_ids, job.start, job.end):
            conditioned, windows, told = conditioning.step(
                conditioned, part.traces, part.until, corrupt=part.corrupt
            )
            picking, picked = picker.step(picking, windows)
            spans += told
            found.append(picked)
        if job.is_last:
            windows, told = conditioning.finish(conditioned, job.end)
            picking, picked = picker.step(picking, windows)
            spans += told
            found += [picked, picker.finish(picking)]
        key = self.configuration.picking_sha256
        return PickingResult(
            job=job.bare,
            picks=tuple(stamped(pick, key) for part in found for pick in part.picks),
            detections=tuple(stamped(d, key) for part in found for d in part.detections),
            spans=tuple(marked(span, self.inventory) for span in spans),
            state=None if job.is_last else pickle.dumps((conditioned, picking)),
        )

    def _conditioning(self, job: PickingJob) -> Conditioning:
        return Conditioning.of(
            job.sensor_id,
            job.channel_ids,
            self.configuration.gaps,
            inventory=self.inventory,
            time=job.start,
        )


def is_failure(state: bytes | None) -> bool:
    """Whether the job that left this failed."""
    return isinstance(pickle.loads(state), Failed) if state else False  # noqa: S301


def jobs_of(
    stretch: Stretch, chunk_h: float, archive: Archive | None = None
) -> Iterator[PickingJob]:
    """Jobs that cover a stretch, cut at whole multiples of the chunk since 1970.

    With an archive, they are other jobs when it has got other samples for their time.
    """
    start, chunk_ns = stretch.start, round(chunk_h * 3_600e9)
    contents = _contents(archive.files_of(stretch.channel_ids), chunk_ns) if archive else {}
    while start < stretch.end:
        number = start.ns // chunk_ns
        cut = min(stretch.end, Time((number + 1) * chunk_ns))
        yield PickingJob(
            sensor_id=stretch.sensor_id,
            channel_ids=stretch.channel_ids,
            start=start,
            end=cut,
            is_last=cut == stretch.end,
            content=contents.get(number, ""),
        )
        start = cut


def _contents(files: Iterable[FileSpan], chunk_ns: int) -> dict[int, str]:
    """What there is in each chunk of time, as a hash.

    A file of many chunks counts by where it begins and ends, so that one that grows changes
    nothing of the chunks that it had filled; a day's file may reach a little over midnight.
    """
    parts: dict[int, list[tuple[str, int, int, int]]] = {}
    for file in files:
        first, last = file.start.ns // chunk_ns, (file.end.ns - 1) // chunk_ns
        for number in range(first, last + 1):
            start_ns = max(file.start.ns, number * chunk_ns)
            end_ns = min(file.end.ns, (number + 1) * chunk_ns)
            part = str(file.channel_id), start_ns, end_ns, file.count if last - first < 2 else 0
            parts.setdefault(number, []).append(part)
    return {number: derive_id("", *sorted(found))[1:] for number, found in parts.items()}


def stamped(thing: _T, configuration: str) -> _T:
    """A pick or detection that says which configuration made it."""
    return replace(thing, provenance=_made_with(thing.provenance, configuration))


@lru_cache(maxsize=64)
def _made_with(provenance: Provenance, configuration: str) -> Provenance:
    """With the hash of the settings; nearly all that a job makes has the same provenance."""
    return replace(provenance, configuration=configuration)


def marked(span: CoverageSpan, inventory: Inventory | None) -> CoverageSpan:
    """Analysed time of a channel that no amplitude can be taken from is told as such."""
    if span.reason is Reason.ANALYSED and inventory is not None:
        channel = inventory.channel(span.channel_id, span.start)
        if channel is None or channel.response is None:
            return replace(span, reason=Reason.NO_RESPONSE)
    return span
