"""The monitor: packets in, picks and events into the store, for as long as it runs.

Three things go on at once, and none blocks another: packets are received into a bounded queue;
rounds of picking take what has come, store it and its bookmarks; revisions make events of the
picks. Where the store or the disk refuses, everything is held and tried again: the queue fills,
the sources wait, their servers keep the records.

Picks are stored as they come, the state from time to time together with the ledger and the
bookmarks that it stands at. After a crash the sources give again what came after the last state,
it is worked on again, and makes the same picks with the same ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import zilzal
from zilzal.app.blocks import BLOCK_S, MEMORY
from zilzal.app.configuration import Configuration
from zilzal.app.live.alerts import deliver, enqueue, hold_back
from zilzal.app.live.engine import Engine, Round
from zilzal.app.live.health import STATION, Health, Pulse
from zilzal.app.live.horizon import Horizon, News, Revision
from zilzal.app.live.identity import SAME_PICK_S
from zilzal.app.live.lesson import LEARN_S, can_learn, settled_associator
from zilzal.app.live.metrics import metrics
from zilzal.app.live.reviser import Apart, Here, Reviser
from zilzal.app.live.shedding import shed
from zilzal.app.live.versions import Versions
from zilzal.core.coverage import CoverageSpan
from zilzal.core.errors import StoreError
from zilzal.core.event import EvaluationMode, Event
from zilzal.core.ids import SensorId
from zilzal.core.packet import Packet
from zilzal.core.pick import Detection, Pick
from zilzal.core.stage import Clock, PacketSource, PacketStream
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.io.feed import open_all
from zilzal.io.metrics_server import serving_metrics
from zilzal.io.notify import Notifier
from zilzal.io.recorder import Recorder
from zilzal.io.store import EventQuery, Store

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
LARGEST_ROUND = 5_000
"""Packets of one round, so that it ends before the next ones are late."""
SAVING_PAUSES = 50.0
"""The state is not stored again before so many times what it took have passed: picking waits."""
NOTES_S = 5.0
"""How it stands is stored so often."""
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0
_ENGINE, _HORIZON = "live/engine", "live/horizon"
_MEMORY_S = (MEMORY + 2) * BLOCK_S


class Stopped(Exception):
    """The monitor was told to stop while it waited for the store."""


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
    horizon: Horizon = field(init=False)
    reviser: Reviser | None = field(init=False, default=None)
    health: Health = field(init=False)
    _queue: asyncio.Queue[tuple[float, Packet | None]] = field(init=False)
    _picks: list[Pick] = field(default_factory=list[Pick])
    _spans: list[CoverageSpan] = field(default_factory=list[CoverageSpan])
    _detections: list[Detection] = field(default_factory=list[Detection])
    _preliminary: dict[SensorId, tuple[Pick, ...]] = field(
        default_factory=dict[SensorId, tuple[Pick, ...]]
    )
    _passed: dict[SensorId, Time] = field(default_factory=dict[SensorId, Time])
    _stations: tuple[Station, ...] = ()
    _has_news: asyncio.Event = field(default_factory=asyncio.Event)
    _revising: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stream: PacketStream | None = None
    _saved_s: float = 0.0
    _save_took_s: float = 0.0
    _looked_s: float = 0.0
    _told_s: float = 0.0
    _learned_s: float = 0.0
    _is_over: bool = False
    _versions: Versions = field(init=False)

    def __post_init__(self) -> None:
        live = self.configuration.live
        self.engine = Engine(self.configuration, live, self.inventory)
        self._queue = asyncio.Queue(live.backlog)
        self.health = Health(self.clock)
        self._versions = Versions(live.revision_s)

    async def run(self) -> None:
        """Work until told to stop, or until all sources have ended.

        Told to stop, it stores its state, to go on from there. Where the sources have ended, as
        in a playback, it makes final what is open.

        Raises:
            StoreError: the store cannot be read at the start.
        """
        try:
            await asyncio.to_thread(self._restore)
            await self._monitor()
        finally:
            if self.reviser is not None:
                self.reviser.close()

    async def _monitor(self) -> None:
        """All that goes on at once, until the end."""
        bookmarks = tuple(self.engine.bookmarks.values())
        self._saved_s = self._looked_s = self._told_s = self.clock.monotonic_s()
        self._learned_s = self._saved_s
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
                asyncio.create_task(self._guard(self._revise())),
                asyncio.create_task(self._guard(self._alert())),
            ]
            try:
                await self._work()
            except Stopped:
                logger.warning("stopped while the store refused; what it lacks will be read again")
            finally:
                self.notifier.tell("STOPPING=1")
                self._is_over = True
                self._has_news.set()
                for task in (tasks[0], tasks[2]):
                    task.cancel()
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
        state = self.store.load_checkpoint(_ENGINE, settings.picking_sha256)
        marks = self.store.bookmarks()
        self.engine.bookmarks = {(mark.source, mark.part): mark for mark in marks}
        if state is not None:
            try:
                self.engine.restore(state)
            except Exception:
                logger.exception("the stored state cannot be read; begun with what comes next")
            self._passed, self._stations = self.engine.passed(), self.engine.stations()
        elif marks:
            logger.warning("settings of picking changed: begun anew with what comes next")
        stations = self.inventory.stations(self.clock.now())
        self.health.expect(
            (station.station_id for station in stations),
            {key: note for key, (_, note) in self.store.notes(STATION).items()},
        )
        self._restore_horizon()

    def _restore_horizon(self) -> None:
        """Events and their picks as the store has them, as far back as late data may change."""
        settings, live = self.configuration, self.configuration.live
        start = self._horizon_start()
        picking, key = settings.picking_sha256, settings.sha256
        horizon = self.horizon = Horizon(
            configuration=settings,
            options=live,
            inventory=self.inventory,
            waveforms=self.recorder,
            associator=settled_associator(settings, self.store, self.inventory.stations()),
        )
        horizon.restore(
            self.store.load_checkpoint(_HORIZON, key),
            self.store.picks(start, configuration=picking),
            self.store.detections(start, configuration=picking),
            self.store.events(EventQuery(start=start)),
        )
        if self.reviser is not None:
            self.reviser.close()
        self.reviser = Apart(horizon, self.recorder) if live.event_process else Here(horizon)
        self._versions = Versions(live.revision_s)

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
            pause_s = max(live.checkpoint_s, SAVING_PAUSES * self._save_took_s)
            if self.clock.monotonic_s() - self._saved_s >= pause_s:
                await self._save()
            elif self.clock.monotonic_s() - self._told_s >= NOTES_S:
                await self._tell()
            # A round costs something of each station: many small ones would leave no time for them.
            if len(packets) < LARGEST_ROUND:
                await self.clock.sleep(begun_s + live.tick_s - self.clock.monotonic_s())
        await self._save()

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
            await self._insist(lambda: self.recorder.write(packets))
        await self._keep(await asyncio.to_thread(self._pick, packets))
        live = self.configuration.live
        due_s = self._looked_s + live.preliminary_s
        if live.preliminary_s and self.clock.monotonic_s() >= due_s:
            self._looked_s = self.clock.monotonic_s()
            found = await asyncio.to_thread(self.engine.preliminary)
            self._preliminary |= found
            self.health.note_preliminary(pick for picks in found.values() for pick in picks)
            if found:
                self._has_news.set()

    def _pick(self, packets: list[Packet]) -> Round:
        self.engine.take(packets)
        return self.engine.step()

    async def _keep(self, worked: Round) -> None:
        """Store what a round gave, and hand it on to the events."""
        # The engine rests: what others may look at while it works is copied.
        self._passed, self._stations = self.engine.passed(), self.engine.stations()
        # The ledger is stored with the state: what is told after it will be told again.
        self._spans += worked.spans
        if worked.picks or worked.detections:
            await self._insist(lambda: self._write(worked))
            self._picks += worked.picks
            self._detections += worked.detections
            for pick in worked.picks:
                self._forget_preliminary(pick)
            self._has_news.set()
        self.health.note_work(worked.picks, worked.spans, self._passed)

    def _forget_preliminary(self, final: Pick) -> None:
        """Drop a sensor's preliminary picks up to a final one: of later ones there is no other."""
        sensor, until = final.channel_id.sensor_id, final.time + SAME_PICK_S
        kept = tuple(pick for pick in self._preliminary.pop(sensor, ()) if pick.time > until)
        if kept:
            self._preliminary[sensor] = kept

    def _write(self, worked: Round) -> None:
        with self.store.transaction():
            self.store.put_picks(worked.picks)
            self.store.put_detections(worked.detections)

    async def _save(self) -> None:
        """Store the state with the bookmarks that it stands at."""
        key, begun_s = self.configuration.picking_sha256, self.clock.monotonic_s()
        state = await asyncio.to_thread(self.engine.save)
        bookmarks = list(self.engine.bookmarks.values())
        report = self.health.report(self._pulse, self.store)
        spans, self._spans = self._spans, []

        def write() -> None:
            with self.store.transaction():
                self.store.put_coverage(spans)
                self.store.save_checkpoint(_ENGINE, state, key)
                self.store.put_bookmarks(bookmarks)
                report()

        await self._insist(write)
        for mark in bookmarks:
            if not mark.place and self.engine.bookmarks[mark.source, mark.part] is mark:
                del self.engine.bookmarks[mark.source, mark.part]
        self._saved_s = self.clock.monotonic_s()
        self._save_took_s = self._saved_s - begun_s

    async def _tell(self) -> None:
        """Store how it stands, for `zilzal status`."""
        await self._insist(self.health.report(self._pulse, self.store))
        self._told_s = self.clock.monotonic_s()
        if self.configuration.live.keep_days and (newest := self._newest()) is not None:
            kept_s = self.configuration.live.keep_days * 86_400.0
            await asyncio.to_thread(self.recorder.forget_before, newest - kept_s)

    def _newest(self) -> Time | None:
        """Up to where the station that is furthest ahead has been worked on."""
        return max(self._passed.values(), default=None)

    async def _finish(self) -> None:
        """The sources have ended: hand out the rest, and store that this is done."""
        await self._keep(await asyncio.to_thread(self.engine.finish))
        self._preliminary.clear()
        self._is_over = True
        await self._settle_events(is_over=True)
        await self._save()

    async def _revise(self) -> None:
        """Revisions, one after the other, whenever there is news."""
        while not self._is_over:
            await self._has_news.wait()
            self._has_news.clear()
            if not self._is_over:
                begun_s = self.clock.monotonic_s()
                await self._settle_events(is_over=False)
                await self._learn()
                rest_s = self.configuration.live.preliminary_s / 2
                if not self.configuration.live.event_process:
                    # Where sources are costly, picking must not starve.
                    rest_s = max(rest_s, self.clock.monotonic_s() - begun_s)
                await self.clock.sleep(rest_s)

    async def _learn(self) -> None:
        """Go on with an associator that has learned, once there is enough to learn from."""
        if self.clock.monotonic_s() - self._learned_s < LEARN_S:
            return
        self._learned_s = self.clock.monotonic_s()
        if await self._insist(lambda: can_learn(self.configuration, self.store)):
            async with self._revising:
                await self._insist(self._restore_horizon)
            self._has_news.set()

    async def _settle_events(self, *, is_over: bool) -> None:
        async with self._revising:
            reviewed = await self._insist(self._reviewed)
            revision = await self._revised(self._news(reviewed, is_over=is_over))
            if revision is None:
                return
            key = self.configuration.sha256
            # What a stored state goes by is stored with it.
            due = self._versions.due(
                revision.events,
                self.clock.monotonic_s(),
                all_of_them=is_over or revision.state is not None,
            )

            def write() -> list[Event]:
                with self.store.transaction():
                    if revision.state is not None:
                        self.store.save_checkpoint(_HORIZON, revision.state, key)
                    stored = self.store.put_events(due)
                    enqueue(self.store, self.configuration.alerts, stored, revision.renamed)
                    return stored

            stored = await self._insist(write)
        if stored:
            self.health.note_events(stored)

    async def _revised(self, news: News) -> Revision | None:
        """The revision; where it failed, all is looked at anew, at the end at once."""
        try:
            return await asyncio.to_thread(self._revise_with, news)
        except Exception:
            logger.exception("a revision failed; the events are looked at anew")
        self.health.note_refusal("a revision failed; see the log")
        await self._insist(self._restore_horizon)
        return await asyncio.to_thread(self._revise_with, news) if news.is_over else None

    def _revise_with(self, news: News) -> Revision:
        assert self.reviser is not None
        return self.reviser.revise(news)

    def _reviewed(self) -> frozenset[str]:
        """Ids within the horizon that are not to be changed any more."""
        start = self._horizon_start()
        found = self.store.summaries(EventQuery(start=start))
        return frozenset(e.id for e in found if e.evaluation_mode is EvaluationMode.MANUAL)

    def _horizon_start(self) -> Time:
        """As far back as late data may change events, and what these can have to do with."""
        newest = max(self._passed.values(), default=Time(0))
        return newest - self.configuration.live.horizon_s - _MEMORY_S

    def _news(self, reviewed: frozenset[str], *, is_over: bool) -> News:
        picks, self._picks = tuple(self._picks), []
        detections, self._detections = tuple(self._detections), []
        return News(
            picks=picks,
            detections=detections,
            preliminary=tuple(pick for mine in self._preliminary.values() for pick in mine),
            passed=self._passed,
            stations=self._stations,
            reviewed=reviewed,
            is_over=is_over,
        )

    async def _insist(self, action: Callable[[], _T]) -> _T:
        """Do what the disk or the database may refuse, until it does not.

        Raises:
            Stopped: the monitor was told to stop meanwhile.
        """
        wait_s = FIRST_RETRY_S
        while True:
            try:
                return await asyncio.to_thread(action)
            except (StoreError, OSError) as error:
                self.health.note_refusal(str(error))
                logger.warning("%s; everything waits, next try in %.1f s", error, wait_s)
            if self.stop.is_set():
                raise Stopped
            await self.clock.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)
            self.notifier.tell("WATCHDOG=1")
