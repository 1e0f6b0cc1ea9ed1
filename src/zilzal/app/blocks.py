"""Blocks of time on the epoch's grid in which sources are looked for, one after the other.

Sources are a function of the picks alone, not of when they came or where the input was cut: block
k holds the sources from k times `BLOCK_S` on, is searched with the picks that these can have
caused, and leaves the picks that it used to no later block. Both drivers go by it, so that a live
run ends with the events of a run over the archive, and memory does not grow with its length.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zilzal.core.geo import distance_m
from zilzal.core.pick import Pick
from zilzal.core.station import Station
from zilzal.core.time import NS_PER_S, Time

BLOCK_S = 300.0
"""Long against the travel times in a local network, short against the time an analyst waits."""
MARGIN_S = 10.0
"""A source so little before its block is still the block's, if no earlier one took its picks: the
block before it may have placed it here."""
SLOWEST_M_PER_S = 2_500.0
"""No S wave takes longer than at this speed over the distances of a regional network."""
LEAST_REACH_S, LARGEST_REACH_S = 30.0, 300.0
MEMORY = 2
"""Blocks before one whose sources can have picks that it would look at as well."""
OUTSIDE_M = 50_000.0
"""Sources are looked for so far outside the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockGrid:
    """The grid, and how long a source's picks go on after it.

    Args:
        reach_s: the longest travel time that is allowed for.
    """

    reach_s: float

    @classmethod
    def of(cls, stations: Sequence[Station]) -> BlockGrid:
        """For a network: its picks reach as long as S takes across it."""
        if not stations:
            return cls(reach_s=LEAST_REACH_S)
        south, north = (f(s.latitude for s in stations) for f in (min, max))
        west, east = (f(s.longitude for s in stations) for f in (min, max))
        across_m = float(distance_m(south, west, north, east)) + OUTSIDE_M
        return cls(reach_s=min(max(across_m / SLOWEST_M_PER_S, LEAST_REACH_S), LARGEST_REACH_S))

    def number(self, time: Time) -> int:
        """The block that an instant lies in."""
        return time.ns // round(BLOCK_S * NS_PER_S)

    def start(self, number: int) -> Time:
        """Where a block begins."""
        return Time(number * round(BLOCK_S * NS_PER_S))

    def end(self, number: int) -> Time:
        """Where a block ends: the start of the next."""
        return self.start(number + 1)

    def span(self, number: int) -> tuple[Time, Time]:
        """From the first to the last instant of picks that the block's sources can have."""
        return self.start(number) - MARGIN_S, self.end(number) + self.reach_s

    def numbers(self, times: Iterable[Time]) -> list[int]:
        """The blocks whose sources can have picks at some instants, in order."""
        found: set[int] = set()
        for time in times:
            found |= set(range(self.number(time - self.reach_s), self.number(time + MARGIN_S) + 1))
        return sorted(found)

    def reached(self, number: int, picks: Sequence[Pick]) -> Sequence[Pick]:
        """Of picks in order of time those that the block's sources can have."""
        start, end = self.span(number)
        first = bisect_left(picks, start, key=lambda pick: pick.time)
        return picks[first : bisect_left(picks, end, key=lambda pick: pick.time)]

    def accepts(self, number: int, time: Time) -> bool:
        """Whether a source at an instant is the block's."""
        return self.start(number) - MARGIN_S <= time < self.end(number)
