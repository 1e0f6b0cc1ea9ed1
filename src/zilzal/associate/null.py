"""How many events chance alone would make: the associator on picks that share no source.

Each station's picks are shifted in time by its own random amount, round the ends of the record.
That keeps everything about the picks (rates, swarms, P with their S) but the agreement between
stations, so that whatever is found is false. An event must then have so many picks that the
found events outnumber the false ones by a stated factor. Shifting is conservative: the picks
of real events stay in, as noise.
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
        picks: at least one.
        generator: of the shifts.
        apart_s: two stations differ by at least about this; twice the network's travel time
            leaves no common source behind.
    """
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


def run_null_test(
    picks: Sequence[Pick],
    sizes_of_events: Callable[[Sequence[Pick]], Sequence[int]],
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
        sizes_of_events: gives the number of picks of each event that the associator makes of
            some picks, with the smallest size allowed.
        largest_false_share: of the found events, in (0, 1).
        apart_s: see `shift_stations`.
        least: smallest size allowed.
        generator: of the shifts.
        trials: number of shifted sets.
    """
    found = np.asarray(sizes_of_events(picks), int)
    false = [
        np.asarray(sizes_of_events(shift_stations(picks, generator, apart_s=apart_s)), int)
        for _ in range(trials)
    ]
    largest = max([least, *found, *(size for sizes in false for size in sizes)]) + 1
    sizes = tuple(range(least, int(largest) + 1))
    n_found = tuple(int((found >= size).sum()) for size in sizes)
    n_false = tuple(float(np.mean([(sizes_ >= size).sum() for sizes_ in false])) for size in sizes)
    chosen = next(
        size
        for size, real, wrong in zip(sizes, n_found, n_false, strict=True)
        if wrong <= largest_false_share * real or wrong == 0
    )
    return NullTest(sizes=sizes, found=n_found, false=n_false, chosen=chosen)
