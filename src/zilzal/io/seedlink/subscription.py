"""What to ask a server for, from what is wanted, what has been read, and what it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.ids import StationId
from zilzal.core.packet import Offer
from zilzal.io.seedlink.query import ServedStation
from zilzal.io.seedlink.selector import either_selector, selects, station_pattern
from zilzal.io.seedlink.words import channel_id_of


@dataclass(frozen=True, slots=True)
class Place:
    """The last packet that was read of a station.

    Args:
        sequence: its number.
        start: of its data, ISO 8601; empty where it held none.
    """

    sequence: int
    start: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read what `str` wrote.

        Raises:
            FormatError: it is something else.
        """
        number, _, start = text.partition(" ")
        if not number.isdecimal():
            raise FormatError(f"not the place of a SeedLink packet: {text!r}")
        return cls(int(number), start)

    def __str__(self) -> str:
        return f"{self.sequence} {self.start}".rstrip()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of what a user wants: "NET_STA" or "NET_STA:SELECTOR SELECTOR".

    Args:
        station: code or pattern.
        selectors: of streams; empty for all.
    """

    station: str
    selectors: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """Read it; "*" alone is all stations.

        Raises:
            ConfigError: it is not such a line.
        """
        station, _, selectors = text.strip().partition(":")
        station = "*_*" if station == "*" else station
        try:
            station_pattern(station)
        except FormatError as error:
            raise ConfigError(str(error)) from error
        if "_" not in station:
            raise ConfigError(f"not a station: {station!r}; write NET_STA, as CI_CCC or CI_*")
        return cls(station, tuple(selectors.split()))

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean several stations."""
        return bool({"*", "?"} & set(self.station))

    def matches(self, station: str) -> bool:
        """Whether it means a station."""
        return station_pattern(self.station).fullmatch(station) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the server.

    Args:
        station: code or pattern.
        selectors: of streams.
        place: to go on after; None for a station that has not been read.
        is_all: begin with all that the server has.
    """

    station: str
    selectors: tuple[str, ...]
    place: Place | None = None
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to ask for.

    Args:
        asked: requests; stations by name come before patterns.
        missing: stations that are wanted, but that the server does not have; patterns too where
            it understands none.
        renumbered: stations whose numbers have begun anew; they are asked for from the beginning.
    """

    asked: tuple[Asked, ...]
    missing: tuple[str, ...]
    renumbered: tuple[str, ...]


def subscribe(
    wanted: Sequence[Wanted],
    places: Mapping[str, Place],
    served: Mapping[str, ServedStation] | None,
    *,
    has_wildcards: bool,
    is_all: bool,
) -> Subscription:
    """Work out what to ask for.

    Asking for a station that the server does not have would fail the whole connection in version 4.

    Args:
        wanted: by the user; the first line that matches a station holds.
        places: what has been read.
        served: the server's stations; None where it does not tell.
        has_wildcards: the server understands patterns of stations.
        is_all: stations that have not been read begin with all that the server has.
    """
    asked: dict[str, Asked] = {}
    missing: list[str] = []
    renumbered: list[str] = []
    for station, place in sorted(places.items()):
        line = next((w for w in wanted if w.matches(station)), None)
        if line is None or (served is not None and station not in served):
            continue
        last = served[station].last if served is not None else None
        is_renumbered = last is not None and place.sequence > last
        renumbered += [station] if is_renumbered else []
        kept = None if is_renumbered else place
        asked[station] = Asked(station, line.selectors, kept, is_all=is_renumbered)
    patterns: list[Asked] = []
    for line in wanted:
        known = [line.station] if served is None else sorted(filter(line.matches, served))
        if line.is_pattern and (has_wildcards or served is None):
            patterns.append(Asked(line.station, line.selectors, None, is_all))
            continue
        missing += [] if known else [line.station]
        for station in known:
            asked.setdefault(station, Asked(station, line.selectors, None, is_all))
    return Subscription((*asked.values(), *patterns), tuple(missing), tuple(renumbered))


def offers_of(wanted: Sequence[Wanted], served: Sequence[ServedStation]) -> tuple[Offer, ...]:
    """What a server would send of what is wanted: of each station the streams with samples."""
    offers: list[Offer] = []
    for station in served:
        line = next((w for w in wanted if w.matches(station.code)), None)
        if line is None:
            continue
        selectors = [either_selector(text) for text in line.selectors]
        streams = [
            stream
            for stream in station.streams
            if stream.kind == "D"
            and any(selects(selectors, f"{stream.code}.{version}D") for version in "23")
        ]
        channel_ids = (channel_id_of(station.code, stream.code) for stream in streams)
        network, _, code = station.code.partition("_")
        # A station of which other streams are wanted than it has is not offered.
        if streams or not station.streams:
            offers.append(
                Offer(
                    station_id=StationId(network, code),
                    channel_ids=frozenset(c for c in channel_ids if c is not None),
                    newest=max((s.end for s in streams if s.end is not None), default=None),
                )
            )
    return tuple(offers)
