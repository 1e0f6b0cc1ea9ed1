"""One event: as it is, and as it was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from zilzal.app.review.changes import changes_between
from zilzal.core.event import Event
from zilzal.web.api.event_values import EventAnswer
from zilzal.web.api.values import Answer, Held, Instant
from zilzal.web.refusal import not_found

router = APIRouter(prefix="/events", tags=["events"])

EventId = Annotated[str, Path(max_length=100)]


class VersionLine(Answer):
    """A version of an event and what it changed, in words, against the one before."""

    version: int
    written: Instant
    author: str
    evaluation_mode: str
    changes: list[str]


class VersionList(Answer):
    """All versions of an event, the first one first."""

    total: int
    items: list[VersionLine]


@router.get("/{event_id}")
def one_event(held: Held, event_id: EventId) -> EventAnswer:
    """All that is known of an event."""
    return event_answer(held, event_id)


@router.get("/{event_id}/versions")
def event_versions(held: Held, event_id: EventId) -> VersionList:
    """What became of an event, version by version."""
    events = held.store.versions(event_id)
    if not events:
        raise not_found(f"event {event_id}")
    stamps = {stamp.version: stamp for stamp in held.store.stamps(event_id)}
    before: list[Event | None] = [None, *events[:-1]]
    lines = [
        VersionLine(
            version=event.version,
            written=stamps[event.version].written,
            author=event.author,
            evaluation_mode=event.evaluation_mode,
            changes=changes_between(earlier, event),
        )
        for earlier, event in zip(before, events, strict=True)
    ]
    return VersionList(total=len(lines), items=lines)


@router.get("/{event_id}/versions/{version}")
def event_version(
    held: Held, event_id: EventId, version: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> EventAnswer:
    """An event as it was."""
    return event_answer(held, event_id, version)


def event_answer(held: Held, event_id: str, version: int | None = None) -> EventAnswer:
    """An event, or a version of it, as an answer.

    Raises:
        Refused: there is none.
    """
    event = held.store.event(event_id, version)
    if event is None:
        named = f"event {event_id}" if version is None else f"version {version} of {event_id}"
        raise not_found(named)
    return EventAnswer.of(event, held.store.stamps(event_id))
