"""Values out of the tables."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    exists,
    func,
    select,
)

from zilzal.core.event import Event, EventType, Unlocated
from zilzal.core.ids import StationId
from zilzal.core.pick import Detection, EvaluationMode, Phase, Pick, Provenance
from zilzal.core.time import Time
from zilzal.io.store import rows
from zilzal.io.store.query import (
    EventColumns,
    EventQuery,
    EventSummary,
    VersionStamp,
    conditions,
    paged,
)
from zilzal.io.store.schema import (
    ARRIVAL,
    CLASSIFICATION,
    DETECTION,
    EVENT,
    EVENT_DETECTION,
    EVENT_MAGNITUDE,
    EVENT_PICK,
    EVENT_VERSION,
    MAGNITUDE,
    ORIGIN,
    PICK,
    PROVENANCE,
    STATION_CLASSIFICATION,
    STATION_MAGNITUDE,
)

_CHUNK = 500
"""Values in one `IN (...)`: far below every database's limit."""

Grouped = dict[int, list[RowMapping]]
"""Rows by what they belong to."""


def chunks(values: Collection[Any]) -> Iterator[Sequence[Any]]:
    """Pieces that fit one statement."""
    ordered = list(values)
    return (ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK))


def _provenances(connection: Connection) -> dict[int, Provenance]:
    found = connection.execute(select(PROVENANCE)).mappings()
    return {row["digest"]: rows.provenance_of(row) for row in found}


def _newest(table: Table, time: Column[int], makers: Sequence[int]) -> ColumnElement[bool]:
    """Of several contents with one id, and so one time, what these makers wrote last."""
    newer = table.alias()
    return table.c.provenance.in_(makers) & ~exists().where(
        newer.c[time.name] == time,
        newer.c.id == table.c.id,
        newer.c.number > table.c.number,
        newer.c.provenance.in_(makers),
    )


def _makers(
    made: Mapping[int, Provenance], *, method: str | None = None, configuration: str | None = None
) -> list[int]:
    """Digests of the provenances with a method and a configuration; None takes any."""
    return [
        digest
        for digest, maker in made.items()
        if method in (None, maker.method) and configuration in (None, maker.configuration)
    ]


def read_picks(
    connection: Connection,
    start: Time | None,
    end: Time | None,
    *,
    station_id: StationId | None,
    phase: Phase | None,
    method: str | None,
    configuration: str | None,
) -> list[Pick]:
    """See `Store.picks`."""
    made = _provenances(connection)
    makers = _makers(made, method=method, configuration=configuration)
    statement = _within(select(PICK), PICK.c.time, PICK.c.time, start, end)
    statement = statement.where(_newest(PICK, PICK.c.time, makers))
    statement = statement.order_by(PICK.c.time, PICK.c.id)
    if station_id is not None:
        statement = statement.where(
            PICK.c.network == station_id.network, PICK.c.station == station_id.station
        )
    if phase is not None:
        statement = statement.where(PICK.c.phase == phase.value)
    found = connection.execute(statement).mappings()
    return [rows.pick_of(row, made[row["provenance"]]) for row in found]


def read_detections(
    connection: Connection, start: Time | None, end: Time | None, *, configuration: str | None
) -> list[Detection]:
    """See `Store.detections`."""
    made = _provenances(connection)
    times = DETECTION.c.start_time, DETECTION.c.end_time
    makers = _makers(made, configuration=configuration)
    statement = _within(select(DETECTION), *times, start, end)
    statement = statement.where(_newest(DETECTION, times[0], makers))
    found = connection.execute(statement.order_by(times[0], DETECTION.c.id)).mappings()
    return [rows.detection_of(row, made[row["provenance"]]) for row in found]


MOST_NEW_PICKS = 1_000
"""Handed out at a time to those who follow along."""


def read_picks_after(connection: Connection, number: int | None) -> tuple[int, list[Pick]]:
    """See `Store.picks_after`; of a long pause the newest only."""
    column = PICK.c.number
    last = connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
    if number is None or number >= last:
        return last, []
    made = _provenances(connection)
    first = max(number, last - MOST_NEW_PICKS)
    statement = select(PICK).where(column > first, column <= last).order_by(column)
    found = connection.execute(statement).mappings()
    return last, [rows.pick_of(row, made[row["provenance"]]) for row in found]


