"""Parts of a monitor that do other things than they should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zilzal.app.live.monitor import Monitor
from zilzal.core.packet import Packet
from zilzal.core.stage import Clock
from zilzal.io.recorder import Recorder


class Recording:
    """A recorder whose writing is another."""

    def __init__(self, recorder: Recorder, write: Callable[[list[Packet]], None]) -> None:
        self._recorder, self.write = recorder, write

    def __getattr__(self, name: str):
        return getattr(self._recorder, name)


class Hasty:
    """A clock that does not wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __getattr__(self, name: str):
        return getattr(self._clock, name)

    async def sleep(self, span_s: float) -> None:
        # Not 0: a loop that never rests keeps the threads from their work.
        await asyncio.sleep(0.001)


class Repairing(Hasty):
    """A clock by which what is broken is mended when a monitor was refused twice more.

    Args:
        monitor: whose clock it is.
        mend: called in a thread.
    """

    def __init__(self, monitor: Monitor, mend: Callable[[], None]) -> None:
        super().__init__(monitor.clock)
        self._monitor, self._mend = monitor, mend
        self._mended_at, self._mending = 0, asyncio.Lock()

    async def sleep(self, span_s: float) -> None:
        async with self._mending:
            if self._monitor.health.refusals >= self._mended_at + 2:
                await asyncio.to_thread(self._mend)
                self._mended_at = self._monitor.health.refusals
        await super().sleep(span_s)
