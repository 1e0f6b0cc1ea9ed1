"""The server over sockets: both protocols, several clients, a memory that forgets."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from tests.io.seedlink_server import Talk, fill, serving, start_of, talking
from tests.io.waveform_files import T0, noise, records
from zilzal.io.record import read_record, record_trace
from zilzal.io.seedlink.ring import ENTRY_BYTES, Overrun, Ring
from zilzal.io.seedlink.words import LARGEST_COMMAND_BYTES


def run(main):
    """Run an async test body."""
    return asyncio.run(main())


async def packets_3(talk: Talk, count: int):
    return [await talk.packet_3() for _ in range(count)]


def test_hello_names_the_server_its_protocols_and_whose_it_is():
    async def main():
        async with serving(organization="Test Network") as server, talking(server) as talk:
            talk.send("HELLO")
            return await talk.line(), await talk.line()

    first, second = run(main)
    name, _, capabilities = first.partition(" :: ")
    assert name.startswith("SeedLink v4.0 (zilzal/")
    assert {"SLPROTO:4.0", "SLPROTO:3.1", "NSWILDCARD", "BATCH"} <= set(capabilities.split())
    assert second == "Test Network"


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_may_end_in_any_way(end):
    async def main():
        async with serving() as server, talking(server) as talk:
            talk.send("", "HELLO", "  ", end=end)
            hello = await talk.line()
            await talk.line()
            talk.send("STATION AAA XX", end=end)
            return hello, await talk.line()

    hello, answer = run(main)
    assert hello.startswith("SeedLink")
    assert answer == "OK"


def test_commands_may_come_in_pieces_and_all_at_once():
    async def main():
        async with serving() as server, talking(server) as talk:
            for letter in "SLPROTO 4.0\rSTATION XX_A":
                talk.writer.write(letter.encode())
                await talk.writer.drain()
            talk.send("AA", "DATA ALL", "END")
            return [await talk.line() for _ in range(3)], await talk.packet_4()

    answers, packet = run(main)
    assert answers == ["OK"] * 3
    assert packet[:3] == (1, "XX_AAA", "2D")


def test_cat_lists_the_stations():
    async def main():
        async with serving() as server, talking(server) as talk:
            talk.send("CAT")
            return [await talk.line() for _ in range(3)]

    assert [line.split()[:2] for line in run(main)] == [["XX", "AAA"], ["XX", "BBB"], ["END"]]


def test_bye_closes():
    async def main():
        async with serving() as server, talking(server) as talk:
            talk.send("BYE")
            return await talk.is_closed()

    assert run(main)


def test_version_4_sends_records_as_they_are():
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION *", "DATA ALL")
            talk.send("END")
            entries = list(server.ring.entries())
            return entries, [await talk.packet_4() for _ in entries]

    entries, packets = run(main)
    assert [p[3] for p in packets] == [e.record.content for e in entries]
    assert [p[0] for p in packets] == [e.sequence for e in entries]
    assert {p[1:3] for p in packets} == {("XX_AAA", "2D"), ("XX_BBB", "3D")}


def test_version_3_sends_512_bytes_whatever_the_records_are():
    async def main():
        async with serving() as server, talking(server) as talk:
            assert await talk.ask("STATION * XX", "DATA 0") == ["OK", "OK"]
            talk.send("END")
            return await packets_3(talk, server.ring.next_sequence - 1)

    packets = run(main)
    assert [number for number, _ in packets] == list(range(1, len(packets) + 1))
    traces = [record_trace(record) for _, record in packets]
    for station in ("AAA", "BBB"):
        mine = [t.samples for t in traces if t.channel_id.station == station]
        assert np.array_equal(np.concatenate(mine), noise(6_000))


@pytest.mark.parametrize("last", [3, 35, 36, 50])
def test_version_3_goes_on_after_any_packet(last):
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("STATION * XX", f"DATA {last + 1:X}")
            talk.send("END")
            return await packets_3(talk, server.ring.next_sequence - 1 - last)

    assert next(n for n, _ in run(main)) == last + 1


def test_each_station_has_its_own_place():
    async def main():
        async with serving() as server, talking(server) as talk:
            before = server.ring.next_sequence
            await talk.ask("STATION AAA XX", "DATA 14", "STATION BBB XX", "DATA 23")
            talk.send("END")
            fill(server.ring, 10, 100.0)
            wanted = [*range(0x14, 30), *range(0x23, server.ring.next_sequence)]
            assert before in wanted
            return wanted, await packets_3(talk, len(wanted))

    wanted, packets = run(main)
    assert [n for n, _ in packets] == wanted


def test_numbers_of_version_3_are_the_last_24_bits():
    async def main():
        ring = Ring(next_sequence=2**24 * 5 - 3)
        fill(ring, 20)
        async with serving(ring) as server, talking(server) as talk:
            await talk.ask("STATION AAA XX", "DATA FFFFFE")
            talk.send("END")
            first = await packets_3(talk, 4)
            async with talking(server) as other:
                await other.ask("STATION AAA XX", "DATA 000001")
                other.send("END")
                return first, await packets_3(other, 2)

    first, second = run(main)
    assert [n for n, _ in first] == [0xFFFFFE, 0xFFFFFF, 0, 1]
    assert second[0] == first[3]


def test_numbers_of_version_4_have_64_bits():
    async def main():
        ring = Ring(next_sequence=2**63)
        fill(ring, 20)
        async with serving(ring) as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", f"DATA {2**63 + 2}")
            talk.send("END")
            return await talk.packet_4()

    assert run(main)[0] == 2**63 + 2


@pytest.mark.parametrize("command", ["DATA", "DATA 900", "DATA -1"])
def test_without_a_known_number_the_next_packet_is_the_first(command):
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", command)
            talk.send("END", "INFO ID")
            assert (await talk.info_4())[0] == "JI"
            fill(server.ring, 5, 60.0)
            return await talk.packet_4()

    assert start_of(run(main)[3]) == T0 + 60.0


def test_fetch_ends_with_end():
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_BBB", "DATA ALL")
            talk.send("ENDFETCH")
            count = sum(e.station == "XX_BBB" for e in server.ring.entries())
            found = [await talk.packet_4() for _ in range(count)]
            return found, await talk.reader.readexactly(3)

    found, end = run(main)
    assert {p[1] for p in found} == {"XX_BBB"}
    assert end == b"END"


def test_time_window_of_version_3_ends_when_the_data_have_passed_it():
    async def main():
        async with serving() as server, talking(server) as talk:
            begin, end = T0 + 20, T0 + 30
            asked = [f"{t.to_datetime():%Y,%m,%d,%H,%M,%S}" for t in (begin, end)]
            await talk.ask("STATION AAA XX", f"TIME {' '.join(asked)}")
            talk.send("END")
            wanted = [
                e.record.content
                for e in server.ring.entries()
                if e.station == "XX_AAA" and e.record.end > begin and e.record.start < end
            ]
            found = await packets_3(talk, len(wanted))
            return wanted, [r for _, r in found], await talk.reader.readexactly(3)

    wanted, found, end = run(main)
    assert found == wanted
    assert 5 < len(found) < 10
    assert end == b"END"


def test_time_window_of_version_4_waits_for_what_may_come_late():
    async def main():
        async with serving() as server, talking(server) as talk:
            window = f"{T0 + 100} {T0 + 110}"
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", f"DATA ALL {window}")
            talk.send("END", "INFO ID")
            await talk.info_4()
            fill(server.ring, 5, 200.0)
            fill(server.ring, 5, 105.0)
            return await talk.packet_4()

    assert start_of(run(main)[3]) == T0 + 105.0


def test_packets_go_out_as_they_come_to_all_who_want_them():
    async def main():
        async with serving(Ring()) as server, talking(server) as one, talking(server) as two:
            await one.ask("SLPROTO 4.0", "STATION XX_*", "DATA")
            await two.ask("STATION BBB XX", "SELECT BHN", "DATA")
            one.send("END")
            two.send("END")
            one.send("INFO ID")
            two.send("INFO ID")
            await one.info_4()
            await two.info_3()
            fill(server.ring, 2)
            first = await one.packet_4()
            fill(server.ring, 2, channel="XX_BBB__B_H_Z")
            fill(server.ring, 2, channel="XX_BBB__B_H_N")
            return first, await one.packet_4(), await two.packet_3()

    first, second, third = run(main)
    assert (first[1], second[1]) == ("XX_AAA", "XX_BBB")
    assert record_trace(third[1]).channel_id.channel == "BHN"


def test_slow_client_holds_nobody_up_and_is_sent_away_when_overtaken():
    async def main():
        ring = Ring(limit_bytes=200 * (512 + ENTRY_BYTES))
        async with serving(ring) as server, talking(server) as slow, talking(server) as quick:
            for talk in (slow, quick):
                await talk.ask("SLPROTO 4.0", "STATION XX_AAA", "DATA")
                talk.send("END", "INFO ID")
                await talk.info_4()
            slow.writer.transport.pause_reading()
            content = read_record(records(noise(200))[0])
            sent = 0
            while len(server.clients) == 2:
                # More than sockets and buffers hold: the slow one's place stands still.
                for _ in range(100):
                    server.ring.append(content)
                    sent += 1
                for _ in range(100):
                    number = (await quick.packet_4())[0]
                assert number == sent
                assert len(server.ring) <= 200
                assert sent < 200_000
            slow.writer.transport.resume_reading()
            last = None
            while (packet := await slow.packet_4())[2] != "JE":
                last = packet
            return sent, last, packet, await slow.is_closed()

    sent, last, packet, is_closed = run(main)
    assert b"too slow" in packet[3]
    assert last[0] < sent
    assert is_closed


def test_too_long_a_line_is_refused_and_closes():
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0")
            talk.writer.write(b"X" * (LARGEST_COMMAND_BYTES * 2 + 1))
            return await talk.line(), await talk.is_closed()

    line, is_closed = run(main)
    assert line.startswith("ERROR LIMIT")
    assert is_closed


def test_bytes_that_are_no_text_do_no_harm():
    async def main():
        async with serving() as server, talking(server) as talk:
            talk.writer.write(bytes(range(256)) + b"\r\n\xff\xfe STATION\r\n")
            talk.send("HELLO")
            while not (line := await talk.line()).startswith("SeedLink"):
                assert line == "ERROR"
            return line

    assert run(main)


def test_info_of_version_4():
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "USERAGENT test/1.0")
            told = {}
            for item in ("ID", "FORMATS", "CAPABILITIES", "STATIONS", "STREAMS", "CONNECTIONS"):
                talk.send(f"INFO {item}")
                form, told[item] = await talk.info_4()
                assert form == "JI"
            talk.send("INFO STREAMS *B *N.3")
            told["pattern"] = (await talk.info_4())[1]
            return told

    told = run(main)
    assert all({"software", "organization"} <= set(document) for document in told.values())
    assert set(told["FORMATS"]["format"]) == {"2", "3", "J"}
    assert [(s["id"], s["start_seq"], s["end_seq"]) for s in told["STATIONS"]["station"]] == [
        ("XX_AAA", 1, 30), ("XX_BBB", 30, 61),
    ]  # fmt: skip
    stream = told["STREAMS"]["station"][1]["stream"][0]
    assert (stream["id"], stream["format"], stream["subformat"]) == ("00_B_H_N", "3", "D")
    assert stream["start_time"] == "2020-01-01T00:00:00.000000Z"
    assert stream["end_time"] == "2020-01-01T00:01:00.000000Z"
    (client,) = told["CONNECTIONS"]["connections"]["client"]
    assert (client["client_id"], client["transmit_packets"]) == ("test/1.0", 0)
    assert [s["id"] for s in told["pattern"]["station"]] == ["XX_BBB"]


@pytest.mark.parametrize(
    "question", ["INFO", "INFO GAPS", "INFO X", "INFO STREAMS * * *", "INFO STREAMS ("]
)
def test_info_of_version_4_that_there_is_not_is_told_in_json(question):
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0")
            talk.send(question)
            return await talk.info_4()

    form, document = run(main)
    assert form == "JE"
    assert document["error"]["code"] == "ARGUMENTS"


def test_info_of_version_3():
    async def main():
        ring = Ring()
        for start_s in (0.0, 60.0, 100.0):
            fill(ring, 30, start_s)
        fill(ring, 60, channel="XX_BBB_00_B_H_N")
        async with serving(ring) as server, talking(server) as talk:
            told = {}
            for level in (
                "ID",
                "CAPABILITIES",
                "STATIONS",
                "STREAMS",
                "GAPS",
                "CONNECTIONS",
                "ALL",
            ):
                talk.send(f"INFO {level}")
                told[level] = await talk.info_3()
            return told, await talk.ask("INFO X")

    told, refused = run(main)
    assert refused == ["ERROR"]
    assert all(document.tag == "seedlink" for document in told.values())
    assert [(s.get("network"), s.get("name")) for s in told["STATIONS"]] == [
        ("XX", "AAA"),
        ("XX", "BBB"),
    ]
    stream = told["STREAMS"].find("station[@name='BBB']/stream")
    assert (stream.get("location"), stream.get("seedname"), stream.get("type")) == (
        "00",
        "BHN",
        "D",
    )
    assert stream.get("end_time") == "2020/01/01 00:01:00.0000"
    gaps = told["GAPS"].findall("station[@name='AAA']/stream/gap")
    assert [(g.get("begin_time")[-10:], g.get("end_time")[-10:]) for g in gaps] == [
        ("00:30.0000", "01:00.0000"), ("01:30.0000", "01:40.0000"),
    ]  # fmt: skip
    assert told["CONNECTIONS"].find("station/connection").get("host") == "127.0.0.1"
    names = {c.get("name") for c in told["CAPABILITIES"]}
    assert {"dialup", "multistation", "window-extraction", "info:gaps"} <= names
    assert {e.tag for e in told["ALL"].iter()} >= {
        "capability",
        "station",
        "stream",
        "gap",
        "connection",
    }


def test_stations_that_are_to_come_are_told():
    async def main():
        async with serving(Ring(next_sequence=7)) as server, talking(server) as talk:
            talk.send("INFO STATIONS")
            old = await talk.info_3()
            await talk.ask("SLPROTO 4.0")
            talk.send("INFO STATIONS")
            return old, (await talk.info_4())[1]

    old, new = run(main)
    assert [(s.get("name"), s.get("begin_seq"), s.get("end_seq")) for s in old] == [
        ("AAA", "000000", "000000"), ("BBB", "000000", "000000"),
    ]  # fmt: skip
    assert [(s["id"], s["start_seq"], s["end_seq"]) for s in new["station"]] == [
        ("XX_AAA", 7, 7), ("XX_BBB", 7, 7),
    ]  # fmt: skip


def test_info_between_packets_leaves_them_whole():
    async def main():
        async with serving(Ring()) as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", "DATA")
            talk.send("END", "INFO ID")
            await talk.info_4()
            forms = []
            for number in range(20):
                talk.send("INFO STREAMS")
                fill(server.ring, 2, 2.0 * number)
                forms += [(await talk.packet_4())[2], (await talk.packet_4())[2]]
            return forms

    forms = run(main)
    assert (forms.count("2D"), forms.count("JI")) == (20, 20)


@pytest.mark.parametrize("is_forgetful", [False, True])
def test_server_that_failed_comes_back_at_the_same_port(is_forgetful):
    async def main():
        async with serving() as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", "DATA ALL")
            talk.send("END")
            await talk.packet_4()
            await server.fail(is_forgetful=is_forgetful)
            with suppress(ConnectionError):
                await talk.reader.read(-1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(server.host, server.port)
            await server.reopen()
            async with talking(server) as again:
                await again.ask("SLPROTO 4.0")
                again.send("INFO STATIONS")
                return (await again.info_4())[1]["station"]

    assert {s["end_seq"] for s in run(main)} == ({1} if is_forgetful else {30, 61})


def test_server_that_finishes_sends_what_is_under_way(caplog):
    async def main():
        ring = Ring()
        fill(ring, 2_000)
        async with serving(ring) as server, talking(server) as talk:
            await talk.ask("SLPROTO 4.0", "STATION XX_AAA", "DATA ALL")
            talk.send("END")
            reading = asyncio.create_task(talk.reader.read(-1))
            await server.read_up_to(ring.next_place)
            await server.finish()
            return sum(17 + 6 + 512 for _ in ring.entries()), len(await reading)

    wanted, got = run(main)
    assert got == wanted
    assert not caplog.records


def test_ring_keeps_the_newest_within_its_bytes():
    ring = Ring(limit_bytes=50 * (512 + ENTRY_BYTES))
    fill(ring, 400)
    assert len(ring) == 50
    assert [e.sequence for e in ring.entries()] == list(
        range(ring.next_sequence - 50, ring.next_sequence)
    )
    with pytest.raises(Overrun, match="begins 1 records later"):
        ring[ring.first_place - 1]
    (extent,) = ring.extents()
    assert (extent.first, extent.last) == (ring.next_sequence - 50, ring.next_sequence - 1)
    assert extent.start == ring[ring.first_place].record.start


def test_a_long_record_that_cannot_be_decoded_goes_to_version_4_alone():
    made = records(noise(6_000), length=4096)
    bad = bytearray(made[1])
    bad[300:304] = bytes(b ^ 0x55 for b in bad[300:304])

    async def main():
        ring = Ring()
        for content in (made[0], bytes(bad), made[2]):
            ring.append(read_record(content))
        async with serving(ring) as server, talking(server) as old, talking(server) as new:
            await old.ask("STATION AAA XX", "DATA 0")
            await new.ask("SLPROTO 4.0", "STATION XX_AAA", "DATA ALL")
            old.send("END")
            new.send("END")
            entries = list(ring.entries())
            short = sum(len(e.short) for e in entries)
            return entries, await packets_3(old, short), [await new.packet_4() for _ in entries]

    entries, old, new = run(main)
    assert [p[3] for p in new] == [made[0], bytes(bad), made[2]]
    missing = entries[1].sequence
    assert [n for n, _ in old] == [n for n in range(1, entries[2].sequence + 1) if n != missing]


def test_one_record_larger_than_the_ring_is_kept():
    ring = Ring(limit_bytes=1)
    fill(ring, 10)
    assert len(ring) == 1


def test_places_of_sequence_numbers():
    ring = Ring()
    fill(ring, 60, length=4096)
    whole = list(ring.entries())
    assert [e.first_sequence for e in whole[1:]] == [e.sequence + 1 for e in whole[:-1]]
    for place, entry in enumerate(whole):
        for sequence in range(entry.first_sequence, entry.sequence + 1):
            assert ring.place_of(sequence) == place
    assert ring.place_of(ring.next_sequence) == ring.next_place
    assert ring.place_of(0) == 0
