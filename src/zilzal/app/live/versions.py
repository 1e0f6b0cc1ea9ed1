"""Which revisions of an event become versions in the store: those that tell a person something.

While an event grows it is revised each second. Most of these revisions move it by metres. A
version of its own is for what an operator, a page or an alert would want to know at once; smaller
changes are gathered, and stored with the next one that matters, after a while, or in the end:
when the event's block of time is closed all is stored, so that the catalogue ends as it would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from zilzal.core.event import Event, Origin
from zilzal.core.geo import distance_m
from zilzal.core.pick import Pick

PICK_SHARE = 0.2
"""Picks that came or went matter if they are more than this share of those there were."""
MOVED_SHARE = 0.5
"""A move matters if it is more than this share of the origin's uncertainty before."""
MAGNITUDE_STEP = 0.1
"""A change of magnitude matters from here on."""
SMALL_S = 60.0
"""Changes that do not matter are stored after so long."""
_KEPT = 2_000


@dataclass(slots=True, eq=False)
class Versions:
    """Events as they were stored last, and revisions that are held back.

    Args:
        apart_s: versions of an event are at least so far apart.
    """

    apart_s: float
    _stored: dict[str, tuple[float, Event]] = field(default_factory=dict[str, tuple[float, Event]])
    _held: dict[str, Event] = field(default_factory=dict[str, Event])

    def due(self, events: Iterable[Event], now_s: float, *, all_of_them: bool) -> list[Event]:
        """Those of some revised events and of those held back that are to be stored now.

        Args:
            events: that were revised.
            now_s: by a clock that is never set.
            all_of_them: hold nothing back.
        """
        # An event that is held goes to the end: parts of a merged one are told after each other.
        for event in events:
            self._held.pop(event.id, None)
            self._held[event.id] = event
        found = [e for e in self._held.values() if all_of_them or self._is_due(e, now_s)]
        for event in found:
            del self._held[event.id]
            self._stored.pop(event.id, None)
            if isinstance(event.origin, Origin):
                self._stored[event.id] = now_s, event
        if len(self._stored) > 2 * _KEPT:
            self._stored = dict(list(self._stored.items())[-_KEPT:])
        return found

    def _is_due(self, event: Event, now_s: float) -> bool:
        """The first version and the end of an event always are."""
        if event.id not in self._stored or not isinstance(event.origin, Origin):
            return True
        since_s, before = self._stored[event.id]
        waited_s = now_s - since_s
        return waited_s >= (self.apart_s if matters(before, event) else SMALL_S)


def matters(before: Event, after: Event) -> bool:
    """Whether a person would want to know of a change."""
    if not isinstance(before.origin, Origin) or not isinstance(after.origin, Origin):
        return True
    said = [(e.event_type, e.evaluation_mode, e.magnitude and e.magnitude.type)
            for e in (before, after)]  # fmt: skip
    if said[0] != said[1] or _moved(before.origin, after.origin):
        return True
    sizes = [e.magnitude.magnitude for e in (before, after)
             if e.magnitude is not None and e.magnitude.magnitude is not None]  # fmt: skip
    if len(sizes) == 1 or (len(sizes) == 2 and abs(sizes[1] - sizes[0]) >= MAGNITUDE_STEP):
        return True
    changed = _observed(before.picks) ^ _observed(after.picks)
    return len(changed) > PICK_SHARE * len(before.picks)


def _moved(before: Origin, after: Origin) -> bool:
    """In place, depth or time."""
    away_m = distance_m(before.latitude, before.longitude, after.latitude, after.longitude)
    deeper_m = 0.0 if after.depth_fixed else abs(after.depth_m - before.depth_m)
    return (
        float(away_m) > MOVED_SHARE * before.ellipse.semi_major_m
        or deeper_m > MOVED_SHARE * before.depth_uncertainty_m
        or abs(after.time - before.time) > MOVED_SHARE * before.time_uncertainty_s
    )


def _observed(picks: Iterable[Pick]) -> set[tuple[object, ...]]:
    """Which phases were picked where: a pick that became final is no other one."""
    return {(pick.channel_id.station_id, pick.phase) for pick in picks}
