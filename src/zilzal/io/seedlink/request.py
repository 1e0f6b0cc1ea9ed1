"""What a client has asked a SeedLink server for: values, and times as version 3 writes them."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.io.seedlink.selector import Selector, selects


class From(StrEnum):
    """Where a transfer begins if no sequence number is given."""

    NEXT = "next"
    ALL = "all"


class Phase(StrEnum):
    """Where a session is."""

    HANDSHAKE = "handshake"
    STREAM = "stream"
    """Packets go out until the client leaves."""
    FETCH = "fetch"
    """Packets go out until there are no more."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client wants of the stations that match a pattern.

    Args:
        pattern: of stations, as CI_CCC.
        selectors: of streams.
        begin: first sequence number, or where the transfer begins without one.
        start: data that end at or before it are left out; None for no limit.
        end: data that start at or after it are left out; None for no limit.
    """

    pattern: re.Pattern[str]
    selectors: tuple[Selector, ...] = ()
    begin: int | From = From.NEXT
    start: Time | None = None
    end: Time | None = None

    def wants(self, stream: str) -> bool:
        """Whether it is for a stream, as "00_B_H_Z.2D", of a station that matches."""
        return selects(self.selectors, stream)

    def covers(self, start: Time, end: Time) -> bool:
        """Whether data are in the time window."""
        return (self.start is None or end > self.start) and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What has been agreed with a client so far.

    Args:
        stations: that the server knows, as CI_CCC; others are refused if named in full.
        protocol: 3, or 4 after SLPROTO 4.0.
        phase: where the session is.
        requests: in the order of the STATION commands; the first that matches a station holds.
        is_multi: STATION has been used, so that END begins the transfer; without it, in version 3,
            everything is about all stations, and DATA begins the transfer.
        is_refused: the last STATION was not accepted, so what follows it is ignored.
        is_silent: BATCH: commands of version 3 are not answered.
        is_extended: CAPABILITIES EXTREPLY: a refusal says why.
        agent: what the client calls itself.
        is_fetching: version 3: the last action was FETCH.
    """

    stations: AbstractSet[str] = frozenset()
    protocol: int = 3
    phase: Phase = Phase.HANDSHAKE
    requests: tuple[Request, ...] = ()
    is_multi: bool = False
    is_refused: bool = False
    is_silent: bool = False
    is_extended: bool = False
    agent: str = ""
    is_fetching: bool = False

    @property
    def is_fresh(self) -> bool:
        """Nothing has been asked for."""
        return not self.requests and not self.is_refused


def request_for(handshake: Handshake, station: str) -> int | None:
    """Number of the first request that a station matches."""
    requests = enumerate(handshake.requests)
    return next((number for number, r in requests if r.pattern.fullmatch(station)), None)


def comma_time(text: str) -> Time:
    """Read year,month,day,hour,minute,second[,nanosecond], as version 3 writes times.

    Raises:
        FormatError: it is not such a time.
    """
    match = re.fullmatch(r"(\d{4})" + r",(\d{1,2})" * 5 + r"(?:,(\d{1,9}))?", text)
    if match is None:
        raise FormatError(f"not a time: {text!r}; write 2019,07,06,03,19,53")
    year, *rest, fraction = match.groups()
    month, day, hour, minute, second = (part.zfill(2) for part in rest)
    whole = Time.parse(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
    return Time(whole.ns + int(fraction or 0))
