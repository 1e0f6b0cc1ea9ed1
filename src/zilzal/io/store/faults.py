"""What databases complain of, as `StoreError`s that say what happened, where and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from zilzal.core.errors import StoreError

_WHOLE = "nothing is half-written"
_WAIT = "wait for it or stop it, then start again"
_BUSY = "another process is writing to it"

_SQLITE: tuple[tuple[str, str, str], ...] = (
    ("disk is full", "the disk is full", f"free some space and start again, {_WHOLE}"),
    ("disk i/o error", "the disk fails", "check it; a network file system will not do"),
    ("is locked", _BUSY, _WAIT),
    ("readonly database", "it is read-only", "get the right to write the file and its folder"),
    ("unable to open", "it cannot be opened", "check that the folder is there and may be written"),
    ("not a database", "it is no SQLite file and was left as it is", "choose another path"),
    ("malformed", "the file is damaged", "restore a copy, or try `sqlite3 FILE .recover`"),
)
"""A sign in the message, what happened, what to do."""

_POSTGRESQL: tuple[tuple[str, str, str], ...] = (
    ("53100", "the server's disk is full", f"free some space and start again, {_WHOLE}"),
    ("53300", "the server has no free connection", "close some, or raise max_connections"),
    ("55P03", _BUSY, _WAIT),
    ("40P01", _BUSY, "start again"),
    ("25006", "it is read-only", "use the primary server and a role that may write"),
    ("42501", "the role may not do this", "let it create and write tables"),
    ("28", "the server refused the role or its password", "check both in the URL"),
    ("3D000", "the server has no such database", "make it with createdb"),
    ("57P", "the server is stopping or starting", f"wait and start again, {_WHOLE}"),
    ("08", "the connection was lost", f"check the server and start again, {_WHOLE}"),
)
"""The beginning of the SQLSTATE, what happened, what to do."""

_UNREACHABLE = ("the server cannot be reached", "check host, port and that the server runs")


def _cause(error: SQLAlchemyError | sqlite3.Error) -> tuple[str, str]:
    """What happened and what to do."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        text = str(original).lower()
        found = [(what, cure) for sign, what, cure in _SQLITE if sign in text]
    else:
        state = getattr(original, "sqlstate", None) or ""
        found = [(what, cure) for sign, what, cure in _POSTGRESQL if state.startswith(sign)]
        if not found and not state and type(original).__name__ == "OperationalError":
            found = [_UNREACHABLE]
    return found[0] if found else ("the database refused", "see the message that follows")


@contextmanager
def told(doing: str, where: str) -> Iterator[None]:
    """Turn the errors of the database inside into `StoreError`.

    Args:
        doing: what was tried, as "open".
        where: the store's place, without a password.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        what, cure = _cause(error)
        original = error.orig if isinstance(error, DBAPIError) else error
        detail = " ".join(str(original).split())
        raise StoreError(f"cannot {doing} the store {where}: {what}; {cure} ({detail})") from error
