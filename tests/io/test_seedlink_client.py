"""The SeedLink client against our server: it resumes, waits, notices, and never gives up."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import numpy as np
import pytest

from tests.clock import ManualClock
from tests.io.seedlink_server import LIMIT_S, STATIONS, fill, serving
from tests.io.waveform_files import T0, noise, records
from zilzal.core.coverage import Reason
from zilzal.core.errors import ConfigError, FormatError, SourceError
from zilzal.core.packet import Bookmark, LinkState
from zilzal.io import feed as feeds
from zilzal.io.feed import open_all
from zilzal.io.record import read_record
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.query import ServedStation, ask
from zilzal.io.seedlink.ring import Ring
from zilzal.io.seedlink.subscription import Asked, Place, Wanted, subscribe


def source_of(server, **how) -> SeedLinkSource:
    return SeedLinkSource(server=f"127.0.0.1:{server.port}", **{"begin": "all"} | how)


async def take(stream, count):
    """The next packets of an open source."""
    found = []
    async with asyncio.timeout(LIMIT_S):
        async for packet in stream:
            found.append(packet)
            if len(found) == count:
                break
    return found


async def until(condition) -> None:
    """Return when something has come to be, by what the event loop does alone."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0)


def numbers(packets):
    return [p.sequence for p in packets]


@pytest.mark.parametrize("protocol", [3, 4, None])
def test_samples_come_through(protocol):
    async def main():
        clock, ring = ManualClock(), Ring()
        fill(ring, 20)
        async with (
            serving(ring) as server,
            source_of(server, protocol=protocol).open([], clock) as stream,
        ):
            return clock.now(), list(ring.entries()), await take(stream, ring.next_place)

    now, entries, packets = asyncio.run(main())
    assert numbers(packets) == [e.sequence for e in entries]
    assert np.array_equal(np.concatenate([p.traces[0].samples for p in packets]), noise(2_000))
    assert {p.bookmark.part for p in packets} == {"XX_AAA"}
    assert {p.arrived for p in packets} == {now}
    assert [p.record for p in packets] == [e.record.content for e in entries]
    assert packets[-1].data_end == T0 + 20


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("streams", [("*",), ("XX_AAA", "XX_BBB:BHN"), ("XX_?BB", "*_AAA:HH?.D")])
def test_opened_again_it_goes_on_after_the_bookmarks(protocol, streams):
    async def main():
        clock = ManualClock()
        async with serving() as server:
            source = source_of(server, protocol=protocol, streams=streams)
            total = server.ring.next_place if protocol == 4 else server.ring.next_sequence - 1
            first = second = ()
            bookmarks: dict[str, Bookmark] = {}
            found = []
            while len(found) < total:
                async with source.open(bookmarks.values(), clock) as stream:
                    for packet in await take(stream, min(11, total - len(found))):
                        found.append(packet)
                        bookmarks[packet.bookmark.part] = packet.bookmark
            return first, second, found, {e.sequence for e in server.ring.entries()}

    *_, found, every = asyncio.run(main())
    assert len(set(numbers(found))) == len(found)
    assert set(numbers(found)) >= every


@pytest.mark.parametrize("protocol", [3, 4])
def test_cut_connections_lose_nothing_and_double_nothing(protocol):
    async def main():
        clock, ring = ManualClock(), Ring()
        async with (
            serving(ring) as server,
            source_of(server, protocol=protocol).open([], clock) as stream,
        ):
            found = []
            for number in range(8):
                fill(ring, 10, 10.0 * number)
                found += await take(stream, 2)
                await until(lambda: stream.links()[0].state is LinkState.CONNECTED)
                await server.fail(is_forgetful=False)
                fill(ring, 10, 10.0 * number, channel="XX_BBB__H_H_Z")
                await server.reopen()
                await until(lambda: stream.links()[0].state is LinkState.WAITING)
                await clock.advance(60)
            return found + await take(stream, ring.next_sequence - 1 - len(found))

    assert numbers(asyncio.run(main())) == list(range(1, 1 + 8 * 2 * 5))


