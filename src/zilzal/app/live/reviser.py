"""Who revises events: this process, or one of its own.

Associating, locating and measuring take as long as they take, and a Python process does one thing
at a time: in one with the picking, each holds up the other. So events have a process of their own,
of lower priority, to which the news go and from which revisions come. All that it holds is the
horizon. That is made anew from the store where the process is lost; it writes nothing itself, and
what it has to log is logged by the monitor.
"""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from logging.handlers import QueueHandler
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from zilzal.app.child import obituary
from zilzal.app.events import Solved
from zilzal.app.live.ahead import Ahead
from zilzal.app.live.horizon import Horizon, News, Revision
from zilzal.core.errors import ClusterError
from zilzal.core.ids import ChannelId
from zilzal.core.stage import Preparing
from zilzal.core.station import Station
from zilzal.io.clock import SystemClock
from zilzal.io.heap import give_back, limit_heaps
from zilzal.io.recorder import Recorder

logger = logging.getLogger(__name__)

NICENESS = 5
"""Of the process: where the processor is short, picks come first."""
_END_S = 10.0
_GIVE_BACK_S = 30.0
"""What the process has freed is given back to the system so often."""


class Reviser(Protocol):
    """Has a horizon, and revises it."""

    @property
    def is_lost(self) -> bool:
        """Whether what revised is there no more."""
        ...

    def revise(self, news: News) -> Revision:
        """See `Horizon.revise`; takes long, for a thread to wait for.

        Raises:
            Exception: it failed; the horizon is to be made anew.
        """
        ...

    def abandon(self) -> None:
        """What is revised just now is not needed; `revise` may come back with an error."""
        ...

    def close(self) -> None:
        """Nothing more will be revised."""
        ...


@dataclass(slots=True, eq=False)
class Here:
    """A horizon in this process; what it will need is worked out ahead in threads.

    Args:
        horizon: to revise.
    """

    horizon: Horizon
    _ahead: Thread | None = None
    _foreseen: SimpleQueue[tuple[Ahead, list[Solved]]] = field(
        default_factory=SimpleQueue[tuple[Ahead, list[Solved]]]
    )

    def __post_init__(self) -> None:
        Thread(target=self._prepare, daemon=True).start()

    @property
    def is_lost(self) -> bool:
        """See `Reviser`: never, without the monitor."""
        return False

    def revise(self, news: News) -> Revision:
        """See `Reviser`."""
        with suppress(Empty):
            while True:
                self.horizon.foresee(*self._foreseen.get_nowait())
        revision = self.horizon.revise(news)
        if not news.is_over and (self._ahead is None or not self._ahead.is_alive()):
            ahead = self.horizon.ahead(news.passed, news.stations)
            if ahead is not None:
                self._ahead = Thread(target=self._look, args=(ahead,), daemon=True)
                self._ahead.start()
        return revision

    def abandon(self) -> None:
        """See `Reviser`; it is waited for."""

    def close(self) -> None:
        """See `Reviser`; threads end by themselves."""

    def _look(self, ahead: Ahead) -> None:
        """Work out what is to be closed soon, while revisions go on."""
        try:
            self._foreseen.put((ahead, ahead.solve()))
        except Exception:
            logger.exception("a block was not worked out ahead; it will be when it is closed")

    def _prepare(self) -> None:
        """Have the locator do what its first event would wait for."""
        locator = self.horizon.configuration.locator
        try:
            if isinstance(locator, Preparing):
                deque(locator.prepare(self.horizon.inventory.stations()), maxlen=0)
        except Exception:
            logger.exception("the locator was not prepared; its first event takes longer")


