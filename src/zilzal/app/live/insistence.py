"""What the disk or the database refuses is tried again until they do not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from zilzal.app.live.health import Health
from zilzal.core.errors import StoreError
from zilzal.core.stage import Clock
from zilzal.io.notify import Notifier

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0


class Stopped(Exception):
    """The monitor was told to stop while it waited for the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insistence:
    """Not giving up, unless told to stop.

    Args:
        clock: that waiting goes by.
        stop: set when the monitor is to stop.
        health: is told what was refused.
        notifier: is told that the monitor is alive.
    """

    clock: Clock
    stop: asyncio.Event
    health: Health
    notifier: Notifier

    async def on(self, action: Callable[[], _T]) -> _T:
        """Do in a thread what the disk or the database may refuse, until it does not.

        Raises:
            Stopped: the monitor was told to stop meanwhile.
        """
        wait_s = FIRST_RETRY_S
        while True:
            try:
                return await asyncio.to_thread(action)
            except (StoreError, OSError) as error:
                self.health.note_refusal(str(error))
                logger.warning("%s; everything waits, next try in %.1f s", error, wait_s)
            if self.stop.is_set():
                raise Stopped
            await self.clock.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)
            self.notifier.tell("WATCHDOG=1")
