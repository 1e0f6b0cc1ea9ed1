"""Rows of a running monitor: bookmarks of its sources, notes that others read, alerts to send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from zilzal.core.alert import Message
from zilzal.core.packet import Bookmark
from zilzal.core.time import Time
from zilzal.io.store.schema import BOOKMARK, MESSAGE, NOTE
from zilzal.io.store.write import put_new, put_over

Note = Mapping[str, Any]
"""What JSON can hold, by name."""


def put_bookmarks(connection: Connection, bookmarks: Iterable[Bookmark]) -> None:
    """Keep how far sources have been read, in the place of what was kept before.

    Those without a place are forgotten.
    """
    bookmarks = list(bookmarks)
    rows = [{"source": b.source, "part": b.part, "place": b.place} for b in bookmarks if b.place]
    put_over(connection, BOOKMARK, rows)
    column = BOOKMARK.c
    gone = delete(BOOKMARK).where(
        column.source == bindparam("gone_source"), column.part == bindparam("gone_part")
    )
    parts = [{"gone_source": b.source, "gone_part": b.part} for b in bookmarks if not b.place]
    if parts:
        connection.execute(gone, parts)


def read_bookmarks(connection: Connection) -> list[Bookmark]:
    """All bookmarks, in order."""
    column = BOOKMARK.c
    found = connection.execute(select(column.source, column.part, column.place))
    return sorted(Bookmark(*row) for row in found)


def put_notes(connection: Connection, notes: Mapping[str, Note], written: Time) -> None:
    """Keep notes by key, in the place of earlier ones."""
    rows = [
        {"key": key, "content": json.dumps(note), "written": written.ns}
        for key, note in notes.items()
    ]
    put_over(connection, NOTE, rows)


def read_notes(connection: Connection, prefix: str) -> dict[str, tuple[Time, Note]]:
    """When the notes were written whose key begins so, and what they say, in order of key."""
    column = NOTE.c
    statement = (
        select(column.key, column.written, column.content)
        .where(column.key.startswith(prefix, autoescape=True))
        .order_by(column.key)
    )
    return {
        key: (Time(written), json.loads(content))
        for key, written, content in connection.execute(statement)
    }


WAITING, SENT, GIVEN_UP = "waiting", "sent", "given up"


def put_message(connection: Connection, sink: str, message: Message, written: Time) -> None:
    """Queue a message for a sink, once."""
    content = {"subject": message.subject, "text": message.text, "content": message.content}
    row = {
        "sink": sink, "key": message.key, "content": json.dumps(content), "due": written.ns,
        "tries": 0, "state": WAITING, "error": "", "written": written.ns,
    }  # fmt: skip
    put_new(connection, MESSAGE, [row])


def read_last_message(connection: Connection, sink: str, event_id: str) -> Message | None:
    """What was queued last of an event."""
    column = MESSAGE.c
    statement = select(column.key, column.content).where(
        column.sink == sink, column.key.startswith(f"{event_id}/", autoescape=True)
    )
    found = [_message(*row) for row in connection.execute(statement)]
    return max(found, key=lambda m: int(m.key.rpartition("/")[2]), default=None)


def read_due(connection: Connection, sink: str, now: Time) -> list[tuple[Message, int]]:
    """Messages that wait for a sink and are due, the oldest first, with how often they failed."""
    column = MESSAGE.c
    statement = (
        select(column.key, column.content, column.tries)
        .where(column.sink == sink, column.state == WAITING, column.due <= now.ns)
        .order_by(column.written, column.key)
    )
    return [
        (_message(key, content), tries) for key, content, tries in connection.execute(statement)
    ]


def put_outcome(
    connection: Connection, sink: str, key: str, *, state: str, due: Time, error: str
) -> None:
    """Note what became of a try to send a message."""
    column = MESSAGE.c
    connection.execute(
        update(MESSAGE)
        .where(column.sink == sink, column.key == key)
        .values(state=state, due=due.ns, error=error, tries=column.tries + 1)
    )


def leave_messages(connection: Connection, sink: str, before: Time) -> None:
    """Give up messages that were queued before an instant and are still there."""
    column = MESSAGE.c
    connection.execute(
        update(MESSAGE)
        .where(column.sink == sink, column.state == WAITING, column.written < before.ns)
        .values(state=GIVEN_UP, error="left to another monitor")
    )


def _message(key: str, content: str) -> Message:
    return Message(key=key, **json.loads(content))