def test_waits_double_up_to_a_limit_and_are_drawn():
    async def main():
        clock = ManualClock()
        async with serving() as server:
            source = source_of(server, retry_s=1.0, longest_retry_s=20.0)
        waits = []
        async with source.open([], clock) as stream:
            for _ in range(8):
                await until(lambda: stream.links()[0].state is LinkState.WAITING)
                await clock.asleep()
                waits.append(clock.waits_s()[0])
                note = stream.links()[0].note
                await clock.advance(waits[-1])
        return waits, note

    waits, note = asyncio.run(main())
    for number, wait_s in enumerate(waits):
        longest_s = min(2.0**number, 20.0)
        assert longest_s / 2 <= wait_s <= longest_s
    assert len({w / min(2.0**n, 20.0) for n, w in enumerate(waits)}) == 8
    assert "Could not connect" in note


def test_success_begins_the_waits_anew():
    async def main():
        clock, ring = ManualClock(), Ring()
        waits = []
        async with serving(ring) as server, source_of(server).open([], clock) as stream:
            for number in range(5):
                fill(ring, 2, 2.0 * number)
                await take(stream, 1)
                await server.fail(is_forgetful=False)
                await until(lambda: stream.links()[0].state is LinkState.WAITING)
                await server.reopen()
                waits.append(clock.waits_s()[0])
                await clock.advance(waits[-1])
        return waits

    assert max(asyncio.run(main())) <= 1.0


def test_connection_on_which_nothing_comes_is_made_anew():
    async def main():
        clock, ring = ManualClock(), Ring()
        fill(ring, 5)
        async with (
            serving(ring) as server,
            source_of(server, stale_s=100.0).open([], clock) as stream,
        ):
            count = len(await take(stream, ring.next_place))
            await clock.advance(60)
            fill(ring, 5, 5.0)
            await take(stream, count)
            await clock.asleep(2)
            await clock.advance(99)
            still = stream.links()[0].state
            await clock.advance(2)
            await until(lambda: stream.links()[0].state is LinkState.WAITING)
            note = stream.links()[0].note
            await clock.advance(10)
            fill(ring, 5, 10.0)
            await take(stream, count)
            return still, note, stream.links()[0]

    still, note, link = asyncio.run(main())
    assert still is LinkState.CONNECTED
    assert note == "nothing came for 100 s"
    assert (link.state, link.connections) == (LinkState.CONNECTED, 2)


def test_slow_reader_stops_the_flow_and_is_not_taken_for_a_stale_server(monkeypatch):
    monkeypatch.setattr(feeds, "LARGEST_QUEUE", 20)

    async def main():
        clock, ring = ManualClock(), Ring()
        fill(ring, 3_000)
        async with (
            serving(ring) as server,
            source_of(server, stale_s=100.0).open([], clock) as stream,
        ):
            await until(
                lambda: stream.links()[0].heard and stream.links()[0].heard[0].packets >= 20
            )
            for _ in range(200):
                await asyncio.sleep(0)
            await clock.advance(10_000)
            held = stream.links()[0].heard[0].packets
            found = await take(stream, ring.next_place)
            return held, found, stream.links()[0].connections, ring.next_place

    held, found, connections, total = asyncio.run(main())
    assert held <= 21
    assert numbers(found) == list(range(1, total + 1))
    assert connections == 1


def test_a_silent_station_is_told_and_the_others_go_on():
    async def main():
        clock, ring = ManualClock(), Ring()
        fill(ring, 5)
        fill(ring, 5, channel="XX_BBB__H_H_Z")
        async with serving(ring) as server:
            source = source_of(server, silent_after_s=600.0, stale_s=10_000.0)
            async with source.open([], clock) as stream:
                await take(stream, ring.next_place)
                await clock.advance(500)
                fill(ring, 5, 5.0, channel="XX_BBB__H_H_Z")
                await take(stream, 3)
                await clock.advance(200)
                return stream.links()[0].heard

    heard = asyncio.run(main())
    assert [(str(h.station_id), h.is_silent) for h in heard] == [
        ("XX.AAA", True),
        ("XX.BBB", False),
    ]
    assert [h.data_end for h in heard] == [T0 + 5, T0 + 10]
    assert heard[1].arrived - heard[0].arrived == 500


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_station_that_is_not_served_fails_nobody_and_is_taken_when_it_comes(protocol):
    async def main():
        clock, ring = ManualClock(), Ring()
        fill(ring, 5)
        async with serving(ring) as server:
            streams = ("XX_ZZZ", "XX_AAA")
            source = source_of(server, streams=streams, protocol=protocol, missing_s=300.0)
            async with source.open([], clock) as stream:
                first = await take(stream, ring.next_place)
                note = stream.links()[0].note
                server.stations = STATIONS | {"XX_ZZZ"}
                fill(ring, 5, channel="XX_ZZZ__H_H_Z")
                fill(ring, 5, 5.0)
                first += await take(stream, 3)
                await clock.advance(299)
                await clock.advance(2)
                await until(lambda: stream.links()[0].state is LinkState.WAITING)
                await clock.advance(2)
                await until(lambda: stream.links()[0].state is LinkState.CONNECTED)
                fill(ring, 5, 5.0, channel="XX_ZZZ__H_H_Z")
                return note, first, await take(stream, 3)

    note, first, second = asyncio.run(main())
    assert note == "not served: XX_ZZZ"
    assert {p.bookmark.part for p in first} == {"XX_AAA"}
    assert {p.bookmark.part for p in second} == {"XX_ZZZ"}


