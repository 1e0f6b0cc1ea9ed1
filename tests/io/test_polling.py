"""Sources that look again and again: a web service, a folder."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tests.io.waveform_files import HHZ, T0, noise, records, write
from zilzal.core.coverage import Reason
from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.packet import Bookmark, LinkState
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.dataselect import DataselectSource
from zilzal.io.folder import FolderSource
from zilzal.io.received import LARGEST_SPANS, Received
from zilzal.io.record import read_record

LIMIT_S = 60
FULL = noise(200_000)
"""What the station records: 2,000 s."""


def run(main):
    async def limited():
        async with asyncio.timeout(LIMIT_S):
            return await main()

    return asyncio.run(limited())


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def take(stream, count):
    found = []
    async for packet in stream:
        found.append(packet)
        if len(found) == count:
            break
    return found


class Service:
    """A dataselect service: what it has, what it was asked, and how it fails."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.asked: list[list[str]] = []
        self.status = 200

    def has(self, *contents: bytes) -> None:
        self.records += contents

    def answer(self, body: str) -> bytes:
        lines = [line.split() for line in body.splitlines() if "=" not in line]
        self.asked.append([" ".join(line) for line in lines])
        windows = [(Time.parse(line[4]), Time.parse(line[5])) for line in lines]
        heads = ((content, read_record(content)) for content in self.records)
        return b"".join(
            content
            for content, head in heads
            if any(head.end > start and head.start < end for start, end in windows)
        )


@contextmanager
def serving():
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            content = service.answer(body) if service.status == 200 else b"no, not today\nmore"
            self.send_response(service.status if content else 204)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service, f"http://127.0.0.1:{server.server_port}/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def source_of(url, **how):
    options = {"channels": ("XX.*..HH?",), "interval_s": 60.0, "reach_s": 300.0, "piece_s": 900.0}
    return DataselectSource(url=url, **options | how)


def test_new_data_come_once_though_each_request_reaches_back():
    made = records(FULL)
    clock = ManualClock(str(T0 + 400))

    async def main():
        with serving() as (service, url):
            service.has(*[r for r in made if read_record(r).end <= T0 + 400])
            async with source_of(url).open([], clock) as stream:
                found = await take(stream, 1)
                for now_s in range(460, 1_000, 60):
                    service.records = [r for r in made if read_record(r).end <= T0 + now_s]
                    await clock.asleep()
                    await clock.advance(60)
                    found += await take(stream, 1)
                return found, service.asked

    found, asked = run(main)
    traces = [t for p in found for t in p.traces]
    start = traces[0].start
    assert start <= T0 + 100
    assert all(abs(a.next_start - b.start) < 1e-6 for a, b in pairwise(traces))
    samples = np.concatenate([t.samples for t in traces])
    first = round((start - T0) * 100)
    assert np.array_equal(samples, FULL[first : first + len(samples)])
    assert traces[-1].next_start > T0 + 930
    assert asked[1] == ["XX * -- HH? 2020-01-01T00:01:40.000000 2020-01-01T00:07:40.000000"]


def test_what_comes_late_is_given_alone():
    made = records(FULL)
    heads = [read_record(r) for r in made]
    clock = ManualClock(str(T0 + 400))
    late = [h.content for h in heads if T0 + 300 < h.start < T0 + 310]

    async def main():
        with serving() as (service, url):
            service.has(*[h.content for h in heads if h.end <= T0 + 400 and h.content not in late])
            async with source_of(url).open([], clock) as stream:
                await take(stream, 1)
                service.has(*late)
                await clock.asleep()
                await clock.advance(60)
                return await take(stream, 1)

    (packet,) = run(main)
    wanted = [read_record(r) for r in late]
    assert packet.traces[0].start == wanted[0].start
    assert packet.traces[-1].next_start == wanted[-1].end


def test_opened_again_nothing_comes_twice_and_nothing_is_missed():
    made = records(FULL)
    clock = ManualClock(str(T0 + 400))

    async def main():
        with serving() as (service, url):
            found, bookmarks = [], {}
            for now_s in (400, 700, 1_900):
                service.records = [r for r in made if read_record(r).end <= T0 + now_s]
                await clock.advance((T0 + now_s) - clock.now())
                async with source_of(url).open(bookmarks.values(), clock) as stream:
                    count = 1 if now_s < 1_000 else 2
                    for packet in await take(stream, count):
                        found += packet.traces
                        bookmarks[packet.bookmark.part] = packet.bookmark
            return found, service.asked

    traces, asked = run(main)
    first = round((traces[0].start - T0) * 100)
    samples = np.concatenate([t.samples for t in traces])
    assert np.array_equal(samples, FULL[first : first + len(samples)])
    assert traces[-1].next_start > T0 + 1_890
    assert all(len(lines) == 1 for lines in asked)


