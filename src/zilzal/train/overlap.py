"""Whether thresholds would be chosen on what they are then scored on."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.time import Time
from zilzal.train.case import Case

_Span = tuple[float, float, str]


def refuse_overlap(tuning: Sequence[Case], scored: Sequence[Case]) -> None:
    """Refuse to choose thresholds on windows that share records, events or time with the scored.

    Raises:
        ConfigError: they do; the message names examples.
    """
    shared = list(dict.fromkeys(_shared(tuning, scored)))
    if shared:
        examples = ", ".join(shared[:3])
        raise ConfigError(
            f"thresholds would be chosen on what is scored: {len(shared)} records or events are "
            f"in both, as {examples}. Choose another set or split with --tune-on and --tune-split, "
            "or say --allow-overlap if you mean it; the scores are then too good"
        )


def _shared(tuning: Sequence[Case], scored: Sequence[Case]) -> Iterator[str]:
    known = {name for case in tuning for name in _names(case)}
    for case in scored:
        yield from (name for name in _names(case) if name in known)
    spans = _spans(tuning)
    for station, found in _spans(scored).items():
        yield from _at_one_station(station, spans.get(station, []), found)


def _names(case: Case) -> Iterator[str]:
    """What a record shares with others of its event: their names, within a set or anywhere.

    A mere number as an event's name means something within its set only.
    """
    trial = case.trial
    yield f"record {trial.name} of {trial.source}"
    yield f"event {trial.event} of {trial.source}"
    if not trial.event.isdigit():
        yield f"event {trial.event}"


def _spans(cases: Iterable[Case]) -> dict[str, list[_Span]]:
    """Recorded times by station, in order: start and end [s since 1970] and the record's name."""
    spans: dict[str, set[_Span]] = defaultdict(set)
    for case in cases:
        if case.station and case.record_start:
            try:
                start_s = Time.parse(case.record_start).ns / 1e9
            except FormatError:
                continue
            spans[case.station].add((start_s, start_s + case.record_s, case.trial.name))
    return {station: sorted(found) for station, found in spans.items()}


def _at_one_station(station: str, left: Sequence[_Span], right: Sequence[_Span]) -> Iterator[str]:
    """Records of the right that share time with one of the left, which is in order of start."""
    starts = [start_s for start_s, _, _ in left]
    latest_end = list(accumulate((end_s for _, end_s, _ in left), max))
    for start_s, end_s, name in right:
        before = bisect_left(starts, end_s)
        if before and latest_end[before - 1] > start_s:
            yield f"time of {name} at {station}"
