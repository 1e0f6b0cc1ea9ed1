"""A network small enough to be worked through many times, and ways of doing it."""

from __future__ import annotations

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
) -> Ran:
    """Work the network's archive, or another one of the same stations, through."""
    summary = run_archive(
        [waveforms or made.waveforms],
        read_inventory([made.inventory]),
        output,
        configuration or settings(),
        report,
    )
    with Store.open(output / "zilzal.db", create=False) as store:
        return Ran(output, summary, store.picks(), list(store.events()))


def table(ran: Ran, name: str) -> str:
    """What a table of a run says."""
    return (ran.output / name).read_text(encoding="utf-8")
