"""What analysts have judged, as a catalogue that networks may learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zilzal.core.catalogue import Catalogue
from zilzal.core.event import Event, Origin
from zilzal.core.pick import EvaluationMode


def judged_catalogue(events: Iterable[Event]) -> Catalogue:
    """Events whose picks say how far a person stands behind them.

    All picks of an event that was judged are manual: who confirmed it looked at them. What was
    judged to be no event is left out, as is what has no place. Events that nobody looked at stay,
    with automatic picks: their waves are no noise.
    """
    return Catalogue.of(
        _as_judged(event)
        for event in events
        if isinstance(event.origin, Origin) and not event.is_noise
    )


def _as_judged(event: Event) -> Event:
    """The event with picks of its own evaluation mode."""
    picks = tuple(replace(pick, evaluation_mode=event.evaluation_mode) for pick in event.picks)
    return replace(event, picks=picks)


def count_judged(events: Iterable[Event]) -> int:
    """How many a person has judged."""
    return sum(event.evaluation_mode is EvaluationMode.MANUAL for event in events)
