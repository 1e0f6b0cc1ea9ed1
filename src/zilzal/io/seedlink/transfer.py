"""One client's way through the ring: which packets go to it, and when it has had all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zilzal.io.seedlink.request import From, Handshake, Phase, Request, request_for
from zilzal.io.seedlink.ring import Entry, Ring
from zilzal.io.seedlink.words import frame_3, frame_4

BATCH_BYTES = 2**16
"""Size of what is written in one piece, about."""
_BATCH_ENTRIES = 1_000
"""Entries looked at before others have a turn."""


@dataclass(slots=True, eq=False)
class Transfer:
    """One client's way through the ring.

    Args:
        handshake: what it asked for.
        place: of the next entry to look at.
        sequence: of the last packet taken.
        first: first sequence number of each of its requests.
    """

    handshake: Handshake
    place: int
    first: Sequence[int]
    sequence: int = 0
    _wanted: dict[tuple[str, str], int | None] = field(default_factory=dict)

    @classmethod
    def begin(cls, handshake: Handshake, ring: Ring) -> Transfer:
        """At the oldest entry that any of the client's requests asks for."""
        first = [_first_sequence(r, handshake, ring) for r in handshake.requests]
        return cls(handshake, ring.place_of(min(first)), first)

    def take(self, ring: Ring) -> list[bytes]:
        """The next packets, as many as go well in one piece; the place moves on.

        Raises:
            Overrun: the ring has overtaken the client.
        """
        frames: list[bytes] = []
        size = 0
        until = min(ring.next_place, self.place + _BATCH_ENTRIES)
        while self.place < until and size < BATCH_BYTES:
            entry = ring[self.place]
            number = self._wanting(entry)
            if number is not None:
                request = self.handshake.requests[number]
                if request.covers(entry.record.start, entry.record.end):
                    added = self._frames(entry, self.first[number])
                    frames += added
                    size += sum(map(len, added))
            self.place += 1
        return frames

    def is_complete(self, ring: Ring) -> bool:
        """Whether nothing more is to come, at the ring's end.

        A fetch has then had all. So has, in version 3, a time window that the newest data of any
        station have passed; version 4 goes on.
        """
        if self.handshake.phase is Phase.FETCH:
            return True
        ends = [r.end for r in self.handshake.requests]
        return (
            self.handshake.protocol == 3
            and ring.newest is not None
            and all(end is not None and ring.newest >= end for end in ends)
        )

    def _wanting(self, entry: Entry) -> int | None:
        """Number of the request that an entry is sent for."""
        key = entry.station, entry.stream
        if key not in self._wanted:
            number = request_for(self.handshake, entry.station)
            is_wanted = number is not None and self.handshake.requests[number].wants(entry.stream)
            self._wanted[key] = number if is_wanted else None
        return self._wanted[key]

    def _frames(self, entry: Entry, first: int) -> list[bytes]:
        if entry.sequence < first:
            return []
        self.sequence = entry.sequence
        if self.handshake.protocol == 4:
            record = entry.record
            form = f"{record.version}{record.kind}"
            return [frame_4(entry.sequence, form, entry.station, record.content)]
        numbered = enumerate(entry.short, entry.first_sequence)
        return [frame_3(number, short) for number, short in numbered if number >= first]


def _first_sequence(request: Request, handshake: Handshake, ring: Ring) -> int:
    """Number of the first packet that a request asks for; one that is not in use yet is none."""
    if request.begin is From.ALL:
        return 0
    if request.begin is From.NEXT:
        return ring.next_sequence
    assert isinstance(request.begin, int)
    asked = request.begin if handshake.protocol == 4 else ring.widen(request.begin)
    return min(asked, ring.next_sequence)
