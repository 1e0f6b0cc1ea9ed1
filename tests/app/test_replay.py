"""Recordings are played at their pace, as clients see it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tests.app.short import SCENARIO
from tests.clock import ManualClock
from tests.io.waveform_files import T0, noise, records, write
from zilzal.app.replay import (
    ReplayOptions,
    archive_recording,
    open_recording,
    read_telemetry,
    replay,
    rounds,
    synthetic_recording,
)
from zilzal.core.errors import ConfigError
from zilzal.io.archive import Archive
from zilzal.io.feed import open_all
from zilzal.io.record import record_trace
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.query import ask
from zilzal.synth.network import build_network
from zilzal.synth.record import record_station
from zilzal.synth.scenario import parse_scenario
from zilzal.synth.telemetry import FailurePlan, LinkPlan, OutagePlan, TelemetryPlan

LIMIT_S = 60
TOTAL_OF_AAA = len(records(noise(6_000)))
TOTAL = TOTAL_OF_AAA + len(records(noise(6_000, 1), length=4096))
"""Records of the archive below."""
MAX = ReplayOptions(speed=None, port=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A minute of two stations, one with long records."""
    folder = tmp_path_factory.mktemp("archive")
    write(folder / "a.mseed", records(noise(6_000), channel="XX_AAA__H_H_Z"))
    write(folder / "b.mseed", records(noise(6_000, 1), channel="XX_BBB__H_H_Z", length=4096))
    return folder


@pytest.fixture(scope="module")
def recording(folder):
    return archive_recording([folder])


@asynccontextmanager
async def playing(recording, options, clock, telemetry=None):
    """A replay under way: its server and its task."""
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        replay(recording, options, clock, telemetry=telemetry, on_ready=ready.set_result)
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait({ready, task}, return_when=asyncio.FIRST_COMPLETED)
            yield (ready.result() if ready.done() else None), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def collect(server, clock, count, **how):
    source = SeedLinkSource(server=f"127.0.0.1:{server.port}", **{"begin": "all"} | how)
    packets = []
    async with open_all([source], [], clock) as stream:
        async for packet in stream:
            packets.append(packet)
            if len(packets) == count:
                break
    return packets


def test_at_full_speed_clients_get_all_and_then_it_ends(recording):
    async def main():
        clock = ManualClock()
        async with playing(recording, MAX, clock) as (server, task):
            packets = await collect(server, clock, TOTAL)
            await task
            return packets

    packets = asyncio.run(main())
    for station, seed in (("XX_AAA", 0), ("XX_BBB", 1)):
        mine = [p.traces[0].samples for p in packets if p.bookmark.part == station]
        assert np.array_equal(np.concatenate(mine), noise(6_000, seed))
    assert [p.data_end for p in packets] == sorted(p.data_end for p in packets)


def test_at_full_speed_all_there_is_room_for_can_be_asked_about_before_any_is_read(tmp_path):
    whole = records(noise(1_000_000))
    write(tmp_path / "a.mseed", whole)

    async def main():
        clock = ManualClock()
        async with playing(archive_recording([tmp_path]), MAX, clock) as (server, _):
            where = f"127.0.0.1:{server.port}"
            while ((await ask(where)).stations[0].end or T0) < T0 + 9_999.9:
                await asyncio.sleep(0)
            return await collect(server, clock, len(whole))

    assert sum(len(packet.traces[0].samples) for packet in asyncio.run(main())) == 1_000_000


def test_at_full_speed_the_slowest_client_is_waited_for(tmp_path):
    write(tmp_path / "a.mseed", records(noise(200_000)))
    recording = archive_recording([tmp_path])

    async def main():
        clock = ManualClock()
        options = replace(MAX, ring_bytes=30_000)
        async with playing(recording, options, clock) as (server, _):
            return await collect(server, clock, len(records(noise(200_000))))

    packets = asyncio.run(main())
    assert np.array_equal(np.concatenate([p.traces[0].samples for p in packets]), noise(200_000))


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_records_come_when_their_last_sample_has_been_taken(recording, speed):
    async def main():
        clock, seen = ManualClock(), []
        async with playing(recording, ReplayOptions(speed=speed, port=0), clock) as (server, _):
            await until(lambda: server.ring.next_place == 1)
            begin = server.ring[0].record.end
            for _ in range(20):
                await clock.asleep()
                ends = [e.record.end - begin for e in server.ring.entries()]
                seen.append((clock.monotonic_s() * speed, max(ends)))
                await clock.advance(clock.waits_s()[0])
            return seen

    for passed_s, newest_s in asyncio.run(main()):
        # Waits below 2 ms are left out.
        assert newest_s <= passed_s + 0.002 * speed
        assert passed_s - newest_s < 4


