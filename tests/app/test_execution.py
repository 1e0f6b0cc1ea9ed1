"""One driver for all executors: chains, further attempts, what is given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest

from zilzal.app.execution import Ended, Inline, alone, run_chains


@dataclass(frozen=True)
class Done:
    """What became of a sum."""

    value: int = 0
    error: str = ""


@dataclass(frozen=True)
class Add:
    """A job: one number and another; the first so many attempts fail."""

    value: int
    fails: int = 0

    @property
    def key(self) -> str:
        return f"add {self.value}"

    def do(self, workshop) -> Done:
        return Done(self.value + workshop)

    def give_up(self, reason: str) -> Done:
        return Done(-1, reason)


@dataclass
class Scripted:
    """An executor that loses jobs as they say, and ends the newest first."""

    slots: int
    workshop: int = 100
    begun: list[tuple[int, Add, frozenset[str]]] = field(default_factory=list)
    most: int = 0
    tries: dict[int, int] = field(default_factory=dict)

    def submit(self, number: int, job: Add, avoid: Collection[str] = ()) -> None:
        self.begun.append((number, job, frozenset(avoid)))
        self.most = max(self.most, len(self.begun))

    def collect(self) -> Sequence[Ended]:
        number, job, avoid = self.begun.pop()
        tried = self.tries[job.value] = self.tries.get(job.value, 0) + 1
        if tried <= job.fails:
            assert len(avoid) == tried - 1
            return [Ended(number=number, loss="lost", place=f"w{tried}")]
        return [Ended(number=number, result=job.do(self.workshop))]


def chain_of(*jobs, told=None):
    """A chain that yields these jobs and keeps what it is sent."""
    for job in jobs:
        result = yield job
        if told is not None:
            told.append(result.value)


def test_chain_is_sent_the_results_of_its_jobs_in_order():
    told = []
    chain = chain_of(Add(1), Add(2), Add(3), told=told)
    results = run_chains(Scripted(2), [chain], attempts=1)
    assert [result.value for result in results] == told == [101, 102, 103]


def test_chain_goes_on_from_what_came_before():
    def doubling():
        value = 1
        for _ in range(3):
            result = yield Add(value)
            value = result.value

    results = run_chains(Inline(1000), iter([doubling()]), attempts=1)
    assert [result.value for result in results] == [1001, 2001, 3001]


@pytest.mark.parametrize("slots", [1, 3, 50])
def test_no_more_jobs_are_under_way_than_there_are_slots(slots):
    executor = Scripted(slots)
    chains = (chain_of(Add(10 * n), Add(10 * n + 1), Add(10 * n + 2)) for n in range(20))
    assert len(list(run_chains(executor, chains, attempts=1))) == 60
    assert executor.most == min(slots, 20)


def test_chains_are_begun_only_when_a_slot_is_free():
    begun = []

    def chains():
        for n in range(10):
            begun.append(n)
            yield chain_of(Add(n))

    results = run_chains(Scripted(2), chains(), attempts=1)
    next(results)
    assert begun == [0, 1]


def test_empty_chains_are_passed():
    chains = [chain_of(), chain_of(Add(1)), chain_of()]
    assert [r.value for r in run_chains(Inline(0), chains, attempts=1)] == [1]


@pytest.mark.parametrize("fails", [1, 2])
def test_lost_job_is_tried_again_elsewhere(fails):
    executor, told = Scripted(2), []
    chains = [chain_of(Add(1, fails), Add(2), told=told), chain_of(Add(3))]
    results = list(run_chains(executor, iter(chains), attempts=3))
    assert sorted(result.value for result in results) == [101, 102, 103]
    assert told == [101, 102]
    assert executor.tries[1] == fails + 1


def test_job_lost_again_and_again_is_given_up_and_its_chain_goes_on(caplog):
    told = []
    chains = [chain_of(Add(1, fails=9), Add(2), told=told)]
    results = list(run_chains(Scripted(1), iter(chains), attempts=3))
    assert results == [Done(-1, "lost"), Done(102)]
    assert told == [-1, 102]
    assert "add 1: lost at w3; given up" in caplog.text


@dataclass
class Fragile:
    """An executor that goes down with a job that fails, and loses all that it had."""

    slots: int = 3
    begun: dict[int, Add] = field(default_factory=dict)
    seen: list[list[int]] = field(default_factory=list)

    def submit(self, number: int, job: Add, avoid: Collection[str] = ()) -> None:
        self.begun[number] = job

    def collect(self) -> Sequence[Ended]:
        jobs, self.begun = self.begun, {}
        self.seen.append(sorted(job.value for job in jobs.values()))
        is_down = any(job.fails for job in jobs.values())
        return [
            Ended(number=number, loss="went down", is_suspect=True)
            if is_down
            else Ended(number=number, result=job.do(0))
            for number, job in jobs.items()
        ]


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        (1, [[1, 11, 21], [31], [32], [1], [2], [11], [12], [21]]),
        (3, [[1, 11, 21], [1, 11, 21], [31], [32], [1], [2], [11], [12], [21]]),
    ],
)
def test_jobs_lost_together_are_tried_one_by_one_when_all_others_are_done(
    attempts, expected, caplog
):
    told = {0: [], 1: [], 2: []}
    chains = [
        chain_of(Add(1), Add(2), told=told[0]),
        chain_of(Add(11, fails=9), Add(12), told=told[1]),
        chain_of(Add(21), told=told[2]),
        chain_of(Add(31), Add(32)),
    ]
    executor = Fragile()
    results = list(run_chains(executor, iter(chains), attempts=attempts))
    assert executor.seen == expected
    assert told == {0: [1, 2], 1: [-1, 12], 2: [21]}
    assert [result.error for result in results if result.error] == ["went down"]
    assert "add 11: went down; given up" in caplog.text


@dataclass(frozen=True)
class Stumbles(Add):
    """A job that fails by itself, and says so in its result."""

    def do(self, workshop) -> Done:
        workshop.append(self.value)
        return Done(self.value, "stumbled" if len(workshop) <= self.fails else "")


def test_failed_result_is_tried_again_and_then_stands():
    done = []
    assert list(run_chains(Inline(done), iter([alone(Stumbles(1, 2))]), attempts=3)) == [Done(1)]
    assert done == [1, 1, 1]
    job = replace(Stumbles(2), fails=99)
    (result,) = run_chains(Inline([]), iter([alone(job)]), attempts=2)
    assert result == Done(2, "stumbled")
