"""How a monitor stands, read from its store: for people, on the same machine or another."""

from __future__ import annotations

from dataclasses import dataclass

from zilzal.app.live.latency import Histogram
from zilzal.core.time import Time
from zilzal.io.store import Store

SILENT_S = 120.0
"""A station from which nothing came for so long is called silent."""
GONE_S = 60.0
"""A monitor that has told nothing for so long does not run, or hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStatus:
    """A station as the monitor told it last.

    Args:
        station: its code.
        data_end: where its newest data end; None where none came.
        data_age_s: since its newest sample; None where none came.
        silent_s: since a packet came.
        behind_s: of the samples worked on behind the newest; None where none were.
        packets: since the monitor started.
        picks: since then.
        trouble: why no picks come of it, in words; empty where all is well.
    """

    station: str
    data_end: Time | None
    data_age_s: float | None
    silent_s: float | None
    behind_s: float | None
    packets: int
    picks: int
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A monitor as it told it last.

    Args:
        told: when.
        is_running: whether that is recent.
        waiting_packets: to be worked on.
        trouble: what was refused last; empty where nothing was.
        latencies: what is measured, and its 50, 95 and 99 % quantiles [s]; None where unknown.
        stations: in order.
    """

    told: Time
    is_running: bool
    waiting_packets: int
    trouble: str
    latencies: tuple[tuple[str, tuple[float | None, ...]], ...]
    stations: tuple[StationStatus, ...]


def read_status(store: Store, now: Time) -> Status | None:
    """What the store knows; None where no monitor has written to it."""
    notes = store.notes("live/")
    if "live/monitor" not in notes:
        return None
    told, note = notes["live/monitor"]
    prefix = "live/station/"
    return Status(
        told=told,
        is_running=now - told < GONE_S,
        waiting_packets=note["waiting_packets"],
        trouble=f"{note['last_refusal']} ({note['refusals']} times)" if note["refusals"] else "",
        latencies=tuple(
            (text, tuple(Histogram.of(counts).quantile_s(q) for q in (0.5, 0.95, 0.99)))
            for text, counts in note["latency"].items()
        ),
        stations=tuple(
            _station(key.removeprefix(prefix), content, now, note["shed"])
            for key, (_, content) in notes.items()
            if key.startswith(prefix)
        ),
    )


def _station(name: str, note, now: Time, left_out: list[str]) -> StationStatus:
    end, arrived, worked = (
        Time.parse(note[key]) if note[key] else None
        for key in ("data_end", "arrived", "worked_until")
    )
    silent_s = None if arrived is None else now - arrived
    trouble = ""
    if name in left_out:
        trouble = "left out: the machine cannot keep up"
    elif silent_s is None or silent_s > SILENT_S:
        trouble = "silent"
    elif worked is None:
        trouble = "not worked on: not in the inventory, or too little has come yet"
    return StationStatus(
        station=name,
        data_end=end,
        data_age_s=None if end is None else now - end,
        silent_s=silent_s,
        behind_s=None if end is None or worked is None else end - worked,
        packets=note["packets"],
        picks=note["picks"],
        trouble=trouble,
    )