def test_now_moves_the_times_and_nothing_else(recording):
    async def main():
        clock = ManualClock("2030-05-06T07:08:09.4Z")
        options = ReplayOptions(speed=1.0, port=0, is_now=True)
        async with playing(recording, options, clock) as (server, _):
            await until(lambda: server.ring.next_place == 1)
            for _ in range(10):
                await clock.asleep()
                await clock.advance(clock.waits_s()[0])
            return clock.now(), list(server.ring.entries())

    now, entries = asyncio.run(main())
    assert abs(now - entries[-1].record.end) < 3
    mine = [e.record for e in entries if e.station == "XX_AAA"]
    moved = record_trace(mine[0].content)
    assert (moved.start - T0) % 1 == 0
    samples = np.concatenate([record_trace(r.content).samples for r in mine])
    assert np.array_equal(samples, noise(6_000)[: len(samples)])


def test_only_the_chosen_part_is_played(recording):
    options = replace(MAX, start=T0 + 20, end=T0 + 40)
    found = [d.record for d in rounds(recording, options)]
    assert all(r.end > T0 + 20 and r.start < T0 + 40 for r in found)
    assert len(found) < TOTAL / 2


def test_nothing_to_play_is_an_error(recording):
    async def main():
        options = replace(MAX, start=T0 + 1_000)
        async with playing(recording, options, ManualClock()) as (_, task):
            await task

    with pytest.raises(ConfigError, match="no records"):
        asyncio.run(main())


def test_loop_goes_on_in_time(recording):
    once = list(rounds(recording, MAX))
    found = list(islice(rounds(recording, replace(MAX, is_looped=True)), 3 * len(once)))
    assert [d.time for d in found] == sorted(d.time for d in found)
    for number in range(3):
        part = found[number * len(once) : (number + 1) * len(once)]
        assert {a.time - b.time for a, b in zip(part, once, strict=True)} == {60.0 * number}
        mine = [record_trace(d.record.content) for d in part if d.record.version == 2]
        assert min(t.start for t in mine) == T0 + 60.0 * number


def test_long_records_come_as_they_are_in_version_4(recording, folder):
    async def main():
        clock = ManualClock()
        async with playing(recording, MAX, clock) as (server, _):
            return await collect(server, clock, TOTAL, protocol=4)

    packets = asyncio.run(main())
    for name, station in (("a.mseed", "XX_AAA"), ("b.mseed", "XX_BBB")):
        mine = b"".join(p.record for p in packets if p.bookmark.part == station)
        assert mine == (folder / name).read_bytes()


def test_telemetry_is_between_the_recording_and_the_server(recording):
    telemetry = TelemetryPlan(
        links=(LinkPlan(stations="XX_AAA", corruption=1.0),),
        outages=(OutagePlan(stations="XX_BBB", is_lost=True),),
    )

    async def main():
        clock = ManualClock()
        async with playing(recording, MAX, clock, telemetry) as (server, _):
            return await collect(server, clock, TOTAL_OF_AAA)

    packets = asyncio.run(main())
    assert {p.bookmark.part for p in packets} == {"XX_AAA"}
    # Damage behind the samples of the last record, which is not full, does no harm.
    assert all(p.corrupt and not p.traces for p in packets[:-1])


