"""The history of a station over a span of time: how its data came, and where they are missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.stations import State, state_of_age
from zilzal.app.live.station_health import SILENT_S
from zilzal.core.arrays import Array
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import StationId
from zilzal.core.time import Time

Steps = Float64[Array, " step"]
Rows = Float64[Array, " row"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationHistory:
    """A station's history in steps of equal length; NaN where no monitor ran, or none can be told.

    Args:
        start: of the first step.
        step_s: length of each.
        monitored_share: of the step.
        packets_per_min: that came.
        picks_per_hour: that became final.
        arrival_s: mean from a record's last sample to when it came.
        silent_s: the longest time since a packet had come; inf where none ever had.
        data_age_s: of the newest sample, the largest; inf where none ever came.
        behind_s: of the samples that were not yet worked on, the largest.
        noise_db: mean rms of the steps between vertical samples, in dB re 1 count.
        gap_share: of the time of all channels, as the ledger has it.
        gaps: of the ledger, in order of channel and time.
    """

    start: Time
    step_s: float
    monitored_share: Steps
    packets_per_min: Steps
    picks_per_hour: Steps
    arrival_s: Steps
    silent_s: Steps
    data_age_s: Steps
    behind_s: Steps
    noise_db: Steps
    gap_share: Steps
    gaps: Sequence[CoverageSpan]

    @property
    def states(self) -> list[State | None]:
        """How the station did, at its worst; None where no monitor ran."""
        ages = zip(self.silent_s.tolist(), self.data_age_s.tolist(), strict=True)
        return [None if math.isnan(s) else _state(s, age_s) for s, age_s in ages]


def _state(silent_s: float, data_age_s: float) -> State:
    return State.SILENT if silent_s > SILENT_S else state_of_age(data_age_s)


def history_of(
    station_id: StationId, span: tuple[Time, Time], held: Holdings, *, points: int
) -> StationHistory:
    """What the store knows of a station's data in a span, in so many steps."""
    start, end = span
    told = held.store.performance(station_id, start, end)
    ledger = held.store.coverage(start, end, station_id=station_id)
    gaps = [s for s in ledger if s.reason is Reason.GAP]
    steps = _Steps(start=start, length_s=(end - start) / points, count=points)
    pieces = steps.cut([(p.start, p.start + p.span_s) for p in told])
    missing_s = steps.cut([(s.start, s.end) for s in gaps]).total_s
    present = [(s.start, s.end) for s in ledger if s.reason.is_analysed]
    packets_per_s = _column(p.packets / p.span_s for p in told)
    return StationHistory(
        start=start,
        step_s=steps.length_s,
        monitored_share=pieces.total_s / steps.length_s,
        packets_per_min=60.0 * pieces.mean(packets_per_s),
        picks_per_hour=3_600.0 * pieces.mean(_column(p.picks / p.span_s for p in told)),
        arrival_s=pieces.mean(_column(p.arrival_s for p in told), packets_per_s),
        silent_s=pieces.largest(_column((p.silent_s for p in told), math.inf)),
        data_age_s=pieces.largest(_column((p.data_age_s for p in told), math.inf)),
        behind_s=pieces.largest(_column(p.behind_s for p in told)),
        noise_db=pieces.mean(_column(p.noise_db for p in told)),
        gap_share=_ratio(missing_s, missing_s + steps.cut(present).total_s),
        gaps=gaps,
    )


def _column(values: Iterable[float | None], missing: float = math.nan) -> Rows:
    return np.array([missing if value is None else value for value in values], float)


def _ratio(part: Steps, whole: Steps) -> Steps:
    return np.divide(part, whole, out=np.full(len(part), math.nan), where=whole > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """Equal steps of time."""

    start: Time
    length_s: float
    count: int

    def cut(self, stretches: Sequence[tuple[Time, Time]]) -> _Pieces:
        """Stretches of time, cut where steps meet; what lies outside is left out."""
        whole_s = self.length_s * self.count
        begin_s, end_s = (
            np.clip([s[n] - self.start for s in stretches], 0.0, whole_s) for n in (0, 1)
        )
        first = np.minimum((begin_s / self.length_s).astype(int), self.count - 1)
        last = np.minimum((end_s / self.length_s).astype(int), self.count - 1)
        counts = last - first + 1
        row = np.repeat(np.arange(len(counts)), counts)
        step = first[row] + np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
        seconds = np.minimum(end_s[row], (step + 1) * self.length_s) - np.maximum(
            begin_s[row], step * self.length_s
        )
        return _Pieces(row=row, step=step, seconds=np.maximum(seconds, 0.0), count=self.count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Stretches of time that were cut: of which each piece is, in which step, and how long."""

    row: Int[Array, " piece"]
    step: Int[Array, " piece"]
    seconds: Float64[Array, " piece"]
    count: int

    @property
    def total_s(self) -> Steps:
        """Of each step."""
        return np.bincount(self.step, self.seconds, self.count)

    def mean(self, values: Rows, weights: Rows | None = None) -> Steps:
        """Of each step, by time and weight; NaN values do not count."""
        kept = self.seconds if weights is None else self.seconds * weights[self.row]
        kept = np.where(np.isnan(values[self.row]), 0.0, kept)
        total = np.bincount(self.step, kept * np.nan_to_num(values)[self.row], self.count)
        return _ratio(total, np.bincount(self.step, kept, self.count))

    def largest(self, values: Rows) -> Steps:
        """Of each step; NaN values do not count."""
        found = np.full(self.count, -math.inf)
        known = (self.seconds > 0) & ~np.isnan(values[self.row])
        np.maximum.at(found, self.step[known], values[self.row[known]])
        return np.where(found == -math.inf, math.nan, found)
