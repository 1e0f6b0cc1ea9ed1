"""A changed event's consequences: its place and its magnitude, by the stages of operation."""

from __future__ import annotations

from dataclasses import replace

from zilzal.app.display.holdings import Holdings
from zilzal.app.events import locate, measure
from zilzal.core.event import Association, Event, Origin
from zilzal.core.pick import EvaluationMode


def association_of(event: Event) -> Association:
    """An event's picks as an associator would hand them on, with what is known of its place."""
    origin = event.origin if isinstance(event.origin, Origin) else None
    return Association(
        picks=event.picks,
        time=event.time,
        latitude=origin.latitude if origin else 0.0,
        longitude=origin.longitude if origin else 0.0,
        depth_m=origin.depth_m if origin else 0.0,
        provenance=event.picks[0].provenance if origin is None else origin.provenance,
    )


def solve_again(event: Event, held: Holdings) -> Event:
    """The event located and measured anew from its picks; unlocated, with the reason, if not."""
    stations = held.inventory.stations(event.time)
    origin = locate(association_of(event), stations, held.configuration)
    if not isinstance(origin, Origin):
        return replace(event, origin=origin, magnitudes=())
    origin = replace(origin, evaluation_mode=EvaluationMode.MANUAL)
    magnitude = measure(origin, event.picks, held.waveforms, held.inventory, held.configuration)
    return replace(event, origin=origin, magnitudes=(magnitude,))
