"""What each replaceable part must offer; plug-ins satisfy these and subclass nothing.

A part is a frozen dataclass whose fields are its options. A part that works along time has
`start`, `step`, `finish`; its state is a value that can be pickled, so that a run can stop
anywhere and go on. Cutting the input elsewhere changes nothing in the output.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from zilzal.core.event import Association, Classification, Magnitude, Origin, Unlocated
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.packet import Bookmark, Link, Offer, Packet
from zilzal.core.pick import Detection, Phase, Pick
from zilzal.core.probability import Probabilities
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window


@dataclass(frozen=True, slots=True)
class Picked:
    """What a picker hands on from one step.

    Args:
        picks: final ones, in order of time by sensor.
        detections: closed ones.
        probabilities: the curves they were read from, for display; empty for classical pickers.
    """

    picks: tuple[Pick, ...] = ()
    detections: tuple[Detection, ...] = ()
    probabilities: tuple[Probabilities, ...] = ()


@runtime_checkable
class Picker(Protocol):
    """Phase picking and event detection on many sensors at once.

    Windows of a sensor come in order of time. One that starts where the last one of its sensor
    ended continues it; any other start begins anew. Windows of several sensors may come in any
    order within a step, so that networks run in batches. The state is a mapping by sensor, so that
    some sensors' share of it can be stored, finished or dropped without the others.
    """

    def start(self) -> Any:
        """The state before any data."""
        ...

    def step(self, state: Any, windows: Sequence[Window]) -> tuple[Any, Picked]:
        """Take more data in; hand out what has become final."""
        ...

    def finish(self, state: Any) -> Picked:
        """No more data will come; hand out the rest."""
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """What a picker sees of a sensor's newest data while it is not final.

    Args:
        picks: in order of time, none of them final.
        settled: what comes later will hardly change those before; they are not looked at again.
    """

    picks: tuple[Pick, ...]
    settled: Time


@runtime_checkable
class PreviewingPicker(Picker, Protocol):
    """A picker that sees the newest data at less cost than by finishing."""

    def preview(self, state: Any, before: Mapping[SensorId, Preview]) -> Mapping[SensorId, Preview]:
        """What `finish` would give now, or very nearly so; the state goes on as it was.

        Args:
            state: of the sensors to look at.
            before: what was seen of sensors the last time; of those not named all is looked at.
        """
        ...


@runtime_checkable
class TravelTimes(Protocol):
    """Travel times from any point to the stations of a network."""

    @property
    def name(self) -> str:
        """Of the earth model, as "hadley-kanamori"."""
        ...

    def times_s(
        self, phase: Phase, stations: Sequence[Station], distance_m: Any, depth_m: Any
    ) -> Any:
        """Travel times; see `zilzal.travel`."""
        ...


@runtime_checkable
class Associator(Protocol):
    """Groups picks that share a source."""

    def associate(self, picks: Sequence[Pick], stations: Sequence[Station]) -> list[Association]:
        """Associations in order of time; the order of the picks does not matter."""
        ...


@runtime_checkable
class SettledAssociator(Associator, Protocol):
    """An associator that learns no more: what it makes of picks depends on nothing else."""

    @property
    def earth_model(self) -> str:
        """Name of its earth."""
        ...

    def to_text(self) -> str:
        """What it learned, for `LearningAssociator.remembering`."""
        ...

    def terms_s(self) -> Mapping[tuple[str, Phase], float]:
        """By how much picks of a station, as network.station, and phase are late in its earth.

        Empty where it learned none.
        """
        ...


@runtime_checkable
class RecentAssociator(Associator, Protocol):
    """An associator that can look at the newest stretch alone, with less work."""

    def associate_since(
        self, picks: Sequence[Pick], stations: Sequence[Station], since: Time
    ) -> list[Association]:
        """Associations of sources from an instant on, or shortly before it.

        Args:
            picks: earlier ones too, which tell what is usual.
            stations: of the picks.
            since: the instant.
        """
        ...


@runtime_checkable
class LearningAssociator(Associator, Protocol):
    """An associator that learns how strict to be, and maybe more, from many picks at once."""

    @property
    def is_settled(self) -> bool:
        """Whether its options leave nothing to learn."""
        ...

    def settled(self, picks: Sequence[Pick], stations: Sequence[Station]) -> SettledAssociator:
        """The same with what it learns from some picks."""
        ...

    def remembering(self, text: str) -> SettledAssociator:
        """The same with what it learned before.

        Raises:
            FormatError: the text is of another associator.
        """
        ...

    def cautious(self) -> SettledAssociator:
        """The same before it can learn: strict enough for most networks."""
        ...


@runtime_checkable
class Locator(Protocol):
    """Finds time and place of an association's source."""

    def locate(self, association: Association, stations: Sequence[Station]) -> Origin | Unlocated:
        """The most probable origin with its covariance, or why there is none."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A part that can do ahead of time what takes long the first time."""

    def prepare(self, stations: Sequence[Station]) -> Iterator[None]:
        """Prepare for a network, a step at each turn; nothing depends on its being finished."""
        ...


