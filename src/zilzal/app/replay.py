"""An archive or a synthetic network played through a SeedLink server, as if it came in now."""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from zilzal.app.synthetic import read_scenario
from zilzal.core.errors import ConfigError
from zilzal.core.stage import Clock
from zilzal.core.time import NS_PER_S, Time
from zilzal.core.waveform import Trace
from zilzal.io.archive import Archive
from zilzal.io.packing import pack
from zilzal.io.playback import Delivery, archive_records, deliveries
from zilzal.io.record import Record, shift_record
from zilzal.io.seedlink.ring import RING_BYTES, Ring
from zilzal.io.seedlink.server import SeedLinkServer, serve
from zilzal.io.seedlink.words import PORT, station_code
from zilzal.synth.network import SyntheticNetwork, SyntheticStation, build_network
from zilzal.synth.record import SyntheticRecords, record_station
from zilzal.synth.scenario import Scenario
from zilzal.synth.telemetry import FailurePlan, TelemetryPlan, parse_telemetry, travel

logger = logging.getLogger(__name__)

CHUNK_S = 120.0
"""Length of a synthetic station that is made at once; longer takes more memory and less work."""
_BATCH = 256
"""Records made at once, in a thread of their own."""
_SHORT_S = 0.002
"""Shorter waits are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What can be played.

    Args:
        stations: in it, as CI_CCC.
        start: of the data.
        end: of the data.
        records: those between two instants, in order of their ends; made as they are taken.
    """

    stations: frozenset[str]
    start: Time
    end: Time
    records: Callable[[Time, Time], Iterator[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """How a recording is played.

    Args:
        speed: times real time; None is as fast as the clients take it: the slowest may be behind
            by half of the ring, which fills so far before the first one reads.
        start: of the part that is played; None is all.
        end: of the part that is played, exclusive; None is all.
        is_looped: play it again and again, each time later by its length.
        is_now: move the times so that it looks recorded now.
        host: address to listen at; 0.0.0.0 for all.
        port: to listen at; 0 takes any that is free.
        organization: told to clients.
        ring_bytes: memory for records that clients may still ask for.
        tls: with a certificate, to speak TLS.
        is_staying: go on serving when all has been played.
    """

    speed: float | None = 1.0
    start: Time | None = None
    end: Time | None = None
    is_looped: bool = False
    is_now: bool = False
    host: str = "127.0.0.1"
    port: int = PORT
    organization: str = "zilzal replay"
    ring_bytes: int = RING_BYTES
    tls: ssl.SSLContext | None = None
    is_staying: bool = False

    def __post_init__(self) -> None:
        if self.speed is not None and not 0 < self.speed < math.inf:
            raise ConfigError(f"the speed is {self.speed}; give a number above 0, or max")
        if self.is_now and self.speed != 1:
            raise ConfigError("only at speed 1 does it go on looking recorded now")


def open_recording(sources: Sequence[Path]) -> Recording:
    """A scenario's TOML file, or files and folders of waveforms, as something to play.

    Raises:
        ConfigError: the scenario is wrong, or there is more than it.
        FileNotFoundError: a path does not exist.
        FormatError: there is no waveform in any of the files.
    """
    if not any(path.suffix == ".toml" for path in sources):
        return archive_recording(sources)
    if len(sources) > 1:
        raise ConfigError("a scenario is played alone; give one .toml file, or none")
    return synthetic_recording(read_scenario(sources[0]))


def read_telemetry(path: Path | None) -> TelemetryPlan:
    """What goes wrong on the way, from a TOML file; nothing for None.

    Raises:
        ConfigError: the file cannot be read, or is wrong; all that is, at once.
    """
    if path is None:
        return TelemetryPlan()
    try:
        return parse_telemetry(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the telemetry {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def archive_recording(paths: Iterable[Path]) -> Recording:
    """Files, folders, an SDS root, as something to play.

    Raises:
        FileNotFoundError: a path does not exist.
        FormatError: there is no waveform in any of the files.
    """
    archive = Archive.open(paths)
    span = archive.span()
    assert span is not None
    return Recording(
        stations=frozenset(map(station_code, archive.channel_ids())),
        start=span[0],
        end=span[1],
        records=lambda start, end: archive_records(archive, start, end),
    )


def synthetic_recording(scenario: Scenario) -> Recording:
    """A synthetic network as something to play, made while it is played.

    Raises:
        ConfigError: the scenario cannot be built.
    """
    network = build_network(scenario)
    channel_ids = SyntheticRecords(network).channel_ids()
    return Recording(
        stations=frozenset(map(station_code, channel_ids)),
        start=scenario.start,
        end=scenario.end,
        records=lambda start, end: _synthetic_records(network, start, end),
    )


def _synthetic_records(network: SyntheticNetwork, start: Time, end: Time) -> Iterator[Record]:
    """Records of all stations; their chunks end at different times, so that work is spread."""
    stations = network.stations
    lanes = (
        pack(_chunks(network, station, (start, end), CHUNK_S * (number + 1) / len(stations)))
        for number, station in enumerate(stations)
    )
    return heapq.merge(*lanes, key=lambda record: record.end)


def _chunks(
    network: SyntheticNetwork, station: SyntheticStation, limits: tuple[Time, Time], first_s: float
) -> Iterator[list[Trace]]:
    """A station's samples, CHUNK_S after another; the first chunk has another length."""
    start, end = limits
    until = start + first_s
    while start < end:
        yield record_station(network, station, start, min(until, end))
        start, until = until, until + CHUNK_S


def rounds(recording: Recording, options: ReplayOptions) -> Iterator[Delivery]:
    """What is delivered: the chosen part once, or time after time without an end."""
    start, end = options.start or recording.start, options.end or recording.end
    length_ns = math.ceil(end - start) * NS_PER_S
    for number in count() if options.is_looped else range(1):
        for delivery in deliveries(recording.records(start, end)):
            yield _moved(delivery, number * length_ns)


def _moved(delivery: Delivery, span_ns: int) -> Delivery:
    if not span_ns:
        return delivery
    time = Time(delivery.time.ns + span_ns)
    return Delivery(time, shift_record(delivery.record, span_ns))


async def replay(
    recording: Recording,
    options: ReplayOptions,
    clock: Clock,
    *,
    telemetry: TelemetryPlan | None = None,
    on_ready: Callable[[SeedLinkServer], None] = lambda _: None,
) -> None:
    """Play a recording through a server; return when all has been played and sent, or never.

    Args:
        recording: what is played.
        options: how.
        clock: sets the pace.
        telemetry: what goes wrong on the way; nothing if left out.
        on_ready: called when clients can come.

    Raises:
        ConfigError: nothing is left between the options' start and end.
        OSError: the port is taken, or not ours to take.
    """
    async with serve(
        Ring(limit_bytes=options.ring_bytes),
        recording.stations,
        clock,
        host=options.host,
        port=options.port,
        organization=options.organization,
        tls=options.tls,
    ) as server:
        on_ready(server)
        telemetry = telemetry or TelemetryPlan()
        coming = travel(rounds(recording, options), telemetry)
        await play(coming, server, clock, options, telemetry.failures)
        logger.info("all has been played")
        if options.is_staying:
            await asyncio.Event().wait()
        await server.read_up_to(server.ring.next_place)
        await server.finish()


async def play(
    coming: Iterator[Delivery],
    server: SeedLinkServer,
    clock: Clock,
    options: ReplayOptions,
    failures: Sequence[FailurePlan] = (),
) -> None:
    """Put records into the server's ring at their times, and let the server fail at its own.

    What comes while the server is away waits in its memory, as in a digitiser's.

    Raises:
        ConfigError: there is no record.
    """
    events = deque(_events(failures))
    begin: Time | None = None
    pace = _Pace(clock, options.speed, 0.0)
    shift_ns = 0
    async for batch in _batches(coming):
        if begin is None:
            begin = batch[0].time
            pace = replace(pace, begun_s=clock.monotonic_s())
            shift_ns = round(clock.now() - begin) * NS_PER_S if options.is_now else 0
        for delivery in batch:
            after_s = delivery.time - begin
            while events and events[0].after_s <= after_s:
                await _happen(events.popleft(), server, pace)
            await pace.wait(after_s)
            if options.speed is None and server.is_listening and server.ring.is_half_full:
                await server.read_up_to(server.ring.middle_place)
            server.ring.append(_moved(delivery, shift_ns).record)
        await clock.sleep(0)
    if begin is None:
        raise ConfigError("there are no records in the time that is to be played")
    for event in events:
        await _happen(event, server, pace)


@dataclass(frozen=True, slots=True)
class _Pace:
    """When what is to be played is due.

    Args:
        clock: waits.
        speed: times real time; None is at once.
        begun_s: when the play began, on the monotonic clock.
    """

    clock: Clock
    speed: float | None
    begun_s: float

    async def wait(self, after_s: float) -> None:
        """Return when so many seconds have been played."""
        if self.speed is not None:
            left_s = self.begun_s + after_s / self.speed - self.clock.monotonic_s()
            if left_s > _SHORT_S:
                await self.clock.sleep(left_s)


@dataclass(frozen=True, slots=True)
class _Event:
    """The server goes, or comes back.

    Args:
        after_s: when, in seconds of play.
        failure: the plan of it.
        is_return: it comes back.
    """

    after_s: float
    failure: FailurePlan
    is_return: bool


def _events(failures: Sequence[FailurePlan]) -> Iterator[_Event]:
    for failure in failures:
        yield _Event(failure.after_s, failure, is_return=False)
        yield _Event(failure.after_s + failure.duration_s, failure, is_return=True)


async def _happen(event: _Event, server: SeedLinkServer, pace: _Pace) -> None:
    await pace.wait(event.after_s)
    if event.is_return:
        logger.warning("the server is back")
        await server.reopen()
    else:
        logger.warning("the server fails, as planned")
        await server.fail(is_forgetful=event.failure.is_forgetful)


async def _batches(coming: Iterator[Delivery]) -> AsyncIterator[list[Delivery]]:
    """Batches of deliveries; the next one is made while one is played."""
    making = asyncio.create_task(asyncio.to_thread(_batch, coming))
    try:
        while batch := await making:
            making = asyncio.create_task(asyncio.to_thread(_batch, coming))
            yield batch
    finally:
        making.cancel()


def _batch(coming: Iterator[Delivery]) -> list[Delivery]:
    return list(islice(coming, _BATCH))
