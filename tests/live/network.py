"""A small network played to a monitor, and what an archive's run makes of it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.app.short import SCENARIO
from zilzal.app.archive import export, run_archive
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.live.health import Health
from zilzal.app.live.insistence import Insistence
from zilzal.app.live.monitor import Monitor
from zilzal.app.live.revisions import Revisions
from zilzal.app.replay import ReplayOptions, archive_recording, rounds
from zilzal.app.replay import play as play_into
from zilzal.app.synthetic import Synthetic, make_synthetic
from zilzal.core.packet import Bookmark, Link, Packet
from zilzal.core.stage import Clock, PacketSource, PacketStream
from zilzal.io.clock import SystemClock
from zilzal.io.inventory import read_inventory
from zilzal.io.notify import Notifier
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.recorder import Recorder
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.server import SeedLinkServer
from zilzal.io.seedlink.server import serve as server_of
from zilzal.io.store import Store
from zilzal.synth.scenario import parse_scenario
from zilzal.synth.telemetry import TelemetryPlan, travel

TABLES = ("picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv")


def settings(picker: str = "stalta", min_picks: int | None = 6, **live: Any) -> Configuration:
    """Settings that an archive's run and a monitor share; the strictness is set."""
    return read_configuration(
        changes={
            "picker": {"use": picker},
            "associator": {} if min_picks is None else {"min_picks": min_picks},
            "run": {"workers": 1},
            "live": {"tick_s": 0.0, "preliminary_s": 0.2, "event_process": False, **live},
        }
    )


@dataclass(frozen=True)
class Played:
    """Tables that a run or a monitor left, by name."""

    tables: dict[str, str]
    output: Path


def make_short(folder: Path) -> Synthetic:
    """Two events at six stations, three minutes."""
    return make_synthetic(parse_scenario(SCENARIO), folder)


def run(made: Synthetic, output: Path, configuration: Configuration) -> Played:
    """Work the archive through."""
    inventory = read_inventory([made.inventory])
    run_archive([made.waveforms], inventory, output, configuration)
    return Played(read_tables(output), output)


def monitor_of(
    made: Synthetic, output: Path, configuration: Configuration, sources: Sequence[PacketSource],
    store: Store,
) -> Monitor:  # fmt: skip
    """A monitor of the network with everything in a folder."""
    return Monitor(
        configuration=configuration,
        inventory=read_inventory([made.inventory]),
        sources=sources,
        store=store,
        recorder=Recorder(output / "records", configuration.gaps),
        clock=SystemClock(),
    )


def revisions_of(
    made: Synthetic, output: Path, configuration: Configuration, store: Store, clock: Clock
) -> Revisions:
    """A monitor's revisions of the network by themselves, before anything has come."""
    store.put_run(configuration.to_toml(results_only=True), version="1", started=clock.now())
    health = Health(clock)
    return Revisions(
        configuration=configuration,
        inventory=read_inventory([made.inventory]),
        store=store,
        recorder=Recorder(output / "records", configuration.gaps),
        health=health,
        clock=clock,
        insistence=Insistence(
            clock=clock, stop=asyncio.Event(), health=health, notifier=Notifier()
        ),
    )


def play(
    made: Synthetic,
    output: Path,
    configuration: Configuration,
    sources: Sequence[PacketSource] | None = None,
) -> Played:
    """Play the archive, or other sources, to a monitor until they end."""
    output.mkdir(parents=True, exist_ok=True)
    sources = sources or [PlaybackSource(paths=(str(made.waveforms),))]
    with Store.open(output / "zilzal.db") as store:
        asyncio.run(monitor_of(made, output, configuration, sources, store).run())
    write_tables(output, configuration)
    return Played(read_tables(output), output)


def write_tables(output: Path, configuration: Configuration, place: str = "") -> None:
    """The tables of a monitor's store, as a run writes them, but for the events' versions."""
    with Store.open(place or output / "zilzal.db", create=False) as store:
        picks = store.picks(configuration=configuration.picking_sha256)
        export(store, output, picks, list(store.events()))


def read_tables(output: Path) -> dict[str, str]:
    """What the tables say, but for how often an event was revised."""
    tables = {name: (output / name).read_text(encoding="utf-8") for name in TABLES}
    rows = list(csv.DictReader(io.StringIO(tables["catalogue.csv"])))
    tables["catalogue.csv"] = "\n".join(str({**row, "version": ""}) for row in rows)
    return tables


def assert_same(output: Path, ran: Played, place: str = "") -> None:
    """A monitor's store, in its folder if no place is given, holds what a run made."""
    write_tables(output, settings(), place)
    assert read_tables(output) == ran.tables


@dataclass(frozen=True, slots=True)
class EndingSource:
    """A SeedLink source that ends where a station's numbers have come to their last, for all.

    Args:
        source: it.
        last: sequence numbers by station.
    """

    source: PacketSource
    last: Mapping[str, int]

    @property
    def name(self) -> str:
        return self.source.name

    @asynccontextmanager
    async def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AsyncGenerator[PacketStream]:
        marks = list(bookmarks)
        read = {mark.part: int(mark.place.split()[0]) for mark in marks}
        async with self.source.open(marks, clock) as stream:
            yield _Ending(stream, read, self.last)


@dataclass(frozen=True, slots=True)
class _Ending:
    stream: PacketStream
    read: dict[str, int]
    last: Mapping[str, int]

    async def __aiter__(self) -> AsyncIterator[Packet]:
        if all(self.read.get(part, -1) >= last for part, last in self.last.items()):
            return
        async for packet in self.stream:
            yield packet
            self.read[packet.bookmark.part] = packet.sequence or 0
            if all(self.read.get(part, -1) >= last for part, last in self.last.items()):
                return

    def links(self) -> tuple[Link, ...]:
        return self.stream.links()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has had all records, and still has them."""

    address: str
    last: dict[str, int]
    server: SeedLinkServer

    @property
    def source(self) -> EndingSource:
        return ending_source(self.address, self.last)


def ending_source(address: str, last: Mapping[str, int]) -> EndingSource:
    """All that the server has."""
    source = SeedLinkSource(server=address, begin="all", retry_s=0.05, longest_retry_s=0.1)
    return EndingSource(source, last)


@asynccontextmanager
async def served(made: Synthetic, telemetry: TelemetryPlan | None = None) -> AsyncGenerator[Server]:
    """The network's records in a server's ring, in the order in which telemetry brought them."""
    recording, ring, clock = archive_recording([made.waveforms]), Ring(), SystemClock()
    options = ReplayOptions(speed=1e9, port=0)
    async with server_of(ring, recording.stations, clock) as server:
        coming = travel(rounds(recording, options), telemetry or TelemetryPlan())
        await play_into(coming, server, clock, options)
        last: dict[str, int] = {}
        for extent in ring.extents():
            last[extent.station] = max(extent.last, last.get(extent.station, -1))
        yield Server(f"127.0.0.1:{server.port}", last, server)


def play_through_server(
    made: Synthetic,
    output: Path,
    configuration: Configuration,
    telemetry: TelemetryPlan | None = None,
) -> Played:
    """Play the archive through a SeedLink server to a monitor, as fast as it goes."""
    output.mkdir(parents=True, exist_ok=True)

    async def work() -> None:
        async with served(made, telemetry) as server:
            with Store.open(output / "zilzal.db") as store:
                await monitor_of(made, output, configuration, [server.source], store).run()

    asyncio.run(work())
    write_tables(output, configuration)
    return Played(read_tables(output), output)
