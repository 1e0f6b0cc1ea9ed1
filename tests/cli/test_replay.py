"""`zilzal replay` and `zilzal seedlink`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest

from tests.io.seedlink_server import fill, serving
from tests.io.waveform_files import noise, records, write
from zilzal.io.seedlink.client import SeedLinkSource
from zilzal.io.seedlink.ring import Ring

LIMIT_S = 60


@contextmanager
def server(ring=None):
    """A server in a thread of its own; its address."""
    ready, done = threading.Event(), None
    found = {}

    async def main():
        nonlocal done
        done = asyncio.Event()
        async with serving(ring) as running:
            found["loop"], found["port"] = asyncio.get_running_loop(), running.port
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(LIMIT_S)
    try:
        yield f"127.0.0.1:{found['port']}"
    finally:
        found["loop"].call_soon_threadsafe(done.set)
        thread.join(LIMIT_S)


def test_stations_of_a_server_are_shown(call):
    with server() as where:
        said = call("seedlink", "info", where)
        one = call("seedlink", "info", where, "--stations", "XX_B*", "--streams", "--protocol", "3")
        clients = call("seedlink", "info", where, "--clients")
    assert "zilzal replay" in said
    rows = [line.split() for line in said.splitlines() if line.strip().startswith("XX_")]
    assert [row[:4] for row in rows] == [
        ["XX_AAA", "1", "2020-01-01", "00:01:00.00"],
        ["XX_BBB", "1", "2020-01-01", "00:01:00.00"],
    ]
    assert all(row[-1] == "d" for row in rows)
    assert "2 of 2 stations" in said
    assert "00_B_H_N" in one
    assert "1 of 2 stations" in one
    assert "XX_AAA" not in one
    assert "127.0.0.1" in clients
    assert "zilzal/" in clients


def test_gaps_of_a_server_are_shown(call):
    ring = Ring()
    for start_s in (0.0, 30.0):
        fill(ring, 10, start_s)
    with server(ring) as where:
        said = call("seedlink", "info", where, "--gaps")
    (row,) = [line.split() for line in said.splitlines() if line.strip().startswith("XX_")]
    assert row[:2] == ["XX_AAA", "_H_H_Z"]
    assert (row[3], row[5], row[6]) == ("00:00:10.00", "00:00:30.00", "20.0")


def test_no_server_ends_in_a_message(refuse):
    assert "SourceError: 127.0.0.1:1: " in refuse("seedlink", "info", "127.0.0.1:1")
    assert "ConfigError: not a SeedLink server" in refuse("seedlink", "info", "a b")
    assert "FormatError: not a station pattern" in refuse("seedlink", "info", "a", "-s", "A B")
    assert "give one of --streams" in refuse("seedlink", "info", "a", "--gaps", "--clients")


@pytest.fixture
def archive(tmp_path):
    write(tmp_path / "a.mseed", records(noise(2_000)))
    return tmp_path / "a.mseed"


def test_replay_serves_until_all_is_read(call, archive, monkeypatch):
    packets, threads = [], []

    async def read(port):
        source = SeedLinkSource(server=f"127.0.0.1:{port}", begin="all")
        from zilzal.io.clock import SystemClock

        async with asyncio.timeout(LIMIT_S), source.open([], SystemClock()) as stream:
            async for packet in stream:
                packets.append(packet)
                if packet.data_end - packets[0].traces[0].start >= 20:
                    break

    def reader(server):
        threads.append(threading.Thread(target=asyncio.run, args=(read(server.port),)))
        threads[0].start()

    import zilzal.app.replay as module

    play = module.replay

    async def replay(*arguments, on_ready, **how):
        await play(*arguments, on_ready=lambda s: (on_ready(s), reader(s)), **how)

    monkeypatch.setattr(module, "replay", replay)
    said = call("replay", archive, "--speed", "max", "--port", "0", "--leave")
    threads[0].join(LIMIT_S)
    assert "1 stations, 2020-01-01T00:00:00.000000Z to 2020-01-01T00:00:20.000000Z, at " in said
    assert sum(len(p.traces[0].samples) for p in packets) == 2_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "fast"], "the speed is 'fast'; give a number above 0, or max"),
        (["--speed", "2", "--now"], "only at speed 1"),
        (["--start", "noon"], "not a UTC time: 'noon'"),
        (["--start", "2030-01-01", "--speed", "max", "--port", "0"], "there are no records"),
        (["--faults", "none.toml"], "cannot read the telemetry"),
        (["--certificate", "none.pem"], "cannot use the certificate"),
    ],
)
def test_wrong_options_of_replay_end_in_a_message(refuse, archive, options, said):
    assert said in refuse("replay", archive, *options)


def test_replay_of_nothing_ends_in_a_message(refuse, tmp_path):
    assert "no such file or folder" in refuse("replay", tmp_path / "none")
