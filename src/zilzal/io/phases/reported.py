"""Events with their picks, as files report them.

Unlike `core.event.Event` this keeps what a label needs and nothing else, and lets be missing what
other programs leave out: a network code, an origin, who made the pick.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Polarity
from zilzal.core.time import Time
from zilzal.io.tables import CatalogueRow

CLUSTER_GAP_S = 60.0
"""Picks without an event belong together as long as the next one comes within this."""


class Status(StrEnum):
    """Who made a pick, as SeisBench's `trace_p_status` says it."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    UNKNOWN = "unknown"
    """Its file does not say."""

    @classmethod
    def of(cls, mode: str | None) -> Status:
        """From an evaluation mode in QuakeML's words; None where there is none."""
        return cls(mode) if mode in (cls.MANUAL, cls.AUTOMATIC) else cls.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPick:
    """A pick as its file reports it.

    Args:
        station_id: the network may be "": many phase files know none.
        location: "" where not given.
        channel: as HHZ, or less; "" where not given.
        phase: P or S.
        time: of the onset.
        status: who made it.
        weight: how much its maker trusted it, in [0, 1]; None where not said. The weight that a
            location gave it is none: that also says how far the station was.
        uncertainty_s: standard deviation; None where not given.
        polarity: first motion; None where not given.
    """

    station_id: StationId
    location: str = ""
    channel: str = ""
    phase: Phase
    time: Time
    status: Status = Status.UNKNOWN
    weight: float | None = None
    uncertainty_s: float | None = None
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEvent:
    """An event with its picks.

    Args:
        event_id: the file's, or made of the file's name and the time where that has none.
        source: where, when, how large, of what type; None where nobody said.
        picks: of P and S, in the file's order.
        is_loose: it is a cluster of picks that belong to no event.
    """

    event_id: str
    source: CatalogueRow | None = None
    picks: tuple[ReportedPick, ...] = ()
    is_loose: bool = False

    @property
    def time(self) -> Time:
        """Of the origin, or of the first pick."""
        return self.source.time if self.source else min(pick.time for pick in self.picks)


@dataclass(frozen=True, slots=True)
class PhaseFault:
    """A file, or something in one, that could not be read."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Phases:
    """Events in order of time, what could not be read, and the files that held any events."""

    events: tuple[ReportedEvent, ...]
    faults: tuple[PhaseFault, ...] = ()
    files: tuple[Path, ...] = ()


def clusters(picks: Iterable[ReportedPick]) -> list[ReportedEvent]:
    """Picks of no event, those together that follow each other within `CLUSTER_GAP_S`.

    Nothing says that they share a source; but whatever is split must not divide them.
    """
    groups: list[list[ReportedPick]] = []
    for pick in sorted(picks, key=lambda p: (p.time, p.station_id, p.phase)):
        if not groups or pick.time - groups[-1][-1].time > CLUSTER_GAP_S:
            groups.append([])
        groups[-1].append(pick)
    return [
        ReportedEvent(event_id=f"loose_{stamp(g[0].time)}", picks=tuple(g), is_loose=True)
        for g in groups
    ]


def stamp(time: Time) -> str:
    """An instant as part of a name, to the millisecond."""
    return f"{time.to_datetime():%Y%m%dT%H%M%S}{time.ns // 1_000_000 % 1_000:03d}"
