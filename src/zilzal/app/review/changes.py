"""What a version of an event changed, in words."""

from __future__ import annotations

from zilzal.core.event import Event, Magnitude, Origin
from zilzal.core.geo import distance_m
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Pick
from zilzal.core.units import km

SAME_TIME_S = 1e-6
_Key = tuple[StationId, Phase]


def changes_between(before: Event | None, after: Event) -> list[str]:
    """One line a change, in a fixed order; of a first version, what it holds."""
    if before is None:
        picks = len(after.picks)
        place = "located" if isinstance(after.origin, Origin) else f"not located: {_why(after)}"
        return [f"{picks} picks", place]
    return [
        *_picks(before, after),
        *_origin(before, after),
        *_magnitude(before.magnitude, after.magnitude),
        *_type(before, after),
        *_words(before, after),
    ]


def _by_key(event: Event) -> dict[_Key, Pick]:
    return {(p.channel_id.station_id, p.phase): p for p in event.picks}


def _picks(before: Event, after: Event) -> list[str]:
    old, new = _by_key(before), _by_key(after)
    lines = [f"{key[1]} at {key[0]} added" for key in sorted(new.keys() - old.keys())]
    lines += [f"{key[1]} at {key[0]} removed" for key in sorted(old.keys() - new.keys())]
    for key in sorted(old.keys() & new.keys()):
        moved_s = new[key].time - old[key].time
        if abs(moved_s) > SAME_TIME_S:
            lines.append(f"{key[1]} at {key[0]} moved by {moved_s:+.3f} s")
        elif old[key].uncertainty_s != new[key].uncertainty_s:
            lines.append(f"{key[1]} at {key[0]} weighted anew: {new[key].uncertainty_s:.2g} s")
    return lines


def _why(event: Event) -> str:
    return "" if isinstance(event.origin, Origin) else event.origin.reason


def _origin(before: Event, after: Event) -> list[str]:
    old, new = before.origin, after.origin
    if not isinstance(new, Origin):
        if isinstance(old, Origin) or old.reason != new.reason:
            return [f"not located: {new.reason}"]
        return []
    if not isinstance(old, Origin):
        return ["located"]
    away_m = float(distance_m(old.latitude, old.longitude, new.latitude, new.longitude))
    lines: list[str] = []
    if away_m >= 1:
        lines.append(f"epicentre moved by {km(away_m):.2f} km")
    if abs(new.depth_m - old.depth_m) >= 1:
        lines.append(f"depth {km(old.depth_m):.1f} → {km(new.depth_m):.1f} km")
    if abs(new.time - old.time) > 1e-3:
        lines.append(f"origin time moved by {new.time - old.time:+.2f} s")
    if old.quality != new.quality:
        lines.append(f"quality {old.quality} → {new.quality}")
    return lines


def _magnitude(old: Magnitude | None, new: Magnitude | None) -> list[str]:
    if old is None or new is None:
        if old is new:
            return []
        return ["magnitude lost" if new is None else f"{new.type} {new.magnitude:.2f}"]
    if old.type != new.type or abs((old.magnitude or 0) - (new.magnitude or 0)) >= 0.005:
        return [f"{old.type} {old.magnitude:.2f} → {new.type} {new.magnitude:.2f}"]
    return []


def _type(before: Event, after: Event) -> list[str]:
    old, new = before.classification, after.classification
    if (old and old.event_type) == (new and new.event_type):
        return []
    return [f"type {old.event_type if old else 'none'} → {new.event_type if new else 'none'}"]


def _words(before: Event, after: Event) -> list[str]:
    lines: list[str] = []
    if before.evaluation_mode is not after.evaluation_mode:
        lines.append(f"evaluation mode {before.evaluation_mode} → {after.evaluation_mode}")
    if before.comment != after.comment:
        lines.append("comment changed")
    return lines
