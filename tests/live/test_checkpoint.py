"""The state in the store: whole or not at all, and nobody waits while it is written."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from tests.live.faults import Hasty, Recording
from tests.live.network import assert_same, monitor_of, settings
from zilzal.app.live import engine as engine_module
from zilzal.app.live import monitor as monitor_module
from zilzal.app.live.checkpoint import let_count, next_generation, put_piece, read_pieces
from zilzal.app.live.engine import Engine
from zilzal.core.errors import StoreError
from zilzal.core.time import Time
from zilzal.io.inventory import read_inventory
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.store import Store

LIMIT_S = 60.0


@dataclass(frozen=True)
class Written:
    """A snapshot whose pieces are given."""

    pieces: list[bytes] = field(default_factory=list)

    def piece(self, number: int) -> bytes:
        return self.pieces[number]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "zilzal.db") as opened:
        yield opened


def put(store: Store, configuration: str, pieces: list[bytes], *, counts: bool = True) -> None:
    generation = next_generation(store, configuration)
    for number in range(len(pieces)):
        put_piece(store, generation, number, Written(pieces), configuration)
    if counts:
        let_count(store, generation, len(pieces), configuration)


def test_state_counts_when_it_is_whole_and_not_before(store):
    key = store.put_run("picker = 1", version="1", started=Time(0))
    assert read_pieces(store, key) is None
    put(store, key, [b"1", b"2"], counts=False)
    assert read_pieces(store, key) is None
    put(store, key, [b"1", b"2", b"3"])
    put(store, key, [b"4"], counts=False)
    assert list(read_pieces(store, key)) == [b"1", b"2", b"3"]
    put(store, key, [b"4", b"5"])
    put(store, key, [b"6", b"7", b"8"], counts=False)
    assert list(read_pieces(store, key)) == [b"4", b"5"]


def test_state_of_another_kind_does_not_count(store):
    key = store.put_run("picker = 1", version="1", started=Time(0))
    store.save_checkpoint("live/engine", b"of an earlier version", key)
    assert read_pieces(store, key) is None
    put(store, key, [b"1"])
    assert list(read_pieces(store, key)) == [b"1"]


def packets_of(made) -> list:
    """The records of the network, in rounds."""

    async def read() -> list:
        from zilzal.io.clock import SystemClock

        source = PlaybackSource(paths=(str(made.waveforms),))
        async with source.open((), SystemClock()) as stream:
            return [packet async for packet in stream]

    found = asyncio.run(read())
    return [found[at : at + 40] for at in range(0, len(found), 40)]


@pytest.mark.parametrize("picker", ["stalta", "neural"])
def test_snapshot_stays_as_it_was_while_the_engine_goes_on(made, picker, monkeypatch):
    monkeypatch.setattr(engine_module, "_SHARE", 2)
    configuration, inventory = settings(picker), read_inventory([made.inventory])
    engine = Engine(configuration, configuration.live, inventory)
    rounds = packets_of(made)
    half = len(rounds) // 2
    for packets in rounds[:half]:
        engine.take(packets)
        engine.step()
    engine.take(rounds[half])
    snapshot = engine.snapshot()
    went_on = [engine.step()]
    for packets in rounds[half + 1 :]:
        engine.take(packets)
        went_on.append(engine.step())
        engine.preliminary()
    went_on.append(engine.finish())
    again = Engine(configuration, configuration.live, inventory)
    again.restore(snapshot.piece(number) for number in range(len(snapshot.shares)))
    assert len(snapshot.shares) == 3
    gone_again = [again.step()]
    for packets in rounds[half + 1 :]:
        again.take(packets)
        gone_again.append(again.step())
    gone_again.append(again.finish())
    assert sum(len(each.picks) for each in went_on) > 5
    assert went_on == gone_again


def test_rounds_are_held_while_the_state_is_refused(made, ran, tmp_path, monkeypatch):
    rounds, tries = [0], []

    def refuse(*arguments) -> None:
        tries.append(rounds[0])
        if len(tries) < 30:
            raise StoreError("the disk is full")
        put_piece(*arguments)

    monkeypatch.setattr(monitor_module, "put_piece", refuse)
    with Store.open(tmp_path / "zilzal.db") as store:
        source = PlaybackSource(paths=(str(made.waveforms),), speed=100.0)
        monitor = monitor_of(made, tmp_path, settings(checkpoint_s=0.0), [source], store)
        monitor.clock = Hasty(monitor.clock)
        write = monitor.recorder.write

        def counting(packets) -> None:
            write(packets)
            rounds[0] += 1

        monitor.recorder = Recording(monitor.recorder, counting)
        asyncio.run(monitor.run())
    assert tries[29] - tries[1] <= 1
    assert_same(tmp_path, ran)


def test_picking_goes_on_while_the_state_is_stored(made, ran, tmp_path, monkeypatch):
    went_on, rounds, waited = threading.Event(), [0], []

    def put_late(*arguments) -> None:
        if not waited:
            begun = rounds[0]
            went_on.clear()
            waited.append(went_on.wait(LIMIT_S) and rounds[0] - begun)
        put_piece(*arguments)

    monkeypatch.setattr(monitor_module, "put_piece", put_late)
    with Store.open(tmp_path / "zilzal.db") as store:
        source = PlaybackSource(paths=(str(made.waveforms),), speed=100.0)
        monitor = monitor_of(made, tmp_path, settings(checkpoint_s=0.0), [source], store)
        write = monitor.recorder.write

        def counting(packets) -> None:
            write(packets)
            rounds[0] += 1
            if rounds[0] % 3 == 0:
                went_on.set()

        monitor.recorder = Recording(monitor.recorder, counting)
        asyncio.run(monitor.run())
    assert waited
    assert waited[0] >= 1
    assert_same(tmp_path, ran)
