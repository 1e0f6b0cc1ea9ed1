"""Events while their picks come: looked for block by block, revised, and in the end final.

The sources of a block are `app.events.solve` of its picks, here as in an archive's run. A block
whose picks are final is closed; the blocks after it are looked at again whenever picks have come,
preliminary ones too, but only as far back as sources may be of which these are: what lies before
is taken as it was found, until the block is closed. Picks, detections or waveforms that come late
open a closed block again, as long as it lies within the horizon. What a block will be closed
with can be worked out before, beside the revisions, for it may take long. Whatever order they
came in, the events end as a function of the final picks.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zilzal.app.blocks import MARGIN_S, MEMORY, BlockGrid
from zilzal.app.configuration import Configuration
from zilzal.app.events import Material, Solved, complete, event_id, solve, used_before
from zilzal.app.live.ahead import Ahead
from zilzal.app.live.identity import Identified, identify
from zilzal.app.live.memory import RememberingLocator
from zilzal.app.live_options import LiveOptions
from zilzal.core.event import EvaluationMode, Event, Origin
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Pick, in_order
from zilzal.core.stage import Associator, Waveforms
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time

logger = logging.getLogger(__name__)

REMEASURE_S = 10.0
"""An event is measured again when so much more has been recorded."""
GROWN = 1.25
"""Before that only if it has so many times the picks: measuring reads all its stations' records."""


LOOK_BACK_S = 60.0
"""Sources of which nothing is known are looked for so long before the first new pick."""
HEARING_S = 15.0
"""A source that has a pick so shortly before the first new one, or after it, is worked out anew."""
AHEAD_S = 45.0
"""A block may be worked out as a whole so long before it is closed; its picks are there by then."""
_NEVER = Time(2**62)
_LOOKED_AT_S = 90.0
"""Magnitudes and types look at no more than this after an event's last pick."""
_CODA_S = 120.0
"""A detection may begin so long before, and end so long after, the picks that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has come since the last revision, and how far the stations are.

    Args:
        picks: final.
        detections: closed.
        preliminary: of every sensor that has some, all of them.
        passed: how far each sensor has been worked on.
        stations: that are worked on.
        reviewed: ids of events that a person has confirmed or changed.
        is_over: whether no more will come.
    """

    picks: tuple[Pick, ...]
    detections: tuple[Detection, ...]
    preliminary: tuple[Pick, ...]
    passed: Mapping[SensorId, Time]
    stations: tuple[Station, ...]
    reviewed: frozenset[str] = frozenset()
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a revision changed.

    Args:
        events: new, changed, and those that dissolved (unlocated, with the reason); as far as is
            known here: what did not change may be among them.
        state: of the closed blocks, to be stored with them; None where it is as it was.
        renamed: new ids by the ones that they are in the place of.
    """

    events: tuple[Event, ...]
    state: bytes | None
    renamed: Mapping[str, str]


@dataclass(slots=True, eq=False)
class _Seen:
    """A block as it was looked at last.

    Args:
        what: it was made of; None where only its newest stretch was looked at.
        solved: its sources.
        events: these made of them, by what they are made of.
    """

    what: tuple[object, ...] | None
    solved: list[Solved]
    events: dict[tuple[object, ...], _Made]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    """An event, and when it was measured.

    Args:
        event: as it is now.
        n_picks: that it had when it was measured.
        newest: where the data ended then.
        is_measured: whether that was of these picks.
    """

    event: Event
    n_picks: int
    newest: Time
    is_measured: bool = True

    def shares_picks(self, picks: Sequence[Pick]) -> bool:
        """Whether half of the event's picks are among these."""
        ids = {pick.id for pick in picks}
        return 2 * sum(pick.id in ids for pick in self.event.picks) >= len(self.event.picks)

    def continued(self, solved: Solved) -> _Made:
        """The event with other picks and another origin, and measured as it was."""
        association, origin = solved
        event = replace(
            self.event, id=event_id(association.picks), version=1, origin=origin,
            picks=association.picks,
        )  # fmt: skip
        return replace(self, event=event, is_measured=False)


