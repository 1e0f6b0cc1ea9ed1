"""A real Dask cluster of processes on this machine: the same results, whatever befalls it."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.app.short import assert_same, content, run, settings
from tests.app.test_workers import HALVES, failed_seconds, outfit_of, troubled
from zilzal.core.errors import ClusterError

pytestmark = pytest.mark.slow

dask = pytest.importorskip("dask", reason="needs the extra cluster")
distributed = pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    """A scheduler with two workers of one thread, as anybody's: nothing of it is ours."""
    # Otherwise one that dies twice within this time is sometimes not started again.
    forever = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"})
    with (
        forever,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as made,
    ):
        yield made


def on(cluster, **options):
    return settings(run={"cluster": cluster.scheduler_address, **HALVES, **options})


def workers_of(cluster) -> dict[str, int]:
    """Process numbers of the workers, by address."""
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        return client.run(os.getpid)


def test_cluster_leaves_the_store_that_one_process_leaves(cluster, short, short_run, tmp_path):
    told: list[str] = []

    def listen(stage: str, done: int, total: int, note: str = "") -> None:
        told.extend([note] if stage == "cluster" else [])

    ran = run(short, tmp_path / "cluster", on(cluster), listen)
    assert_same(ran, short_run)
    alone = run(short, tmp_path / "alone", settings(run=HALVES))
    assert content(ran) == content(alone)
    xml = [r.output / "catalogue.xml" for r in (ran, alone)]
    assert xml[0].read_bytes() == xml[1].read_bytes()
    assert told[0].startswith("2 workers; ")


def test_worker_that_is_killed_midway_changes_nothing(cluster, short, short_run, tmp_path):
    pids = workers_of(cluster)

    def kill(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == 3:
            os.kill(next(iter(pids.values())), signal.SIGKILL)

    ran = run(short, tmp_path, on(cluster), kill)
    assert ran.summary.failures == []
    assert_same(ran, short_run)
    assert set(workers_of(cluster).values()) != set(pids.values())


def test_job_that_kills_its_workers_is_given_up_after_three(cluster, short, short_run, tmp_path):
    """Not only its own process: the worker that had started that. No other job is given up."""
    trouble = troubled(tmp_path / "count", "kill").picker
    ran = run(short, tmp_path / "out", replace(on(cluster, chunk_h=24.0), picker=trouble))
    (failure,) = ran.summary.failures
    assert failure.endswith("its worker died; out of memory?")
    assert len(list((tmp_path / "count").iterdir())) == 3
    assert set(failed_seconds(ran)) == {f"SY.S03..HH{c}" for c in "ZNE"}
    others = {p.id for p in short_run.picks if p.channel_id.station != "S03"}
    assert {p.id for p in ran.picks} == others
    healed = run(short, tmp_path / "out", on(cluster, chunk_h=24.0), retry_failed=True)
    assert [p.id for p in healed.picks] == [p.id for p in short_run.picks]


def test_job_wanted_at_workers_that_have_gone_is_done_by_the_next():
    """Dask would keep it for them, if there was no other worker when it came."""
    from zilzal.app.cluster import Returns

    with (
        distributed.LocalCluster(
            n_workers=0, dashboard_address=":0", silence_logs=logging.CRITICAL, processes=False
        ) as empty,
        distributed.Client(empty) as client,
    ):
        client.register_plugin(Returns("mine"), name="mine")
        gone = {"workers": ["tcp://127.0.0.1:9"], "allow_other_workers": True}
        mine = client.submit(pow, 2, 5, key="mine-1", **gone)
        other = client.submit(pow, 2, 6, key="other-1", **gone)
        until = time.monotonic() + 60
        while client.run_on_scheduler(states) != {"mine-1": "no-worker", "other-1": "no-worker"}:
            assert time.monotonic() < until
        wanted_at = client.run_on_scheduler(restrictions, [mine.key, other.key])
        assert wanted_at == [None, {"tcp://127.0.0.1:9"}]  # others' jobs are left alone
        empty.scale(1)
        assert mine.result(timeout=60) == 32


def states(dask_scheduler) -> dict[str, str]:
    return {key: task.state for key, task in dask_scheduler.tasks.items()}


def restrictions(keys, dask_scheduler) -> list[set[str] | None]:
    return [dask_scheduler.tasks[key].worker_restrictions for key in keys]


def test_job_that_dies_once_is_done_by_another_process(cluster, short, short_run, tmp_path):
    trouble = troubled(tmp_path / "count", "die", times=1).picker
    ran = run(short, tmp_path / "out", replace(on(cluster), picker=trouble))
    assert len(list((tmp_path / "count").iterdir())) == 1
    assert_same(ran, short_run)


def test_job_that_hangs_holds_up_nobody(cluster, short, short_run, tmp_path):
    trouble = troubled(tmp_path / "count", "hang").picker
    configuration = replace(on(cluster, timeout_s=20, attempts=1, chunk_h=24.0), picker=trouble)
    ran = run(short, tmp_path / "out", configuration)
    (failure,) = ran.summary.failures
    assert "took longer than 20 s" in failure
    others = {p.id for p in short_run.picks if p.channel_id.station != "S03"}
    assert {p.id for p in ran.picks} == others


def test_interruption_leaves_the_cluster_to_others(cluster, short, short_run, tmp_path):
    def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path, on(cluster), interrupt)
    with distributed.Client(cluster) as client:
        left = [*client.run(plugins).values(), client.run_on_scheduler(scheduler_plugins)]
    assert not [name for names in left for name in names if name.startswith("zilzal")]
    assert_same(run(short, tmp_path, on(cluster)), short_run)


def plugins(dask_worker) -> list[str]:
    return list(dask_worker.plugins)


def scheduler_plugins(dask_scheduler) -> list[str]:
    return list(dask_scheduler.plugins)


def test_worker_with_other_code_is_refused_before_any_work(cluster, short):
    from zilzal.app.cluster import connect
    from zilzal.app.progress import keep_quiet

    outfit = outfit_of(short, package="0" * 32)
    with (
        pytest.raises(
            ClusterError, match=r"2 of 2 workers cannot do this run: tcp://.* it has zilzal"
        ),
        connect(outfit, on(cluster).run, keep_quiet),
    ):
        pytest.fail("it was let in")


def test_address_without_a_scheduler_is_refused(short, tmp_path, monkeypatch):
    monkeypatch.setattr("zilzal.app.cluster.CONNECT_S", 1.0)
    with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
        run(short, tmp_path, settings(run={"cluster": "tcp://127.0.0.1:9"}))


def test_without_dask_the_message_says_what_to_install(short, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "zilzal.app.cluster", None)
    with pytest.raises(ClusterError, match=r"pip install 'zilzal\[cluster\]'"):
        run(short, tmp_path, settings(run={"cluster": "local"}))