def count_picks(
    connection: Connection, start: Time | None, end: Time | None
) -> dict[tuple[StationId, Phase], int]:
    """See `Store.pick_counts`; a pick whose values changed counts once."""
    column = PICK.c
    statement: Any = select(
        column.network, column.station, column.phase, func.count(column.id.distinct())
    ).group_by(column.network, column.station, column.phase)
    found: Any = connection.execute(_within(statement, column.time, column.time, start, end))
    return {
        (StationId(network, station), Phase(phase)): count
        for network, station, phase, count in found
    }


def _within(
    statement: Select[Any],
    first: Column[int],
    last: Column[int],
    start: Time | None,
    end: Time | None,
) -> Select[Any]:
    """Rows that reach into [start, end)."""
    if start is not None:
        reaches = last >= start.ns if last is first else last > start.ns
        statement = statement.where(reaches)
    return statement if end is None else statement.where(first < end.ns)


def count_events(connection: Connection, query: EventQuery) -> int:
    """How many there are on all pages."""
    statement = select(func.count()).select_from(EVENT).where(*conditions(query))
    return connection.execute(statement).scalar_one()


def read_summaries(connection: Connection, query: EventQuery) -> list[EventSummary]:
    """In the order of the query."""
    return [
        EventSummary(
            id=row["id"],
            version=row["version"],
            time=Time(row["time"]),
            latitude=row["latitude"],
            longitude=row["longitude"],
            depth_m=row["depth_m"],
            magnitude=row["magnitude"],
            magnitude_type=row["magnitude_type"],
            event_type=EventType(row["event_type"]),
            evaluation_mode=EvaluationMode(row["evaluation_mode"]),
            quality=row["quality"],
            written=Time(row["written"]),
        )
        for row in connection.execute(paged(select(EVENT), query)).mappings()
    ]


def read_columns(connection: Connection, query: EventQuery) -> EventColumns:
    """As `read_summaries`, without making a value of each."""
    column = EVENT.c
    wanted = (
        column.id, column.time, column.latitude, column.longitude, column.depth_m,
        column.magnitude, column.event_type, column.evaluation_mode, column.quality,
    )  # fmt: skip
    statement: Any = select(*wanted)
    found = connection.execute(paged(statement, query)).all()
    columns = list(zip(*found, strict=True)) or [()] * len(wanted)
    names = [field.name for field in dataclasses.fields(EventColumns)]
    return EventColumns(**dict(zip(names, columns, strict=True)))


def read_stamps(connection: Connection, event_id: str) -> list[VersionStamp]:
    """Of all versions of an event, the first one first."""
    column = EVENT_VERSION.c
    statement = (
        select(column.version, column.written, column.author, column.content)
        .where(column.event_id == event_id)
        .order_by(column.version)
    )
    return [
        VersionStamp(version=version, written=Time(written), author=author, content=content)
        for version, written, author, content in connection.execute(statement)
    ]


def read_events(connection: Connection, query: EventQuery) -> list[Event]:
    """Current versions, in the order of the query."""
    statement = paged(select(EVENT.c.current), query)
    keys = connection.execute(statement).scalars().all()
    return read_versions(connection, keys)


def read_history(connection: Connection, event_id: str) -> list[Event]:
    """All versions of an event, the first one first."""
    column = EVENT_VERSION.c
    statement = select(column.key).where(column.event_id == event_id).order_by(column.version)
    return read_versions(connection, connection.execute(statement).scalars().all())


def read_version(connection: Connection, event_id: str, version: int | None) -> Event | None:
    """One version of an event; None is the current one."""
    statement = select(EVENT.c.current).where(EVENT.c.id == event_id)
    if version is not None:
        column = EVENT_VERSION.c
        statement = select(column.key).where(column.event_id == event_id, column.version == version)
    found = read_versions(connection, connection.execute(statement).scalars().all())
    return found[0] if found else None


