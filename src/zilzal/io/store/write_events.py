"""Writing events: their parts once by content, a version when something changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table, select, text

from zilzal.core.errors import StaleVersion
from zilzal.core.event import Classification, Event, Magnitude, Origin
from zilzal.core.pick import Detection, EvaluationMode, Pick, Provenance
from zilzal.core.time import Time
from zilzal.io.store import rows
from zilzal.io.store.read import chunks, read_versions
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
    METADATA,
    ORIGIN,
    PICK,
    PROVENANCE,
    STATION_CLASSIFICATION,
    STATION_MAGNITUDE,
    Row,
)
from zilzal.io.store.write import put_new, put_over

logger = logging.getLogger(__name__)


def put_events(
    connection: Connection, events: Iterable[Event], written: Time, *, author: str | None = None
) -> list[Event]:
    """Store what is new of each event; see `Store.put_events`.

    Args:
        connection: in a transaction.
        events: in any order.
        written: when.
        author: the person who judged them; None is the machine, which changes no reviewed event.
    """
    events = [replace(event, author=author or "") for event in events]
    if connection.dialect.name == "postgresql":
        # Two writers must not give out the same version; SQLite has one writer anyway.
        connection.execute(text("LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE"))
    known = _read_current(connection, sorted({event.id for event in events}))
    stored: list[Event] = []
    kept: dict[int, int] = {}
    batch = _Batch()
    for event in events:
        parts = _Parts(event)
        current = known.get(event.id)
        if current and current.content == parts.content:
            stored.append(replace(event, version=current.version))
        elif current and current.reviewed and author is None:
            kept[len(stored)] = current.key
            stored.append(event)
        else:
            version = replace(event, version=current.version + 1 if current else 1)
            known[event.id] = _add_version(batch, version, parts, written)
            stored.append(version)
    batch.write(connection)
    if kept:
        logger.info("%d events were reviewed before and are kept as they are", len(kept))
        reviewed = {event.id: event for event in read_versions(connection, set(kept.values()))}
        return [reviewed[e.id] if n in kept else e for n, e in enumerate(stored)]
    return stored


def put_review(
    connection: Connection,
    events: Sequence[Event],
    bases: Mapping[str, int],
    *,
    author: str,
    written: Time,
) -> list[Event]:
    """Store a person's judgement; see `Store.put_review`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE"))
    known = _read_current(connection, sorted({*bases, *(event.id for event in events)}))
    for event_id in sorted({*bases, *known}):
        current, base = known.get(event_id), bases.get(event_id)
        if (current and current.version) != base:
            raise StaleVersion(
                f"event {event_id} is at version {current.version if current else 'none'}, the "
                f"review began at {base or 'none'}; look at it again"
            )
    return put_events(connection, events, written, author=author)


@dataclass(frozen=True, slots=True)
class _Current:
    """What matters of an event's current version."""

    key: int
    version: int
    content: int
    reviewed: bool


def _read_current(connection: Connection, ids: Sequence[str]) -> dict[str, _Current]:
    column = EVENT_VERSION.c
    statement = select(
        column.event_id, column.key, column.version, column.content, column.evaluation_mode
    ).join(EVENT, EVENT.c.current == column.key)
    return {
        id_: _Current(key, version, content, mode == EvaluationMode.MANUAL)
        for some in chunks(ids)
        for id_, key, version, content, mode in connection.execute(
            statement.where(EVENT.c.id.in_(some))
        )
    }


class _Batch:
    """Rows of many events on their way to the tables, each once."""

    def __init__(self) -> None:
        self._rows: dict[Table, dict[tuple[object, ...], Row]] = {
            table: {} for table in METADATA.sorted_tables
        }

    def add(self, table: Table, *records: Row) -> None:
        """Take rows, in the place of earlier ones of the same thing."""
        names = ["digest"] if "digest" in table.c else [c.name for c in table.primary_key]
        for row in records:
            self._rows[table][tuple(row[name] for name in names)] = row

    def write(self, connection: Connection) -> None:
        """Insert all, what is referred to first."""
        for table, records in self._rows.items():
            put = put_over if table is EVENT else put_new
            put(connection, table, list(records.values()))