@dataclass(slots=True, eq=False)
class Horizon:
    """The last hours' picks and events.

    Args:
        configuration: of the stages.
        options: of the monitor.
        inventory: of the stations.
        waveforms: for magnitudes and types.
        associator: settled: its strictness does not depend on the picks at hand.
    """

    configuration: Configuration
    options: LiveOptions
    inventory: Inventory
    waveforms: Waveforms
    associator: Associator
    closed_before: int | None = None
    _picks: dict[str, Pick] = field(default_factory=dict[str, Pick])
    _detections: dict[str, Detection] = field(default_factory=dict[str, Detection])
    _sources: dict[int, list[Solved]] = field(default_factory=dict[int, list[Solved]])
    _waits_for: dict[int, frozenset[SensorId]] = field(
        default_factory=dict[int, frozenset[SensorId]]
    )
    _dirty: set[int] = field(default_factory=set[int])
    _seen: dict[int, _Seen] = field(default_factory=dict[int, _Seen])
    _known: dict[str, Event] = field(default_factory=dict[str, Event])
    _preliminary: dict[str, Pick] = field(default_factory=dict[str, Pick])
    _foreseen: tuple[Ahead, list[Solved]] | None = None
    _settings: Configuration = field(init=False)

    def __post_init__(self) -> None:
        locator = RememberingLocator(self.configuration.locator)
        self._settings = replace(self.configuration, locator=locator)

    def restore(
        self,
        state: bytes | None,
        picks: Iterable[Pick],
        detections: Iterable[Detection],
        events: Iterable[Event],
    ) -> None:
        """Go on from what the store has; all of the horizon is looked at again."""
        if state is not None:
            closed, self._sources = pickle.loads(state)  # noqa: S301  our own store
            self.closed_before = closed
        self._picks = {pick.id: pick for pick in picks}
        self._detections = {each.id: each for each in detections}
        self._known = {e.id: e for e in events if isinstance(e.origin, Origin)}
        if self.closed_before is not None:
            oldest = min(self._sources, default=self.closed_before)
            self._dirty = set(range(oldest + MEMORY, self.closed_before))

    def revise(self, news: News) -> Revision:
        """Look at what is new; give back what it changes."""
        grid = BlockGrid.of(news.stations)
        changed = self._note(news, grid)
        numbers = self._due(news, grid)
        closed = self.closed_before
        self._close(news, grid)
        since = None if news.is_over else self._since(changed, grid)
        found = {number: self._look(number, news, grid, since) for number in numbers}
        self._dirty.clear()
        named = self._name(found, news, grid)
        changed = [event for event in named.events if self._known.get(event.id) is not event]
        for event in named.gone:
            del self._known[event.id]
        self._known |= {e.id: e for e in named.events if isinstance(e.origin, Origin)}
        self._forget(news, grid)
        is_same = self.closed_before == closed and not any(n < (closed or n) for n in numbers)
        state = None if is_same or self.closed_before is None else self._save(self.closed_before)
        return Revision(events=(*changed, *named.gone), state=state, renamed=named.renamed)

    def ahead(self, passed: Mapping[SensorId, Time], stations: tuple[Station, ...]) -> Ahead | None:
        """The block to be closed next if that is soon, unless `foresee` was told of it."""
        grid, number = BlockGrid.of(stations), self.closed_before
        if number is None or not passed:
            return None
        if max(passed.values()) < self._needed(number, grid) - AHEAD_S:
            return None
        ahead = self._whole(number, self._material(number, stations, grid))
        is_known = self._foreseen is not None and self._foreseen[0].what == ahead.what
        return ahead if ahead.material.picks and not is_known else None

    def foresee(self, ahead: Ahead, solved: list[Solved]) -> None:
        """Take note of what a block will be closed with, if nothing changes."""
        self._foreseen = ahead, solved

    @property
    def open_events(self) -> tuple[Event, ...]:
        """Located events within the horizon, as they are now."""
        return tuple(sorted(self._known.values(), key=lambda e: (e.time, e.id)))

    def _note(self, news: News, grid: BlockGrid) -> list[Time]:
        """Take what came in, and note which closed blocks it concerns; times of changed picks."""
        closed = self.closed_before
        new = {pick.id: pick for pick in news.picks if pick.id not in self._picks}
        self._picks |= new
        told = {pick.id: pick for pick in news.preliminary if pick.id not in self._picks}
        before, self._preliminary = self._preliminary, told
        gone = [pick for i, pick in before.items() if i not in told and i not in self._picks]
        come = [pick for i, pick in (new | told).items() if i not in before]
        times = [pick.time for pick in new.values()]
        for each in news.detections:
            if each.id not in self._detections:
                self._detections[each.id] = each
                times.append(each.start)
        if closed is not None:
            self._dirty |= {number for number in grid.numbers(times) if number < closed}
            for number, sensors in list(self._waits_for.items()):
                end = self._needed(number, grid)
                waiting = () if news.is_over else sensors
                left = frozenset(s for s in waiting if news.passed.get(s, end) < end)
                if left != sensors:
                    self._waits_for[number] = left
                    self._dirty.add(number)
                if not left:
                    del self._waits_for[number]
        # A block before the horizon is not opened any more.
        oldest = min(self._sources, default=closed or 0)
        self._dirty = {number for number in self._dirty if number >= oldest}
        return [pick.time for pick in (*come, *gone)]

    def _due(self, news: News, grid: BlockGrid) -> list[int]:
        """The blocks to look at, in order: open ones, and closed ones from the first changed."""
        picks = [*self._picks.values(), *news.preliminary]
        if not picks:
            return []
        if self.closed_before is None:
            self.closed_before = grid.numbers([min(pick.time for pick in picks)])[0]
        first = min([self.closed_before, *self._dirty])
        # Of an hour's picks most are of closed blocks: looking at their times is all they get.
        begin_ns = (grid.start(first) - MARGIN_S).ns
        times = (pick.time for pick in picks if pick.time.ns >= begin_ns)
        return [n for n in grid.numbers(times) if n >= first]

    def _since(self, changed: Sequence[Time], grid: BlockGrid) -> Time:
        """From when on sources of open blocks may have changed: in the future where none has."""
        if not changed:
            return _NEVER
        first = min(changed)
        since = first - min(LOOK_BACK_S, grid.reach_s)
        hearing = (
            origin.time - MARGIN_S
            for number, sources in self._sources.items()
            if number >= (self.closed_before or 0)
            for association, origin in sources
            if association.picks[-1].time >= first - HEARING_S
        )
        return min([since, *hearing])

    def _look(self, number: int, news: News, grid: BlockGrid, since: Time | None) -> list[Event]:
        """A block's events, worked out anew as far as what they are made of has changed."""
        material = self._material(number, news.stations, grid)
        seen = self._seen.get(number)
        is_open = number >= (self.closed_before or 0)
        if seen is None or since is None or not is_open:
            seen = self._solved(number, material, seen)
        elif since < grid.end(number):
            seen = self._solved_since(number, material, seen, since)
        self._sources[number] = seen.solved
        again = number in self._dirty or news.is_over
        newest = max(news.passed.values(), default=Time(0))
        before = self._seen[number].events if number in self._seen else {}
        events: dict[tuple[object, ...], _Made] = {}
        for solved in seen.solved:
            key = _key(solved, material.detections, newest)
            made = None if again else before.get(key)
            if is_open and not again:
                made = made or _continued(solved, before.values(), newest)
            elif made is not None and not made.is_measured:
                made = None
            events[key] = made or _Made(
                event=next(complete([solved], material, self._settings)),
                n_picks=len(solved[0].picks),
                newest=newest,
            )
        self._seen[number] = _Seen(seen.what, seen.solved, events)
        return [made.event for made in events.values()]

    def _material(self, number: int, stations: tuple[Station, ...], grid: BlockGrid) -> Material:
        """What a block's events are made of."""
        start, end = grid.span(number)
        picks = (*self._picks.values(), *self._preliminary.values())
        return Material(
            picks=in_order(pick for pick in picks if start.ns <= pick.time.ns < end.ns),
            detections=[d for d in self._detections.values() if _overlaps(d, start, end)],
            stations=stations,
            inventory=self.inventory,
            waveforms=self.waveforms,
        )

    def _whole(self, number: int, material: Material) -> Ahead:
        return Ahead(
            number=number,
            material=material,
            used=used_before(number, self._sources),
            configuration=self._settings,
            associator=self.associator,
        )

    def _solved(self, number: int, material: Material, seen: _Seen | None) -> _Seen:
        """A block with all of its sources worked out, unless they are made of what they were."""
        whole = self._whole(number, material)
        if seen is not None and seen.what == whole.what:
            return seen
        if self._foreseen is not None and self._foreseen[0].what == whole.what:
            return _Seen(whole.what, self._foreseen[1], {})
        return _Seen(whole.what, whole.solve(), {})

    def _solved_since(self, number: int, material: Material, seen: _Seen, since: Time) -> _Seen:
        """A block with its sources from an instant on worked out anew."""
        kept = [solved for solved in seen.solved if solved[1].time < since]
        used = used_before(number, self._sources)
        used |= {pick.id for association, _ in kept for pick in association.picks}
        new = solve(number, material, used, self._settings, self.associator, since=since)
        return _Seen(None, [*kept, *new], {})

    def _name(self, found: Mapping[int, list[Event]], news: News, grid: BlockGrid) -> Identified:
        """Give the blocks' events their ids; those of closed blocks their final ones."""
        every = [(number, event) for number, events in found.items() for event in events]
        closed_before = self.closed_before or 0
        named = identify(
            [event for _, event in every],
            {i: _reviewed(e) if i in news.reviewed else e for i, e in self._known.items()},
            found,
            grid,
            {n: event_id(e.picks) for n, (number, e) in enumerate(every) if number < closed_before},
        )
        names = iter(named.events)
        for number, events in found.items():
            made = self._seen[number].events
            self._seen[number].events = {
                key: replace(each, event=event)
                for (key, each), event in zip(
                    made.items(), (next(names) for _ in events), strict=True
                )
            }
        return named

    def _needed(self, number: int, grid: BlockGrid) -> Time:
        """Up to where stations must have come for a block to be final."""
        return grid.span(number)[1] + self.options.settle_s

    def _close(self, news: News, grid: BlockGrid) -> None:
        """Close the blocks that all stations have passed, or that were waited for long enough."""
        if self.closed_before is None or not news.passed:
            return
        newest = max(news.passed.values())
        while True:
            number = self.closed_before
            needed = self._needed(number, grid)
            behind = frozenset(s for s, time in news.passed.items() if time < needed)
            waited = newest >= needed + self.options.late_s
            if news.is_over and newest < grid.start(number):
                return
            if behind and not waited and not news.is_over:
                return
            if behind and not news.is_over:
                self._waits_for[number] = behind
                logger.info(
                    "block from %s closed without %d sensors", grid.start(number), len(behind)
                )
            self.closed_before += 1

    def _forget(self, news: News, grid: BlockGrid) -> None:
        """Drop what lies beyond the horizon."""
        if self.closed_before is None or not news.passed:
            return
        oldest = max(news.passed.values()) - self.options.horizon_s
        first = min(grid.number(oldest), self.closed_before)
        keep_from = grid.start(first - MEMORY) - grid.reach_s
        self._picks = {k: p for k, p in self._picks.items() if p.time >= keep_from}
        self._detections = {k: d for k, d in self._detections.items() if d.end >= keep_from}
        self._known = {k: e for k, e in self._known.items() if e.time >= keep_from}
        for memory in (self._sources, self._seen, self._waits_for):
            for number in [n for n in memory if n < first - MEMORY]:
                del memory[number]

    def _save(self, closed: int) -> bytes:
        return pickle.dumps((closed, {n: s for n, s in self._sources.items() if n < closed}))


