"""Rows of how stations did: minutes, and hours of what is older."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, false, func, select

from zilzal.core.ids import StationId
from zilzal.core.performance import StationPerformance
from zilzal.core.time import NS_PER_S, Time
from zilzal.io.store.rows import Found, real
from zilzal.io.store.schema import STATION_PERFORMANCE, Row
from zilzal.io.store.write import put_over

_HOUR_NS = 3_600 * NS_PER_S


def put_performance(connection: Connection, performance: Iterable[StationPerformance]) -> None:
    """Keep how stations did."""
    put_over(connection, STATION_PERFORMANCE, [_row(value) for value in performance])


def read_performance(
    connection: Connection, station_id: StationId, start: Time, end: Time
) -> list[StationPerformance]:
    """Of a station what reaches into [start, end), in order of time."""
    column = STATION_PERFORMANCE.c
    statement = (
        select(STATION_PERFORMANCE)
        .where(
            column.network == station_id.network,
            column.station == station_id.station,
            column.time >= start.ns - _HOUR_NS,
            column.time < end.ns,
        )
        .order_by(column.time)
    )
    found = [_performance_of(row) for row in connection.execute(statement).mappings()]
    return [value for value in found if value.start + value.span_s > start]


def sum_up_performance(connection: Connection, before: Time) -> None:
    """Make of the minutes of whole hours before an instant a row an hour."""
    column = STATION_PERFORMANCE.c
    hour = column.time - column.time % _HOUR_NS
    minutes = column.is_hour.is_(false()), column.time < before.ns - before.ns % _HOUR_NS
    statement = (
        select(
            column.network,
            column.station,
            hour.label("time"),
            func.sum(column.span_s).label("span_s"),
            func.sum(column.packets).label("packets"),
            func.sum(column.picks).label("picks"),
            (
                func.sum(column.arrival_s * column.packets)
                / func.nullif(func.sum(column.packets), 0)
            ).label("arrival_s"),
            func.max(column.silent_s).label("silent_s"),
            func.max(column.data_age_s).label("data_age_s"),
            func.max(column.behind_s).label("behind_s"),
            func.avg(column.noise_db).label("noise_db"),
        )
        .where(*minutes)
        .group_by(column.network, column.station, hour)
    )
    hours = [{**row, "is_hour": True} for row in connection.execute(statement).mappings()]
    if hours:
        connection.execute(delete(STATION_PERFORMANCE).where(*minutes))
        put_over(connection, STATION_PERFORMANCE, hours)


def _row(value: StationPerformance) -> Row:
    return {
        "network": value.station_id.network,
        "station": value.station_id.station,
        "time": value.start.ns,
        "is_hour": False,
        "span_s": real(value.span_s),
        "packets": value.packets,
        "picks": value.picks,
        "arrival_s": real(value.arrival_s),
        "silent_s": real(value.silent_s),
        "data_age_s": real(value.data_age_s),
        "behind_s": real(value.behind_s),
        "noise_db": real(value.noise_db),
    }


def _performance_of(row: Found) -> StationPerformance:
    return StationPerformance(
        station_id=StationId(row["network"], row["station"]),
        start=Time(row["time"]),
        span_s=row["span_s"],
        packets=row["packets"],
        picks=row["picks"],
        arrival_s=row["arrival_s"],
        silent_s=row["silent_s"],
        data_age_s=row["data_age_s"],
        behind_s=row["behind_s"],
        noise_db=row["noise_db"],
    )