class _Parts:
    """Rows of an event's parts and their digests."""

    def __init__(self, event: Event) -> None:
        self.rows: list[tuple[Table, Sequence[Row]]] = []
        self.origin = self._origin(event.origin) if isinstance(event.origin, Origin) else None
        self.magnitudes = tuple(map(self._magnitude, event.magnitudes))
        kind = event.classification
        self.classification = None if kind is None else self._classification(kind)
        self.picks = tuple(map(self._pick, event.picks))
        self.detections = tuple(map(self._detection, event.detections))
        self.unlocated = None if isinstance(event.origin, Origin) else event.origin.reason
        self.content = rows.digest_of([
            event.id, event.time.ns, self.origin, self.unlocated, self.magnitudes,
            self.classification, self.picks, self.detections, event.evaluation_mode.value,
            event.comment,
        ])  # fmt: skip

    def _part(self, table: Table, row: Row, provenance: Provenance) -> int:
        self.rows += [(PROVENANCE, [rows.provenance_row(provenance)]), (table, [row])]
        return row["digest"]

    def _origin(self, origin: Origin) -> int:
        row, arrivals = rows.origin_rows(origin)
        self.rows.append((ARRIVAL, arrivals))
        return self._part(ORIGIN, row, origin.provenance)

    def _magnitude(self, magnitude: Magnitude) -> int:
        row, stations = rows.magnitude_rows(magnitude)
        self.rows.append((STATION_MAGNITUDE, stations))
        return self._part(MAGNITUDE, row, magnitude.provenance)

    def _classification(self, classification: Classification) -> int:
        row, stations = rows.classification_rows(classification)
        self.rows.append((STATION_CLASSIFICATION, stations))
        return self._part(CLASSIFICATION, row, classification.provenance)

    def _pick(self, pick: Pick) -> int:
        return self._part(PICK, rows.pick_row(pick), pick.provenance)

    def _detection(self, detection: Detection) -> int:
        return self._part(DETECTION, rows.detection_row(detection), detection.provenance)


def _add_version(batch: _Batch, event: Event, parts: _Parts, written: Time) -> _Current:
    key = rows.digest_of([event.id, event.version])
    for table, records in parts.rows:
        batch.add(table, *records)
    common: Row = {
        "time": event.time.ns,
        "version": event.version,
        "evaluation_mode": event.evaluation_mode.value,
        "written": written.ns,
    }
    preferred = [d for d, m in zip(parts.magnitudes, event.magnitudes, strict=True)
                 if m is event.magnitude]  # fmt: skip
    batch.add(EVENT_VERSION, {
        **common, "key": key, "event_id": event.id, "content": parts.content,
        "preferred_origin": parts.origin, "unlocated_reason": parts.unlocated,
        "preferred_magnitude": preferred[0] if preferred else None,
        "classification": parts.classification, "comment": event.comment,
        "author": event.author,
    })  # fmt: skip
    _add_links(batch, EVENT_MAGNITUDE, key, parts.magnitudes)
    _add_links(batch, EVENT_PICK, key, parts.picks)
    _add_links(batch, EVENT_DETECTION, key, parts.detections)
    batch.add(EVENT, {**common, "id": event.id, "current": key, **_searched(event)})
    reviewed = event.evaluation_mode is EvaluationMode.MANUAL
    return _Current(key, event.version, parts.content, reviewed)


def _add_links(batch: _Batch, table: Table, key: int, digests: Iterable[int]) -> None:
    names = [column.name for column in table.columns]
    batch.add(
        table,
        *(dict(zip(names, (key, n, digest), strict=True)) for n, digest in enumerate(digests)),
    )


def _searched(event: Event) -> Row:
    """The columns of `event` that queries look at."""
    origin = event.origin if isinstance(event.origin, Origin) else None
    magnitude = event.magnitude
    return {
        "latitude": rows.real(origin and origin.latitude),
        "longitude": rows.real(origin and origin.longitude),
        "depth_m": rows.real(origin and origin.depth_m),
        "magnitude": rows.real(magnitude and magnitude.magnitude),
        "magnitude_type": magnitude and magnitude.type,
        "event_type": event.event_type.value,
        "quality": origin and origin.quality,
    }
