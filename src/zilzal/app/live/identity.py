"""Which of the events found now are those that were known before: ids are kept over revisions.

While an event grows it keeps the id that it was given first. When its picks are final it gets the
name that a run over the files gives it, `app.events.event_id` of its picks: mostly the one that it
has. So monitors that saw the same data in another order, and a run, end with the same ids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from zilzal.app.blocks import BlockGrid
from zilzal.core.event import EvaluationMode, Event, Unlocated
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase

SAME_PICK_S = 1.0
"""Picks of a station and phase closer than this are one pick, preliminary and final."""
LEAST_SHARE = 0.3
"""An event is the known one if it has so much of the smaller one's picks."""

_Key = tuple[StationId, Phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """Events with their ids.

    Args:
        events: that were found, in the order in which they were.
        gone: known ones that no longer go by their id, unlocated, with the reason.
        renamed: new ids by the ones that they are in the place of.
    """

    events: tuple[Event, ...]
    gone: tuple[Event, ...]
    renamed: Mapping[str, str]


def identify(
    found: Sequence[Event],
    known: Mapping[str, Event],
    blocks: Collection[int],
    grid: BlockGrid,
    settled: Mapping[int, str],
) -> Identified:
    """Give events the ids of the known ones that they continue, or their final ones.

    Pairs are matched by the number of picks that they share, most first. Of an event that fell in
    two the larger part keeps the id; of two that became one, the id of that with more picks in it
    is kept, and the other is told to be merged into it. Known events outside the blocks are left
    alone, and the ids of reviewed ones are theirs for ever.

    Args:
        found: in the blocks.
        known: by id, as they were.
        blocks: that were looked at.
        grid: of the blocks.
        settled: final ids, by place among the found, of those whose picks are final.
    """
    here = {i for i, e in known.items() if grid.number(e.time) in blocks}
    # An event may have moved over the edge of its block.
    near = {i: e for i, e in known.items() if _is_near(e, blocks, grid)}
    heirs, continued = _match(found, near)
    names = _names(found, known, continued, settled)
    renamed = {
        before: names[number] for number, before in continued.items() if names[number] != before
    }
    events = tuple(
        event if name == event.id else replace(event, id=name)
        for event, name in zip(found, names, strict=True)
    )
    gone = tuple(
        replace(
            known[before],
            origin=Unlocated(reason=_why(before, heirs, renamed, names), time=known[before].time),
        )
        for before in sorted((here | renamed.keys()) - set(names))
    )
    return Identified(events=events, gone=gone, renamed=renamed)


def _match(
    found: Sequence[Event], known: Mapping[str, Event]
) -> tuple[dict[str, int], dict[int, str]]:
    """Who has most of each known event's picks; and which known event each found one continues."""
    pairs = sorted(
        (-shared, event.time.ns, before.id, number)
        for number, event in enumerate(found)
        for before in known.values()
        if (shared := _shared(event, before))
        >= LEAST_SHARE * max(min(len(event.picks), len(before.picks)), 1)
    )
    heirs: dict[str, int] = {}
    continued: dict[int, str] = {}
    for _, _, before_id, number in pairs:
        heirs.setdefault(before_id, number)
        if number not in continued and before_id not in continued.values():
            continued[number] = before_id
    return heirs, continued


def _names(
    found: Sequence[Event],
    known: Mapping[str, Event],
    continued: Mapping[int, str],
    settled: Mapping[int, str],
) -> list[str]:
    """An id for each: of a reviewed event, the final one, the one it has, or a new one."""
    reviewed = {i for i, e in known.items() if e.evaluation_mode is EvaluationMode.MANUAL}
    names = {n: before for n, before in continued.items() if before in reviewed}
    for wanted in (settled, continued):
        for number, name in wanted.items():
            if number not in names and name not in {*names.values(), *reviewed}:
                names[number] = name
    for number, event in enumerate(found):
        if number not in names:
            names[number] = _free_name(event.id, {*names.values(), *known})
    return [names[number] for number in range(len(found))]


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


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name, or with a letter where another event has it already."""
    letters = (f"{name}{letter}" for letter in ("", *"bcdefghijklmnopqrstuvwxyz"))
    return next(free for free in letters if free not in taken)


def _why(
    before_id: str, heirs: Mapping[str, int], renamed: Mapping[str, str], names: Sequence[str]
) -> str:
    if before_id in renamed:
        return f"renamed {renamed[before_id]}, after its final first pick"
    if before_id in heirs:
        return f"merged into {names[heirs[before_id]]}"
    return "dissolved: its picks no longer make an event"
