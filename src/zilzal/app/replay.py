"""An archive or a synthetic network played through a SeedLink server, as if it were recorded now."""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from zilzal.core.errors import ConfigError
from zilzal.core.stage import Clock
from zilzal.core.time import NS_PER_S, Time
from zilzal.io.archive import Archive
from zilzal.io.playback import Delivery, archive_records, deliveries
from zilzal.io.record import Record, shift_record
from zilzal.io.seedlink.ring import RING_BYTES, Ring
from zilzal.io.seedlink.server import SeedLinkServer, serve
from zilzal.io.seedlink.words import PORT, station_code

logger = logging.getLogger(__name__)

AHEAD = 2_000
"""At full speed, records that the slowest client may be behind."""
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
        speed: times real time; None is as fast as the clients take it.
        start: of the part that is played; None is all.
        end: of the part that is played, exclusive; None is all.
        is_looped: play it again and again, each time later by its length.
        is_now: move the times so that it looks recorded now.
        host: address to listen at; 0.0.0.0 for all.
        port: to listen at; 0 takes any that is free.
        organization: told to clients.
        ring_bytes: memory for records that clients may still ask for.
        tls: with a certificate, to speak TLS.
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

    def __post_init__(self) -> None:
        if self.speed is not None and not 0 < self.speed < math.inf:
            raise ConfigError(f"the speed is {self.speed}; give a number above 0, or max")
        if self.is_now and self.speed != 1:
            raise ConfigError("only at speed 1 does it go on looking recorded now")


def archive_recording(paths: Iterable[Path]) -> Recording:
    """miniSEED files, folders, an SDS root, as something to play.

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
    on_ready: Callable[[SeedLinkServer], None] = lambda _: None,
) -> None:
    """Play a recording through a server; return when all has been played and sent.

    Args:
        recording: what is played.
        options: how.
        clock: sets the pace.
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
        await play(rounds(recording, options), server, clock, options)
        await server.read_up_to(server.ring.next_place)


async def play(
    coming: Iterator[Delivery], server: SeedLinkServer, clock: Clock, options: ReplayOptions
) -> None:
    """Put records into the server's ring at their times.

    Raises:
        ConfigError: there is none.
    """
    begun_s = clock.monotonic_s()
    begin: Time | None = None
    shift_ns = 0
    async for batch in _batches(coming):
        if begin is None:
            begin = batch[0].time
            shift_ns = round(clock.now() - begin) * NS_PER_S if options.is_now else 0
        for delivery in batch:
            if options.speed is None:
                await server.read_up_to(server.ring.next_place - AHEAD)
            else:
                due_s = begun_s + (delivery.time - begin) / options.speed
                left_s = due_s - clock.monotonic_s()
                if left_s > _SHORT_S:
                    await clock.sleep(left_s)
            server.ring.append(_moved(delivery, shift_ns).record)
        await clock.sleep(0)
    if begin is None:
        raise ConfigError("there are no records in the time that is to be played")


async def _batches(coming: Iterator[Delivery]):
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
