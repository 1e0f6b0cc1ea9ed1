"""How one station does, as the monitor sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zilzal.app.live.habit import HOUR_S, Habit
from zilzal.app.live.latency import Histogram
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId
from zilzal.core.packet import Link, LinkState, Packet
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.record import record_timing

SILENT_S = 120.0
"""A station from which nothing came for so long is called silent."""
NOISE_S = 600.0
"""The noise of now is that of the last ten minutes, about."""
_VERTICAL = ("Z", "3")
_FLOOR = 0.1
"""Of the noise, in counts: less than a digitiser can tell."""


@dataclass(slots=True, eq=False)
class StationHealth:
    """What has been seen of a station.

    Args:
        packets: taken in.
        arrived: when the last one came.
        data_end: where the newest data end.
        source: that it came from last.
        picks: final ones.
        used: times that a pick of it was in an event's version.
        clock_steps: time stamps that jumped.
        clock_percent: quality of its clock by its own word; None where it does not say.
        is_clock_questionable: by its own word.
        arrival: from a record's last sample to when it came.
        noise_db: rms of the steps between vertical samples, in dB re 1 count.
        gap_share: of the time that its channels lack.
        picks_per_hour: in the time of the data.
    """

    packets: int = 0
    arrived: Time | None = None
    data_end: Time | None = None
    source: str = ""
    picks: int = 0
    used: int = 0
    clock_steps: int = 0
    clock_percent: float | None = None
    is_clock_questionable: bool = False
    arrival: Histogram = field(default_factory=Histogram)
    noise_db: Habit = field(default_factory=lambda: Habit.over(NOISE_S))
    gap_share: Habit = field(default_factory=lambda: Habit.over(HOUR_S))
    picks_per_hour: Habit = field(default_factory=lambda: Habit.over(HOUR_S))
    _vertical: ChannelId | None = None
    _worked_until: Time | None = None

    def hear(self, packet: Packet, trace: Trace) -> None:
        """A record of it came."""
        self.packets += 1
        self.arrived, self.source = packet.arrived, packet.bookmark.source
        end = trace.next_start
        self.data_end = end if self.data_end is None else max(self.data_end, end)
        self.arrival.add(packet.arrived - end)
        channel = trace.channel_id
        if self._vertical is None and channel.component in _VERTICAL:
            self._vertical = channel
        if channel == self._vertical and len(trace.samples) > 1:
            self.noise_db.add(_noise_db(trace), end - trace.start)
            self._hear_clock(packet.record)

    def _hear_clock(self, record: bytes) -> None:
        if not record:
            return
        try:
            timing = record_timing(record)
        except FormatError:
            return
        self.clock_percent = timing.quality_percent
        self.is_clock_questionable = timing.is_questionable

    def note_work(self, picks: int, spans: Sequence[CoverageSpan], until: Time | None) -> None:
        """What a round gave of it.

        Args:
            picks: that became final.
            spans: of its ledger.
            until: how far it has been worked on; None where it is not.
        """
        self.picks += picks
        self.clock_steps += sum(span.reason is Reason.CLOCK_STEP for span in spans)
        missing_s = sum(s.duration_s for s in spans if s.reason is Reason.GAP)
        analysed_s = sum(s.duration_s for s in spans if s.reason.is_analysed)
        if missing_s + analysed_s > 0:
            channels = len({span.channel_id for span in spans})
            told_s = missing_s + analysed_s
            self.gap_share.add(missing_s / told_s, told_s / channels)
        before, self._worked_until = self._worked_until, until
        if before is not None and until is not None and until > before:
            worked_s = until - before
            self.picks_per_hour.add(picks * HOUR_S / worked_s, worked_s)

    def silence(self, links: Mapping[str, Link]) -> str:
        """Why nothing comes, if nothing does: what its source says."""
        if not self.source:
            return "no source has sent anything of it"
        link = links.get(self.source)
        if link is None:
            return f"{self.source} is no source any more"
        if link.state is LinkState.CONNECTED:
            return f"{link.source} is connected and sends nothing of it"
        return f"{link.source} is {link.state}{f': {link.note}' if link.note else ''}"

    def note(self, worked_until: Time | None, links: Mapping[str, Link]) -> dict[str, Any]:
        """For the store."""
        return {
            "packets": self.packets,
            "arrived": str(self.arrived or ""),
            "data_end": str(self.data_end or ""),
            "worked_until": str(worked_until or ""),
            "picks": self.picks,
            "arrival_s": self.arrival.quantile_s(0.5),
            "clock_percent": self.clock_percent,
            "clock_questionable": self.is_clock_questionable,
            "clock_steps": self.clock_steps,
            "noise_db": [self.noise_db.now, self.noise_db.usual],
            "gap_share": [self.gap_share.now, self.gap_share.usual],
            "picks_per_hour": [self.picks_per_hour.now, self.picks_per_hour.usual],
            "silence": self.silence(links),
            "habits": [h.note() for h in (self.noise_db, self.gap_share, self.picks_per_hour)],
        }

    def recall(self, note: Mapping[str, Any]) -> None:
        """Its history, from the store."""
        habits = (self.noise_db, self.gap_share, self.picks_per_hour)
        for habit, numbers in zip(habits, note.get("habits", ()), strict=False):
            habit.recall(numbers)


def _noise_db(trace: Trace) -> float:
    steps = np.diff(trace.samples.astype(np.float64))
    return 20.0 * math.log10(max(float(np.sqrt(np.mean(steps**2))), _FLOOR))
