"""`zilzal monitor`: records as they come to picks and events; `zilzal status`: how it stands."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from zilzal.cli import options
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.app.live.service import Settings


def monitor(
    *,
    configuration: options.ConfigurationFile = None,
    inventory: Annotated[
        list[Path] | None,
        typer.Option("--inventory", "-i", help="In the place of [live] inventory; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="In the place of [live] output.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Try settings, store and sources, and leave.")
    ] = False,
    playback: Annotated[
        list[Path] | None,
        typer.Option(
            "--playback", help="Play files in the place of the sources, then leave; repeatable."
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option("--speed", help="Of a playback, times real time; or max.")
    ] = "max",
) -> None:
    """Monitor a network: acquire, pick, locate, store, for as long as it runs.

    Stopped at any time, by whatever, the same command goes on from there. SIGTERM and Ctrl-C stop
    it cleanly, SIGHUP has it read its settings again.
    """
    from zilzal.app.live import service
    from zilzal.io.clock import SystemClock

    def read() -> Settings:
        return _read(configuration, inventory, output, _playback(playback, speed))

    if check:
        found = asyncio.run(service.check(read(), SystemClock()))
        _show(found)
        raise typer.Exit(2 if any(wrong for _, wrong in found) else 0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asyncio.run(service.serve(read, SystemClock(), tables=bool(playback)))


def _playback(paths: list[Path] | None, speed: str) -> tuple[list[Path], float] | None:
    if not paths:
        return None
    try:
        return paths, 0.0 if speed == "max" else float(speed)
    except ValueError:
        raise ConfigError(f"--speed is {speed!r}; give a number, or max") from None


def _read(
    configuration: Path | None,
    inventory: list[Path] | None,
    output: Path | None,
    playback: tuple[list[Path], float] | None,
) -> Settings:
    """The settings as the file and the command line have them."""
    from zilzal.app.configuration import read_configuration
    from zilzal.app.live.service import Settings
    from zilzal.io.playback_source import PlaybackSource

    changes = {}
    if inventory:
        changes["inventory"] = [str(path) for path in inventory]
    if output is not None:
        changes["output"] = str(output)
    settings = read_configuration(configuration, {"live": changes})
    if playback is None:
        return Settings.of(settings)
    paths, speed = playback
    return Settings.of(settings, [PlaybackSource(paths=tuple(map(str, paths)), speed=speed)])


def _show(found: list[tuple[str, str]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for what, wrong in found:
        console.print(f"{what}: {wrong or 'good'}", style="red" if wrong else "green", markup=False)
