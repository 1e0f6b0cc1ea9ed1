"""Who revises events: this process, or one of its own.

Associating, locating and measuring take as long as they take, and a Python process does one thing
at a time: in one with the picking, each holds up the other. So events have a process of their own,
of lower priority, to which the news go and from which revisions come. All that it holds is the
horizon. That is made anew from the store where the process is lost; it writes nothing itself.
"""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from zilzal.app.events import Solved
from zilzal.app.live.ahead import Ahead
from zilzal.app.live.horizon import Horizon, News, Revision
from zilzal.core.errors import ClusterError
from zilzal.core.ids import ChannelId
from zilzal.core.stage import Preparing
from zilzal.core.station import Station
from zilzal.io.recorder import Recorder

logger = logging.getLogger(__name__)

NICENESS = 5
"""Of the process: where the processor is short, picks come first."""
_END_S = 10.0


class Reviser(Protocol):
    """Has a horizon, and revises it."""

    def revise(self, news: News) -> Revision:
        """See `Horizon.revise`; takes long, for a thread to wait for.

        Raises:
            Exception: it failed; the horizon is to be made anew.
        """
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
    """

    def __init__(self, horizon: Horizon, recorder: Recorder) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._recorder, self._told = recorder, frozenset[ChannelId]()
        self._process = context.Process(
            target=serve, args=(theirs, horizon, recorder), name="zilzal-events", daemon=True
        )
        self._process.start()
        theirs.close()

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
            raise ClusterError("the process that revises events was lost") from error
        if isinstance(answer, str):
            raise ClusterError(f"events were not revised: {answer}")
        return answer

    def close(self) -> None:
        """End the process, whatever it is doing: it has nothing that could be lost."""
        self._process.kill()
        self._process.join(_END_S)
        self._pipe.close()


def serve(pipe: Connection[Any, Any], horizon: Horizon, recorder: Recorder) -> None:
    """Revise until the monitor has gone; this is what the process runs."""
    # To stop and to reload are the monitor's; when it goes, the pipe is closed.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    here = Here(horizon)
    stations: tuple[Station, ...] = ()
    while True:
        try:
            news, channels = pipe.recv()
        except (EOFError, OSError):
            return
        recorder.know(channels)
        try:
            # The same ones, not equal ones: what is remembered of them is found at once.
            stations = stations if news.stations == stations else news.stations
            answer: Revision | str = here.revise(replace(news, stations=stations))
        except Exception as error:
            logger.exception("a revision failed")
            answer = f"{type(error).__name__}: {error}"
        try:
            pipe.send(answer)
        except OSError:
            return
