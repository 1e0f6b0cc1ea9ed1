"""The engine's state in the store: in pieces, beside the last one until the new one is whole.

A state of a thousand stations takes seconds to write. So its pieces are written one by one while
picking goes on, each in a transaction of its own; only the last, with the bookmarks that the state
stands at, makes it the one that counts. What was there before stays until then.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from zilzal.app.live.station import StationDesk
from zilzal.core.ids import SensorId, StationId
from zilzal.core.packet import Bookmark
from zilzal.io.store import Store

_STATE = "live/engine"
_GENERATIONS = ("a", "b")

Share = tuple[Mapping[StationId, StationDesk], Mapping[SensorId, Any]]
"""Some stations' desks, and what the picker keeps of their sensors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """All that the engine needs to go on.

    Args:
        shares: of the stations; each is a piece of its own where it is stored.
        bookmarks: it stands at.
    """

    shares: tuple[Share, ...]
    bookmarks: tuple[Bookmark, ...]

    def piece(self, number: int) -> bytes:
        """A share, pickled."""
        return pickle.dumps(self.shares[number])


def next_generation(store: Store, configuration: str) -> str:
    """The name of the state to be written: not that of the one that counts.

    Args:
        store: with the state.
        configuration: hash of the settings of picking.
    """
    counting = _counting(store, configuration)
    return _GENERATIONS[counting is not None and counting[0] == _GENERATIONS[0]]


def put_piece(
    store: Store, generation: str, number: int, snapshot: Snapshot, configuration: str
) -> None:
    """Store a piece of a state that does not count yet."""
    piece = snapshot.piece(number)
    store.save_checkpoint(f"{_STATE}/{generation}/{number}", piece, configuration)


def let_count(store: Store, generation: str, pieces: int, configuration: str) -> None:
    """Have a state whose pieces have been stored be the one that counts from now on."""
    store.save_checkpoint(_STATE, pickle.dumps((generation, pieces)), configuration)


def read_pieces(store: Store, configuration: str) -> Iterator[bytes] | None:
    """The pieces of the state that counts; None where there is none.

    Raises:
        LookupError: while they are read: a piece is missing.
    """
    counting = _counting(store, configuration)
    return None if counting is None else _pieces(store, *counting, configuration)


def _counting(store: Store, configuration: str) -> tuple[str, int] | None:
    """The generation that counts, and how many pieces it has."""
    content = store.load_checkpoint(_STATE, configuration)
    if content is None:
        return None
    with suppress(Exception):  # what an earlier version stored counts no more
        generation, pieces = pickle.loads(content)  # noqa: S301  our own store
        if generation in _GENERATIONS:
            return generation, int(pieces)
    return None


def _pieces(store: Store, generation: str, count: int, configuration: str) -> Iterator[bytes]:
    for number in range(count):
        piece = store.load_checkpoint(f"{_STATE}/{generation}/{number}", configuration)
        if piece is None:
            raise LookupError(f"piece {number} of {count} of the state is missing")
        yield piece
