"""Events of what was picked: revised whenever there is news, stored where something changed.

Revisions follow each other, beside the rounds of picking, and no round waits for one. Where one
fails, whatever made it is dropped and made anew from the store after a pause that grows. A process
for events that is lost again and again is done without for a while: the monitor revises itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from zilzal.app.blocks import BLOCK_S, MEMORY
from zilzal.app.configuration import Configuration
from zilzal.app.live.alerts import enqueue
from zilzal.app.live.engine import Round
from zilzal.app.live.health import Health
from zilzal.app.live.horizon import Horizon, News, Revision
from zilzal.app.live.identity import SAME_PICK_S
from zilzal.app.live.insistence import Insistence
from zilzal.app.live.lesson import LEARN_S, can_learn, settled_associator
from zilzal.app.live.reviser import Apart, Here, Reviser
from zilzal.app.live.versions import Versions
from zilzal.core.errors import ClusterError
from zilzal.core.event import EvaluationMode, Event
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Pick
from zilzal.core.stage import Clock
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.io.recorder import Recorder
from zilzal.io.store import EventQuery, Store

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""After a revision failed nothing is revised for so long; it doubles with each further one."""
LOSSES = 3
"""A process that is lost so often without a revision between is done without."""
APART_AGAIN_S = 600.0
"""It is tried again after so long."""
_LOOK_S = 0.2
"""While nothing is revised, the end is looked for so often."""
_HORIZON = "live/horizon"
_MEMORY_S = (MEMORY + 2) * BLOCK_S


