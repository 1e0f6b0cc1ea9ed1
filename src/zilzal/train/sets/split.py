"""Dividing a set into train, dev and test so that nothing of one is known in another.

Never by window: what a split must not divide is joined first. That are the traces of an event,
equal waveforms, and, where groups are drawn at random, events close in time (a doublet, a main
shock and its first aftershocks) and windows that overlap at a station. Where time divides, what
reaches over the cut is left out instead. Stations can be kept apart as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from zilzal.core.errors import ConfigError
from zilzal.train.sets.moments import Moment

UNUSED = "unused"
"""The split of a trace that would make one part known in another."""

Pair = tuple[int, int]


class By(StrEnum):
    """How groups are given to splits."""

    EVENT = "event"
    """At random."""
    TIME = "time"
    """In order of time: the first split is the earliest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """How a set is divided.

    Args:
        fractions: of the traces, by split in order; adds up to 1.
        by: how groups are given to splits.
        stations: share of the stations that only splits after the first may know; 0 divides none.
        apart_s: events whose origins are closer belong together; and so far from a cut in time
            nothing is used.
        seed: of what is drawn.
    """

    fractions: Mapping[str, float] = field(
        default_factory=lambda: {"train": 0.8, "dev": 0.1, "test": 0.1}
    )
    by: By = By.EVENT
    stations: float = 0.0
    apart_s: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        shares = list(self.fractions.values())
        if not shares or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"fractions {dict(self.fractions)}; give shares that add up to 1")
        if not 0 <= self.stations < 1:
            raise ValueError(f"the share of stations is {self.stations}; give 0 to below 1")


def split_traces(
    traces: Sequence[Moment], splitting: Splitting, digests: Sequence[bytes] = ()
) -> list[str]:
    """The split of each trace.

    Args:
        traces: of a set, or of several that are to be divided alike.
        splitting: how.
        digests: of the waveforms, to find equal ones; empty leaves them out of account.

    Raises:
        ConfigError: a trace has no time, and time shall divide; or no station, and stations shall.
    """
    chance = np.random.default_rng(splitting.seed)
    if splitting.by is By.TIME:
        splits = _in_order(traces, splitting, digests)
    else:
        splits = _at_random(grouped(traces, splitting.apart_s, digests), splitting, chance)
    if splitting.stations > 0:
        splits = _with_stations(traces, splits, splitting, chance)
    return splits


def grouped(
    traces: Sequence[Moment], apart_s: float | None, digests: Sequence[bytes] = ()
) -> list[int]:
    """The number of each trace's group; what belongs together has the same.

    Args:
        traces: of a set.
        apart_s: events closer in time belong together, and windows that overlap at a station;
            None leaves time out of account.
        digests: of the waveforms; empty leaves them out of account.
    """
    pairs = [*_equal([trace.event for trace in traces]), *_equal([t.group for t in traces])]
    pairs += _equal(digests)
    if apart_s is not None:
        origins = ((t.origin_s, t.origin_s, n) for n, t in enumerate(traces))
        pairs += near_pairs(origins, apart_s)
        by_station: dict[str, list[tuple[float | None, float | None, int]]] = defaultdict(list)
        for number, trace in enumerate(traces):
            by_station[trace.station].append((trace.start_s, trace.end_s, number))
        by_station.pop("", None)
        for windows in by_station.values():
            pairs += near_pairs(windows, 0.0)
    return _components(len(traces), pairs)


def _equal(keys: Sequence[str | bytes]) -> Iterator[Pair]:
    """Pairs that join the numbers of equal keys; empty keys say nothing."""
    first: dict[str | bytes, int] = {}
    for number, key in enumerate(keys):
        if key:
            yield first.setdefault(key, number), number


def near_pairs(
    spans: Iterable[tuple[float | None, float | None, int]], apart: float
) -> Iterator[Pair]:
    """Pairs that join the numbers of spans (start, end, number) up to `apart` from each other.

    Spans without a start or end are passed over.
    """
    known = sorted((a, b, n) for a, b, n in spans if a is not None and b is not None)
    reach: tuple[float, int] | None = None
    for start, end, number in known:
        if reach is not None and start - reach[0] <= apart:
            yield reach[1], number
        reach = max(reach, (end, number)) if reach is not None else (end, number)


def _components(count: int, pairs: Sequence[Pair]) -> list[int]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), bool), (ends[0], ends[1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].tolist()


def _at_random(
    groups: Sequence[int], splitting: Splitting, chance: np.random.Generator
) -> list[str]:
    """Each group, in random order, to the split that lacks most of its share."""
    numbers, sizes = np.unique(groups, return_counts=True)
    have = dict.fromkeys(splitting.fractions, 0)
    chosen: dict[int, str] = {}
    done = 0
    for place in chance.permutation(len(numbers)).tolist():
        done += int(sizes[place])
        lacks = {name: share * done - have[name] for name, share in splitting.fractions.items()}
        split = max(lacks, key=lambda name: lacks[name])
        have[split] += int(sizes[place])
        chosen[int(numbers[place])] = split
    return [chosen[group] for group in groups]


def _in_order(
    traces: Sequence[Moment], splitting: Splitting, digests: Sequence[bytes]
) -> list[str]:
    """Cut in time; groups that reach over a cut, or come near it, are not used."""
    spans: dict[int, tuple[float, float]] = {}
    groups = grouped(traces, None, digests)
    times: list[float] = []
    for trace, group in zip(traces, groups, strict=True):
        if trace.source_s is None:
            raise ConfigError(
                f"trace {trace.name!r} has neither an origin time nor a start: time cannot divide "
                "the set; divide it by event"
            )
        times.append(trace.source_s)
        ends = [t for t in (trace.origin_s, trace.start_s, trace.end_s) if t is not None]
        low, high = spans.get(group, (np.inf, -np.inf))
        spans[group] = min(low, *ends), max(high, *ends)
    shares = np.cumsum(list(splitting.fractions.values()))[:-1]
    cuts = np.quantile(times, shares)
    names = list(splitting.fractions)
    half_s = splitting.apart_s / 2
    chosen: dict[int, str] = {}
    for group, (start, end) in spans.items():
        before = int(np.searchsorted(cuts, start - half_s))
        after = int(np.searchsorted(cuts, end + half_s))
        chosen[group] = names[before] if before == after else UNUSED
    return [chosen[group] for group in groups]


def _with_stations(
    traces: Sequence[Moment],
    splits: Sequence[str],
    splitting: Splitting,
    chance: np.random.Generator,
) -> list[str]:
    """Take out what would know a station of the first split in another, or the other way round."""
    stations = sorted({trace.station for trace in traces})
    if "" in stations:
        nameless = next(trace.name for trace in traces if not trace.station)
        raise ConfigError(f"trace {nameless!r} has no station code: stations cannot be kept apart")
    count = max(1, round(splitting.stations * len(stations)))
    held_out = {stations[n] for n in chance.permutation(len(stations))[:count]}
    first = next(iter(splitting.fractions))
    return [
        split if (trace.station in held_out) == (split != first) else UNUSED
        for trace, split in zip(traces, splits, strict=True)
    ]
