"""Which of the events found now are those that were known before: ids are kept over revisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from zilzal.app.blocks import BlockGrid
from zilzal.core.event import Event, Unlocated
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase

SAME_PICK_S = 1.0
"""Picks of a station and phase closer than this are one pick, preliminary and final."""
LEAST_SHARE = 0.3
"""An event is the known one if it has so much of the smaller one's picks."""

_Key = tuple[StationId, Phase]


def identify(
    found: Sequence[Event],
    known: Mapping[str, Event],
    blocks: Collection[int],
    grid: BlockGrid,
) -> tuple[list[Event], list[Event]]:
    """Events with the ids of the known ones that they continue; and the known ones that are gone.

    Pairs are matched by the number of picks that they share, most first. Of an event that fell in
    two the larger part keeps the id; of two that became one, the id of that with more picks in it
    is kept, and the other is told to be merged into it. Known events outside the blocks are left
    alone.

    Args:
        found: in the blocks.
        known: by id, as they were.
        blocks: that were looked at.
        grid: of the blocks.
    """
    here = {i: e for i, e in known.items() if grid.number(e.time) in blocks}
    # An event may have moved over the edge of its block.
    near = {i: e for i, e in known.items() if _is_near(e, blocks, grid)}
    pairs = sorted(
        (
            (-shared, event.time.ns, before.id, number)
            for number, event in enumerate(found)
            for before in near.values()
            if (shared := _shared(event, before))
            >= LEAST_SHARE * max(min(len(event.picks), len(before.picks)), 1)
        ),
    )
    ids: dict[int, str] = {}
    taken: set[str] = set()
    heirs: dict[str, int] = {}
    for _, _, before_id, number in pairs:
        heirs.setdefault(before_id, number)
        if number not in ids and before_id not in taken:
            ids[number] = before_id
            taken.add(before_id)
    named: list[Event] = []
    for number, event in enumerate(found):
        name = ids.get(number) or _free_name(event.id, taken, known)
        taken.add(name)
        ids[number] = name
        named.append(event if name == event.id else replace(event, id=name))
    gone = [
        replace(event, origin=Unlocated(reason=_why(before_id, heirs, ids), time=event.time))
        for before_id, event in here.items()
        if before_id not in taken
    ]
    return named, gone


def _is_near(event: Event, blocks: Collection[int], grid: BlockGrid) -> bool:
    number = grid.number(event.time)
    return any(n in blocks for n in (number - 1, number, number + 1))


def _shared(one: Event, other: Event) -> int:
    """How many picks two events have in common, whether preliminary or final."""
    times: dict[_Key, int] = {(p.channel_id.station_id, p.phase): p.time.ns for p in other.picks}
    return sum(
        abs(p.time.ns - times[key]) <= SAME_PICK_S * 1e9
        for p in one.picks
        if (key := (p.channel_id.station_id, p.phase)) in times
    )


def _free_name(name: str, taken: set[str], known: Mapping[str, Event]) -> str:
    """The name, or with a letter where another event has it already."""
    if name not in taken and name not in known:
        return name
    letters = (f"{name}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
    return next(free for free in letters if free not in taken and free not in known)


def _why(before_id: str, heirs: Mapping[str, int], ids: Mapping[int, str]) -> str:
    if before_id in heirs:
        return f"merged into {ids[heirs[before_id]]}"
    return "dissolved: its picks no longer make an event"
