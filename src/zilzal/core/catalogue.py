"""Events together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zilzal.core.event import Event


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Events in order of time."""

    events: tuple[Event, ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Catalogue:
        """A catalogue in order of time, then id."""
        return cls(tuple(sorted(events, key=lambda e: (e.time, e.id))))

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
