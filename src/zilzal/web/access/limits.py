"""A limit on wrong passwords, so that guessing takes for ever."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

WITHIN_S = 300.0
MOST_FAILURES = 5
"""Of one address, and of one name, within that time."""
_MOST_KEYS = 10_000


@dataclass(slots=True, eq=False)
class FailureLimit:
    """Failures by key within the last minutes; safe to share by threads."""

    _failures: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, keys: tuple[str, ...], now_s: float) -> float:
        """How long whoever has these keys must wait; 0 if not at all."""
        with self._lock:
            return max((self._wait_s(key, now_s) for key in keys), default=0.0)

    def note(self, keys: tuple[str, ...], now_s: float) -> None:
        """One more failure."""
        with self._lock:
            for key in keys:
                self._failures.setdefault(key, deque(maxlen=MOST_FAILURES)).append(now_s)
            if len(self._failures) > _MOST_KEYS:
                old = [k for k, times in self._failures.items() if times[-1] < now_s - WITHIN_S]
                for key in old:
                    del self._failures[key]

    def forget(self, keys: tuple[str, ...]) -> None:
        """A success: what failed before was a slip of the finger."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    def _wait_s(self, key: str, now_s: float) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < MOST_FAILURES:
            return 0.0
        return max(0.0, times[0] + WITHIN_S - now_s)
