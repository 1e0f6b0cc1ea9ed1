"""`zilzal monitor`: records as they come to picks and events; `zilzal status`: how it stands."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zilzal.cli import options
from zilzal.cli.run import make_folder
from zilzal.cli.serve.beside import ServePort, console_beside
from zilzal.core.errors import ConfigError

if TYPE_CHECKING:
    from zilzal.app.live.offers import Tried
    from zilzal.app.live.service import Settings
    from zilzal.app.live.status import NowAndUsual, Status


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
    test_alerts: Annotated[
        bool, typer.Option("--test-alerts", help="Send a test message to every sink, and leave.")
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
    serve: ServePort = None,
) -> None:
    """Monitor a network: acquire, pick, locate, store, for as long as it runs.

    Stopped at any time, by whatever, the same command goes on from there. SIGTERM and Ctrl-C stop
    it cleanly, SIGHUP has it read its settings again.
    """
    from zilzal.app.live import service
    from zilzal.io.clock import SystemClock

    def read() -> Settings:
        return _read(configuration, inventory, output, _playback(playback, speed))

    if check or test_alerts:
        clock = SystemClock()
        found = asyncio.run(service.check(read(), clock)) if check else []
        if test_alerts:
            found += service.try_alerts(read().configuration, clock.now())
        _show(found)
        raise typer.Exit(2 if any(tried.wrong for tried in found) else 0)
    # Before the service handles it, and after: a reload must never end the monitor.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    console = Console(highlight=False, soft_wrap=True)

    def read_and_tell() -> Settings:
        settings = read()
        console.print(
            f"monitoring {len(settings.inventory.stations())} stations from "
            f"{', '.join(source.name for source in settings.sources)}; results in "
            f"{settings.output}; Ctrl-C stops it, and the same command goes on",
            markup=False,
        )
        return settings

    with _console(serve, read):
        asyncio.run(service.serve(read_and_tell, SystemClock(), tables=bool(playback)))


@contextmanager
def _console(port: int | None, read: Callable[[], Settings]) -> Iterator[None]:
    """The console of a monitor, while it runs."""
    if port is None:
        yield
        return
    settings = read()
    make_folder(settings.output)
    records = settings.output / "records"
    records.mkdir(exist_ok=True)
    place = settings.configuration.store.place(settings.output)
    paths = [Path(path) for path in settings.configuration.live.inventory]
    with console_beside(port, place, inventory=paths, waveforms=[records]):
        yield


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


def _show(found: list[Tried]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for tried in found:
        said = tried.wrong or tried.remark or "good"
        style = "red" if tried.wrong else "yellow" if tried.remark else "green"
        console.print(f"{tried.what}: {said}", style=style, markup=False)


def status(
    store: Annotated[str, typer.Argument(help="Folder of a monitor, its store, or a URL.")] = ".",
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again.")] = False,
    every: Annotated[float, typer.Option("--every", help="Seconds between, with --watch.")] = 2.0,
) -> None:
    """Show how a monitor stands: its stations, its backlog, how long things take.

    Gaps, noise and picks an hour are shown with what is usual of the station by its own history,
    in brackets, once six hours of it have been seen.

    Exit status 1 where it does not run.
    """
    from rich.live import Live

    from zilzal.app.live.status import read_status
    from zilzal.io.clock import SystemClock
    from zilzal.io.store import Store

    clock = SystemClock()
    place = Path(store) / "zilzal.db" if Path(store).is_dir() else store
    with Store.open(place, create=False) as opened:
        found = read_status(opened, clock.now())
        if not watch:
            Console().print(status_table(found))
            raise typer.Exit(0 if found is not None and found.is_running else 1)
        with Live(status_table(found, _rows()), auto_refresh=False) as live:
            while True:
                asyncio.run(clock.sleep(every))
                found = read_status(opened, clock.now())
                live.update(status_table(found, _rows()), refresh=True)


def _rows() -> int:
    """Stations that the terminal has room for, below the head and above its last line."""
    return max(Console().height - 9, 3)


def status_table(found: Status | None, rows: int | None = None) -> Table | str:
    """What is shown of a monitor.

    Args:
        found: how it stands; None where there is none.
        rows: stations at most, those in trouble first; all in order if None.
    """
    if found is None:
        return "no monitor has written to this store"
    state = "running" if found.is_running else f"not running: told nothing since {found.told}"
    spent = "  ".join(
        f"{text}: {' / '.join(map(_seconds, spans))} s" for text, spans in found.latencies
    )
    troubled = sum(bool(s.trouble) for s in found.stations)
    title = (
        f"{state}; {len(found.stations)} stations, {troubled} in trouble; "
        f"{found.waiting_packets} packets wait\n{spent} (50, 95, 99 %)"
    )
    if found.trouble:
        title += f"\nrefused: {found.trouble}"
    if found.events:
        title += f"\n{found.events}"
    if found.lesson:
        title += f"\n{found.lesson}"
    table = Table(title=escape(title), title_justify="left", title_style="")
    table.add_column("station")
    for name in ("data age s", "behind s", "gaps %", "noise dB", "picks/h", "picks", "clock"):
        table.add_column(name, justify="right")
    table.add_column("trouble")
    stations = found.stations
    if rows is not None and len(stations) > rows:
        stations = sorted(stations, key=lambda s: not s.trouble)[:rows]
        table.caption = f"… and {len(found.stations) - rows} stations more"
    for s in stations:
        table.add_row(
            *(s.station, _seconds(s.data_age_s), _seconds(s.behind_s)),
            _against_usual(s.gap_share, ".1f", 100.0),
            _against_usual(s.noise_db, ".0f"),
            _against_usual(s.picks_per_hour, ".1f"),
            *(str(s.picks), s.clock, escape(": ".join(filter(None, (s.trouble, s.silence))))),
            style="yellow" if s.trouble else "",
        )
    return table


def _against_usual(value: NowAndUsual, form: str, factor: float = 1.0) -> str:
    """As it is now, with what is usual in brackets where that is known."""
    now, usual = value
    said = "" if now is None else f"{now * factor:{form}}"
    return said if usual is None else f"{said} ({usual * factor:{form}})"


def _seconds(span_s: float | None) -> str:
    return "" if span_s is None else f"{span_s:.3g}" if span_s < 100 else f"{span_s:.0f}"
