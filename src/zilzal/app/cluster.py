"""Jobs on the workers of a Dask cluster (extra `cluster`).

The driver alone reads the store and writes it. A worker has its jobs done by a `Child`, one for
each of its threads, so that a job that hangs or dies costs nothing but its child. What remains
for Dask is to bring jobs and results; the jobs of a worker that has gone come back to the driver,
which decides about them as about all others.
Jobs and results travel as bytes: neither the scheduler nor the workers themselves look into them.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import signal
import threading
import time
import uuid
from collections.abc import Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from dask import config
from distributed import (
    CancelledError,
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    SchedulerPlugin,
    WorkerPlugin,
    get_worker,
)

from zilzal.app.child import START_S, Child, Outfit
from zilzal.app.configuration import RunOptions
from zilzal.app.execution import Ended, Job
from zilzal.app.progress import Report
from zilzal.core.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Scheduler, Worker

logger = logging.getLogger(__name__)

LOCAL = "local"
CONNECT_S = 30.0
FETCH_S = 10.0
"""A result that has not come by then is asked for again: its worker may have gone."""
LOOK_S = 2.0
"""How often the workers are counted."""
WARN_S = 60.0
"""After so long without any worker, and every so often, the log says so."""


class Reply(NamedTuple):
    """What a worker sends back.

    Args:
        place: its address.
        result: pickled; None where the child was lost.
        loss: how.
        refusal: why the worker cannot do this run's jobs.
        remarks: what may change the last digits of its results.
    """

    place: str
    result: bytes | None = None
    loss: str = ""
    refusal: str = ""
    remarks: tuple[str, ...] = ()


class Returns(SchedulerPlugin):
    """Gives a run's jobs back when their worker dies.

    Dask itself would let a job take along three more workers, and then blame with it whatever
    was there each time, begun or waiting.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    async def start(self, scheduler: Scheduler) -> None:
        """Called by Dask when the scheduler gets it."""
        self._scheduler = scheduler

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  Dask's signature
        """Called by Dask when the state of a job changes."""
        if not str(key).startswith(self._name):
            return
        if finish == "processing" and self._scheduler.allowed_failures is not None:
            self._scheduler.tasks[key].suspicious = self._scheduler.allowed_failures
        elif finish == "no-worker":
            # Wanted elsewhere, which is nowhere now; it would wait for those workers for ever.
            self._scheduler.tasks[key].worker_restrictions = None


class Bench(WorkerPlugin):
    """A worker's children for one run."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit
        self._children: list[Child] = []
        self._idle: list[Child] = []
        self._place = ""

    def setup(self, worker: Worker) -> None:
        """Called by Dask when the worker gets it."""
        self._place = worker.address

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002  Dask's signature
        """Called by Dask when the worker or the run ends."""
        for child in self._children:
            child.kill()

    def do(self, job: bytes) -> Reply:
        """Have a job done by a child that is idle; no job only starts the child."""
        try:
            child = self._idle.pop()
        except IndexError:
            self._children.append(child := Child(self._outfit))
        try:
            if not job:
                said = child.start()
                is_ready = said.kind == "ready"
                return Reply(self._place, remarks=tuple(said.value) if is_ready else ())
            result, loss = child.do(pickle.loads(job))  # noqa: S301  from our own driver
            content = None if result is None else pickle.dumps(result)
            return Reply(self._place, content, loss)
        except ClusterError as error:
            return Reply(self._place, refusal=str(error))
        finally:
            self._idle.append(child)


def do_on_bench(name: str, job: bytes) -> Reply:
    """What Dask's workers call: have a job done by the run with this name."""
    bench: Any = get_worker().plugins[name]
    return bench.do(job)