@dataclass(slots=True, eq=False, kw_only=True)
class Revisions:
    """The monitor's events.

    Args:
        configuration: of all stages.
        inventory: of the stations.
        store: with the picks, for the events.
        recorder: of the waveforms.
        health: is told of events and failures.
        clock: that all waiting goes by.
        insistence: on the store.
    """

    configuration: Configuration
    inventory: Inventory
    store: Store
    recorder: Recorder
    health: Health
    clock: Clock
    insistence: Insistence
    _picks: list[Pick] = field(default_factory=list[Pick])
    _detections: list[Detection] = field(default_factory=list[Detection])
    _preliminary: dict[SensorId, tuple[Pick, ...]] = field(
        default_factory=dict[SensorId, tuple[Pick, ...]]
    )
    _passed: Mapping[SensorId, Time] = field(default_factory=dict[SensorId, Time])
    _stations: tuple[Station, ...] = ()
    _has_news: asyncio.Event = field(default_factory=asyncio.Event)
    _revising: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reviser: Reviser | None = None
    _versions: Versions = field(init=False)
    _failures: int = 0
    _losses: int = 0
    _pause_until_s: float = 0.0
    _alone_until_s: float = 0.0
    _learned_s: float = field(init=False)
    _is_over: bool = False

    def __post_init__(self) -> None:
        self._versions = Versions(self.configuration.live.revision_s)
        self._learned_s = self.clock.monotonic_s()

    def note_passed(self, passed: Mapping[SensorId, Time], stations: tuple[Station, ...]) -> None:
        """How far each sensor has been worked on, and which stations are; values, not to change."""
        self._passed, self._stations = passed, stations

    def note_work(self, worked: Round) -> None:
        """What a round gave, and what is stored."""
        self._picks += worked.picks
        self._detections += worked.detections
        for pick in worked.picks:
            self._forget_preliminary(pick)
        self._has_news.set()

    def note_preliminary(self, found: Mapping[SensorId, tuple[Pick, ...]]) -> None:
        """Preliminary picks of the sensors that have moved on."""
        self._preliminary |= found
        if found:
            self._has_news.set()

    def _forget_preliminary(self, final: Pick) -> None:
        """Drop a sensor's preliminary picks up to a final one: of later ones there is no other."""
        sensor, until = final.channel_id.sensor_id, final.time + SAME_PICK_S
        kept = tuple(pick for pick in self._preliminary.pop(sensor, ()) if pick.time > until)
        if kept:
            self._preliminary[sensor] = kept

    def restore(self) -> None:
        """Events and their picks as the store has them, as far back as late data may change.

        Raises:
            ClusterError: the process for events cannot be started.
            StoreError: the store cannot be read.
        """
        settings, live = self.configuration, self.configuration.live
        start = self._horizon_start()
        picking, key = settings.picking_sha256, settings.sha256
        self.close()
        horizon = Horizon(
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
        is_alone = self._losses >= LOSSES or not live.event_process
        self._reviser = Here(horizon) if is_alone else Apart(horizon, self.recorder)
        self._versions = Versions(live.revision_s)

    async def begin(self) -> None:
        """Restore; a process that cannot be started is tried again later, and keeps nobody."""
        try:
            await asyncio.to_thread(self.restore)
        except ClusterError as error:
            self._note_failure(error, is_lost=True)

    def close(self) -> None:
        """End the process for events, if there is one."""
        reviser, self._reviser = self._reviser, None
        if reviser is not None:
            reviser.close()

    def end(self) -> None:
        """Let `run` come to its end soon: what is revised just now will be again."""
        self._is_over = True
        self._has_news.set()
        if self._reviser is not None:
            self._reviser.abandon()

    async def run(self) -> None:
        """Revisions, one after the other, whenever there is news."""
        while not self._is_over:
            await self._has_news.wait()
            self._has_news.clear()
            if self._is_over:
                return
            begun_s = self.clock.monotonic_s()
            rest_s = self.configuration.live.preliminary_s / 2
            if begun_s < self._pause_until_s:
                self._has_news.set()
                rest_s = max(rest_s, _LOOK_S)
            else:
                await self._settle(is_over=False)
                await self._learn()
            if not self.configuration.live.event_process:
                # Where sources are costly, picking must not starve.
                rest_s = max(rest_s, self.clock.monotonic_s() - begun_s)
            await self.clock.sleep(rest_s)

    async def finish(self) -> None:
        """The last revision: no more will come, and all is made final."""
        self._preliminary.clear()
        self._is_over = True
        await self._settle(is_over=True)

    async def _learn(self) -> None:
        """Go on anew once there is enough to learn from, or the process is to be tried again."""
        now_s = self.clock.monotonic_s()
        is_due = self._losses >= LOSSES and now_s >= self._alone_until_s
        if is_due:
            self._losses = LOSSES - 1
        if now_s - self._learned_s >= LEARN_S:
            self._learned_s = now_s
            is_due |= await self.insistence.on(lambda: can_learn(self.configuration, self.store))
        if is_due:
            async with self._revising:
                await self._renew()
            self._has_news.set()

    async def _renew(self) -> None:
        try:
            await self.insistence.on(self.restore)
        except ClusterError as error:
            self._note_failure(error, is_lost=True)

    async def _settle(self, *, is_over: bool) -> None:
        async with self._revising:
            reviewed = await self.insistence.on(self._reviewed)
            revision = await self._revised(reviewed, is_over=is_over)
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

            stored = await self.insistence.on(write)
        if stored:
            self.health.note_events(stored)

    async def _revised(self, reviewed: frozenset[str], *, is_over: bool) -> Revision | None:
        """The revision; None where it failed, and all is to be looked at anew after a pause.

        At the end nothing is waited for: what failed apart is tried here, once.
        """
        if self._reviser is None:
            await self._renew()
        reviser = self._reviser
        if reviser is not None:
            news = self._news(reviewed, is_over=is_over)
            try:
                revision = await asyncio.to_thread(reviser.revise, news)
            except Exception as error:
                if self._is_over and not is_over:
                    return None
                if is_over and isinstance(reviser, Here):
                    raise
                self._note_failure(error, is_lost=reviser.is_lost)
            else:
                self._note_success(reviser)
                return revision
        await asyncio.to_thread(self.close)
        if not is_over:
            return None
        self._losses = max(self._losses, LOSSES)
        return await self._revised(reviewed, is_over=True)

    def _note_success(self, reviser: Reviser) -> None:
        self._failures = 0
        if isinstance(reviser, Apart):
            self._losses, self.health.events_trouble = 0, ""

    def _note_failure(self, error: Exception, *, is_lost: bool) -> None:
        """Say what happened, and wait before the next try."""
        self._failures += 1
        self._losses += is_lost
        now_s = self.clock.monotonic_s()
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 30), LONGEST_PAUSE_S)
        self._pause_until_s = now_s + pause_s
        told = str(error) if isinstance(error, ClusterError) else f"{type(error).__name__}: {error}"
        self.health.note_refusal(f"events: {told}")
        logger.error(
            "events were not revised: %s; they are looked at anew in %.0f s", told, pause_s,
            exc_info=None if isinstance(error, ClusterError) else error,
        )  # fmt: skip
        if self._losses >= LOSSES and is_lost:
            self._alone_until_s = now_s + APART_AGAIN_S
            self.health.events_trouble = (
                f"events are worked out in the monitor's own process, whose picks may wait: the "
                f"one for events was lost {self._losses} times in a row ({told})"
            )
            logger.error("%s; it is tried again in %.0f s",
                         self.health.events_trouble, APART_AGAIN_S)  # fmt: skip

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
