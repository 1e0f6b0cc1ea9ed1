"""What a person has judged stays: machines find the same source again, and must not double it."""

from __future__ import annotations

from collections.abc import Sequence

from zilzal.core.event import Event
from zilzal.core.pick import EvaluationMode

LEAST_SHARE = 0.5
"""An event is the judged one if it has so much of the smaller one's picks."""
SAME_PICK_NS = 1_000_000_000
"""Picks of a station and phase closer than this are one onset, moved by hand or not."""


def leave_judged(found: Sequence[Event], known: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """Events that a machine may store, and the judged ones that are not among them.

    An event that has the picks of a judged one under another id, as with other settings, is left
    out: the judged one stands for it.

    Args:
        found: by the machine.
        known: in the store, of the same time.
    """
    judged = [e for e in known if e.evaluation_mode is EvaluationMode.MANUAL]
    ids = {event.id for event in judged}
    kept = [e for e in found if e.id in ids or not any(_is_same(e, one) for one in judged)]
    here = {event.id for event in kept}
    return kept, [event for event in judged if event.id not in here]


def _is_same(one: Event, other: Event) -> bool:
    onsets = {(p.channel_id.station_id, p.phase): p.time.ns for p in other.picks}
    shared = sum(
        abs(p.time.ns - onsets[key]) <= SAME_PICK_NS
        for p in one.picks
        if (key := (p.channel_id.station_id, p.phase)) in onsets
    )
    return shared >= LEAST_SHARE * max(1, min(len(one.picks), len(other.picks)))
