"""How a monitor stands, read from its store: for people, on the same machine or another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zilzal.app.live.health import MONITOR, STATION
from zilzal.app.live.latency import Histogram
from zilzal.app.live.lesson import LESSON_NOTE
from zilzal.app.live.station_health import SILENT_S
from zilzal.core.time import Time
from zilzal.io.store import Store

GONE_S = 60.0
"""A monitor that has told nothing for so long does not run, or hangs."""
UNUSUAL_DB = 20.0
"""Noise that is so much louder or quieter than usual is told: a factor of ten."""
BAD_CLOCK_PERCENT = 50.0
"""A clock below this quality is told; what the figure means is the digitiser's maker's choice."""

Note = Mapping[str, Any]
NowAndUsual = tuple[float | None, float | None]
"""As it is now, and as it is by the station's own history; None where too little was seen."""


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
        noise_db: rms of the steps between vertical samples, in dB re 1 count.
        gap_share: of the time that its channels lack.
        picks_per_hour: in the time of the data.
        clock: quality in percent, and how often its time stamps jumped, in words.
        trouble: why no picks come of it, or what is wrong with them, in words; empty where all is
            well, "silent" where nothing comes.
        silence: why, as far as its source tells; empty where it is not silent.
    """

    station: str
    data_end: Time | None
    data_age_s: float | None
    silent_s: float | None
    behind_s: float | None
    packets: int
    picks: int
    noise_db: NowAndUsual
    gap_share: NowAndUsual
    picks_per_hour: NowAndUsual
    clock: str
    trouble: str
    silence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A monitor as it told it last.

    Args:
        told: when.
        is_running: whether that is recent.
        waiting_packets: to be worked on.
        trouble: what was refused last; empty where nothing was.
        events: why they are not worked out as they should be; empty where they are.
        lesson: what its associator lacks to learn from; empty where it has learned, or need not.
        latencies: what is measured, and its 50, 95 and 99 % quantiles [s]; None where unknown.
        stations: in order.
    """

    told: Time
    is_running: bool
    waiting_packets: int
    trouble: str
    events: str
    lesson: str
    latencies: tuple[tuple[str, tuple[float | None, ...]], ...]
    stations: tuple[StationStatus, ...]


def read_status(store: Store, now: Time) -> Status | None:
    """What the store knows; None where no monitor has written to it."""
    notes = store.notes("live/")
    if MONITOR not in notes:
        return None
    told, note = notes[MONITOR]
    return Status(
        told=told,
        is_running=now - told < GONE_S,
        waiting_packets=note["waiting_packets"],
        trouble=f"{note['last_refusal']} ({note['refusals']} times)" if note["refusals"] else "",
        events=note.get("events_trouble", ""),
        lesson=_lesson(notes),
        latencies=tuple(
            (text, tuple(Histogram.of(counts).quantile_s(q) for q in (0.5, 0.95, 0.99)))
            for text, counts in note["latency"].items()
        ),
        stations=tuple(
            _station(key.removeprefix(STATION), content, now, note["shed"])
            for key, (_, content) in notes.items()
            if key.startswith(STATION)
        ),
    )


def _lesson(notes: Mapping[str, tuple[Time, Note]]) -> str:
    _, note = notes.get(LESSON_NOTE, (None, {}))
    if not note:
        return ""
    return (
        f"how strict to be is not learned yet ({note['picks']} of {note['needed']} picks): "
        "the least certain events are left out"
    )


def _station(name: str, note: Note, now: Time, left_out: list[str]) -> StationStatus:
    end, arrived, worked = (
        Time.parse(note[key]) if note[key] else None
        for key in ("data_end", "arrived", "worked_until")
    )
    silent_s = None if arrived is None else now - arrived
    noise_db, gap_share, picks_per_hour = (
        (note[key][0], note[key][1]) for key in ("noise_db", "gap_share", "picks_per_hour")
    )
    is_silent = silent_s is None or silent_s > SILENT_S
    trouble: list[str] = []
    if name in left_out:
        trouble.append("left out: the machine cannot keep up")
    elif is_silent:
        trouble.append("silent")
    elif worked is None:
        trouble.append("not worked on: not in the inventory, or too little has come yet")
    if not is_silent:
        trouble += [*_noise_trouble(noise_db), *_clock_trouble(note)]
    return StationStatus(
        station=name,
        data_end=end,
        data_age_s=None if end is None else now - end,
        silent_s=silent_s,
        behind_s=None if end is None or worked is None else end - worked,
        packets=note["packets"],
        picks=note["picks"],
        noise_db=noise_db,
        gap_share=gap_share,
        picks_per_hour=picks_per_hour,
        clock=_clock(note),
        trouble="; ".join(trouble),
        silence=note["silence"] if is_silent else "",
    )


def _clock(note: Note) -> str:
    percent, steps = note["clock_percent"], note["clock_steps"]
    said = "" if percent is None else f"{percent:.0f} %"
    return f"{said} {steps} steps".strip() if steps else said


def _noise_trouble(noise_db: NowAndUsual) -> Iterator[str]:
    now_db, usual_db = noise_db
    if now_db is not None and usual_db is not None and abs(now_db - usual_db) >= UNUSUAL_DB:
        word = "louder" if now_db > usual_db else "quieter"
        yield f"{abs(now_db - usual_db):.0f} dB {word} than usual"


def _clock_trouble(note: Note) -> Iterator[str]:
    if note["clock_questionable"]:
        yield "its digitiser doubts its clock"
    elif note["clock_percent"] is not None and note["clock_percent"] < BAD_CLOCK_PERCENT:
        yield f"clock quality {note['clock_percent']:.0f} %"
