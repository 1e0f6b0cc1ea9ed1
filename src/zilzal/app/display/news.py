"""What is new in a store, for those who look on: event versions, picks, stations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.stations import StationLine, station_lines
from zilzal.core.pick import Pick
from zilzal.core.time import Time
from zilzal.io.store import EventQuery, EventSummary, Order

OVERLAP_S = 10.0
"""A version may be seen so long after the time that it was written at: writers overlap."""
MOST_EVENTS = 200
STATIONS_S = 3.0
"""Stations are asked for no more often: the whole ledger is counted through."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far somebody has read; a text, so that a client can give it back.

    Args:
        written: of the event versions.
        pick_number: of the picks.
    """

    written: Time
    pick_number: int

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read what `str` gives; None for anything else."""
        written, _, number = text.partition("-")
        if not written.isdecimal() or not number.isdecimal() or len(text) > 40:
            return None
        return cls(Time(int(written)), int(number))

    def __str__(self) -> str:
        return f"{self.written.ns}-{self.pick_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came since the last look."""

    events: tuple[EventSummary, ...] = ()
    picks: tuple[Pick, ...] = ()
    stations: tuple[StationLine, ...] = ()


@dataclass(slots=True, eq=False)
class Reader:
    """One who looks on.

    Args:
        held: what there is to see.
        cursor: where to begin; None is now.
    """

    held: Holdings
    cursor: Cursor | None
    _seen: dict[str, int] = field(default_factory=dict[str, int])
    _stations: Mapping[str, StationLine] = field(default_factory=dict[str, StationLine])
    _asked: Time | None = None

    def start(self) -> Cursor:
        """Begin; what is there already is not news."""
        if self.cursor is None:
            number = self.held.store.picks_after(None)[0]
            self.cursor = Cursor(self.held.now(), number)
            recent = EventQuery(written_since=self.cursor.written - OVERLAP_S)
            self._seen = {event.id: event.version for event in self.held.store.summaries(recent)}
        self._stations = self._told_stations()
        return self.cursor

    def look(self) -> News:
        """What came since."""
        cursor = self.cursor or self.start()
        query = EventQuery(
            written_since=cursor.written - OVERLAP_S, order=Order.WRITTEN, limit=MOST_EVENTS
        )
        found = self.held.store.summaries(query)
        events = [e for e in reversed(found) if self._seen.get(e.id) != e.version]
        number, picks = self.held.store.picks_after(cursor.pick_number)
        self._seen = {e.id: e.version for e in found}
        newest = max((e.written for e in found), default=cursor.written)
        self.cursor = Cursor(max(newest, cursor.written), number)
        return News(events=tuple(events), picks=tuple(picks), stations=self._changed_stations())

    def _told_stations(self) -> dict[str, StationLine]:
        self._asked = self.held.now()
        if "live/monitor" not in self.held.store.notes("live/monitor"):
            return {}
        return {str(line.station_id): line for line in station_lines(self.held)}

    def _changed_stations(self) -> tuple[StationLine, ...]:
        """Stations of which something was told that is not only a matter of time."""
        if self._asked is not None and abs(self.held.now() - self._asked) < STATIONS_S:
            return ()
        before, self._stations = self._stations, self._told_stations()
        return tuple(
            line
            for code, line in self._stations.items()
            if code not in before or _timeless(line) != _timeless(before[code])
        )


def _timeless(line: StationLine) -> StationLine:
    return replace(line, data_age_s=None, silent_s=None, behind_s=None)