def test_long_times_are_asked_for_in_pieces_and_not_too_far_back():
    clock = ManualClock(str(T0 + 100_000))

    async def main():
        with serving() as (service, url):
            source = source_of(url, reach_s=0.0, longest_s=2_000.0, piece_s=900.0)
            place = f"{T0} {T0}/{T0 + 10}"
            async with source.open([Bookmark(url, str(HHZ), place)], clock):
                await until(lambda: len(service.asked) == 3)
            return service.asked

    windows = [line[0].split()[4:] for line in run(main)]
    times = [Time.parse(t) for window in windows for t in window]
    assert times[0] == T0 + 98_000
    assert times[-1] == T0 + 100_000
    assert times[1:-1:2] == times[2::2]


def test_service_that_fails_is_asked_again_for_all_that_was_missed():
    made = records(FULL)
    clock = ManualClock(str(T0 + 400))

    async def main():
        with serving() as (service, url):
            service.status = 503
            async with source_of(url, retry_s=10.0).open([], clock) as stream:
                waits = []
                for _ in range(3):
                    await clock.asleep()
                    waits.append(clock.waits_s()[0])
                    note = stream.links()[0].note
                    await clock.advance(waits[-1])
                await clock.asleep()
                await clock.advance(1_000)
                await until(lambda: clock.waits_s())
                service.status = 200
                service.has(*made)
                await clock.advance(1_000)
                found = await take(stream, 2)
                await until(lambda: stream.links()[0].state is LinkState.CONNECTED)
                return waits, note, found

    waits, note, found = run(main)
    assert all(10 * 2**n / 2 <= w <= 10 * 2**n for n, w in enumerate(waits))
    assert note == "the service refuses (503 Service Unavailable): no, not today"
    assert found[0].traces[0].start <= T0 + 100
    assert found[-1].traces[-1].next_start > T0 + 1_000


def test_damaged_record_of_a_service_is_lost_time_told_once():
    made = records(FULL)
    bad = bytearray(made[10])
    bad[200:204] = bytes(b ^ 0x55 for b in bad[200:204])
    lost = read_record(made[10])
    clock = ManualClock(str(T0 + 250))

    async def main():
        with serving() as (service, url):
            service.has(*made[:10], bytes(bad), *made[11:100])
            async with source_of(url).open([], clock) as stream:
                found = await take(stream, 1)
                service.has(*made[100:130])
                await clock.asleep()
                await clock.advance(60)
                return found + await take(stream, 1)

    first, second = run(main)
    assert [(s.start, s.end, s.reason) for s in first.corrupt] == [
        (lost.start, lost.end, Reason.CORRUPT)
    ]
    assert not second.corrupt


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://x/query"},
        {"url": "http://a b"},
        {"channels": ()},
        {"channels": ("CI_CCC",)},
        {"interval_s": 0.0},
    ],
)
def test_wrong_options_of_a_service_are_refused(options):
    with pytest.raises(ConfigError):
        DataselectSource(**{"url": "http://x/query", "channels": ("*.*.*.*",)} | options)


def test_service_that_cannot_be_reached_is_waited_for():
    clock = ManualClock()

    async def main():
        async with source_of("http://127.0.0.1:1/query").open([], clock) as stream:
            await until(lambda: stream.links()[0].state is LinkState.WAITING)
            return stream.links()[0].note

    assert run(main).startswith("cannot reach the service")


SPANS = st.lists(st.tuples(st.integers(0, 999), st.integers(1, 300)), max_size=6)


@settings(max_examples=60)
@given(received=SPANS, parts=SPANS, floor=st.integers(0, 300))
def test_new_pieces_are_what_was_not_received(received, parts, floor):
    state = Received(T0).with_spans(
        [(T0 + a / 100, T0 + (a + n) / 100) for a, n in received], floor=T0 + floor / 100
    )
    seen = set(range(floor)) | {k for a, n in received for k in range(a, a + n)}
    for first, count in parts:
        trace = Trace(
            channel_id=HHZ, start=T0 + first / 100, sampling_rate=100.0,
            samples=np.arange(first, first + count, dtype=np.int32),
        )  # fmt: skip
        pieces = list(state.new(trace))
        got = [int(k) for piece in pieces for k in piece.samples]
        assert got == [k for k in range(first, first + count) if k not in seen]
        assert all(p.start == T0 + int(p.samples[0]) / 100 for p in pieces)
        state = state.with_spans([(trace.start, trace.next_start)], floor=T0)
        seen |= set(range(first, first + count))
        assert Received.parse(str(state)) == state
        assert len(state.spans) <= LARGEST_SPANS


def test_received_times_that_are_none_are_refused():
    with pytest.raises(FormatError):
        Received.parse(f"{T0} nonsense")


def old(path, clock, seconds):
    """Say that a file was last written so long ago."""
    ns = (clock.now() - seconds).ns
    os.utime(path, ns=(ns, ns))


def folder_of(path, **how):
    return FolderSource(folder=str(path), **how)


