"""Processes of one machine: what hangs, dies or fails, and that nothing else notices."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.short import Ran, assert_same, content, run, settings, table
from tests.app.trouble import Trouble
from zilzal.app.child import MEMORY, Child, Outfit
from zilzal.app.credentials import Credentials
from zilzal.app.picking import Workshop, jobs_of
from zilzal.app.plan import make_plan
from zilzal.app.synthetic import Synthetic
from zilzal.core.coverage import Reason
from zilzal.core.errors import ClusterError, SourceError
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store
from zilzal.io.tables import read_coverage

HALVES = {"chunk_h": 0.05}
"""Two jobs a sensor, in which the second goes on from the first."""


def troubled(folder: Path, what: str, *, times: int = 99, **options):
    """Settings that say nothing of the trouble: the same hash as without it."""
    folder.mkdir(exist_ok=True)
    configuration = settings(run={"workers": 2, **options})
    return replace(configuration, picker=Trouble(what, folder, times=times))


def failed_seconds(ran: Ran) -> dict[str, float]:
    """By channel, as the ledger has it."""
    with Store.open(ran.output / "zilzal.db") as store:
        spans = store.coverage(reason=Reason.FAILED)
    seconds: dict[str, float] = {}
    for span in spans:
        key = str(span.channel_id)
        seconds[key] = seconds.get(key, 0.0) + span.duration_s
    return seconds


def assert_only_s03_failed(ran: Ran, reference: Ran, reason: str) -> None:
    (failure,) = ran.summary.failures
    assert failure.startswith("SY.S03..HH from 2024-03-05T11:58:00")
    assert reason in failure
    assert set(failed_seconds(ran)) == {f"SY.S03..HH{c}" for c in "ZNE"}
    assert {p.id for p in ran.picks} == {
        p.id for p in reference.picks if p.channel_id.station != "S03"
    }


@pytest.mark.slow
def test_processes_leave_the_store_that_one_leaves(short, short_run, tmp_path):
    ran = run(short, tmp_path, settings(run={"workers": 2}))
    assert_same(ran, short_run)
    assert content(ran) == content(short_run)


@pytest.mark.slow
def test_job_that_hangs_is_ended_told_and_done_when_asked_again(short, short_run, tmp_path):
    configuration = troubled(tmp_path / "count", "hang", timeout_s=10, attempts=1)
    ran = run(short, tmp_path / "out", configuration)
    assert_only_s03_failed(ran, short_run, "took longer than 10 s")
    assert all(seconds == 200 for seconds in failed_seconds(ran).values())
    again = run(short, tmp_path / "out", settings())
    assert again.summary.failures == []  # it is not tried without being asked to
    assert table(again, "picks.csv") == table(ran, "picks.csv")
    healed = run(short, tmp_path / "out", settings(), retry_failed=True)
    assert_same_but_versions(healed, short_run)
    assert failed_seconds(healed) == {}


def assert_same_but_versions(one: Ran, other: Ran) -> None:
    for name in ("picks.csv", "arrivals.csv", "coverage.csv"):
        assert table(one, name) == table(other, name)


@pytest.mark.slow
def test_process_that_dies_once_changes_nothing(short, short_run, tmp_path):
    configuration = troubled(tmp_path / "count", "die", times=1, **HALVES)
    ran = run(short, tmp_path / "out", configuration)
    assert len(list((tmp_path / "count").iterdir())) == 1
    assert ran.summary.failures == []
    assert_same(ran, short_run)


@pytest.mark.slow
def test_job_that_kills_every_process_is_given_up_with_its_reason(short, short_run, tmp_path):
    configuration = troubled(tmp_path / "count", "die", attempts=2)
    ran = run(short, tmp_path / "out", configuration)
    assert len(list((tmp_path / "count").iterdir())) == 2
    assert_only_s03_failed(ran, short_run, "its process died of SIGKILL; out of memory?")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_disk_that_fails_twice_changes_nothing(short, short_run, tmp_path, workers):
    configuration = troubled(tmp_path / "count", "raise", times=2, workers=workers, **HALVES)
    ran = run(short, tmp_path / "out", configuration)
    assert ran.summary.failures == []
    assert_same(ran, short_run)


def test_half_that_failed_is_tried_again_without_the_other(short, short_run, tmp_path):
    """The second half began anew after the first had failed, and stays so."""
    folder, noon = tmp_path / "count", Time.parse("2024-03-05T12:00:00Z")
    configuration = troubled(folder, "raise", times=1, workers=1, attempts=1, **HALVES)
    ran = run(short, tmp_path / "out", configuration)
    (failure,) = ran.summary.failures
    assert "OSError: [Errno 5] Input/output error" in failure
    assert set(failed_seconds(ran).values()) == {120.0}
    steps: list[int] = []

    def count(stage: str, done: int, total: int, note: str = "") -> None:
        steps.extend([total] if stage == "pick" else [])

    healed = run(short, tmp_path / "out", settings(run=HALVES), count, retry_failed=True)
    assert steps == [1]
    assert failed_seconds(healed) == {}
    assert {p.id for p in ran.picks} < {p.id for p in healed.picks}
    assert [p.id for p in healed.picks if p.time < noon] == [
        p.id for p in short_run.picks if p.time < noon
    ]
    hours = read_coverage(healed.output / "coverage.csv")
    assert sum(hour.seconds for hour in hours) == pytest.approx(18 * 200)


def test_event_that_cannot_be_measured_is_kept_as_it_was_located(
    short, short_run, tmp_path, monkeypatch
):
    def fail(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("zilzal.app.measuring.complete", fail)
        ran = run(short, tmp_path)
    assert [f"event {e.id}: OSError: [Errno 5] Input/output error" for e in ran.events] == (
        ran.summary.failures
    )
    assert {e.comment for e in ran.events} == {
        "not measured: OSError: [Errno 5] Input/output error"
    }
    assert [e.origin.id for e in ran.events] == [e.origin.id for e in short_run.events]
    healed = run(short, tmp_path)
    values = [[e.magnitude.magnitude for e in each.events] for each in (healed, short_run)]
    assert values[0] == values[1]


def test_archive_that_goes_away_stops_the_run_and_costs_nothing(short, short_run, tmp_path):
    waveforms = tmp_path / "waveforms"
    shutil.copytree(short.waveforms, waveforms)

    def take_away(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == 3:
            shutil.move(waveforms, tmp_path / "gone")

    configuration = settings(run=HALVES)
    with pytest.raises(SourceError, match="cannot be reached any more"):
        run(short, tmp_path / "out", configuration, take_away, waveforms=waveforms)
    shutil.move(tmp_path / "gone", waveforms)
    resumed = run(short, tmp_path / "out", configuration, waveforms=waveforms)
    assert resumed.summary.failures == []
    assert_same(resumed, short_run)


def children() -> list[int]:
    """Processes that this one has started and that still run."""
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in found]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_interruption_leaves_no_process_and_nothing_is_lost(short, short_run, tmp_path):
    before = children()
    configuration = settings(run={"workers": 2, **HALVES})

    def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path, configuration, interrupt)
    assert children() == before
    assert_same(run(short, tmp_path, configuration), short_run)


KILLED_DRIVER = """
import os, signal, sys
from pathlib import Path
from tests.app.short import settings
from zilzal.app.archive import run_archive
from zilzal.io.inventory import read_inventory

