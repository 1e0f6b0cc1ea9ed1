"""Whether thresholds would be chosen on what they are then scored on."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.time import Time
from zilzal.train.protocol import Identity

_Span = tuple[float, float]


def refuse_overlap(tuning: Sequence[Identity], scored: Sequence[Identity]) -> None:
    """Refuse to choose thresholds on records that are scored, or share an event or time with them.

    Raises:
        ConfigError: they do; the message names examples.
    """
    shared = list(_shared(tuning, scored))
    if shared:
        raise ConfigError(
            f"thresholds would be chosen on what is scored: {len(shared)} of {len(scored)} records "
            f"are known from there, as {'; '.join(shared[:2])}. Choose another set or split with "
            "--tune-on and --tune-split, or give --allow-overlap if you mean it: the scores are "
            "then too good"
        )


def _shared(tuning: Sequence[Identity], scored: Sequence[Identity]) -> Iterator[str]:
    """Scored records that are known from the tuning, and how."""
    names = {(each.source, each.name) for each in tuning}
    events = {event for each in tuning for event in _events(each)}
    busy = _Busy(tuning)
    for each in scored:
        told = f"{each.name} of {each.source}"
        if (each.source, each.name) in names:
            yield f"{told} (the same record)"
        elif events.intersection(_events(each)):
            yield f"{told} (the same event, {each.event})"
        elif busy.holds(each):
            yield f"{told} (the same time at {each.station})"


def _events(each: Identity) -> set[tuple[str, str]]:
    """Names of an event: within its set, and anywhere unless it is a mere number."""
    anywhere = set[tuple[str, str]]() if each.event.isdigit() else {("", each.event)}
    return anywhere | {(each.source, each.event)}


class _Busy:
    """Recorded times by station."""

    def __init__(self, records: Sequence[Identity]) -> None:
        spans: dict[str, list[_Span]] = defaultdict(list)
        for each in records:
            if (span := _span(each)) is not None:
                spans[each.station].append(span)
        self._starts = {station: sorted(first for first, _ in of) for station, of in spans.items()}
        self._ends = {
            station: list(accumulate((last for _, last in sorted(of)), max))
            for station, of in spans.items()
        }

    def holds(self, each: Identity) -> bool:
        """Whether a record shares time with one of its station."""
        span = _span(each)
        if span is None or each.station not in self._starts:
            return False
        before = bisect_left(self._starts[each.station], span[1])
        return before > 0 and self._ends[each.station][before - 1] > span[0]


def _span(each: Identity) -> _Span | None:
    """Start and end [s since 1970] of a record whose station and time are known."""
    if not each.station or not each.record_start:
        return None
    try:
        start_s = Time.parse(each.record_start).ns / 1e9
    except FormatError:
        return None
    return start_s, start_s + each.record_s
