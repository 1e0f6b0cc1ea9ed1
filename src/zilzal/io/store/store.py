"""The store: picks, events with their versions, coverage, runs and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from zilzal.core.alert import Message
from zilzal.core.catalogue import Catalogue
from zilzal.core.coverage import CoverageHour, CoverageSpan, Reason, tally_hours
from zilzal.core.event import Event
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.packet import Bookmark
from zilzal.core.performance import StationPerformance
from zilzal.core.pick import Detection, Phase, Pick
from zilzal.core.time import Time
from zilzal.io.clock import utc_now
from zilzal.io.store import ledger, live, performance, read, work, write, write_events
from zilzal.io.store.database import Database
from zilzal.io.store.query import EventColumns, EventQuery, EventSummary, VersionStamp


class Store:
    """Results in one transactional database; a context manager, safe to share by threads.

    Whatever is written, is written once: the same value again changes nothing. What goes into
    one `transaction` is there as a whole or not at all, also after `kill -9`.
    """

    def __init__(self, database: Database, clock: Callable[[], Time]) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        create: bool = True,
        timeout_s: float = 30.0,
        clock: Callable[[], Time] = utc_now,
    ) -> Self:
        """Open a store; make its tables, or bring them to this version, where that is due.

        Args:
            url_or_path: path of an SQLite file, or a URL as `postgresql://user@host/database`.
            create: whether a store is made where there is none, in a file or in a database.
            timeout_s: how long to wait for another writer, or for the server.
            clock: gives the time at which versions of events are written.

        Raises:
            StoreError: it cannot be opened, is not a store, or is newer than this code.
        """
        return cls(Database.open(url_or_path, create=create, timeout_s=timeout_s), clock)

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What this thread writes inside is there as a whole or, after an error, not at all.

        A transaction inside another one can fail alone, and counts when the outer one ends.

        Raises:
            StoreError: the database refused.
        """
        with self._database.writing():
            yield

    def put_picks(self, picks: Iterable[Pick]) -> None:
        """Store picks; one that is there with all its values is left as it is.

        Where values of a pick changed, `picks` gives the new ones, and versions of events keep
        those that they were made of.

        Raises:
            StoreError: the database refused.
        """
        with self._database.writing() as connection:
            write.put_picks(connection, picks)

    def put_detections(self, detections: Iterable[Detection]) -> None:
        """Store detections, as `put_picks` does."""
        with self._database.writing() as connection:
            write.put_detections(connection, detections)

    def put_coverage(self, spans: Iterable[CoverageSpan]) -> None:
        """Join spans to the ledger; those of one channel, reason and note that touch become one."""
        with self._database.writing() as connection:
            ledger.put_coverage(connection, spans)

    def take_out_coverage(self, channel_ids: Iterable[ChannelId], start: Time, end: Time) -> None:
        """Take the time in [start, end) out of the ledger of some channels."""
        with self._database.writing() as connection:
            ledger.take_out(connection, channel_ids, start, end)

    def put_event(self, event: Event) -> Event:
        """Store one event; see `put_events`."""
        return self.put_events([event])[0]

    def put_events(self, events: Iterable[Event]) -> list[Event]:
        """Store events with all their parts, and return them as they are in the store.

        A new event gets version 1, one that changed the next version (`Event.version` of the
        argument does not matter), one that did not change nothing. A reviewed event
        (evaluation mode "manual") stays and is returned as it is, whatever is said of it here:
        only `put_review` changes it.

        Raises:
            StoreError: the database refused; nothing of these events is stored.
        """
        with self._database.writing() as connection:
            return write_events.put_events(connection, events, self._clock())

    def put_review(
        self, events: Sequence[Event], bases: Mapping[str, int], *, author: str
    ) -> list[Event]:
        """Store a person's judgement of events: a version each, all or none.

        Args:
            events: as they are to be; new ones among them.
            bases: the versions of the events that were judged, by id; nobody may have changed
                them since.
            author: who.

        Raises:
            StaleVersion: an event has another version by now, or a new one's id is taken.
            StoreError: the database refused; nothing of these events is stored.
        """
        with self._database.writing() as connection:
            return write_events.put_review(
                connection, events, bases, author=author, written=self._clock()
            )

    def put_run(self, configuration: str, *, version: str, started: Time) -> str:
        """Store what a run was made with.

        Args:
            configuration: the effective one, as text.
            version: of the code.
            started: when.

        Returns:
            The configuration's hash, as `Provenance.configuration` and checkpoints use it.
        """
        with self._database.writing() as connection:
            return work.put_run(connection, configuration, version=version, started=started)

    def configuration(self, key: str) -> str | None:
        """The effective configuration with a hash; None where no run had it."""
        with self._database.reading() as connection:
            return work.read_configuration(connection, key)

    def picks(
        self,
        start: Time | None = None,
        end: Time | None = None,
        *,
        station_id: StationId | None = None,
        phase: Phase | None = None,
        method: str | None = None,
        configuration: str | None = None,
    ) -> list[Pick]:
        """Picks in [start, end), in order of time.

        Args:
            start: None is from the first.
            end: None is to the last.
            station_id: only there.
            phase: only this one.
            method: only of this picker, as `Provenance.method` names it.
            configuration: only made with this one, as `Provenance.configuration` has it, and as
                it made them, even where another one has made the same picks since.
        """
        with self._database.reading() as connection:
            return read.read_picks(
                connection, start, end, station_id=station_id, phase=phase, method=method,
                configuration=configuration,
            )  # fmt: skip

    def detections(
        self,
        start: Time | None = None,
        end: Time | None = None,
        *,
        configuration: str | None = None,
    ) -> list[Detection]:
        """Detections that reach into [start, end), in order of their start; see `picks`."""
        with self._database.reading() as connection:
            return read.read_detections(connection, start, end, configuration=configuration)

    def pick_counts(
        self, start: Time | None = None, end: Time | None = None
    ) -> dict[tuple[StationId, Phase], int]:
        """How many picks in [start, end) there are of each station and phase that has some."""
        with self._database.reading() as connection:
            return read.count_picks(connection, start, end)

    def coverage(
        self,
        start: Time | None = None,
        end: Time | None = None,
        *,
        reason: Reason | None = None,
        station_id: StationId | None = None,
    ) -> list[CoverageSpan]:
        """The ledger in [start, end), cut at its bounds, in order of channel and time.

        Args:
            start: None is from the first.
            end: None is to the last.
            reason: only this one.
            station_id: only there.
        """
        with self._database.reading() as connection:
            return ledger.read_coverage(
                connection, start, end, reason=reason, station_id=station_id
            )

    def analysed_stations(self) -> dict[StationId, tuple[Time, float]]:
        """Where what was analysed of each station ends, and how many seconds were."""
        with self._database.reading() as connection:
            return ledger.read_analysed(connection)

    def coverage_hours(
        self, start: Time | None = None, end: Time | None = None
    ) -> list[CoverageHour]:
        """The ledger in [start, end) by channel, hour and reason."""
        return tally_hours(self.coverage(start, end))

    def gaps(
        self, start: Time | None = None, end: Time | None = None
    ) -> dict[StationId, tuple[int, float]]:
        """Of each station, how many gaps its worst channel has in [start, end), and their share.

        The share is that of all its channels' time, of which the ledger tells samples or a gap.
        """
        with self._database.reading() as connection:
            return ledger.read_gaps(connection, start, end)

    def put_performance(self, values: Iterable[StationPerformance]) -> None:
        """Store how stations did."""
        with self._database.writing() as connection:
            performance.put_performance(connection, values)

    def performance(
        self, station_id: StationId, start: Time, end: Time
    ) -> list[StationPerformance]:
        """How a station did in [start, end), in order of time."""
        with self._database.reading() as connection:
            return performance.read_performance(connection, station_id, start, end)

    def sum_up_performance(self, before: Time) -> None:
        """Make of the minutes of whole hours before an instant a row an hour."""
        with self._database.writing() as connection:
            performance.sum_up_performance(connection, before)

    def events(self, query: EventQuery | None = None) -> Catalogue:
        """Current versions; the catalogue is in order of time whatever the query's order."""
        with self._database.reading() as connection:
            return Catalogue.of(read.read_events(connection, query or EventQuery()))

    def summaries(self, query: EventQuery | None = None) -> list[EventSummary]:
        """Current versions at a glance, in the query's order: for long lists and maps."""
        with self._database.reading() as connection:
            return read.read_summaries(connection, query or EventQuery())

    def columns(self, query: EventQuery | None = None) -> EventColumns:
        """As `summaries`, column by column: for a hundred thousand events at once."""
        with self._database.reading() as connection:
            return read.read_columns(connection, query or EventQuery())

    def count(self, query: EventQuery | None = None) -> int:
        """Number of events within a query's limits, whatever its page."""
        with self._database.reading() as connection:
            return read.count_events(connection, query or EventQuery())

    def event(self, event_id: str, version: int | None = None) -> Event | None:
        """One version, or the current one; None where there is no such event or version."""
        with self._database.reading() as connection:
            return read.read_version(connection, event_id, version)

    def versions(self, event_id: str) -> list[Event]:
        """All versions of an event, the first one first; empty where there is no such event."""
        with self._database.reading() as connection:
            return read.read_history(connection, event_id)

    def picks_after(self, number: int | None) -> tuple[int, list[Pick]]:
        """What was stored since, in that order, and the number to ask with the next time.

        Args:
            number: from the last time; None is now, and gives none.
        """
        with self._database.reading() as connection:
            return read.read_picks_after(connection, number)

    @contextmanager
    def watch(self) -> Iterator[Callable[[], object]]:
        """A cheap question to be asked again and again: its answer differs after any write.

        It may differ where nothing of interest was written. Safe to be asked by one thread after
        another.
        """
        with self._database.watch() as ask:
            yield ask

    def stamps(self, event_id: str) -> list[VersionStamp]:
        """When each version of an event came and from whom, the first one first."""
        with self._database.reading() as connection:
            return read.read_stamps(connection, event_id)

    def save_checkpoint(
        self, key: str, state: bytes, configuration: str, *, done: bool = False
    ) -> None:
        """Store where a piece of work stands, in the place of its last checkpoint.

        Args:
            key: the piece of work, as "CI.CCC..HH/2019-07-07".
            state: to go on from.
            configuration: hash from `put_run`; another configuration does not see it.
            done: whether the piece is finished.
        """
        with self._database.writing() as connection:
            work.put_checkpoint(
                connection, key, state, configuration, done=done, written=self._clock()
            )

    def load_checkpoint(self, key: str, configuration: str) -> bytes | None:
        """The last state saved under this configuration; None where there is none."""
        with self._database.reading() as connection:
            return work.read_checkpoint(connection, key, configuration)

    def done_keys(self, configuration: str) -> frozenset[str]:
        """Pieces of work that are finished under this configuration."""
        with self._database.reading() as connection:
            return work.read_done(connection, configuration)

    def put_bookmarks(self, bookmarks: Iterable[Bookmark]) -> None:
        """Store how far sources have been read; see `Bookmark`."""
        with self._database.writing() as connection:
            live.put_bookmarks(connection, bookmarks)

    def bookmarks(self) -> list[Bookmark]:
        """How far sources had been read when that was stored last."""
        with self._database.reading() as connection:
            return live.read_bookmarks(connection)

    def put_notes(self, notes: Mapping[str, live.Note]) -> None:
        """Store what a running monitor says of itself, by key, in the place of what it said."""
        with self._database.writing() as connection:
            live.put_notes(connection, notes, self._clock())

    def notes(self, prefix: str = "") -> dict[str, tuple[Time, live.Note]]:
        """Notes whose key begins so, each with when it was written."""
        with self._database.reading() as connection:
            return live.read_notes(connection, prefix)

    def put_message(self, sink: str, message: Message) -> None:
        """Queue a message for a sink; one with a key that was queued before changes nothing."""
        with self._database.writing() as connection:
            live.put_message(connection, sink, message, self._clock())

    def last_message(self, sink: str, event_id: str) -> Message | None:
        """What was queued last for a sink of an event; None where nothing was."""
        with self._database.reading() as connection:
            return live.read_last_message(connection, sink, event_id)

    def due_messages(self, sink: str) -> list[tuple[Message, int]]:
        """Messages to be sent now, the oldest first, with how often that failed."""
        with self._database.reading() as connection:
            return live.read_due(connection, sink, self._clock())

    def put_sent(self, sink: str, key: str) -> None:
        """Note that a sink has taken a message."""
        with self._database.writing() as connection:
            now = self._clock()
            live.put_outcome(connection, sink, key, state=live.SENT, due=now, error="")

    def put_failure(
        self, sink: str, key: str, error: str, wait_s: float, *, is_given_up: bool
    ) -> None:
        """Note that a sink refused a message, and when it is to be tried again."""
        state = live.GIVEN_UP if is_given_up else live.WAITING
        with self._database.writing() as connection:
            due = self._clock() + wait_s
            live.put_outcome(connection, sink, key, state=state, due=due, error=error)

    def leave_messages(self, sink: str, before: Time) -> None:
        """Give up the messages for a sink that were queued before: somebody else tells them."""
        with self._database.writing() as connection:
            live.leave_messages(connection, sink, before)
