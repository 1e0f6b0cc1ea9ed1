"""A network small enough to be worked through many times, and ways of doing it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zilzal.app.archive import Summary, run_archive
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.progress import Report, keep_quiet
from zilzal.app.synthetic import Synthetic
from zilzal.core.event import Event
from zilzal.core.pick import Pick
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store
from zilzal.io.store.schema import METADATA, RUN

SCENARIO = """
name = "short"
seed = 11
start = "2024-03-05T11:58:00Z"
duration_s = 200
latitude = 47.75
longitude = 12.75
sampling_rate = 50

[network]
n_stations = 6
aperture_m = 30_000

[noise]
level = 0.35
bursts_per_hour = 0

[[events]]
after_s = 50
east_m = 2_000
north_m = -3_000
depth_m = 7_000
magnitude = 2.2

# Its first arrivals come before noon, the others after, so that a cut at noon goes through it.
[[events]]
after_s = 118
east_m = -3_000
north_m = 4_000
depth_m = 9_000
magnitude = 2.6
"""


@dataclass(frozen=True)
class Ran:
    """What a run left."""

    output: Path
    summary: Summary
    picks: list[Pick]
    events: list[Event]


def settings(**tables: dict[str, Any]) -> Configuration:
    """The classical picker in one process, with changes."""
    changes = {"picker": {"use": "stalta"}, "run": {"workers": 1}}
    for name, table in tables.items():
        changes[name] = {**changes.get(name, {}), **table}
    return read_configuration(changes=changes)


def run(
    made: Synthetic,
    output: Path,
    configuration: Configuration | None = None,
    report: Report = keep_quiet,
    *,
    waveforms: Path | None = None,
    retry_failed: bool = False,
) -> Ran:
    """Work the network's archive, or another one of the same stations, through."""
    summary = run_archive(
        [waveforms or made.waveforms],
        read_inventory([made.inventory]),
        output,
        configuration or settings(),
        report,
        retry_failed=retry_failed,
    )
    with Store.open(output / "zilzal.db", create=False) as store:
        return Ran(output, summary, store.picks(), list(store.events()))


TABLES = ("picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv")


def assert_same(one: Ran, other: Ran) -> None:
    """Two runs ended alike: their tables, and their picks to the nanosecond."""
    for name in TABLES:
        assert table(one, name) == table(other, name)
    assert [p.time.ns for p in one.picks] == [p.time.ns for p in other.picks]
    assert [p.id for p in one.picks] == [p.id for p in other.picks]


VOLATILE = {"number", "written", "started", "state"}
"""Columns that tell when and in which order, and states, which hold what is to come."""


def content(ran: Ran) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a run's store, in no order, but for when and in how many runs they came."""
    with sqlite3.connect(f"file:{ran.output / 'zilzal.db'}?mode=ro", uri=True) as database:
        found = {}
        for each in set(METADATA.sorted_tables) - {RUN}:
            columns = ", ".join(c.name for c in each.columns if c.name not in VOLATILE)
            rows = database.execute(f"SELECT {columns} FROM {each.name}")
            found[each.name] = sorted(rows, key=repr)
    database.close()
    return found


def table(ran: Ran, name: str) -> str:
    """What a table of a run says."""
    return (ran.output / name).read_text(encoding="utf-8")