class DaskExecutor:
    """A scheduler's workers, as an executor."""

    def __init__(self, client: Client, name: str) -> None:
        self._client: Any = client  # its types know of asynchronous clients only
        self._name = name
        self._under_way: dict[int, tuple[Job, Future]] = {}
        self._ended: SimpleQueue[int] = SimpleQueue()
        self._threads: dict[str, int] = {}
        self._counted_s = float("-inf")
        self._seen_s = time.monotonic()

    @property
    def workers(self) -> list[str]:
        """Addresses of the workers that there are."""
        self._count()
        return list(self._threads)

    @property
    def slots(self) -> int:
        """Somewhat more than the workers have threads, so that none waits for the driver."""
        self._count()
        threads = sum(self._threads.values())
        return threads + threads // 8 + 1

    def submit(self, number: int, job: Job, avoid: Collection[str] = ()) -> None:
        """Send a job to whichever worker is free, on another host if it has failed on one."""
        content, others = pickle.dumps(job), self._others(avoid)
        future = self._send(content, str(number), others, is_strict=False)
        self._watch(number, job, future)

    def collect(self) -> Sequence[Ended]:
        """Wait for a result; for workers too, where there are none.

        Raises:
            ClusterError: the scheduler has gone.
        """
        while True:
            try:
                number = self._ended.get(timeout=LOOK_S)
            except Empty:
                self._count()
                continue
            ended = self._news(number, *self._under_way.pop(number))
            if ended is not None:
                return [ended]

    def check(self) -> None:
        """Let every worker start a child.

        Raises:
            ClusterError: a worker cannot do this run's jobs.
        """
        trials = [self._send(b"", place, [place], is_strict=True) for place in self.workers]
        replies: list[Reply] = []
        for trial in trials:
            try:
                replies.append(trial.result(timeout=2 * START_S))
            except (TimeoutError, KilledWorker):
                continue  # a worker that went is no hindrance
            except Exception as error:
                raise _cannot(error) from error
        for remark in sorted({remark for reply in replies for remark in reply.remarks}):
            logger.warning("results of workers may differ in the last digits: %s", remark)
        refusals = [f"{reply.place}: {reply.refusal}" for reply in replies if reply.refusal]
        if refusals:
            raise ClusterError(
                f"{len(refusals)} of {len(trials)} workers cannot do this run: "
                + "; ".join(refusals[:3])
            )

    def _send(self, job: bytes, key: str, workers: list[str] | None, *, is_strict: bool) -> Future:
        return self._client.submit(
            do_on_bench,
            self._name,
            job,
            key=f"{self._name}-{key}-{uuid.uuid4().hex[:8]}",
            pure=False,
            workers=workers,
            allow_other_workers=workers is not None and not is_strict,
        )

    def _watch(self, number: int, job: Job, future: Future) -> None:
        self._under_way[number] = job, future
        future.add_done_callback(lambda _: self._ended.put(number))

    def _others(self, avoid: Collection[str]) -> list[str] | None:
        """Workers on other hosts than these are on, or at least other ones."""
        hosts = {_host(place) for place in avoid}
        elsewhere = [place for place in self._threads if _host(place) not in hosts]
        others = elsewhere or [place for place in self._threads if place not in avoid]
        return others if avoid and others else None

    def _news(self, number: int, job: Job, future: Future) -> Ended | None:
        """What became of a job; None where it was begun again."""
        try:
            reply: Reply = future.result(timeout=FETCH_S)
        except TimeoutError:
            self._watch(number, job, future)
            return None
        except KilledWorker as error:
            place = error.last_worker.address
            loss = "its worker died; out of memory?"
            return Ended(number=number, loss=loss, place=place, is_suspect=True)
        except CancelledError as error:
            raise ClusterError(f"{_GONE} ({error})") from error
        except Exception as error:  # noqa: BLE001  Dask's own, as bytes that got lost on the way
            return Ended(number=number, loss=f"{type(error).__name__}: {error}")
        if reply.refusal:
            logger.warning("the worker %s is left out: %s", reply.place, reply.refusal)
            self._client.retire_workers([reply.place], close_workers=True)
            self.submit(number, job)
            return None
        result = None if reply.result is None else pickle.loads(reply.result)  # noqa: S301
        return Ended(number=number, result=result, loss=reply.loss, place=reply.place)

    def _count(self) -> None:
        """Look which workers there are, every now and then.

        Raises:
            ClusterError: the scheduler has gone.
        """
        now_s = time.monotonic()
        if now_s - self._counted_s < LOOK_S:
            return
        try:
            self._threads = dict(self._client.nthreads())
        except (OSError, RuntimeError, CancelledError) as error:
            raise ClusterError(f"{_GONE} ({error})") from error
        self._counted_s = now_s
        if self._threads:
            self._seen_s = now_s
        elif now_s - self._seen_s > WARN_S:
            logger.warning("the cluster has no workers; waiting for them")
            self._seen_s = now_s


