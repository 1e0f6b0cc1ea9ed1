"""The coverage ledger's rows: for each channel and reason the longest stretches, none touching.

Stretches that touch or overlap become one, so that the table stays small, and neither the cut
of the input nor writing twice changes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)

from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.time import NS_PER_S, Time
from zilzal.io.store.rows import channel_of, channel_row
from zilzal.io.store.schema import COVERAGE, Row

Stretch = tuple[int, int]
"""First and end nanosecond."""


def put_coverage(connection: Connection, spans: Iterable[CoverageSpan]) -> None:
    """Join spans to what is there; empty ones are left out."""
    stretches: dict[tuple[str, ...], list[Stretch]] = defaultdict(list)
    for span in spans:
        if span.start < span.end:
            key = (*channel_row(span.channel_id).values(), span.reason.value, span.note)
            stretches[key].append((span.start.ns, span.end.ns))
    gone: list[Row] = []
    come: list[Row] = []
    for values, new in stretches.items():
        row: Row = dict(zip(_KEY, values, strict=True))
        limits = {"first": min(start for start, _ in new), "last": max(end for _, end in new)}
        found = connection.execute(_TOUCHING, {**_asked(row), **limits})
        old = sorted((start, end) for start, end in found)
        joined = union([*old, *new])
        if joined != old:
            gone += [{**_asked(row), "first": start} for start, _ in old]
            come += [{**row, "start_time": start, "end_time": end} for start, end in joined]
    if gone:
        connection.execute(_REMOVAL, gone)
    if come:
        connection.execute(insert(COVERAGE), come)


_KEY = ("network", "station", "location", "channel", "reason", "note")
_OF_KEY = [COVERAGE.c[name] == bindparam(f"asked_{name}") for name in _KEY]
# Made once: a network of a thousand stations asks thousands of times for each state it stores.
_TOUCHING = select(COVERAGE.c.start_time, COVERAGE.c.end_time).where(
    *_OF_KEY,
    COVERAGE.c.start_time <= bindparam("last"),
    COVERAGE.c.end_time >= bindparam("first"),
)
_REMOVAL = delete(COVERAGE).where(*_OF_KEY, COVERAGE.c.start_time == bindparam("first"))


def _asked(row: Row) -> Row:
    return {f"asked_{name}": value for name, value in row.items()}


def take_out(
    connection: Connection,
    channel_ids: Iterable[ChannelId],
    start: Time,
    end: Time,
) -> None:
    """Take the time in [start, end) from the spans of some channels."""
    for channel_id in channel_ids:
        limits = and_(
            *(COVERAGE.c[name] == value for name, value in channel_row(channel_id).items()),
            COVERAGE.c.start_time < end.ns,
            COVERAGE.c.end_time > start.ns,
        )
        found = [dict(row) for row in connection.execute(select(COVERAGE).where(limits)).mappings()]
        connection.execute(delete(COVERAGE).where(limits))
        left = [{**row, "end_time": start.ns} for row in found if row["start_time"] < start.ns]
        left += [{**row, "start_time": end.ns} for row in found if row["end_time"] > end.ns]
        if left:
            connection.execute(insert(COVERAGE), left)


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time with no two stretches that touch, in order."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def read_analysed(connection: Connection) -> dict[StationId, tuple[Time, float]]:
    """Where what was analysed of each station ends, and how long its fullest channel is."""
    column = COVERAGE.c
    analysed = [reason.value for reason in Reason if reason.is_analysed]
    statement = (
        select(
            column.network, column.station, func.max(column.end_time),
            func.sum(column.end_time - column.start_time),
        )
        .where(column.reason.in_(analysed))
        .group_by(column.network, column.station, column.location, column.channel)
    )  # fmt: skip
    found: dict[StationId, tuple[Time, float]] = {}
    for network, station, end, length in connection.execute(statement):
        key = StationId(network, station)
        before = found.get(key, (Time(end), 0.0))
        found[key] = max(before[0], Time(end)), max(before[1], float(length) / NS_PER_S)
    return found


def read_gaps(
    connection: Connection, start: Time | None, end: Time | None
) -> dict[StationId, tuple[int, float]]:
    """Gaps of each station's worst channel, and the share of gaps in the time of all channels."""
    column = COVERAGE.c
    first, last = _bounds(start, end)
    cut_end = case((column.end_time > last, last), else_=column.end_time)
    cut_start = case((column.start_time < first, first), else_=column.start_time)
    is_gap = column.reason == Reason.GAP.value
    told = [reason.value for reason in Reason if reason.is_analysed or reason is Reason.GAP]
    statement = (
        select(
            column.network,
            column.station,
            func.sum(case((is_gap, 1), else_=0)),
            func.sum(case((is_gap, cut_end - cut_start), else_=0)),
            func.sum(cut_end - cut_start),
        )
        .where(column.reason.in_(told), column.start_time < last, column.end_time > first)
        .group_by(column.network, column.station, column.location, column.channel)
    )
    found: dict[StationId, list[tuple[int, float, float]]] = defaultdict(list)
    for network, station, count, gap, total in connection.execute(statement):
        found[StationId(network, station)].append((int(count), float(gap), float(total)))
    return {
        station_id: (
            max(count for count, _, _ in channels),
            sum(gap for _, gap, _ in channels) / sum(total for _, _, total in channels),
        )
        for station_id, channels in found.items()
    }


def _bounds(start: Time | None, end: Time | None) -> tuple[int, int]:
    return (start.ns if start else -(2**63)), (end.ns if end else 2**63 - 1)


def read_coverage(
    connection: Connection,
    start: Time | None,
    end: Time | None,
    *,
    reason: Reason | None = None,
    station_id: StationId | None = None,
) -> list[CoverageSpan]:
    """What lies in [start, end), cut at its bounds, in order of channel and time."""
    first, last = _bounds(start, end)
    limits: list[ColumnElement[bool]] = [
        COVERAGE.c.start_time < last,
        COVERAGE.c.end_time > first,
    ]
    if reason is not None:
        limits.append(COVERAGE.c.reason == reason.value)
    if station_id is not None:
        limits += [
            COVERAGE.c.network == station_id.network,
            COVERAGE.c.station == station_id.station,
        ]
    found = connection.execute(select(COVERAGE).where(*limits)).mappings()
    return sorted(
        CoverageSpan(
            channel_of(row),
            Time(max(row["start_time"], first)),
            Time(min(row["end_time"], last)),
            Reason(row["reason"]),
            row["note"],
        )
        for row in found
    )
