"""A picker that makes trouble at one station, in every way that workers know."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zilzal.core.stage import Picked
from zilzal.core.waveform import Window
from zilzal.pick.stalta import StaLtaPicker


@dataclass(frozen=True)
class Trouble:
    """The classical picker, which goes wrong the first so many times it sees a station.

    Args:
        what: "hang", "die" (its process), "kill" (the process that started it), or "raise".
        folder: keeps count over processes.
        station: at which.
        times: that it does.
    """

    what: str
    folder: Path
    station: str = "S03"
    times: int = 99
    inner: StaLtaPicker = field(default_factory=StaLtaPicker)

    def start(self) -> Any:
        return self.inner.start()

    def step(self, state: Any, windows: Sequence[Window]) -> tuple[Any, Picked]:
        if any(window.sensor_id.station == self.station for window in windows):
            self.go_wrong()
        return self.inner.step(state, windows)

    def finish(self, state: Any) -> Picked:
        return self.inner.finish(state)

    def go_wrong(self) -> None:
        count = len(list(self.folder.glob("tried-*")))
        if count >= self.times:
            return
        (self.folder / f"tried-{count}").touch()
        if self.what == "hang":
            threading.Event().wait()
        elif self.what == "raise":
            raise OSError(5, "Input/output error")
        else:
            os.kill(os.getppid() if self.what == "kill" else os.getpid(), signal.SIGKILL)
            threading.Event().wait()