def test_server_without_any_wanted_station_is_tried_again():
    async def main():
        clock = ManualClock()
        async with (
            serving() as server,
            source_of(server, streams=("GE_APE",)).open([], clock) as stream,
        ):
            await until(lambda: stream.links()[0].state is LinkState.WAITING)
            return stream.links()[0].note

    assert asyncio.run(main()) == "the server has no station that is wanted"


def test_numbers_that_begin_anew_are_read_from_the_beginning():
    async def main():
        clock, ring = ManualClock(), Ring(next_sequence=5_000)
        fill(ring, 5)
        async with (
            serving(ring) as server,
            source_of(server, begin="next").open(
                [Bookmark(f"seedlink://127.0.0.1:{server.port}", "XX_AAA", "5001")], clock
            ) as stream,
        ):
            before = await take(stream, 1)
            await server.fail(is_forgetful=True)
            fill(server.ring, 5, 5.0)
            await server.reopen()
            await until(lambda: stream.links()[0].state is LinkState.WAITING)
            await clock.advance(5)
            return before, await take(stream, 3)

    before, after = asyncio.run(main())
    assert numbers(before) == [5002]
    assert numbers(after) == [1, 2, 3]


@pytest.mark.parametrize("protocol", [3, 4])
def test_damaged_record_becomes_lost_time_and_stops_nothing(protocol):
    async def main():
        clock, ring = ManualClock(), Ring()
        made = records(noise(2_000))
        bad = bytearray(made[1])
        bad[200:204] = bytes(b ^ 0x55 for b in bad[200:204])
        for content in (made[0], bytes(bad), *made[2:]):
            ring.append(read_record(content))
        async with (
            serving(ring) as server,
            source_of(server, protocol=protocol).open([], clock) as stream,
        ):
            return read_record(made[1]), await take(stream, len(made))

    lost, packets = asyncio.run(main())
    assert [len(p.traces) for p in packets[:3]] == [1, 0, 1]
    (span,) = packets[1].corrupt
    assert (span.start, span.end, span.reason) == (lost.start, lost.end, Reason.CORRUPT)
    assert packets[1].data_end == lost.end
    assert numbers(packets) == list(range(1, len(packets) + 1))


def test_beginning_at_a_time():
    async def main():
        clock = ManualClock()
        async with serving() as server:
            for protocol in (3, 4):
                source = source_of(server, begin=str(T0 + 50), protocol=protocol)
                async with source.open([], clock) as stream:
                    yield await take(stream, 3)

    async def collect():
        return [packets async for packets in main()]

    for packets in asyncio.run(collect()):
        assert min(p.data_end for p in packets) > T0 + 50
        assert min(p.traces[0].start for p in packets) < T0 + 52


def test_many_servers_are_one_stream_and_a_dead_one_delays_nobody():
    async def main():
        clock = ManualClock()
        ring = Ring()
        fill(ring, 30, channel="YY_CCC__H_H_Z")
        async with serving() as one, serving(ring) as two, serving() as dead:
            dead_source = source_of(dead)
            await dead.close()
            sources = [source_of(one), dead_source, source_of(two)]
            total = one.ring.next_place + ring.next_place
            async with open_all(sources, [], clock) as stream:
                packets = await take(stream, total)
                states = {link.source: link.state for link in stream.links()}
                return packets, states, [s.name for s in sources]

    packets, states, names = asyncio.run(main())
    assert {p.bookmark.part for p in packets} == {"XX_AAA", "XX_BBB", "YY_CCC"}
    assert {p.bookmark.source for p in packets} == {names[0], names[2]}
    assert states[names[0]] is states[names[2]] is LinkState.CONNECTED
    assert states[names[1]] in (LinkState.WAITING, LinkState.CONNECTING)


