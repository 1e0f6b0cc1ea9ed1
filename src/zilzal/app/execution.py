"""Doing many jobs, here or elsewhere: one driver, whoever does them.

A job is a value with all that it needs. A chain is a generator: it yields a job, is sent its
result, and yields the next, so that what a job left can go into the job after it. Chains do not
know of each other: one that waits, fails or hangs holds up none of the others.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

logger = logging.getLogger(__name__)


class Result(Protocol):
    """What became of a job."""

    @property
    def error(self) -> str:
        """Why it failed; "" where it did not."""
        ...


class Job(Protocol):
    """A piece of work; can be pickled."""

    @property
    def key(self) -> str:
        """Its name, for people."""
        ...

    def do(self, workshop: Any) -> Result:
        """Do it with what all jobs need; a failure is a result too."""
        ...

    def give_up(self, reason: str) -> Result:
        """The result where nobody could do it."""
        ...


Chain = Generator[Job, Any, None]
"""A job, then what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """News of a job.

    Args:
        number: under which it was begun.
        result: None where whoever did it was lost.
        loss: how.
        place: where, so that another try can avoid it.
        is_suspect: whether others may have been lost with it, so that nobody knows whose doing
            it was.
    """

    number: int
    result: Result | None = None
    loss: str = ""
    place: str = ""
    is_suspect: bool = False


class Executor(Protocol):
    """Those who do the jobs."""

    @property
    def slots(self) -> int:
        """Jobs that may be under way at once; may change from call to call."""
        ...

    def submit(self, number: int, job: Job, avoid: Collection[str] = ()) -> None:
        """Begin a job, not in these places if there are others."""
        ...

    def collect(self) -> Sequence[Ended]:
        """Wait until a job has ended; all that have."""
        ...


@dataclass(slots=True)
class Inline:
    """Jobs in this process, one after the other; a job that hangs or dies takes it along."""

    workshop: Any
    _waiting: deque[tuple[int, Job]] = field(default_factory=deque[tuple[int, Job]])

    @property
    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, number: int, job: Job, avoid: Collection[str] = ()) -> None:  # noqa: ARG002
        """There is but this place."""
        self._waiting.append((number, job))

    def collect(self) -> Sequence[Ended]:
        """Do it now."""
        number, job = self._waiting.popleft()
        return [Ended(number=number, result=job.do(self.workshop))]


@dataclass(slots=True)
class _Task:
    """A job, its chain, and what happened to it."""

    chain: Chain
    job: Job
    tries: int = 0
    avoid: set[str] = field(default_factory=set[str])
    is_suspect: bool = False
    is_alone: bool = False


def run_chains(executor: Executor, chains: Iterable[Chain], *, attempts: int) -> Iterator[Any]:
    """Results of all jobs of all chains, as they come.

    What fails or is lost is tried again elsewhere; then it is given up, and its chain goes on.
    The last attempt at a job that was lost with others is made when all else is done, with
    nothing beside it: nobody is given up for what another did.

    Args:
        executor: does the jobs.
        chains: asked for another one when a slot is free.
        attempts: at a job; one more, alone, where there is but one and it was lost with others.
    """
    numbers, running = count(), dict[int, _Task]()
    ready, suspects = deque[_Task](), deque[_Task]()
    begun = (task for chain in chains if (task := _following(chain, None)) is not None)

    def begin(task: _Task) -> None:
        running[number := next(numbers)] = task
        executor.submit(number, task.job, task.avoid)

    while True:
        while len(running) < executor.slots:
            task = ready.popleft() if ready else next(begun, None)
            if task is None:
                break
            begin(task)
        if not running and suspects:
            task = suspects.popleft()
            task.is_alone = True
            begin(task)
        if not running:
            return
        for ended in executor.collect():
            task = running.pop(ended.number)
            result = _judge(task, ended, attempts)
            if result is None:
                (suspects if task.is_suspect else ready).append(task)
                continue
            if (following := _following(task.chain, result)) is not None:
                ready.append(following)
            yield result


def alone(job: Job) -> Chain:
    """A chain of one job."""
    yield job


def _following(chain: Chain, result: Result | None) -> _Task | None:
    """A chain's next job, after it was sent what became of the last; None at its end."""
    try:
        return _Task(chain, chain.send(result))
    except StopIteration:
        return None


def _judge(task: _Task, ended: Ended, attempts: int) -> Result | None:
    """A job's result; None where it is to be tried again."""
    reason = ended.loss if ended.result is None else ended.result.error
    if not reason:
        return ended.result
    where = f" at {ended.place}" if ended.place else ""
    task.tries += 1
    may_be_others = ended.is_suspect and not task.is_alone
    if task.tries >= attempts and not may_be_others:
        logger.warning("%s: %s%s; given up", task.job.key, reason, where)
        return ended.result if ended.result is not None else task.job.give_up(reason)
    task.is_suspect = may_be_others and task.tries >= attempts - 1
    how = "by itself at the end" if task.is_suspect else "again"
    logger.info("%s: %s%s; it is tried %s", task.job.key, reason, where, how)
    task.avoid.add(ended.place)
    return None