@pytest.mark.parametrize("is_forgetful", [False, True])
def test_server_fails_at_its_time_and_comes_back(recording, is_forgetful):
    failure = FailurePlan(after_s=20, duration_s=10, is_forgetful=is_forgetful)

    async def main():
        clock, seen = ManualClock(), []
        options = ReplayOptions(speed=1.0, port=0)
        telemetry = TelemetryPlan(failures=(failure,))
        async with playing(recording, options, clock, telemetry) as (server, task):
            port = server.port
            while not task.done() and clock.monotonic_s() < 45:
                await clock.asleep()
                await clock.advance(clock.waits_s()[0])
                await clock.asleep()
                seen.append((clock.monotonic_s(), server.is_listening, len(server.ring)))
            return seen, port, server.port

    seen, before, after = asyncio.run(main())
    assert before == after
    assert all(up == (not 20 <= s < 30) for s, up, _ in seen)
    assert {round(s) for s, _, _ in seen} >= {20, 30}
    counts = [count for _, _, count in seen]
    assert (counts == sorted(counts)) is not is_forgetful


def test_a_client_misses_nothing_when_the_server_fails(recording):
    telemetry = TelemetryPlan(
        links=(LinkPlan(jitter_s=0.5),),
        failures=(FailurePlan(after_s=10, duration_s=5), FailurePlan(after_s=30, duration_s=1)),
    )

    async def main():
        clock = ManualClock()
        options = ReplayOptions(speed=1.0, port=0)
        async with playing(recording, options, clock, telemetry) as (server, _):
            collecting = asyncio.create_task(collect(server, clock, TOTAL))
            while not collecting.done():
                await clock.advance(0.25)
                await asyncio.sleep(0)
            return await collecting

    packets = asyncio.run(main())
    for station, seed in (("XX_AAA", 0), ("XX_BBB", 1)):
        mine = [p.traces[0].samples for p in packets if p.bookmark.part == station]
        assert np.array_equal(np.concatenate(mine), noise(6_000, seed))


def test_synthetic_network_is_played_as_it_is_recorded():
    scenario = parse_scenario(SCENARIO.replace("n_stations = 6", "n_stations = 2"))
    network = build_network(scenario)
    recording = synthetic_recording(scenario)
    assert recording.stations == {"SY_S01", "SY_S02"}
    found = [d.record for d in rounds(recording, MAX)]
    assert {len(r.content) for r in found} == {512}
    traces = [record_trace(r.content) for r in found]
    for station in network.stations:
        for trace in record_station(network, station, scenario.start, scenario.end):
            mine = [t for t in traces if t.channel_id == trace.channel_id]
            assert mine[0].start == trace.start
            assert np.array_equal(np.concatenate([t.samples for t in mine]), trace.samples)


def test_scenario_is_made_while_it_is_played():
    hours = SCENARIO.replace("duration_s = 200", "duration_s = 36_000_000")
    recording = synthetic_recording(parse_scenario(hours))
    first = next(rounds(recording, MAX))
    assert first.time - recording.start < 20
    assert recording.end - recording.start == 36_000_000


def test_a_scenario_or_files_are_opened_by_name(tmp_path, folder):
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO)
    assert open_recording([path]).stations == synthetic_recording(parse_scenario(SCENARIO)).stations
    assert open_recording([folder]).stations == {"XX_AAA", "XX_BBB"}
    with pytest.raises(ConfigError, match="played alone"):
        open_recording([path, folder])


def test_archive_of_real_data_is_played_byte_for_byte(shared):
    folder = shared / "data" / "continuous" / "anza_1998-01-01"
    recording = archive_recording([folder])
    spans = Archive.open(folder).files
    total = sum(path.stat().st_size for path in {span.path for span in spans})
    assert sum(len(d.record.content) for d in rounds(recording, MAX)) == total


def test_telemetry_file_is_read_and_faults_in_it_told(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text("[[links]]\nloss = 0.1\n")
    assert read_telemetry(path).links == (LinkPlan(loss=0.1),)
    assert read_telemetry(None) == TelemetryPlan()
    path.write_bytes(b"\xff")
    for wrong, said in ((path, "not TOML"), (tmp_path / "none", "cannot read the telemetry")):
        with pytest.raises(ConfigError, match=said):
            read_telemetry(wrong)


@pytest.mark.parametrize(
    "options", [{"speed": 0.0}, {"speed": float("nan")}, {"speed": 2.0, "is_now": True}]
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError):
        ReplayOptions(**options)
