"""What was analysed, what was skipped, and why: the ledger against silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time

HOUR_S = 3_600


class Reason(StrEnum):
    """What became of a span of a channel's time."""

    ANALYSED = "analysed"
    GAP = "gap"
    """No samples came."""
    OVERLAP = "overlap"
    """The same time came again with the same samples; the repeat was dropped."""
    CONTRADICTION = "contradiction"
    """The same time came again with other samples; the first were kept."""
    OUT_OF_ORDER = "out_of_order"
    """It came after later data had been analysed."""
    CLOCK_STEP = "clock_step"
    """The time stamps jumped backwards."""
    ZERO_FILLED = "zero_filled"
    """A run of exact zeros, as gap fillers write."""
    DEAD = "dead"
    """A constant value for longer than a live sensor gives."""
    CLIPPED = "clipped"
    """Analysed, but at the digitiser's limits: no amplitudes from it."""
    RATE_CHANGE = "rate_change"
    """The sampling rate changed here; state was started anew."""
    CORRUPT = "corrupt"
    """A record that could not be decoded."""
    TOO_SHORT = "too_short"
    """A piece shorter than the method needs."""
    NO_METADATA = "no_metadata"
    """The channel is not in the inventory at that time."""
    NO_RESPONSE = "no_response"
    """Analysed, but without a usable response: no amplitudes from it."""
    NOT_CHOSEN = "not_chosen"
    """Another sensor of the station was preferred."""
    FAILED = "failed"
    """A stage raised an error on it; the log has the message."""
    SHED = "shed"
    """Left out because the machine could not keep up."""

    @property
    def is_analysed(self) -> bool:
        """Whether samples of such a span reached the picker."""
        return self in (Reason.ANALYSED, Reason.CLIPPED, Reason.NO_RESPONSE)


@dataclass(frozen=True, slots=True, order=True)
class CoverageSpan:
    """One stretch of a channel's time and what became of it; `end` is exclusive."""

    channel_id: ChannelId
    start: Time
    end: Time
    reason: Reason
    note: str = ""

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, order=True)
class CoverageHour:
    """A channel's hour of the ledger: seconds by reason."""

    channel_id: ChannelId
    hour: Time
    reason: Reason
    seconds: float


def tally_hours(spans: Iterable[CoverageSpan]) -> list[CoverageHour]:
    """Add spans up by channel, UTC hour and reason, in that order."""
    sums: dict[tuple[ChannelId, Time, Reason], float] = {}
    hour_ns = HOUR_S * NS_PER_S
    for span in spans:
        start_ns = span.start.ns
        while start_ns < span.end.ns:
            end_ns = min(span.end.ns, (start_ns // hour_ns + 1) * hour_ns)
            key = (span.channel_id, Time(start_ns // hour_ns * hour_ns), span.reason)
            sums[key] = sums.get(key, 0.0) + (end_ns - start_ns) / NS_PER_S
            start_ns = end_ns
    return [CoverageHour(*key, seconds) for key, seconds in sorted(sums.items())]