class Waveforms(Protocol):
    """Access to recorded waveforms by channel and time, for stages that look again."""

    def read(self, channel_id: ChannelId, start: Time, end: Time) -> Sequence[Trace]:
        """Gap-free pieces inside [start, end), in order of time; empty where there is nothing."""
        ...

    def channel_ids(self) -> Sequence[ChannelId]:
        """All that can be asked for."""
        ...


@runtime_checkable
class MagnitudeScale(Protocol):
    """Measures an origin's size on one scale."""

    @property
    def type(self) -> str:
        """Name of the scale, as "ML"."""
        ...

    def measure(
        self, origin: Origin, picks: Sequence[Pick], waveforms: Waveforms, inventory: Inventory
    ) -> Magnitude:
        """The network's value with all station values, or a Magnitude with a reason."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a classifier may look at.

    Args:
        origin: where and when, or why that is not known.
        picks: of the event.
        detections: that overlap it.
        magnitudes: measured so far.
        waveforms: to look again.
        inventory: stations.
    """

    origin: Origin | Unlocated
    picks: tuple[Pick, ...]
    detections: tuple[Detection, ...]
    magnitudes: tuple[Magnitude, ...]
    waveforms: Waveforms
    inventory: Inventory


@runtime_checkable
class Classifier(Protocol):
    """Tells noise from events, and kinds of events from each other."""

    def classify(self, evidence: Evidence) -> Classification:
        """The most probable class; "not existing" for noise, "not reported" where undecided."""
        ...


class Source(Protocol):
    """Where waveforms come from, in order of time by channel."""

    def traces(self) -> Iterator[Trace]:
        """Pieces as they come."""
        ...


class Clock(Protocol):
    """Time for those who wait: a real one in operation, one that is set by hand in tests."""

    def now(self) -> Time:
        """The time of day; it may be stepped."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some instant; they never jump."""
        ...

    async def sleep(self, span_s: float) -> None:
        """Return when that many seconds have passed; at once for zero and less."""
        ...


class PacketStream(Protocol):
    """An open source: packets as they arrive, without end."""

    def __aiter__(self) -> AsyncIterator[Packet]:
        """Packets in the order in which they came; those of one part in its own order."""
        ...

    def links(self) -> tuple[Link, ...]:
        """How it stands with each server, service or folder behind it."""
        ...


@runtime_checkable
class PacketSource(Protocol):
    """Where packets come from as they are recorded: servers, services, folders.

    Whoever iterates slowly slows the source down, not the memory up. A source that fails is tried
    again for as long as it is open.
    """

    @property
    def name(self) -> str:
        """Of the source, as its bookmarks have it."""
        ...

    def open(
        self, bookmarks: Iterable[Bookmark], clock: Clock
    ) -> AbstractAsyncContextManager[PacketStream]:
        """Begin, right after the bookmarks; those of other sources are passed over.

        Args:
            bookmarks: of what has been stored; empty to begin as the source's options say.
            clock: tells when packets arrived, and waits.
        """
        ...


@runtime_checkable
class OfferingSource(PacketSource, Protocol):
    """A source that can be asked what it has."""

    async def offers(self) -> tuple[Offer, ...]:
        """Of the stations and channels that are wanted of it, those that it can send.

        Raises:
            SourceError: it cannot be asked, or does not tell.
        """
        ...
