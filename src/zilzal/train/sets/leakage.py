"""What a model could know of one split from another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zilzal.train.sets.moments import Moment
from zilzal.train.sets.split import UNUSED


class Leak(StrEnum):
    """How two traces of different splits may know each other."""

    EVENT = "same event"
    GROUP = "same group of events"
    ORIGIN = "same source time at the same station"
    OVERLAP = "windows that overlap at the same station"
    WAVEFORM = "same waveform"


@dataclass(frozen=True, slots=True)
class Leakage:
    """One leak: two traces, an example of what they share, and how many such pairs there are.

    Args:
        leak: of which kind.
        what: the event, the station or the waveform's first trace.
        one: a trace of one split.
        other: a trace of another.
        splits: of the two.
    """

    leak: Leak
    what: str
    one: str
    other: str
    splits: tuple[str, str]


def find_leaks(
    traces: Sequence[Moment], *, source_time_s: float = 1.0, digests: Sequence[bytes] = ()
) -> list[Leakage]:
    """All leaks between splits, one line for each thing and pair of splits.

    Traces in no split, or in `unused`, count as in none.

    Args:
        traces: of a set, or of several that are used together.
        source_time_s: sources whose times differ less are taken for one, at one station.
        digests: of the waveforms; empty leaves them out of account.
    """
    used = [n for n, trace in enumerate(traces) if trace.split not in ("", UNUSED)]
    found: list[Leakage] = []
    for leak, key in ((Leak.EVENT, "event"), (Leak.GROUP, "group")):
        found += _shared(leak, traces, {n: getattr(traces[n], key) for n in used})
    if digests:
        found += _shared(Leak.WAVEFORM, traces, {n: digests[n] for n in used if digests[n]})
    by_station: dict[str, list[int]] = defaultdict(list)
    for number in used:
        by_station[traces[number].station].append(number)
    by_station.pop("", None)
    for station in sorted(by_station):
        here = [traces[number] for number in by_station[station]]
        found += _near(Leak.ORIGIN, station, here, source_time_s)
        found += _near(Leak.OVERLAP, station, here, 0.0)
    return found


def _shared(
    leak: Leak, traces: Sequence[Moment], keys: dict[int, str] | dict[int, bytes]
) -> Iterator[Leakage]:
    """What is in more than one split."""
    first: dict[str | bytes, dict[str, Moment]] = defaultdict(dict)
    for number, key in keys.items():
        if key:
            first[key].setdefault(traces[number].split, traces[number])
    for key, by_split in first.items():
        one, *others = by_split.values()
        what = key if isinstance(key, str) else one.name
        for other in others:
            yield Leakage(leak, what, one.name, other.name, (one.split, other.split))


def _near(leak: Leak, station: str, here: Sequence[Moment], apart_s: float) -> Iterator[Leakage]:
    """Neighbours in time at a station that are in different splits."""
    known = ((_span(leak, trace), trace) for trace in here)
    spans = sorted(
        ((span, trace) for span, trace in known if span is not None),
        key=lambda one: (one[0], one[1].name),
    )
    open_spans: list[tuple[float, Moment]] = []
    told: set[tuple[str, str, str]] = set()
    for (start, end), trace in spans:
        open_spans = [(e, t) for e, t in open_spans if start - e <= apart_s]
        for _, other in open_spans:
            key = (other.split, trace.split, trace.name)
            same_known = leak is Leak.ORIGIN and other.event == trace.event
            if other.split != trace.split and not same_known and key not in told:
                told.add(key)
                splits = other.split, trace.split
                yield Leakage(leak, station, other.name, trace.name, splits)
        open_spans.append((end, trace))


def _span(leak: Leak, trace: Moment) -> tuple[float, float] | None:
    """What of a trace must not touch that of another."""
    start, end = (
        (trace.origin_s, trace.origin_s) if leak is Leak.ORIGIN else (trace.start_s, trace.end_s)
    )
    return None if start is None or end is None else (start, end)