def _reviewed(event: Event) -> Event:
    return replace(event, evaluation_mode=EvaluationMode.MANUAL)


def _overlaps(detection: Detection, start: Time, end: Time) -> bool:
    return detection.start < end + _CODA_S and detection.end > start - _CODA_S


def _continued(solved: Solved, before: Iterable[_Made], newest: Time) -> _Made | None:
    """A known event with what it is made of now, if it need not be measured again yet."""
    association, origin = solved
    for made in before:
        if (
            isinstance(origin, Origin)
            and isinstance(made.event.origin, Origin)
            and made.event.evaluation_mode is not EvaluationMode.MANUAL
            and newest < made.newest + REMEASURE_S
            and len(association.picks) < GROWN * made.n_picks
            and made.shares_picks(association.picks)
        ):
            return made.continued(solved)
    return None


def _key(solved: Solved, detections: Sequence[Detection], newest: Time) -> tuple[object, ...]:
    """What an event is made of, and how much was recorded after it."""
    association, origin = solved
    first, last = association.picks[0].time, association.picks[-1].time
    near = [d.id for d in detections if _overlaps(d, first, last)]
    recorded_s = min(newest - last, _LOOKED_AT_S)
    return association.picks, origin.time, tuple(near), int(recorded_s // REMEASURE_S)
