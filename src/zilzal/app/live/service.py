"""Running the monitor as a service: checked before, stopped cleanly, reloaded without a loss."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from zilzal.app.archive import export
from zilzal.app.configuration import Configuration
from zilzal.app.live.monitor import Monitor
from zilzal.app.live.offers import Tried, hold_against
from zilzal.core.alert import Message
from zilzal.core.errors import ConfigError, SourceError, ZilzalError
from zilzal.core.packet import LinkState
from zilzal.core.stage import Clock, PacketSource
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.inventory import read_inventory
from zilzal.io.notify import Notifier
from zilzal.io.recorder import Recorder
from zilzal.io.store import EventQuery, Store

logger = logging.getLogger(__name__)

REACH_S = 20.0
"""A source that does not answer for so long cannot be reached."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the monitor is started with.

    Args:
        configuration: of all stages.
        inventory: of the stations.
        output: folder of the store and the records.
        sources: of the packets.
    """

    configuration: Configuration
    inventory: Inventory
    output: Path
    sources: tuple[PacketSource, ...]

    @classmethod
    def of(
        cls, configuration: Configuration, sources: Sequence[PacketSource] | None = None
    ) -> Settings:
        """From a configuration, with other sources than it names if given: then nobody is alerted.

        Raises:
            ConfigError: it names no inventory or no sources, or they cannot be read.
        """
        live = configuration.live
        if not live.inventory:
            raise ConfigError("[live] inventory: name the StationXML or CSV of the stations")
        chosen = tuple(configuration.sources if sources is None else sources)
        if not chosen:
            raise ConfigError('there are no [[sources]]; add a table with server = "host:port"')
        inventory = read_inventory([Path(path) for path in live.inventory])
        if sources is not None:
            configuration = replace(configuration, alerts=())
        return cls(
            configuration=configuration,
            inventory=inventory,
            output=Path(live.output),
            sources=chosen,
        )


async def serve(
    read_settings: Callable[[], Settings],
    clock: Clock,
    *,
    notifier: Notifier | None = None,
    tables: bool = False,
) -> None:
    """Monitor until SIGTERM or SIGINT, or until all sources have ended.

    SIGHUP has the settings read again; the state is stored before and taken up after, and what
    comes meanwhile waits at the sources. Settings that are wrong are told, and the old ones stay.
    A signal that comes while settings are read counts when they have been.

    Args:
        read_settings: gives them, at the start and when they are to be read again.
        clock: that all waiting goes by.
        notifier: told how it stands; the service manager if left out.
        tables: write the tables of a run when the sources have ended.

    Raises:
        ZilzalError: the first settings cannot be used.
    """
    notifier = notifier or Notifier.of()
    with _signals() as wishes:
        settings = read_settings()
        while True:
            async with _monitor(settings, clock, notifier) as monitor:
                wishes.concern(monitor)
                await monitor.run()
                if wishes.is_end or not wishes.is_reload:
                    if tables and not monitor.stop.is_set():
                        await asyncio.to_thread(write_tables, settings, monitor.store)
                    return
            notifier.tell("RELOADING=1")
            wishes.is_reload = False
            try:
                settings = read_settings()
            except ZilzalError as error:
                logger.error("the new settings cannot be used, the old ones stay: %s", error)


@asynccontextmanager
async def _monitor(settings: Settings, clock: Clock, notifier: Notifier) -> AsyncGenerator[Monitor]:
    settings.output.mkdir(parents=True, exist_ok=True)
    configuration = settings.configuration
    (settings.output / "zilzal.toml").write_text(configuration.to_toml(), encoding="utf-8")
    with Store.open(configuration.store.place(settings.output), clock=clock.now) as store:
        yield Monitor(
            configuration=configuration,
            inventory=settings.inventory,
            sources=settings.sources,
            store=store,
            recorder=Recorder(settings.output / "records", configuration.gaps),
            clock=clock,
            notifier=notifier,
        )


@dataclass(slots=True, eq=False)
class _Wishes:
    """What signals have asked for, whether a monitor runs just then or not.

    Args:
        is_end: to end.
        is_reload: to read the settings again.
    """

    is_end: bool = False
    is_reload: bool = False
    _monitor: Monitor | None = None

    def concern(self, monitor: Monitor) -> None:
        """Stop this monitor from now on; at once where something was asked for before."""
        self._monitor = monitor
        self._stop()

    def end(self) -> None:
        """SIGTERM and SIGINT."""
        self.is_end = True
        self._stop()

    def reload(self) -> None:
        """SIGHUP."""
        self.is_reload = True
        self._stop()

    def _stop(self) -> None:
        if self._monitor is not None and (self.is_end or self.is_reload):
            self._monitor.stop.set()


@contextmanager
def _signals() -> Generator[_Wishes]:
    """Handle signals as long as the service lives, between two monitors as well."""
    loop, wishes = asyncio.get_running_loop(), _Wishes()

    def hang_up(*_: object) -> None:
        loop.call_soon_threadsafe(wishes.reload)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wishes.end)
    # Not through the loop, which would give SIGHUP back its own meaning, to end, when it closes.
    before = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield wishes
    finally:
        signal.signal(signal.SIGHUP, before)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def write_tables(settings: Settings, store: Store) -> None:
    """The tables and QuakeML, as a run over the files writes them."""
    picks = store.picks(configuration=settings.configuration.picking_sha256)
    start = picks[0].time - 3_600 if picks else None
    export(store, settings.output, picks, list(store.events(EventQuery(start=start))))


async def check(settings: Settings, clock: Clock) -> list[Tried]:
    """Try all that a monitor needs, and hold what the sources offer against the inventory."""
    stations = len(settings.inventory.stations(clock.now()))
    found = [Tried(f"inventory: {stations} stations now", "" if stations else "none are operating")]
    try:
        settings.configuration.picker.start()
        found.append(Tried("picker"))
    except ZilzalError as error:
        found.append(Tried("picker", str(error)))
    found.append(Tried(f"output {settings.output}", _try_output(settings)))
    reached = [Tried(source.name, await _reach(source, clock)) for source in settings.sources]
    asked = [s for s, tried in zip(settings.sources, reached, strict=True) if not tried.wrong]
    bands = settings.configuration.sensors.preference
    compared = await hold_against(settings.inventory, asked, bands, clock.now())
    return [*found, *reached, *compared]


def try_alerts(configuration: Configuration, now: Time) -> list[Tried]:
    """Send a test message to every sink."""
    text = f"This is a test of zilzal's alerts at {now}. There was no earthquake."
    message = Message(key=f"test/{now.ns}", subject="Test of alerts", text=text,
                      content={"is_test": True})  # fmt: skip
    found: list[Tried] = []
    for sink in configuration.alerts:
        try:
            sink.send(message)
        except Exception as error:  # noqa: BLE001  a sink may raise anything
            found.append(Tried(sink.name, str(error)))
        else:
            found.append(Tried(sink.name))
    return found


def _try_output(settings: Settings) -> str:
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.output, os.W_OK):
            return "not writable"
        with Store.open(settings.configuration.store.place(settings.output)):
            return ""
    except (ZilzalError, OSError) as error:
        return str(error)


async def _reach(source: PacketSource, clock: Clock) -> str:
    """Open a source until it is connected."""
    until_s = clock.monotonic_s() + REACH_S
    try:
        async with source.open((), clock) as stream:
            while clock.monotonic_s() < until_s:
                links = stream.links()
                if all(link.state is LinkState.CONNECTED for link in links):
                    return ""
                notes = [link.note for link in links if link.state is LinkState.WAITING]
                if notes:
                    return notes[0]
                await clock.sleep(_POLL_S)
    except SourceError as error:
        return str(error)
    return f"no answer in {REACH_S:.0f} s"
