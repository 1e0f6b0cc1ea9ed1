"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from zilzal.core.time import Time


class ManualClock:
    """Time that a test sets; who sleeps is woken when it comes to be."""

    def __init__(self, start: str = "2024-03-05T10:00:00Z") -> None:
        self._start, self._passed_s = Time.parse(start), 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._slept = asyncio.Event()

    def now(self) -> Time:
        return self._start + self._passed_s

    def monotonic_s(self) -> float:
        return self._passed_s

    def step(self, span_s: float) -> None:
        """Set the time of day, as a time server would; nobody wakes."""
        self._start += span_s

    async def sleep(self, span_s: float) -> None:
        if span_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed_s + span_s, next(self._order), woken))
        self._slept.set()
        await woken

    def waits_s(self) -> list[float]:
        """For how long each sleeper still sleeps, the shortest first."""
        return [
            due_s - self._passed_s for due_s, _, woken in sorted(self._sleepers) if not woken.done()
        ]

    async def asleep(self, at_least: int = 1) -> None:
        """Return when so many sleep."""
        while len(self.waits_s()) < at_least:
            self._slept.clear()
            await self._slept.wait()

    async def advance(self, span_s: float) -> None:
        """Let time pass; sleepers wake in order, each at its own time."""
        until_s = self._passed_s + span_s
        while self._sleepers and self._sleepers[0][0] <= until_s:
            due_s, _, woken = heapq.heappop(self._sleepers)
            self._passed_s = max(self._passed_s, due_s)
            if not woken.done():
                woken.set_result(None)
                for _ in range(5):
                    await asyncio.sleep(0)
        self._passed_s = until_s
