"""What was worked out before is not worked out again while a block is looked at again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from zilzal.core.event import Association, Origin, Unlocated
from zilzal.core.stage import Locator
from zilzal.core.station import Station

LARGEST = 4_000
"""Locations that are remembered."""


@dataclass(frozen=True, slots=True)
class RememberingLocator:
    """A locator that gives the same answer to the same question without thinking again.

    Args:
        locator: that thinks.
    """

    locator: Locator
    _known: OrderedDict[tuple[object, ...], Origin | Unlocated] = field(
        default_factory=OrderedDict[tuple[object, ...], Origin | Unlocated], repr=False
    )

    def locate(self, association: Association, stations: Sequence[Station]) -> Origin | Unlocated:
        """The most probable origin, or why there is none; see `Locator`."""
        question = (
            tuple(pick.id for pick in association.picks),
            (association.time.ns, association.latitude, association.longitude),
            tuple(stations),
        )
        if question not in self._known:
            self._known[question] = self.locator.locate(association, stations)
            if len(self._known) > LARGEST:
                self._known.popitem(last=False)
        self._known.move_to_end(question)
        return self._known[question]
