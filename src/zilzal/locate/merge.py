"""A big event that the associator split is made one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zilzal.core.event import Association, Origin, Unlocated
from zilzal.core.geo import distance_m
from zilzal.core.pick import Pick
from zilzal.core.stage import Locator
from zilzal.core.station import Station
from zilzal.locate.observations import Key, key_of

Solved = tuple[Association, Origin | Unlocated]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRule:
    """When two groups of picks are tried, and believed, as one source.

    Args:
        max_time_s: between their origins.
        max_distance_m: between their epicentres.
        max_shared: picks of the same station and phase but other times, as a share of the
            smaller group: two sources that both groups saw are two.
        min_used_share: of the joint picks that must fit the joint origin.
        max_rms_growth: the joint rms over the larger of the two.
        least_rms_s: below this rms growth does not matter.
    """

    max_time_s: float = 8.0
    max_distance_m: float = 60_000.0
    max_shared: float = 0.25
    min_used_share: float = 0.85
    max_rms_growth: float = 1.5
    least_rms_s: float = 0.25


def merge_split(
    solutions: Sequence[Solved],
    locator: Locator,
    stations: Sequence[Station],
    rule: MergeRule | None = None,
) -> list[Solved]:
    """Join groups that one source explains; the rest comes back as it was, in order of time.

    Pairs that are close in time and space and whose picks do not contradict each other are
    located together, the earliest first, until no pair fits one origin.
    """
    rule = rule or MergeRule()
    left = sorted(solutions, key=_order)
    merged: list[Solved] = []
    while left:
        first = left.pop(0)
        position = 0
        while position < len(left) and left[position][1].time - first[1].time <= rule.max_time_s:
            joint = _join(first, left[position], locator, stations, rule)
            if joint is None:
                position += 1
            else:
                del left[position]
                first, position = joint, 0
        merged.append(first)
    return sorted(merged, key=_order)


def _order(solved: Solved) -> tuple[object, ...]:
    association, origin = solved
    return origin.time, association.picks[0].id if association.picks else ""


def _join(
    one: Solved, other: Solved, locator: Locator, stations: Sequence[Station], rule: MergeRule
) -> Solved | None:
    """The two as one, or None where they are two."""
    origins = [o for _, o in (one, other) if isinstance(o, Origin)]
    if not origins or not _may_be_one(one, other, rule):
        return None
    larger, smaller = sorted((one, other), key=lambda s: -len(s[0].picks))
    picks = _united(larger[0].picks, smaller[0].picks)
    if len(picks) == len(larger[0].picks) and isinstance(larger[1], Origin):
        return larger
    association = replace(larger[0], picks=picks)
    joint = locator.locate(association, stations)
    if isinstance(joint, Unlocated):
        return None
    used = sum(arrival.weight > 0 for arrival in joint.arrivals)
    before = max(sum(a.weight > 0 for a in origin.arrivals) for origin in origins)
    rms_s = rule.max_rms_growth * max(rule.least_rms_s, *(origin.rms_s for origin in origins))
    fits = used >= rule.min_used_share * len(picks) and joint.rms_s <= rms_s and used > before
    return (association, joint) if fits else None


def _may_be_one(one: Solved, other: Solved, rule: MergeRule) -> bool:
    """Whether two are close, and few stations saw both at different times."""
    if isinstance(one[1], Origin) and isinstance(other[1], Origin):
        a, b = one[1], other[1]
        apart_m = float(distance_m(a.latitude, a.longitude, b.latitude, b.longitude))
        if apart_m > rule.max_distance_m:
            return False
    first, second = ({key_of(p): p for p in solved[0].picks} for solved in (one, other))
    contradicting = sum(first[key].time != second[key].time for key in first.keys() & second.keys())
    return contradicting <= rule.max_shared * min(len(first), len(second))


def _united(larger: Sequence[Pick], smaller: Sequence[Pick]) -> tuple[Pick, ...]:
    """All picks in order of time; where both have a station and phase, those of the larger."""
    taken: set[Key] = {key_of(pick) for pick in larger}
    added = [pick for pick in smaller if key_of(pick) not in taken]
    return tuple(sorted([*larger, *added], key=lambda pick: (pick.time, pick.id)))