_GONE = "the cluster's scheduler has gone; what is done is kept: start again to go on"


def _cannot(error: Exception) -> ClusterError:
    """Whatever a worker without zilzal raises, as ours."""
    return ClusterError(
        f"the workers cannot take the run's jobs ({type(error).__name__}: {error}); they and the "
        "scheduler need the same zilzal as the driver"
    )


def _host(place: str) -> str:
    """Of an address as tcp://host:port."""
    return place.rpartition(":")[0]


_SETTINGS = {
    # The picks of a busy day are a large argument, and meant to be.
    "distributed.admin.large-graph-warning-threshold": "1 GiB",
    # A local cluster gives a worker up that is away just so long after it has died, though it may
    # by then have been restarted, and died again.
    "distributed.deploy.lost-worker-timeout": "1 day",
}
"""Dask's own, during a run."""


@contextmanager
def connect(outfit: Outfit, run: RunOptions, report: Report) -> Generator[DaskExecutor]:
    """A cluster's workers, with all that this run needs.

    Args:
        outfit: for the workers.
        run: says which cluster.
        report: told of its size and its dashboard.

    Raises:
        ClusterError: it cannot be reached, or its workers cannot do this run.
    """
    with ExitStack() as stack:
        stack.enter_context(config.set(_SETTINGS))
        _quieten()
        client = stack.enter_context(_client(run, stack))
        name = f"zilzal-{uuid.uuid4().hex[:8]}"
        stack.callback(_clear, client, name)
        try:
            client.register_plugin(Returns(name), name=name)
            client.register_plugin(Bench(outfit), name=name)
        except Exception as error:
            raise _cannot(error) from error
        executor = DaskExecutor(client, name)
        executor.check()
        size = f"{len(executor.workers)} workers" if executor.workers else "no workers yet"
        report("cluster", 1, 1, f"{size}; {_dashboard(client)}")
        yield executor


def _quieten() -> None:
    """Let Dask tell errors only; it sets its levels when it is imported, and ends with noise."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.ERROR)


def _client(run: RunOptions, stack: ExitStack) -> Client:
    if run.cluster == LOCAL:
        with _deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=run.workers or os.cpu_count() or 1,
                threads_per_worker=1,
                memory_limit=0,  # it is the children that need memory
                dashboard_address=":0",
                # What fails in a job comes back with its result.
                silence_logs=logging.CRITICAL,
            )
        return Client(stack.enter_context(cluster))
    try:
        client = Client(run.cluster, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {run.cluster!r} ({error}); write local, or the address "
            "that the scheduler prints, as tcp://host:8786"
        ) from error
    return client


@contextmanager
def _deaf_to_interrupts() -> Generator[None]:
    """What is started meanwhile leaves Ctrl-C to this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _clear(client: Client, name: str) -> None:
    """Let the cluster forget the run, and the workers end what they are doing for it."""
    for unregister in (client.unregister_worker_plugin, client.unregister_scheduler_plugin):
        with suppress(Exception):  # the scheduler may have gone
            unregister(name)


def _dashboard(client: Client) -> str:
    """Where to look at the workers."""
    if importlib.util.find_spec("bokeh") is None:
        return "no dashboard (it needs: pip install bokeh)"
    return str(client.dashboard_link)
