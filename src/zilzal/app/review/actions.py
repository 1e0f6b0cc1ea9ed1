"""What an analyst can do to an event, as values, and what each makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import zilzal
from zilzal.core.errors import DataError
from zilzal.core.event import Classification, Event, EventType
from zilzal.core.ids import ChannelId
from zilzal.core.pick import EvaluationMode, Onset, Phase, Pick, Polarity, Provenance
from zilzal.core.time import Time

MANUAL_UNCERTAINTY_S = 0.05
"""Of a pick set by hand whose analyst says nothing of it: five samples at 100 Hz."""
SMALLEST_UNCERTAINTY_S, LARGEST_UNCERTAINTY_S = 0.001, 60.0


def by_hand() -> Provenance:
    """Of what a person made."""
    return Provenance(method="analyst", version=zilzal.__version__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePick:
    """Put a pick elsewhere.

    Args:
        pick_id: which.
        time: where to.
        uncertainty_s: of the new time; None keeps a manual pick's own, and otherwise takes
            `MANUAL_UNCERTAINTY_S`.
    """

    pick_id: str
    time: Time
    uncertainty_s: float | None = None

    def apply(self, event: Event) -> Event:
        """The event with the pick moved; what was measured at the old time is left behind."""
        pick = _pick(event, self.pick_id)
        kept_s = pick.uncertainty_s if pick.evaluation_mode is EvaluationMode.MANUAL else None
        moved = replace(
            pick,
            time=self.time,
            uncertainty_s=_uncertainty(self.uncertainty_s or kept_s or MANUAL_UNCERTAINTY_S),
            probability=1.0,
            amplitude_counts=None,
            snr=None,
            evaluation_mode=EvaluationMode.MANUAL,
            provenance=by_hand(),
        )
        return _with_picks(event, [moved if p is pick else p for p in event.picks])


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPick:
    """Set a pick where there was none.

    Args:
        channel_id: on which.
        phase: P or S.
        time: of the onset.
        uncertainty_s: of the time.
        onset: how it starts.
        polarity: first motion, of P on a vertical.
    """

    channel_id: ChannelId
    phase: Phase
    time: Time
    uncertainty_s: float = MANUAL_UNCERTAINTY_S
    onset: Onset | None = None
    polarity: Polarity | None = None

    def apply(self, event: Event) -> Event:
        """The event with one more pick.

        Raises:
            DataError: the station has one of that phase already.
        """
        station_id = self.channel_id.station_id
        for pick in event.picks:
            if pick.channel_id.station_id == station_id and pick.phase is self.phase:
                raise DataError(f"{station_id} has a {self.phase} already; move or delete that one")
        pick = Pick(
            channel_id=self.channel_id,
            phase=self.phase,
            time=self.time,
            probability=1.0,
            uncertainty_s=_uncertainty(self.uncertainty_s),
            onset=self.onset,
            polarity=self.polarity,
            evaluation_mode=EvaluationMode.MANUAL,
            provenance=by_hand(),
        )
        return _with_picks(event, [*event.picks, pick])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePick:
    """Take a pick out of the event; it stays in the store."""

    pick_id: str

    def apply(self, event: Event) -> Event:
        """The event without it."""
        pick = _pick(event, self.pick_id)
        return _with_picks(event, [p for p in event.picks if p is not pick])


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPick:
    """Say how sure a pick is: its share in the location goes with 1 / uncertainty^2.

    Args:
        pick_id: which.
        uncertainty_s: its new standard deviation.
    """

    pick_id: str
    uncertainty_s: float

    def apply(self, event: Event) -> Event:
        """The event with the pick as sure as that."""
        pick = _pick(event, self.pick_id)
        weighted = replace(
            pick,
            uncertainty_s=_uncertainty(self.uncertainty_s),
            evaluation_mode=EvaluationMode.MANUAL,
        )
        return _with_picks(event, [weighted if p is pick else p for p in event.picks])


@dataclass(frozen=True, slots=True, kw_only=True)
class SetType:
    """Say what kind of event it is."""

    event_type: EventType

    def apply(self, event: Event) -> Event:
        """The event with that type, for certain."""
        label = self.event_type.value
        kind = Classification(
            event_type=self.event_type,
            label=label,
            probability=1.0,
            probabilities={label: 1.0},
            reason="an analyst's judgement",
            provenance=by_hand(),
        )
        return replace(event, classification=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Say that there was no event; it leaves the catalogue, and stays in the store."""

    def apply(self, event: Event) -> Event:
        """The event as noise."""
        return SetType(event_type=EventType.NOT_EXISTING).apply(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Say that the event is as it stands."""

    def apply(self, event: Event) -> Event:
        """The event as it is; that it was judged makes it manual."""
        return event


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Say something for people, in the place of what was said."""

    text: str

    def apply(self, event: Event) -> Event:
        """The event with the comment."""
        return replace(event, comment=self.text)


Action = MovePick | AddPick | DeletePick | WeightPick | SetType | Reject | Confirm | Comment


def apply_all(event: Event, actions: Sequence[Action]) -> Event:
    """The event after all actions, one after the other; manual, and not yet located anew.

    Raises:
        DataError: an action cannot be done to it.
    """
    for action in actions:
        event = action.apply(event)
    return replace(event, evaluation_mode=EvaluationMode.MANUAL)


def _pick(event: Event, pick_id: str) -> Pick:
    for pick in event.picks:
        if pick.id == pick_id:
            return pick
    raise DataError(f"event {event.id} has no pick {pick_id}; look at it again")


def _uncertainty(uncertainty_s: float) -> float:
    if not SMALLEST_UNCERTAINTY_S <= uncertainty_s <= LARGEST_UNCERTAINTY_S:
        raise DataError(
            f"an uncertainty of {uncertainty_s:g} s; give {SMALLEST_UNCERTAINTY_S:g} to "
            f"{LARGEST_UNCERTAINTY_S:g} s"
        )
    return uncertainty_s


def _with_picks(event: Event, picks: Sequence[Pick]) -> Event:
    """In order of time, as everywhere."""
    return replace(event, picks=tuple(sorted(picks, key=lambda p: (p.time, p.id))))
