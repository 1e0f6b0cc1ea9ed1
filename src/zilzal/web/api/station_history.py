"""What became of a station's data over a span of time: the ledger, and how they came."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from zilzal.app.display.history import StationHistory, history_of
from zilzal.app.display.stations import State, coverage_of
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import StationId
from zilzal.core.time import Time
from zilzal.web.api.stations import StationCode
from zilzal.web.api.trace_values import holed, numbers
from zilzal.web.api.values import Answer, Asked, Held, Instant, InstantText, parse_time
from zilzal.web.refusal import Refused

router = APIRouter(prefix="/stations", tags=["stations"])

LONGEST_S = 366 * 86_400.0
MOST_GAPS = 500
"""Told one by one, the longest; all are counted."""


class Span(Asked):
    """From when to when, at most 366 days."""

    start: InstantText
    end: InstantText

    @property
    def times(self) -> tuple[Time, Time]:
        """Both ends.

        Raises:
            Refused: the end is not after the start, or too long after it.
        """
        start, end = parse_time(self.start), parse_time(self.end)
        if not 0 < end - start <= LONGEST_S:
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY, "give a start before its end, within 366 days"
            )
        return start, end


class CoverageLine(Answer):
    """Seconds of an hour of a channel that met a fate."""

    channel: str
    hour: Instant
    reason: Reason
    seconds: float


class CoverageAnswer(Answer):
    """The ledger, by channel, hour and reason."""

    total: int
    items: list[CoverageLine]


class HistoryFilter(Span):
    """From when to when, and in how many steps."""

    points: Annotated[int, Field(ge=1, le=2_000)] = 600


class GapAnswer(Answer):
    """A channel's samples that are missing."""

    channel: str
    start: Instant
    end: Instant

    @classmethod
    def of(cls, span: CoverageSpan) -> GapAnswer:
        """From the ledger."""
        return cls(channel=str(span.channel_id), start=span.start, end=span.end)


class HistoryAnswer(Answer):
    """How a station's data came, step by step, as the monitor saw it; null where none ran.

    `state` is the worst of the step, and `silent_s`, `data_age_s` and `behind_s` are the largest
    (null in a monitored step where nothing ever came); the others are means. `noise_db` is the rms
    of the steps between vertical samples, in dB re 1 count. `gap_share` and `gaps` are the
    ledger's: those of all channels, at most the 500 longest, in order of time.
    """

    start: Instant
    step_s: float
    monitored_share: list[float]
    state: list[State | None]
    packets_per_min: list[float | None]
    picks_per_hour: list[float | None]
    arrival_s: list[float | None]
    silent_s: list[float | None]
    data_age_s: list[float | None]
    behind_s: list[float | None]
    noise_db: list[float | None]
    gap_share: list[float | None]
    gap_total: int
    gaps: list[GapAnswer]

    @classmethod
    def of(cls, history: StationHistory) -> HistoryAnswer:
        """From what is displayed."""
        longest = sorted(history.gaps, key=lambda gap: -gap.duration_s)[:MOST_GAPS]
        return cls(
            start=history.start,
            step_s=history.step_s,
            monitored_share=numbers(history.monitored_share),
            state=history.states,
            packets_per_min=holed(history.packets_per_min),
            picks_per_hour=holed(history.picks_per_hour),
            arrival_s=holed(history.arrival_s),
            silent_s=holed(history.silent_s),
            data_age_s=holed(history.data_age_s),
            behind_s=holed(history.behind_s),
            noise_db=holed(history.noise_db),
            gap_share=holed(history.gap_share),
            gap_total=len(history.gaps),
            gaps=[GapAnswer.of(gap) for gap in sorted(longest, key=lambda gap: gap.start)],
        )


@router.get("/{code}/coverage")
def station_coverage(
    held: Held, code: StationCode, wanted: Annotated[Span, Query()]
) -> CoverageAnswer:
    """What was analysed of a station, what was not, and why; at most 366 days at a time."""
    hours = coverage_of(StationId.parse(code), wanted.times, held)
    lines = [
        CoverageLine(channel=str(h.channel_id), hour=h.hour, reason=h.reason, seconds=h.seconds)
        for h in hours
    ]
    return CoverageAnswer(total=len(lines), items=lines)


@router.get("/{code}/history")
def station_history(
    held: Held, code: StationCode, wanted: Annotated[HistoryFilter, Query()]
) -> HistoryAnswer:
    """How a station's data came, and where they are missing; at most 366 days at a time."""
    found = history_of(StationId.parse(code), wanted.times, held, points=wanted.points)
    return HistoryAnswer.of(found)
