"""Judging events: every answer is the event as it now is, or would be."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.section import predicted_arrivals
from zilzal.app.review import actions, judgement
from zilzal.app.review.changes import changes_between
from zilzal.app.review.judgement import Judgement
from zilzal.core.event import Event, EventType
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Onset, Phase, Polarity
from zilzal.web.access.gate import address_of, analyst, gate_of
from zilzal.web.access.roles import Visitor
from zilzal.web.api.event import EventId
from zilzal.web.api.event_values import EventAnswer
from zilzal.web.api.values import Answer, Asked, Held, Instant
from zilzal.web.refusal import Refused, not_found

router = APIRouter(prefix="/events", tags=["review"])

Analyst = Annotated[Visitor, Depends(analyst)]
PickId = Annotated[str, Field(max_length=100)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Uncertainty = Annotated[
    float, Field(ge=actions.SMALLEST_UNCERTAINTY_S, le=actions.LARGEST_UNCERTAINTY_S)
]


class MovePick(Asked):
    """Put a pick elsewhere."""

    kind: Literal["move_pick"]
    pick_id: PickId
    time: Instant
    uncertainty_s: Uncertainty | None = None

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.MovePick(
            pick_id=self.pick_id, time=self.time, uncertainty_s=self.uncertainty_s
        )


class AddPick(Asked):
    """Set a pick on a channel (network.station.location.channel)."""

    kind: Literal["add_pick"]
    channel: Annotated[str, Field(max_length=40)]
    phase: Phase
    time: Instant
    uncertainty_s: Uncertainty = actions.MANUAL_UNCERTAINTY_S
    onset: Onset | None = None
    polarity: Polarity | None = None

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.AddPick(
            channel_id=ChannelId.parse(self.channel),
            phase=self.phase,
            time=self.time,
            uncertainty_s=self.uncertainty_s,
            onset=self.onset,
            polarity=self.polarity,
        )


class DeletePick(Asked):
    """Take a pick out of the event."""

    kind: Literal["delete_pick"]
    pick_id: PickId

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.DeletePick(pick_id=self.pick_id)


class WeightPick(Asked):
    """Say how sure a pick is; its share in the location goes with 1 / uncertainty^2."""

    kind: Literal["weight_pick"]
    pick_id: PickId
    uncertainty_s: Uncertainty

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.WeightPick(pick_id=self.pick_id, uncertainty_s=self.uncertainty_s)


class SetType(Asked):
    """Say what kind of event it is."""

    kind: Literal["set_type"]
    event_type: EventType

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.SetType(event_type=self.event_type)


class Confirm(Asked):
    """Say that the event is as it stands."""

    kind: Literal["confirm"]

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.Confirm()


class Reject(Asked):
    """Say that there was no event: its type becomes "not existing"."""

    kind: Literal["reject"]

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.Reject()


class Comment(Asked):
    """Say something for people, in the place of what was said; it is never taken for HTML."""

    kind: Literal["comment"]
    text: Annotated[str, Field(max_length=10_000)]

    def action(self) -> actions.Action:
        """As a value of the review."""
        return actions.Comment(text=self.text.replace("\0", ""))


ReviewAction = Annotated[
    MovePick | AddPick | DeletePick | WeightPick | SetType | Confirm | Reject | Comment,
    Field(discriminator="kind"),
]


class Review(Asked):
    """Actions, done one after the other, on the version that was looked at.

    With `preview` the answer says what they would make of it, and nothing is stored.
    """

    base_version: Version
    actions: Annotated[list[ReviewAction], Field(min_length=1, max_length=500)]
    preview: bool = False


class Undo(Asked):
    """Take back what was judged last."""

    base_version: Version


class Judged(Asked):
    """An event, and the version that was looked at."""

    id: Annotated[str, Field(max_length=100)]
    base_version: Version


class Merge(Asked):
    """Make one of several; the first keeps its id."""

    events: Annotated[list[Judged], Field(min_length=2, max_length=20)]
    preview: bool = False


class Split(Asked):
    """Make two of one; the named picks become a new event's."""

    base_version: Version
    pick_ids: Annotated[list[PickId], Field(min_length=1, max_length=500)]
    preview: bool = False


class ReviewAnswer(Answer):
    """The event as it is now, or would be; `others` were changed with it.

    `changes` says in words what differs from the version that was looked at, and `predicted` has
    the computed arrivals at stations around, picked or not.
    """

    preview: bool
    event: EventAnswer
    others: list[EventAnswer]
    changes: list[str]
    predicted: dict[str, dict[Phase, Instant]]


@router.post("/merge")
def merge(request: Request, held: Held, who: Analyst, wanted: Merge) -> ReviewAnswer:
    """Make one event of several."""
    events = [_looked_at(held, one.id, one.base_version) for one in wanted.events]
    judged = judgement.merge(events, held)
    return _answer(request, held, who, (events[0], judged), is_preview=wanted.preview)


@router.post("/{event_id}/review")
def review(
    request: Request, held: Held, who: Analyst, event_id: EventId, wanted: Review
) -> ReviewAnswer:
    """Judge an event: the picks that changed locate and measure it anew."""
    event = _looked_at(held, event_id, wanted.base_version)
    judged = judgement.review(event, [one.action() for one in wanted.actions], held)
    return _answer(request, held, who, (event, judged), is_preview=wanted.preview)


@router.post("/{event_id}/undo")
def undo(
    request: Request, held: Held, who: Analyst, event_id: EventId, wanted: Undo
) -> ReviewAnswer:
    """Take back what was judged last; the version before comes back as a new one."""
    event = _looked_at(held, event_id, wanted.base_version)
    return _answer(request, held, who, (event, judgement.undo(event, held)), is_preview=False)


@router.post("/{event_id}/split")
def split(
    request: Request, held: Held, who: Analyst, event_id: EventId, wanted: Split
) -> ReviewAnswer:
    """Make two events of one."""
    event = _looked_at(held, event_id, wanted.base_version)
    judged = judgement.split(event, wanted.pick_ids, held)
    return _answer(request, held, who, (event, judged), is_preview=wanted.preview)


def _looked_at(held: Holdings, event_id: str, version: int) -> Event:
    """The current version, if it is the one that was looked at.

    Raises:
        Refused: there is no such event, or it has another version by now.
    """
    event = held.store.event(event_id)
    if event is None:
        raise not_found(f"event {event_id}")
    if event.version != version:
        raise Refused(
            HTTPStatus.CONFLICT,
            f"event {event_id} is at version {event.version}, not {version}; look at it again",
        )
    return event


def _answer(
    request: Request,
    held: Holdings,
    who: Visitor,
    judged: tuple[Event, Judgement],
    *,
    is_preview: bool,
) -> ReviewAnswer:
    """Store a judgement unless it is only looked at, and tell what it is."""
    before, made = judged
    events = list(made.events)
    if not is_preview:
        events = held.store.put_review(events, made.bases, author=who.name)
        versions = {event.id: event.version for event in events}
        action = request.url.path.rsplit("/", 1)[-1]
        gate_of(request).audit.note(who.name, address_of(request), action, events=versions)
    first, *others = [
        EventAnswer.of(event, held.store.stamps(event.id) or held.store.stamps(before.id))
        for event in events
    ]
    return ReviewAnswer(
        preview=is_preview,
        event=first,
        others=others,
        changes=changes_between(before, events[0]),
        predicted={str(s): times for s, times in predicted_arrivals(events[0], held).items()},
    )
