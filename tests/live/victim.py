"""A monitor in a process of its own that kills itself at a given step, as `kill -9` would.

python -m tests.live.victim NETWORK OUTPUT ADDRESS LAST_NUMBERS STEP [apart]
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.live.network import ending_source, make_short, monitor_of, settings
from zilzal.app.live.engine import Engine
from zilzal.io.recorder import Recorder
from zilzal.io.store import Store

POINTS = (
    (Recorder, "write"),
    (Engine, "step"),
    (Engine, "preliminary"),
    (Store, "put_picks"),
    (Store, "put_coverage"),
    (Store, "put_events"),
    (Store, "save_checkpoint"),
    (Store, "put_bookmarks"),
)


def dying(method: Callable[..., Any], count: list[int], step: int) -> Callable[..., Any]:
    """The method, after which the process dies when it is the step's turn."""

    def wrapped(*args: Any, **options: Any) -> Any:
        result = method(*args, **options)
        count[0] += 1
        if count[0] == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def main(
    network: str, output: str, address: str, last: str, step: str, events: str = "here"
) -> None:
    count = [0]
    for kind, name in POINTS:
        setattr(kind, name, dying(getattr(kind, name), count, int(step)))
    made = make_short(Path(network))
    configuration = settings(checkpoint_s=0.05, backlog=40, event_process=events == "apart")
    source = ending_source(address, json.loads(last))
    with Store.open(Path(output) / "zilzal.db") as store:
        asyncio.run(monitor_of(made, Path(output), configuration, [source], store).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
