"""The log of who did what: one line of JSON each, appended, never changed."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zilzal.core.time import Time

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Audit:
    """Where it is kept; nowhere but in the program's log without a path.

    Args:
        path: of the file.
        now: tells what time it is.
    """

    path: Path | None
    now: Callable[[], Time]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The last lines that were written, the newest first; none without a file."""
        if self.path is None or not self.path.is_file():
            return []
        with self._lock, self.path.open(encoding="utf-8") as file:
            last = deque(file, maxlen=count)
        return [json.loads(line) for line in reversed(last)]

    def note(self, who: str, address: str, action: str, **about: object) -> None:
        """Write a line.

        A disk that refuses is told in the program's log, and stops nobody from working.
        """
        line = {"time": str(self.now()), "who": who, "address": address, "action": action, **about}
        text = json.dumps(line, ensure_ascii=True, default=str)
        logger.info("%s", text)
        if self.path is None:
            return
        try:
            with self._lock:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                    file.write(text + "\n")
        except OSError as error:
            logger.error("cannot write the audit log %s: %s", self.path, error)
