"""A console beside another command: a process of its own that looks at the same store."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

HOST = "127.0.0.1"

ServePort = Annotated[
    int | None,
    typer.Option(
        "--serve", metavar="PORT", min=1, max=65535, help="Serve the console at this port as well."
    ),
]


@contextmanager
def console_beside(
    port: int | None,
    place: str | Path,
    *,
    inventory: Sequence[Path],
    waveforms: Sequence[Path],
) -> Iterator[Callable[[], None]]:
    """Serve a store's console while the context lasts; nothing where there is no port.

    The store remembers where waveforms and stations lie, also without a console now.

    Args:
        port: of this machine; None for no console.
        place: what to open; made if it is not there.
        inventory: where the stations are described.
        waveforms: where they lie; the folder of records that a monitor is about to make, too.

    Yields:
        A call that returns when the console is no more wanted: after Ctrl-C or SIGTERM.

    Raises:
        ConfigError: the port cannot be had.
    """
    from zilzal.app.display.holdings import Places, remember_places
    from zilzal.io.store import Store
    from zilzal.web.serving import listen

    places = Places(inventory=tuple(inventory), waveforms=tuple(waveforms))
    with Store.open(place) as store:
        remember_places(store, places)
    if port is None:
        yield lambda: None
        return
    # Taken here, so that a port that cannot be had is told before any work is done.
    with listen(HOST, port) as listener:
        process = get_context("spawn").Process(
            target=_serve, args=(str(place), listener), name="zilzal console", daemon=True
        )
        process.start()
    shown = Console(stderr=True, highlight=False)
    shown.print(f"the console: http://{HOST}:{port}/")

    def wait() -> None:
        shown.print(f"done; the console stays at http://{HOST}:{port}/ until Ctrl-C")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            process.join()

    try:
        yield wait
    finally:
        process.terminate()
        process.join(10)


def _serve(place: str, listener: socket.socket) -> None:
    """What the process does; Ctrl-C is its parent's to understand."""
    from zilzal.app.display.holdings import Places
    from zilzal.core.errors import ZilzalError
    from zilzal.web.serving import ServeOptions, serve

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(place, Places(), ServeOptions(host=HOST), listener=listener)
    except (ZilzalError, OSError) as error:
        Console(stderr=True, markup=False, highlight=False).print(f"no console: {error}")


def _end_with_parent() -> None:
    """A parent that was killed ends no child, and this one would keep the port from the next."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