def test_complete_files_are_read_once_in_the_order_in_which_they_were_written(tmp_path):
    clock = ManualClock()
    for number, name in enumerate(("b.mseed", "a/c.mseed", "d.mseed")):
        write(tmp_path / name, records(noise(1_000, number), 10.0 * number))
        old(tmp_path / name, clock, 1_000 - number)

    async def main():
        async with folder_of(tmp_path).open([], clock) as stream:
            first = await take(stream, 3)
            for _ in range(3):
                await clock.asleep()
                await clock.advance(5)
            write(tmp_path / "e.mseed", records(noise(1_000, 3), 30.0))
            old(tmp_path / "e.mseed", clock, 60)
            await clock.asleep()
            await clock.advance(5)
            return first + await take(stream, 1), stream.links()[0]

    packets, link = run(main)
    assert [p.bookmark.part for p in packets] == ["b.mseed", "a/c.mseed", "d.mseed", "e.mseed"]
    samples = np.concatenate([t.samples for p in packets for t in p.traces])
    assert np.array_equal(samples, np.concatenate([noise(1_000, n) for n in range(4)]))
    assert link.state is LinkState.CONNECTED
    assert [(str(h.station_id), h.packets) for h in link.heard] == [("XX.AAA", 4)]


def test_a_file_that_grows_is_waited_for(tmp_path):
    clock = ManualClock()
    made = records(noise(4_000))
    path = tmp_path / "a.mseed"

    async def main():
        async with folder_of(tmp_path, interval_s=5.0, quiet_s=10.0).open([], clock) as stream:
            for count in range(2, 12, 2):
                write(path, made[:count])
                os.utime(path, ns=(clock.now().ns, clock.now().ns))
                await clock.asleep()
                await clock.advance(5)
            grown_s = clock.monotonic_s()
            write(path, made)
            os.utime(path, ns=(clock.now().ns, clock.now().ns))
            taking = asyncio.create_task(take(stream, 1))
            while not taking.done():
                await clock.asleep()
                await clock.advance(1)
                for _ in range(100):
                    await asyncio.sleep(0)
            return (await taking)[0], clock.monotonic_s() - grown_s

    packet, waited_s = run(main)
    assert sum(len(t.samples) for t in packet.traces) == 4_000
    assert waited_s >= 10


def test_a_file_is_seen_when_it_gets_its_final_name(tmp_path):
    clock = ManualClock()
    for name in ("a.mseed.part", ".a.mseed", "b.tmp", "readme.txt"):
        write(tmp_path / name, records(noise(1_000)))
        old(tmp_path / name, clock, 600)

    async def main():
        async with folder_of(tmp_path).open([], clock) as stream:
            for _ in range(3):
                await clock.asleep()
                await clock.advance(5)
            await clock.asleep()
            before = stream.links()[0].heard
            (tmp_path / "a.mseed.part").rename(tmp_path / "a.mseed")
            await clock.advance(5)
            return before, await take(stream, 1)

    before, (packet,) = run(main)
    assert before == ()
    assert packet.bookmark.part == "a.mseed"


def test_files_with_bookmarks_are_not_read_again_unless_they_change(tmp_path):
    clock = ManualClock()
    for name in ("a.mseed", "b.mseed", "gone.mseed"):
        write(tmp_path / name, records(noise(1_000)))
        old(tmp_path / name, clock, 600)

    async def main():
        async with folder_of(tmp_path).open([], clock) as stream:
            bookmarks = [p.bookmark for p in await take(stream, 3)]
        write(tmp_path / "b.mseed", records(noise(2_000)))
        old(tmp_path / "b.mseed", clock, 500)
        (tmp_path / "gone.mseed").unlink()
        async with folder_of(tmp_path).open(bookmarks, clock) as stream:
            return await take(stream, 2)

    changed, gone = run(main)
    assert changed.bookmark.part == "b.mseed"
    assert sum(len(t.samples) for t in changed.traces) == 2_000
    assert (gone.bookmark.part, gone.bookmark.place) == ("gone.mseed", "")
    assert not gone.traces


def test_what_is_no_waveform_is_left_out_once(tmp_path, caplog):
    clock = ManualClock()
    (tmp_path / "a.dat").write_bytes(b"nothing of the kind" * 50)
    old(tmp_path / "a.dat", clock, 600)

    async def main():
        async with folder_of(tmp_path).open([], clock) as stream:
            packets = await take(stream, 1)
            for _ in range(3):
                await clock.asleep()
                await clock.advance(5)
            await clock.asleep()
            return packets

    (packet,) = run(main)
    assert (packet.traces, packet.corrupt, packet.data_end) == ((), (), None)
    assert caplog.text.count("left out: ") == 1


def test_folder_that_is_not_there_is_waited_for(tmp_path):
    clock = ManualClock()
    folder = tmp_path / "later"

    async def main():
        async with folder_of(folder, pattern="*.mseed").open([], clock) as stream:
            await until(lambda: stream.links()[0].state is LinkState.WAITING)
            note = stream.links()[0].note
            write(folder / "a.mseed", records(noise(1_000)))
            old(folder / "a.mseed", clock, 600)
            await clock.asleep()
            await clock.advance(5)
            return note, await take(stream, 1)

    note, packets = run(main)
    assert note == "No such file or directory"
    assert len(packets) == 1


def test_wrong_options_of_a_folder_are_refused():
    with pytest.raises(ConfigError, match="interval_s is 0"):
        FolderSource(folder="x", interval_s=0)