def read_versions(connection: Connection, keys: Collection[int]) -> list[Event]:
    """Versions by their keys, in that order."""
    made = _provenances(connection)
    return [
        event for some in chunks(keys) for event in _Reader(connection, some, made).events(some)
    ]


class _Reader:
    """Parts of some versions, read together."""

    def __init__(
        self, connection: Connection, keys: Sequence[int], made: dict[int, Provenance]
    ) -> None:
        self._connection = connection
        self._made = made
        self._versions = self._whole(EVENT_VERSION, EVENT_VERSION.c.key, keys, lambda row: row)
        versions = self._versions.values()
        self._arrivals = self._grouped(
            select(ARRIVAL).order_by(ARRIVAL.c.position),
            ARRIVAL.c.origin,
            {row["preferred_origin"] for row in versions},
        )
        self._origins = self._whole(
            ORIGIN,
            ORIGIN.c.digest,
            {row["preferred_origin"] for row in versions},
            lambda row: rows.origin_of(row, self._arrivals[row["digest"]], made[row["provenance"]]),
        )
        kinds = {row["classification"] for row in versions}
        opinions = self._grouped(
            select(STATION_CLASSIFICATION).order_by(STATION_CLASSIFICATION.c.position),
            STATION_CLASSIFICATION.c.classification,
            kinds,
        )
        self._classifications = self._whole(
            CLASSIFICATION,
            CLASSIFICATION.c.digest,
            kinds,
            lambda row: rows.classification_of(
                row, opinions[row["digest"]], made[row["provenance"]]
            ),
        )
        self._magnitudes = self._linked(EVENT_MAGNITUDE, MAGNITUDE, keys)
        self._stations = self._grouped(
            select(STATION_MAGNITUDE).order_by(STATION_MAGNITUDE.c.position),
            STATION_MAGNITUDE.c.network_magnitude,
            {row["digest"] for found in self._magnitudes.values() for row in found},
        )
        self._picks = self._linked(EVENT_PICK, PICK, keys)
        self._detections = self._linked(EVENT_DETECTION, DETECTION, keys)

    def events(self, keys: Sequence[int]) -> list[Event]:
        """The versions, whole."""
        return [self._event(self._versions[key]) for key in keys]

    def _event(self, row: RowMapping) -> Event:
        key, made = row["key"], self._made
        unlocated = Unlocated(reason=row["unlocated_reason"] or "", time=Time(row["time"]))
        return Event(
            id=row["event_id"],
            version=row["version"],
            origin=self._origins.get(row["preferred_origin"], unlocated),
            magnitudes=tuple(
                rows.magnitude_of(m, self._stations[m["digest"]], made[m["provenance"]])
                for m in self._magnitudes[key]
            ),
            classification=self._classifications.get(row["classification"]),
            picks=tuple(rows.pick_of(p, made[p["provenance"]]) for p in self._picks[key]),
            detections=tuple(
                rows.detection_of(d, made[d["provenance"]]) for d in self._detections[key]
            ),
            evaluation_mode=EvaluationMode(row["evaluation_mode"]),
            comment=row["comment"],
            author=row["author"],
        )

    def _whole(
        self,
        table: Table,
        key: Column[int],
        keys: Collection[int | None],
        made_of: Callable[[RowMapping], Any],
    ) -> dict[int, Any]:
        """Values by key."""
        found = self._grouped(select(table), key, keys)
        return {value: made_of(records[0]) for value, records in found.items()}

    def _linked(self, link: Table, part: Table, keys: Collection[int]) -> Grouped:
        """Parts by the key of their version, in order."""
        owner, position, digest = link.columns
        statement = select(owner, part).join_from(link, part, part.c.digest == digest)
        return self._grouped(statement.order_by(position), owner, keys)

    def _grouped(
        self, statement: Select[Any], owner: Column[int], keys: Collection[int | None]
    ) -> Grouped:
        grouped: Grouped = defaultdict(list)
        for some in chunks([key for key in keys if key is not None]):
            for row in self._connection.execute(statement.where(owner.in_(some))).mappings():
                grouped[row[owner.name]].append(row)
        return grouped