def test_two_sources_of_one_name_are_refused():
    async def main():
        sources = [SeedLinkSource(server="a"), SeedLinkSource(server="a:18000")]
        async with open_all(sources, [], ManualClock()):
            pass

    with pytest.raises(ValueError, match="two sources have one name"):
        asyncio.run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody has signed, with its key."""
    program = shutil.which("openssl")
    assert program, "openssl is needed to make a certificate"
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tls_is_spoken_and_an_unknown_certificate_refused(certificate):
    async def main():
        clock = ManualClock()
        async with serving(tls=certificate) as server:
            source = source_of(server, tls=True, is_verified=False)
            async with source.open([], clock) as stream:
                packets = await take(stream, 5)
            with pytest.raises(SourceError, match="certificate"):
                await ask(f"127.0.0.1:{server.port}", "ID", tls=True)
            info = await ask(f"127.0.0.1:{server.port}", "ID", tls=True, is_verified=False)
            return packets, info

    packets, info = asyncio.run(main())
    assert len(packets) == 5
    assert info.organization == "zilzal replay"


@pytest.mark.parametrize("protocol", [3, 4])
def test_server_is_asked_what_it_has(protocol):
    async def main():
        async with serving() as server:
            where = f"127.0.0.1:{server.port}"
            return (
                await ask(where, "STREAMS", protocol=protocol),
                await ask(where, "CAPABILITIES", protocol=protocol),
                await ask(where, "CONNECTIONS", protocol=protocol),
            )

    streams, capabilities, connections = asyncio.run(main())
    assert streams.protocol == protocol
    assert [s.code for s in streams.stations] == ["XX_AAA", "XX_BBB"]
    assert [s.code for s in streams.stations[1].streams] == ["00_B_H_N"]
    assert streams.stations[0].end == T0 + 60
    assert capabilities.capabilities
    assert connections.clients[0].host == "127.0.0.1"


def test_gaps_are_told_by_version_3():
    async def main():
        ring = Ring()
        fill(ring, 10)
        fill(ring, 10, 30.0)
        async with serving(ring) as server:
            return await ask(f"127.0.0.1:{server.port}", "GAPS", protocol=3)

    assert asyncio.run(main()).stations[0].streams[0].gaps == ((T0 + 10, T0 + 30),)


def test_no_server_is_an_error_that_says_so():
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:1: Could not connect"):
        asyncio.run(ask("127.0.0.1:1", "ID"))


def test_server_that_does_not_tell_is_an_error():
    async def main():
        async with serving() as server:
            await ask(f"127.0.0.1:{server.port}", "GAPS", protocol=4)

    with pytest.raises(SourceError, match="cannot tell about"):
        asyncio.run(main())


@pytest.mark.parametrize(
    "options",
    [
        {"server": "a b"},
        {"server": "a:99999"},
        {"server": ""},
        {"server": "a", "protocol": 5},
        {"server": "a", "streams": ("CI.CCC",)},
        {"server": "a", "streams": ("CCC",)},
        {"server": "a", "begin": "yesterday"},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises((ConfigError, FormatError)):
        SeedLinkSource(**options)


@pytest.mark.parametrize(
    ("server", "tls", "name"),
    [
        ("a", None, "seedlink://a:18000"),
        ("a", True, "seedlink://a:18500"),
        ("seedlink://a:1234", None, "seedlink://a:1234"),
        ("[::1]:1234", None, "seedlink://[::1]:1234"),
    ],
)
def test_name_is_the_servers_url(server, tls, name):
    assert SeedLinkSource(server=server, tls=tls).name == name


def served(*codes, last=None):
    return {c: ServedStation(code=c, description="", first=1, last=last) for c in codes}


def test_stations_that_were_read_are_asked_for_by_name_before_patterns():
    found = subscribe(
        [Wanted.parse("CI_*:HH?"), Wanted.parse("PB_B916")],
        {"CI_CCC": Place(5, ""), "GE_APE": Place(7, "")},
        served("CI_CCC", "CI_WBS", "PB_B916"),
        has_wildcards=True,
        is_all=False,
    )
    assert found.asked == (
        Asked("CI_CCC", ("HH?",), Place(5, "")),
        Asked("PB_B916", ()),
        Asked("CI_*", ("HH?",)),
    )
    assert found.missing == ()


def test_patterns_become_stations_where_the_server_has_no_wildcards():
    found = subscribe(
        [Wanted.parse("CI_*")], {}, served("CI_CCC", "CI_WBS", "PB_B916"),
        has_wildcards=False, is_all=True,
    )  # fmt: skip
    assert [a.station for a in found.asked] == ["CI_CCC", "CI_WBS"]
    assert all(a.is_all for a in found.asked)


def test_what_the_server_does_not_have_is_missing():
    found = subscribe(
        [Wanted.parse("CI_*"), Wanted.parse("GE_APE"), Wanted.parse("IU_*")],
        {"CI_OLD": Place(3, "")},
        served("CI_CCC"),
        has_wildcards=True,
        is_all=False,
    )
    assert [a.station for a in found.asked] == ["CI_*", "IU_*"]
    assert found.missing == ("GE_APE",)


def test_numbers_beyond_the_servers_have_begun_anew():
    found = subscribe(
        [Wanted.parse("*")], {"CI_CCC": Place(11, ""), "CI_WBS": Place(10, "")},
        served("CI_CCC", "CI_WBS", last=10), has_wildcards=True, is_all=False,
    )  # fmt: skip
    assert found.renumbered == ("CI_CCC",)
    assert found.asked[:2] == (
        Asked("CI_CCC", (), None, is_all=True),
        Asked("CI_WBS", (), Place(10, "")),
    )


def test_server_that_does_not_tell_is_asked_for_all_that_is_wanted():
    found = subscribe(
        [Wanted.parse("CI_*"), Wanted.parse("GE_APE")], {"CI_CCC": Place(3, "")}, None,
        has_wildcards=False, is_all=False,
    )  # fmt: skip
    assert [a.station for a in found.asked] == ["CI_CCC", "GE_APE", "CI_*"]


def test_place_is_written_and_read():
    for place in (Place(5, ""), Place(7, "2020-01-01T00:00:00.000000Z")):
        assert Place.parse(str(place)) == place
    with pytest.raises(FormatError, match="not the place"):
        Place.parse("x")


class OldServer:
    """A server of version 3 without wildcards that tells nothing; it sends what it is given."""

    def __init__(self, packets: bytes) -> None:
        self.packets, self.heard = packets, []

    async def meet(self, reader, writer):
        try:
            while line := (await reader.readline()).decode().strip():
                self.heard.append(line)
                word = line.split()[0]
                if word == "HELLO":
                    writer.write(b"SeedLink v3.0 (old)\r\nSomewhere\r\n")
                elif word in ("STATION", "SELECT", "DATA"):
                    writer.write(b"OK\r\n")
                elif word == "INFO":
                    writer.write(b"ERROR\r\n")
                elif word == "END":
                    writer.write(self.packets)
        except ConnectionError:
            pass
        finally:
            writer.close()


def test_an_old_server_is_asked_by_name_and_without_being_asked_what_it_has():
    content = records(noise(400))[0]

    async def main():
        clock, old = ManualClock(), OldServer(b"SL0000FF" + content)
        server = await asyncio.start_server(old.meet, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            source = SeedLinkSource(server=f"127.0.0.1:{port}", streams=("XX_AAA:00BH?.D",))
            async with source.open([], clock) as stream:
                return await take(stream, 1), old.heard

    (packet,), heard = asyncio.run(main())
    assert (packet.sequence, packet.record) == (0xFF, content)
    assert heard[-4:] == ["STATION AAA XX", "SELECT 00BH?.D", "DATA", "END"]


def test_a_packet_that_cannot_be_got_past_is_given_up_after_some_tries():
    async def main():
        clock, old = ManualClock(), OldServer(b"SL000006" + b"\xff" * 512)
        server = await asyncio.start_server(old.meet, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            source = SeedLinkSource(server=f"127.0.0.1:{port}", streams=("XX_AAA",))
            bookmark = Bookmark(source.name, "XX_AAA", "5")
            async with source.open([bookmark], clock) as stream:
                for number in range(1, 5):
                    await until(lambda number=number: stream.links()[0].connections == number)
                    await until(lambda: stream.links()[0].state is LinkState.WAITING)
                    await clock.advance(60)
            return [line for line in old.heard if line.startswith("DATA")]

    asked = asyncio.run(main())
    assert asked[:4] == ["DATA 6", "DATA 6", "DATA 6", "DATA"]
