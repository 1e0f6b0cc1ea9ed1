"""Rows of a running monitor: bookmarks of its sources, and notes that others may read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from zilzal.core.packet import Bookmark
from zilzal.core.time import Time
from zilzal.io.store.schema import BOOKMARK, NOTE
from zilzal.io.store.write import put_over

Note = Mapping[str, Any]
"""What JSON can hold, by name."""


def put_bookmarks(connection: Connection, bookmarks: Iterable[Bookmark]) -> None:
    """Keep how far sources have been read, in the place of what was kept before."""
    rows = [{"source": b.source, "part": b.part, "place": b.place} for b in bookmarks]
    put_over(connection, BOOKMARK, rows)


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
