"""An analyst's judgement: actions on events, their consequences, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zilzal.app.display.holdings import Holdings
from zilzal.app.events import event_id
from zilzal.app.review.actions import Action, apply_all
from zilzal.app.review.solution import association_of, solve_again
from zilzal.core.errors import DataError
from zilzal.core.event import Event, Unlocated
from zilzal.core.ids import StationId
from zilzal.core.pick import EvaluationMode, Phase, Pick


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Events as they are to be, and the versions that were judged.

    Args:
        events: the one that was asked for first.
        bases: versions by id; a new event has none.
    """

    events: tuple[Event, ...]
    bases: Mapping[str, int]


def review(event: Event, actions: Sequence[Action], held: Holdings) -> Judgement:
    """What actions make of an event; located and measured anew where its picks changed.

    Raises:
        DataError: an action cannot be done to it.
    """
    judged = apply_all(event, actions)
    if _picking(judged) != _picking(event):
        judged = solve_again(judged, held)
    return Judgement(events=(judged,), bases={event.id: event.version})


def merge(events: Sequence[Event], held: Holdings) -> Judgement:
    """Make one of several: the first keeps its id and gets all picks, one a station and phase.

    Of two picks of one phase the manual one stays, or else the more probable one.

    Raises:
        DataError: there are fewer than two, or one comes twice.
    """
    if len({event.id for event in events}) != len(events) or len(events) < 2:
        raise DataError("merging takes two or more different events")
    first, *others = events
    best: dict[tuple[StationId, Phase], Pick] = {}
    for pick in (pick for event in events for pick in event.picks):
        key = pick.channel_id.station_id, pick.phase
        if key not in best or _rank(pick) > _rank(best[key]):
            best[key] = pick
    detections = {d.id: d for event in events for d in event.detections}
    united = replace(
        first,
        picks=tuple(sorted(best.values(), key=lambda p: (p.time, p.id))),
        detections=tuple(sorted(detections.values(), key=lambda d: (d.start, d.id))),
        evaluation_mode=EvaluationMode.MANUAL,
    )
    return Judgement(
        events=(
            solve_again(united, held),
            *(_retracted(e, f"merged into {first.id} by an analyst") for e in others),
        ),
        bases={event.id: event.version for event in events},
    )


def split(event: Event, pick_ids: Sequence[str], held: Holdings) -> Judgement:
    """Make two of one: the named picks become a new event's.

    Raises:
        DataError: they are not picks of it, or all or none of them.
    """
    wanted = set(pick_ids)
    gone = tuple(pick for pick in event.picks if pick.id in wanted)
    kept = tuple(pick for pick in event.picks if pick.id not in wanted)
    if len(gone) != len(wanted):
        raise DataError(f"event {event.id} does not have all of these picks; look at it again")
    if not gone or not kept:
        raise DataError("splitting needs some of the event's picks, not all and not none")
    stays = replace(event, picks=kept, evaluation_mode=EvaluationMode.MANUAL)
    leaves = replace(stays, id="", version=1, picks=gone, comment="", detections=())
    leaves = replace(leaves, id=_free_id(leaves, held))
    return Judgement(
        events=(solve_again(stays, held), solve_again(leaves, held)),
        bases={event.id: event.version},
    )


def undo(event: Event, held: Holdings) -> Judgement:
    """The event as it was before what was judged last; again and again, back to the beginning.

    A version that says what an earlier one says is an undoing: the next step back is from there.

    Raises:
        DataError: there is nothing to take back.
    """
    stamps = {s.version: s.content for s in held.store.stamps(event.id)}
    content = stamps[event.version]
    same = [v for v, c in stamps.items() if c == content and v < event.version]
    target = (max(same) if same else event.version) - 1
    if target < 1:
        raise DataError(f"event {event.id} is as it was first; there is nothing to take back")
    before = held.store.event(event.id, target)
    assert before is not None
    return Judgement(events=(before,), bases={event.id: event.version})


def _picking(event: Event) -> list[tuple[str, float]]:
    """All that location sees of the picks."""
    return [(pick.id, pick.uncertainty_s) for pick in event.picks]


def _rank(pick: Pick) -> tuple[bool, float]:
    return pick.evaluation_mode is EvaluationMode.MANUAL, pick.probability


def _retracted(event: Event, reason: str) -> Event:
    return replace(
        event,
        origin=Unlocated(reason=reason, time=event.time),
        magnitudes=(),
        evaluation_mode=EvaluationMode.MANUAL,
    )


def _free_id(event: Event, held: Holdings) -> str:
    """What the machine would call it, or with a letter where another event has that id."""
    name = event_id(association_of(event).picks)
    letters = (f"{name}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
    free = (n for n in (name, *letters) if held.store.event(n) is None)
    return next(free)
