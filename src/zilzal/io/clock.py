"""The clock of the machine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from zilzal.core.time import Time


def utc_now() -> Time:
    """UTC as the machine has it."""
    return Time(time.time_ns())


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's time of day, and its seconds."""

    def now(self) -> Time:
        """UTC as the machine has it."""
        return utc_now()

    def monotonic_s(self) -> float:
        """Seconds since the machine started, about; never stepped."""
        return time.monotonic()

    async def sleep(self, span_s: float) -> None:
        """Wait; zero and less give others a turn."""
        await asyncio.sleep(max(span_s, 0.0))
