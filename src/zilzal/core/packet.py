"""What arrives from the field as it is recorded, and how far a source has been read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zilzal.core.coverage import CoverageSpan
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.time import Time
from zilzal.core.waveform import Trace


@dataclass(frozen=True, slots=True, order=True)
class Bookmark:
    """How far one part of a source has been read.

    Stored in the transaction that stores what became of the packet, and handed back when the
    source is opened again, it makes the source go on right after that packet. A later bookmark of
    the same source and part replaces the earlier one.

    Args:
        source: which source, as "seedlink://rtserve.iris.washington.edu:18000".
        part: what of it counts by itself: a station of a server ("CI_CCC"), a channel of a web
            service ("CI.CCC..HHZ"), a file of a folder.
        place: where in that part, in the source's own words; for the source to read, nobody else.
            Empty where the part is gone and the bookmark can be forgotten.
    """

    source: str
    part: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packet:
    """What arrives at once: of a SeedLink server one record, of other sources some more.

    Args:
        bookmark: where it came from, and from where its source goes on after it.
        arrived: when.
        traces: its samples, as they are in it: neither merged nor cleaned.
        corrupt: time of which the samples were lost because they cannot be decoded.
        record: the miniSEED bytes as they came; empty where the source had none.
        sequence: the server's number of it; None where the source does not count.
    """

    bookmark: Bookmark
    arrived: Time
    traces: tuple[Trace, ...]
    corrupt: tuple[CoverageSpan, ...] = ()
    record: bytes = b""
    sequence: int | None = None

    @property
    def station_ids(self) -> tuple[StationId, ...]:
        """Whose data it holds, in order."""
        channel_ids = [t.channel_id for t in self.traces] + [s.channel_id for s in self.corrupt]
        return tuple(sorted({channel_id.station_id for channel_id in channel_ids}))

    @property
    def data_end(self) -> Time | None:
        """Where the sample after its last one would be; None where it holds no time."""
        ends = [t.next_start for t in self.traces] + [s.end for s in self.corrupt]
        return max(ends, default=None)


class LinkState(StrEnum):
    """How it stands between us and a source."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """It failed; the next try comes after a while."""
    CLOSED = "closed"
    """Nothing more will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a source has given of one station.

    Args:
        station_id: which.
        packets: how many since the source was opened.
        arrived: when the last one came.
        data_end: end of the latest data in any of them.
        is_silent: nothing has come for longer than the source's time-out for a station.
    """

    station_id: StationId
    packets: int
    arrived: Time
    data_end: Time
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a source says that it can send of a station.

    Args:
        station_id: of the station.
        channel_ids: with samples; empty where it has none yet, or does not tell.
        newest: where its newest data end; None where it does not tell.
    """

    station_id: StationId
    channel_ids: frozenset[ChannelId] = frozenset()
    newest: Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The state of the connection to a source.

    Args:
        source: as in the bookmarks.
        state: now.
        since: when it came to be so.
        note: why, in words; empty where the state says all.
        connections: how often it was connected since the source was opened.
        heard: what came of each station, in order of station.
    """

    source: str
    state: LinkState
    since: Time
    note: str
    connections: int
    heard: tuple[Heard, ...]