class Apart:
    """A horizon in a process of its own.

    Args:
        horizon: to revise; that of this process stays as it is.
        recorder: whose waveforms the horizon reads, and whose channels it is told.

    Raises:
        ClusterError: the process cannot be started.
    """

    def __init__(self, horizon: Horizon, recorder: Recorder) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        log, their_log = context.Pipe(duplex=False)
        self._recorder, self._told = recorder, frozenset[ChannelId]()
        self.is_lost = False
        level = logging.getLogger().getEffectiveLevel()
        self._process = context.Process(
            target=serve, args=(theirs, their_log, level, horizon, recorder),
            name="zilzal-events", daemon=True,
        )  # fmt: skip
        try:
            self._process.start()
        except OSError as error:
            self.is_lost = True
            self._pipe.close()
            log.close()
            raise ClusterError(f"the process for events cannot be started: {error}") from error
        finally:
            theirs.close()
            their_log.close()
        self._log = Thread(target=_log_on, args=(log,), daemon=True)
        self._log.start()

    def revise(self, news: News) -> Revision:
        """See `Reviser`.

        Raises:
            ClusterError: the process was lost, or the revision failed in it.
        """
        channels = frozenset(self._recorder.channel_ids())
        try:
            self._pipe.send((news, channels - self._told))
            self._told = channels
            answer: Revision | str = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.is_lost = True
            raise ClusterError(f"the process for events was lost: {self._obituary()}") from error
        if isinstance(answer, str):
            raise ClusterError(f"a revision failed: {answer}")
        return answer

    def abandon(self) -> None:
        """See `Reviser`: the process has nothing that could be lost."""
        self._process.kill()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.pid is not None:
            self._process.kill()
            self._process.join(_END_S)
            self._log.join(_END_S)
        self._pipe.close()

    def _obituary(self) -> str:
        """How the process ended."""
        self._process.join(_END_S)
        status = self._process.exitcode
        return "it does not answer" if status is None else obituary(status)


def serve(
    pipe: Connection[Any, Any],
    log: Connection[Any, Any],
    level: int,
    horizon: Horizon,
    recorder: Recorder,
) -> None:
    """Revise until the monitor has gone; this is what the process runs.

    Args:
        pipe: news come from it, revisions go into it.
        log: records of the log go into it.
        level: of the log.
        horizon: to revise.
        recorder: that is told of channels.
    """
    # To stop and to reload are the monitor's; when it goes, the pipe is closed.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    mouth = QueueHandler(_Mouth(log))  # pyright: ignore[reportArgumentType]  only put into
    logging.basicConfig(level=level, handlers=[mouth])
    limit_heaps()
    here, clock = Here(horizon), SystemClock()
    asked: SimpleQueue[tuple[News, frozenset[ChannelId]]] = SimpleQueue()
    Thread(target=_listen, args=(pipe, asked), daemon=True).start()
    stations: tuple[Station, ...] = ()
    given_back_s = clock.monotonic_s()
    while True:
        news, channels = asked.get()
        recorder.know(channels)
        try:
            # The same ones, not equal ones: what is remembered of them is found at once.
            stations = stations if news.stations == stations else news.stations
            answer: Revision | str = here.revise(replace(news, stations=stations))
        except Exception as error:
            logger.exception("a revision failed")
            answer = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the monitor has gone
            pipe.send(answer)
        if clock.monotonic_s() - given_back_s >= _GIVE_BACK_S:
            give_back()
            given_back_s = clock.monotonic_s()


def _listen(
    pipe: Connection[Any, Any], asked: SimpleQueue[tuple[News, frozenset[ChannelId]]]
) -> None:
    """Put what the monitor asks into the queue; end the process when it has gone.

    At once: the monitor that comes after has a process of its own, which this one would slow down.
    """
    while True:
        try:
            asked.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(0)


@dataclass(frozen=True, slots=True)
class _Mouth:
    """A pipe as the queue of a handler of the log, which has one thread at a time use it."""

    pipe: Connection[Any, Any]

    def put_nowait(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # nobody listens any more
            self.pipe.send(record)


def _log_on(log: Connection[Any, Any]) -> None:
    """Log what the process logs, by the rules of this one, until it has gone."""
    with log:
        while True:
            try:
                record: logging.LogRecord = log.recv()
            except (EOFError, OSError):
                return
            where = logging.getLogger(record.name)
            if where.isEnabledFor(record.levelno):
                where.handle(record)
