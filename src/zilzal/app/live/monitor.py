"""The monitor: packets in, picks and events into the store, for as long as it runs.

Four things go on at once, and none blocks another: packets are received into a bounded queue;
rounds of picking take what has come and store the picks; revisions make events of them; and how
all stands is stored. Where the store or the disk refuses, everything is held and tried again: the
queue fills, the sources wait, their servers keep the records.

Picks are stored as they come, the state from time to time together with the ledger and the
bookmarks that it stands at: a snapshot between two rounds, written while the next ones go on. After
a crash the sources give again what came after the last state, it is worked on again, and makes the
same picks with the same ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import zilzal
from zilzal.app.configuration import Configuration
from zilzal.app.live.alerts import deliver, hold_back
from zilzal.app.live.checkpoint import let_count, next_generation, put_piece, read_pieces
from zilzal.app.live.engine import Engine, Round
from zilzal.app.live.health import STATION, Health, Pulse
from zilzal.app.live.insistence import Insistence, Stopped
from zilzal.app.live.metrics import metrics
from zilzal.app.live.revisions import Revisions
from zilzal.app.live.shedding import shed
from zilzal.core.coverage import CoverageSpan
from zilzal.core.ids import SensorId
from zilzal.core.packet import Packet
from zilzal.core.stage import Clock, PacketSource, PacketStream
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.feed import open_all
from zilzal.io.heap import give_back, limit_heaps
from zilzal.io.metrics_server import serving_metrics
from zilzal.io.notify import Notifier
from zilzal.io.recorder import Recorder
from zilzal.io.store import Store

logger = logging.getLogger(__name__)

LARGEST_ROUND = 5_000
"""Packets of one round, so that it ends before the next ones are late."""
SAVING_PAUSES = 20.0
"""The state is not stored again before so many times what it took have passed."""
NOTES_S = 5.0
"""How it stands is stored so often."""


@dataclass(slots=True, eq=False)
class Monitor:
    """A network's acquisition and processing; `run` it once.

    Args:
        configuration: of all stages.
        inventory: of the stations.
        sources: of the packets.
        store: for all results and the state.
        recorder: for the records.
        clock: that all waiting goes by.
        notifier: told that it is ready, alive, stopping.
        stop: set it to stop after the round at hand.
    """

    configuration: Configuration
    inventory: Inventory
    sources: Sequence[PacketSource]
    store: Store
    recorder: Recorder
    clock: Clock
    notifier: Notifier = field(default_factory=Notifier)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    engine: Engine = field(init=False)
    health: Health = field(init=False)
    insistence: Insistence = field(init=False)
    revisions: Revisions = field(init=False)
    _queue: asyncio.Queue[tuple[float, Packet | None]] = field(init=False)
    _spans: list[CoverageSpan] = field(default_factory=list[CoverageSpan])
    _passed: Mapping[SensorId, Time] = field(default_factory=dict[SensorId, Time])
    _stream: PacketStream | None = None
    _keeping: asyncio.Task[None] | None = None
    _refusals: int = 0
    _saved_s: float = 0.0
    _save_took_s: float = 0.0
    _looked_s: float = 0.0
    _told_s: float = 0.0

    def __post_init__(self) -> None:
        live = self.configuration.live
        self.engine = Engine(self.configuration, live, self.inventory)
        self._queue = asyncio.Queue(live.backlog)
        self.health = Health(self.clock)

    async def run(self) -> None:
        """Work until told to stop, or until all sources have ended.

        Told to stop, it stores its state, to go on from there. Where the sources have ended, as
        in a playback, it makes final what is open.

        Raises:
            StoreError: the store cannot be read at the start.
        """
        limit_heaps()
        self.insistence = Insistence(
            clock=self.clock, stop=self.stop, health=self.health, notifier=self.notifier
        )
        self.revisions = Revisions(
            configuration=self.configuration,
            inventory=self.inventory,
            store=self.store,
            recorder=self.recorder,
            health=self.health,
            clock=self.clock,
            insistence=self.insistence,
        )
        try:
            await asyncio.to_thread(self._restore)
            await self.revisions.begin()
            await self._monitor()
        finally:
            self.revisions.close()

    async def _monitor(self) -> None:
        """All that goes on at once, until the end."""
        bookmarks = tuple(self.engine.bookmarks.values())
        self._saved_s = self._looked_s = self._told_s = self.clock.monotonic_s()
        async with AsyncExitStack() as stack:
            if self.configuration.live.metrics:
                pages = {"/metrics": self.metrics}
                await stack.enter_async_context(
                    serving_metrics(self.configuration.live.metrics, pages)
                )
            stream = await stack.enter_async_context(open_all(self.sources, bookmarks, self.clock))
            self._stream = stream
            self.notifier.tell("READY=1", f"STATUS=reading {len(self.sources)} sources")
            tasks = [
                asyncio.create_task(self._guard(self._receive(stream))),
                asyncio.create_task(self._guard(self.revisions.run())),
                asyncio.create_task(self._guard(self._alert())),
            ]
            try:
                await self._work()
            except Stopped:
                logger.warning("stopped while the store refused; what it lacks will be read again")
            finally:
                self.notifier.tell("STOPPING=1")
                self.revisions.end()
                for task in (tasks[0], tasks[2]):
                    task.cancel()
                tasks += [] if self._keeping is None else [self._keeping]
                results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, Stopped):
                raise result

    def _restore(self) -> None:
        """Go on from the state in the store, if it was made with these settings."""
        settings = self.configuration
        texts = (
            settings.to_toml(results_only=True),
            settings.to_toml(picking=True),
            self.engine.preliminary_text,
        )
        for text in texts:
            self.store.put_run(text, version=zilzal.__version__, started=self.clock.now())
        pieces = read_pieces(self.store, settings.picking_sha256)
        marks = self.store.bookmarks()
        self.engine.bookmarks = {(mark.source, mark.part): mark for mark in marks}
        if pieces is not None:
            try:
                self.engine.restore(pieces)
            except Exception:
                logger.exception("the stored state cannot be read; begun with what comes next")
            self._note_passed()
        elif marks:
            logger.warning("settings of picking changed: begun anew with what comes next")
        stations = self.inventory.stations(self.clock.now())
        self.health.expect(
            (station.station_id for station in stations),
            {key: note for key, (_, note) in self.store.notes(STATION).items()},
        )

    def _note_passed(self) -> None:
        """The engine rests: what others may look at while it works is copied."""
        self._passed = self.engine.passed()
        self.revisions.note_passed(self._passed, self.engine.stations())

    @property
    def _pulse(self) -> Pulse:
        return Pulse(
            passed=self._passed,
            shed=self.engine.shed,
            waiting=self._queue.qsize(),
            links=() if self._stream is None else self._stream.links(),
        )

    def metrics(self) -> str:
        """The numbers of now, for Prometheus."""
        return metrics(self.health, self._pulse)

    async def _receive(self, stream: PacketStream) -> None:
        async for packet in stream:
            self.health.hear(packet)
            await self._queue.put((self.clock.monotonic_s(), packet))
        await self._queue.put((self.clock.monotonic_s(), None))

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        """Stop everything where a part fails as none should; the service manager starts it anew."""
        try:
            await work
        except Stopped:
            raise
        except Exception:
            logger.exception("stopped by an error that should not be")
            self.stop.set()
            raise

    async def _alert(self) -> None:
        """Empty the queue of alerts, or keep it for the time when the other monitor is gone."""
        store, sinks, live = self.store, self.configuration.alerts, self.configuration.live
        if live.standby:
            await hold_back(store, sinks, self.clock, live.takeover_s)
        else:
            await deliver(store, sinks, self.clock, self.health.note_told)

    async def _work(self) -> None:
        """Rounds of picking, until the end."""
        live = self.configuration.live
        while not self.stop.is_set():
            begun_s = self.clock.monotonic_s()
            packets, is_end = await self._take()
            await self._round(packets)
            if is_end:
                await self._finish()
                return
            self.notifier.tell("WATCHDOG=1")
            await self._keep_what_is_due()
            # A round costs something of each station: many small ones would leave no time for them.
            if len(packets) < LARGEST_ROUND:
                await self.clock.sleep(begun_s + live.tick_s - self.clock.monotonic_s())
        await self._save_at_last()

    async def _take(self) -> tuple[list[Packet], bool]:
        """What has come; waits for nothing."""
        packets: list[Packet] = []
        while len(packets) < LARGEST_ROUND and not self._queue.empty():
            came_s, packet = self._queue.get_nowait()
            if packet is None:
                return packets, True
            if not packets:
                self._shed(self.clock.monotonic_s() - came_s)
            packets.append(packet)
        await asyncio.sleep(0)
        return packets, False

    def _shed(self, waited_s: float) -> None:
        """Leave stations out, or take them in again, as the records' waiting says."""
        limit_s, before = self.configuration.live.shed_after_s, self.engine.shed
        if not before and waited_s <= limit_s:
            return
        self.engine.shed = shed(before, waited_s, limit_s, self.health.usefulness())
        for station in self.engine.shed ^ before:
            word = "left out" if station in self.engine.shed else "taken in again"
            logger.warning("%s is %s: records waited %.0f s", station, word, waited_s)

    async def _round(self, packets: list[Packet]) -> None:
        """Record, pick, store."""
        if packets:
            await self.insistence.on(lambda: self.recorder.write(packets))
        await self._hand_on(await asyncio.to_thread(self._pick, packets))
        live = self.configuration.live
        due_s = self._looked_s + live.preliminary_s
        if live.preliminary_s and self.clock.monotonic_s() >= due_s:
            self._looked_s = self.clock.monotonic_s()
            found = await asyncio.to_thread(self.engine.preliminary)
            self.health.note_preliminary(
                (pick for picks in found.values() for pick in picks), self.engine.newest()
            )
            self.revisions.note_preliminary(found)

    def _pick(self, packets: list[Packet]) -> Round:
        self.engine.take(packets)
        return self.engine.step()

    async def _hand_on(self, worked: Round) -> None:
        """Store what a round gave, and hand it on to the events."""
        self._note_passed()
        # The ledger is stored with the state: what is told after it will be told again.
        self._spans += worked.spans
        if worked.picks or worked.detections:
            await self.insistence.on(lambda: self._write(worked))
            self.revisions.note_work(worked)
        self.health.note_work(worked.picks, worked.spans, self._passed)

    def _write(self, worked: Round) -> None:
        with self.store.transaction():
            self.store.put_picks(worked.picks)
            self.store.put_detections(worked.detections)

    async def _keep_what_is_due(self) -> None:
        """Begin to store the state, or how it stands, where it is time and nothing is stored.

        Nobody waits for it, unless it is refused: what it lacks must not grow without bounds.
        """
        if self._keeping is not None and not self._keeping.done():
            if self.health.refusals == self._refusals:
                return
            await self._keeping
        self._refusals = self.health.refusals
        now_s = self.clock.monotonic_s()
        pause_s = max(self.configuration.live.checkpoint_s, SAVING_PAUSES * self._save_took_s)
        if now_s - self._saved_s >= pause_s:
            self._keeping = asyncio.create_task(self._guard(self._save()))
        elif now_s - self._told_s >= NOTES_S:
            self._keeping = asyncio.create_task(self._guard(self._tell()))

    def _save(self) -> Coroutine[None, None, None]:
        """Store the state of now, with the bookmarks that it stands at, while picking goes on."""
        store, key = self.store, self.configuration.picking_sha256
        begun_s = self.clock.monotonic_s()
        snapshot = self.engine.snapshot()
        report = self.health.report(self._pulse, store)
        spans, self._spans = self._spans, []

        async def write() -> None:
            generation = await self.insistence.on(partial(next_generation, store, key))
            for number in range(len(snapshot.shares)):
                piece = partial(put_piece, store, generation, number, snapshot, key)
                await self.insistence.on(piece)

            def conclude() -> None:
                with store.transaction():
                    store.put_coverage(spans)
                    let_count(store, generation, len(snapshot.shares), key)
                    store.put_bookmarks(snapshot.bookmarks)
                    report()

            await self.insistence.on(conclude)
            await asyncio.to_thread(give_back)
            self._saved_s = self._told_s = self.clock.monotonic_s()
            self._save_took_s = self._saved_s - begun_s

        return write()

    async def _save_at_last(self) -> None:
        """Store the state, of which there will be no later one."""
        if self._keeping is not None:
            await self._keeping
        await self._save()

    async def _tell(self) -> None:
        """Store how it stands, for `zilzal status`."""
        await self.insistence.on(self.health.report(self._pulse, self.store))
        self._told_s = self.clock.monotonic_s()
        if self.configuration.live.keep_days and (newest := self._newest()) is not None:
            kept_s = self.configuration.live.keep_days * 86_400.0
            await asyncio.to_thread(self.recorder.forget_before, newest - kept_s)

    def _newest(self) -> Time | None:
        """Up to where the station that is furthest ahead has been worked on."""
        return max(self._passed.values(), default=None)

    async def _finish(self) -> None:
        """The sources have ended: hand out the rest, and store that this is done."""
        if self._keeping is not None:
            await self._keeping
        await self._hand_on(await asyncio.to_thread(self.engine.finish))
        await self.revisions.finish()
        await self._save_at_last()
