"""The SeedLink client against our server."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.clock import ManualClock
from tests.io.waveform_files import noise, records
from zilzal.io.record import read_record
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.server import serve

LIMIT_S = 60


def filled(ring: Ring, samples, *places) -> None:
    for content in records(samples, *places):
        ring.append(read_record(content))


async def take(stream, count):
    """The next packets of an open source."""
    found = []
    async with asyncio.timeout(LIMIT_S):
        async for packet in stream:
            found.append(packet)
            if len(found) == count:
                break
    return found


@pytest.mark.parametrize("protocol", [3, 4, None])
def test_samples_come_through(protocol):
    samples = noise(2_000)

    async def main():
        clock, ring = ManualClock(), Ring()
        async with serve(ring, {"XX_AAA"}, clock) as server:
            source = SeedLinkSource(
                server=f"127.0.0.1:{server.port}",
                protocol=protocol,
                begin="all" if protocol != 3 else "2000-01-01",
            )
            filled(ring, samples)
            async with source.open([], clock) as stream:
                return await take(stream, ring.next_place)

    packets = asyncio.run(main())
    assert [p.sequence for p in packets] == list(range(1, len(packets) + 1))
    assert np.array_equal(np.concatenate([p.traces[0].samples for p in packets]), samples)
    assert {p.bookmark.part for p in packets} == {"XX_AAA"}


@pytest.mark.parametrize("protocol", [3, 4])
def test_opened_again_it_goes_on_after_the_bookmark(protocol):
    async def main():
        clock, ring = ManualClock(), Ring()
        filled(ring, noise(5_000))
        async with serve(ring, {"XX_AAA"}, clock) as server:
            source = SeedLinkSource(
                server=f"127.0.0.1:{server.port}", protocol=protocol, begin="2000-01-01"
            )
            async with source.open([], clock) as stream:
                first = await take(stream, 7)
            async with source.open([first[-1].bookmark], clock) as stream:
                return first, await take(stream, ring.next_place - 7)

    first, second = asyncio.run(main())
    assert [p.sequence for p in first + second] == list(range(1, len(first + second) + 1))
