"""How many events chance alone would make: the associator on picks that share no source.

Each station's picks are shifted in time by its own random amount, round the ends of the record.
That keeps everything about the picks (rates, swarms, P with their S) but the agreement between
stations, so that whatever is found is false. An event must then have so many picks that the
found events outnumber the false ones by a stated factor.

Picks of real events are no noise, and in a sequence most picks are of real events. So the test
has two rounds: the first, on all picks, finds the size from which on events are certain; the
second looks at the picks that these leave over, since only they can make an event by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zilzal.core.ids import StationId
from zilzal.core.pick import Pick
from zilzal.core.time import Time

LARGEST_SHIFT_S = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NullTest:
    """Events with at least so many picks, found and false.

    Args:
        sizes: least numbers of picks, ascending.
        found: events in the picks as they are.
        false: events in the shifted picks, mean over the trials.
        chosen: the least number of picks whose false share is small enough.
    """

    sizes: tuple[int, ...]
    found: tuple[int, ...]
    false: tuple[float, ...]
    chosen: int

    @property
    def false_share(self) -> float:
        """Share of the found events that chance alone explains, at the chosen size."""
        at = self.sizes.index(self.chosen)
        return min(1.0, self.false[at] / max(self.found[at], 1))


def shift_stations(
    picks: Sequence[Pick], generator: np.random.Generator, *, apart_s: float
) -> list[Pick]:
    """The picks with each station moved by its own time, wrapped round the span of all.

    Args:
        picks: in any order; none give none.
        generator: of the shifts.
        apart_s: two stations differ by at least about this; twice the network's travel time
            leaves no common source behind.
    """
    if not picks:
        return []
    first = min(pick.time for pick in picks)
    span_s = max(max(pick.time for pick in picks) - first, 1.0)
    stations = sorted({pick.channel_id.station_id for pick in picks})
    step_s = min(apart_s, span_s / (len(stations) + 1))
    reach_s = max(min(LARGEST_SHIFT_S, span_s), step_s * len(stations))
    # A random permutation of evenly spaced slots: distinct for every pair of stations.
    slots = generator.permutation(max(int(reach_s / step_s), len(stations)))[: len(stations)]
    shift_s: dict[StationId, float] = {
        station: float((slot + generator.uniform(0, 0.5)) * step_s)
        for station, slot in zip(stations, slots, strict=True)
    }

    def moved(time: Time, station: StationId) -> Time:
        return first + ((time - first) + shift_s[station]) % span_s

    shifted = [replace(p, time=moved(p.time, p.channel_id.station_id)) for p in picks]
    return sorted(shifted, key=lambda pick: (pick.time, pick.id))


def busiest(picks: Sequence[Pick], number: int) -> Sequence[Pick]:
    """The stretch of so many consecutive picks, in order of time, that took the least time."""
    ordered = sorted(picks, key=lambda pick: (pick.time, pick.id))
    if len(ordered) <= number:
        return ordered
    times_ns = np.array([pick.time.ns for pick in ordered])
    first = int(np.argmin(times_ns[number - 1 :] - times_ns[: len(times_ns) - number + 1]))
    return ordered[first : first + number]


def run_null_test(
    picks: Sequence[Pick],
    events_of: Callable[[Sequence[Pick], int], Sequence[Sequence[Pick]]],
    *,
    largest_false_share: float,
    apart_s: float,
    least: int,
    generator: np.random.Generator,
    trials: int = 2,
) -> NullTest:
    """Choose the number of picks that makes an event.

    Args:
        picks: as they are.
        events_of: gives the picks of each event that the associator makes of some picks with at
            least so many each.
        largest_false_share: of the found events, in (0, 1).
        apart_s: see `shift_stations`.
        least: smallest size allowed.
        generator: of the shifts.
        trials: number of shifted sets.
    """

    def shifted(among: Sequence[Pick], size: int) -> list[int]:
        moved = shift_stations(among, generator, apart_s=apart_s)
        return [len(event) for event in events_of(moved, size)]

    found, false = events_of(picks, 2 * least), [shifted(picks, 2 * least)]
    first = _choose([len(e) for e in found], false, 2 * least, largest_false_share)
    certain = [event for event in found if len(event) >= first.chosen]
    explained = {pick.id for event in certain for pick in event}
    rest = [pick for pick in picks if pick.id not in explained]
    found = events_of(rest, least)
    false = [shifted(rest, least) for _ in range(trials)]
    sizes = [len(event) for event in [*certain, *found]]
    return _choose(sizes, false, least, largest_false_share)


def _choose(
    found: Sequence[int], false: Sequence[Sequence[int]], least: int, largest_false_share: float
) -> NullTest:
    """The least size at which, and above which, few enough events are false."""
    largest = max([least, *found, *(size for sizes in false for size in sizes)]) + 1
    sizes = tuple(range(least, largest + 1))
    n_found = tuple(sum(f >= size for f in found) for size in sizes)
    n_false = tuple(float(np.mean([sum(f >= size for f in fs) for fs in false])) for size in sizes)
    chosen = next(
        size
        for size, real, wrong in zip(sizes, n_found, n_false, strict=True)
        if wrong <= largest_false_share * real
    )
    return NullTest(sizes=sizes, found=n_found, false=n_false, chosen=chosen)
