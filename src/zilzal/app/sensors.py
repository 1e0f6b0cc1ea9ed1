"""All sensors of a plan, picked: what is done is kept, and somebody does the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice, takewhile

from zilzal.app.configuration import Configuration
from zilzal.app.execution import Chain, Executor, run_chains
from zilzal.app.picking import PickingJob, PickingResult, is_failure, jobs_of
from zilzal.app.plan import Plan, Stretch
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.errors import SourceError
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.pick import Phase, Pick, in_order
from zilzal.io.archive import Archive
from zilzal.io.store import Store

_LOOKED_AT = 8
"""Files whose folders tell whether the archive is still there."""

_DROPPED = (Reason.RATE_CHANGE, Reason.NOT_CHOSEN)
"""What becomes of a component that was clean but does not go with the others."""

_SAME_S = 0.05
"""Picks of a phase that are nearer to each other are of one onset."""

FailedTime = dict[ChannelId, list[CoverageSpan]]
"""Time that is told as failed, by channel."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Jobs of a stretch that follow each other.

    Args:
        stretch: whose.
        first: number of the first.
        count: of them.
        is_between: whether the job after them is done and began anew, so that they end for
            themselves.
    """

    stretch: Stretch
    first: int
    count: int
    is_between: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorPicking:
    """How the sensors of a plan are picked.

    Args:
        archive: of their waveforms.
        store: for what is found.
        configuration: of which the settings of picking and of the run count.
        retry_failed: whether time that failed under these settings is tried again.
    """

    archive: Archive
    store: Store
    configuration: Configuration
    retry_failed: bool = False

    def run(
        self, executor: Executor, plan: Plan, report: Report = keep_quiet
    ) -> Iterator[PickingResult]:
        """Pick all that is not done yet; each result is stored in one transaction, then told.

        Raises:
            SourceError: the archive cannot be reached any more.
            StoreError: results cannot be written.
        """
        done = self.store.done_keys(self._key)
        failed: FailedTime = {}
        for span in self.store.coverage(reason=Reason.FAILED):
            failed.setdefault(span.channel_id, []).append(span)
        parts = [part for stretch in plan.stretches for part in self._parts(stretch, done, failed)]
        total = sum(part.count for part in parts)
        spent: list[str] = []
        chains = (self._chain(part, spent) for part in parts)
        attempts = self.configuration.run.attempts
        for number, result in enumerate(run_chains(executor, chains, attempts=attempts), 1):
            if result.error:
                self._check_archive(result.error)
            self._put(result, spent)
            yield result
            report("pick", number, total, str(result.job.sensor_id))

    @property
    def _key(self) -> str:
        return self.configuration.picking_sha256

    def _parts(
        self, stretch: Stretch, done: Collection[str], failed: FailedTime
    ) -> Iterator[_Part]:
        """What of a stretch is to be done."""
        jobs = list(self._jobs(stretch))
        # Jobs after one that is not done began from another state, as where an archive grew.
        finished = sum(1 for _ in takewhile(lambda job: job.key in done, jobs))
        again = self._failures(jobs[:finished], failed) if self.retry_failed else []
        while again and again[-1] == finished - 1:
            finished = again.pop()
        # Numbers that follow each other differ from their places by the same.
        for _, run in groupby(enumerate(again), key=lambda pair: pair[1] - pair[0]):
            numbers = [number for _, number in run]
            yield _Part(stretch, numbers[0], len(numbers), is_between=True)
        if finished < len(jobs):
            yield _Part(stretch, finished, len(jobs) - finished)

    def _failures(self, jobs: Sequence[PickingJob], failed: FailedTime) -> list[int]:
        """Numbers of the jobs that failed under these settings."""
        return [
            number
            for number, job in enumerate(jobs)
            if _overlaps(job, failed) and is_failure(self.store.load_checkpoint(job.key, self._key))
        ]

    def _chain(self, part: _Part, spent: list[str]) -> Chain:
        """The jobs of a part, each with the state that the one before left.

        States are large: those that two jobs since have done without are `spent`. The last ones
        are kept for an archive that grows, and for a job that failed and is tried again.
        """
        jobs = islice(
            self._jobs(part.stretch),
            max(part.first - 1, 0),
            part.first + part.count,
        )
        state, kept = None, list[str]()
        if part.first:
            before = next(jobs).key
            state = self.store.load_checkpoint(before, self._key)
            kept.append("" if is_failure(state) else before)
        for number, job in enumerate(jobs, 1):
            is_last = job.is_last or (part.is_between and number == part.count)
            result: PickingResult = yield replace(job, state=state, is_last=is_last)
            state = result.state
            kept.append("" if result.error else job.key)
            if len(kept) > 2:
                oldest = kept.pop(0)
                if oldest and kept[0]:
                    spent.append(oldest)

    def _jobs(self, stretch: Stretch) -> Iterator[PickingJob]:
        return jobs_of(stretch, self.configuration.run.chunk_h, self.archive)

    def _put(self, result: PickingResult, spent: list[str]) -> None:
        job, store = result.job, self.store
        with store.transaction():
            store.take_out_coverage(job.channel_ids, job.start, job.end)  # of an earlier run
            store.put_picks(result.picks)
            store.put_detections(result.detections)
            store.put_coverage(span for span in result.spans if span.reason not in _DROPPED)
            for span in result.spans:
                if span.reason in _DROPPED:
                    store.take_out_coverage([span.channel_id], span.start, span.end)
                    store.put_coverage([span])
            store.save_checkpoint(job.key, result.state or b"", self._key, done=True)
            for key in spent:
                store.save_checkpoint(key, b"", self._key, done=True)
        spent.clear()

    def _check_archive(self, error: str) -> None:
        """Stop where all would fail alike: it can be done when the archive is back.

        Raises:
            SourceError: none of the archive's folders is there.
        """
        paths = self.archive.samples(_LOOKED_AT)
        if not any(path.parent.is_dir() for path in paths):
            raise SourceError(
                f"the archive cannot be reached any more ({error}); nothing is lost: when "
                f"{paths[0].parent} is back, run again to go on"
            )


def _overlaps(job: PickingJob, failed: FailedTime) -> bool:
    return any(
        span.start < job.end and span.end > job.start
        for channel_id in job.channel_ids
        for span in failed.get(channel_id, ())
    )


def distinct(picks: Iterable[Pick]) -> list[Pick]:
    """Picks in order of time, one for each onset: the more probable one where there are two.

    Pickers give no two of a phase so near; but a time that was picked anew, because other
    samples came, may have one of before and one of now.
    """
    kept: dict[tuple[SensorId, Phase], list[Pick]] = {}
    for pick in in_order(picks):
        before = kept.setdefault((pick.channel_id.sensor_id, pick.phase), [])
        if before and pick.time - before[-1].time < _SAME_S:
            before[-1] = max(before[-1], pick, key=lambda p: p.probability)
        else:
            before.append(pick)
    return in_order(chain.from_iterable(kept.values()))
