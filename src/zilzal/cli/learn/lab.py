"""`zilzal learn lab`: races to play with in a browser."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer
from rich.console import Console


def lab(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8222,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Serve a page on which descents race over a surface; it needs no internet.

    Choose surface, rules, rates, momentum, clipping and cooling, click a start, and watch. Only
    this machine can reach it. Stop it with Ctrl-C.
    """
    import webbrowser

    from zilzal.web.lab import laboratory

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    console = Console()
    with laboratory(port) as address:
        console.print(f"the lab: {address}   (Ctrl-C stops it)", highlight=False)
        if browser:
            webbrowser.open(address)
        try:
            stopped.wait()
        except KeyboardInterrupt:
            console.print("stopped")
