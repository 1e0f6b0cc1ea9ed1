"""A console beside another command: a process of its own that looks at the same store."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

logger = logging.getLogger(__name__)

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
) -> Iterator[None]:
    """Serve a store's console while the context lasts; nothing where there is no port.

    The store remembers where waveforms and stations lie, also without a console now.

    Args:
        port: of this machine; None for no console.
        place: what to open; made if it is not there.
        inventory: where the stations are described.
        waveforms: where they lie; the folder of records that a monitor is about to make, too.
    """
    from zilzal.app.display.holdings import Places, remember_places
    from zilzal.io.store import Store

    places = Places(inventory=tuple(inventory), waveforms=tuple(waveforms))
    with Store.open(place) as store:
        remember_places(store, places)
    if port is None:
        yield
        return
    process = get_context("spawn").Process(
        target=_serve, args=(str(place), port), name="zilzal console", daemon=True
    )
    process.start()
    Console(stderr=True).print(f"the console: http://127.0.0.1:{port}/", highlight=False)
    try:
        yield
    finally:
        process.terminate()
        process.join(10)


def _serve(place: str, port: int) -> None:
    """What the process does; Ctrl-C is its parent's to understand."""
    from zilzal.app.display.holdings import Places
    from zilzal.core.errors import ZilzalError
    from zilzal.web.serving import ServeOptions, serve

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve(place, Places(), ServeOptions(port=port))
    except (ZilzalError, OSError) as error:
        Console(stderr=True, markup=False, highlight=False).print(f"no console: {error}")


def wait_for_interrupt(port: int | None) -> None:
    """Keep a console up after the work is done, until Ctrl-C or SIGTERM."""
    if port is None:
        return
    import threading

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    Console(stderr=True).print(
        f"done; the console stays at http://127.0.0.1:{port}/ until Ctrl-C", highlight=False
    )
    try:
        stopped.wait()
    except KeyboardInterrupt:
        return