def die(stage, done, total, note=""):
    if (stage, done) == (sys.argv[4], int(sys.argv[5])):
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    waveforms, inventory, output = map(Path, sys.argv[1:4])
    configuration = settings(run={"workers": 2, "chunk_h": 0.05})
    run_archive([waveforms], read_inventory([inventory]), output, configuration, die)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "done"), [("pick", 5), ("measure", 2)])
def test_driver_that_is_killed_loses_nothing(short, short_run, tmp_path, stage, done):
    script = tmp_path / "driver.py"
    script.write_text(KILLED_DRIVER)
    arguments = [short.waveforms, short.inventory, tmp_path / "out", stage, done]
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    killed = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path}, check=False, timeout=300,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    resumed = run(short, tmp_path / "out", settings(run=HALVES))
    assert_same(resumed, short_run)
    assert content(resumed) == content(run(short, tmp_path / "whole", settings(run=HALVES)))


def outfit_of(short: Synthetic, **changes) -> Outfit:
    archive = Archive.open(short.waveforms)
    workshop = Workshop(
        archive=archive, inventory=read_inventory(short.inventory), configuration=settings()
    )
    credentials = replace(Credentials.of(workshop.configuration, archive), **changes)
    return Outfit(credentials, pickle.dumps(workshop.light()), 60.0)


class Look:
    """A job that tells how its process is set up."""

    def do(self, workshop):
        assert isinstance(workshop, Workshop)
        return {name: os.environ.get(name) for name in MEMORY}, gc.get_freeze_count()


@pytest.mark.slow
def test_child_keeps_its_memory_and_settles_after_its_first_job(short, monkeypatch):
    kept, *others = MEMORY
    monkeypatch.setenv(kept, "131072")
    for name in others:
        monkeypatch.delenv(name, raising=False)
    child = Child(outfit_of(short))
    try:
        (environment, frozen), lost = child.do(Look())
        assert not lost
        assert environment == {**MEMORY, kept: "131072"}  # the user's own comes first
        assert frozen == 0
        (_, frozen), _ = child.do(Look())
        assert frozen > 10_000
    finally:
        child.close()


@pytest.mark.slow
def test_child_does_what_is_done_here_and_refuses_other_code(short):
    outfit = outfit_of(short)
    workshop: Workshop = pickle.loads(outfit.workshop)
    (stretch, *_) = make_plan(workshop.archive, None, ("HH",)).stretches
    (job,) = jobs_of(stretch, 24.0)
    child = Child(outfit)
    try:
        assert child.do(job) == (workshop.work(job), "")
        os.kill(child._process.pid, signal.SIGKILL)
        child._process.wait()
        assert child.do(job) == (workshop.work(job), "")  # by a new one
    finally:
        child.close()
    stranger = Child(outfit_of(short, package="0" * 32))
    with pytest.raises(ClusterError, match=r"it has zilzal .* the run .* install the same here"):
        stranger.do(job)
