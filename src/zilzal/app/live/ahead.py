"""Blocks worked out as a whole before they are closed, while revisions of newer ones go on."""

from __future__ import annotations

from dataclasses import dataclass

from zilzal.app.configuration import Configuration
from zilzal.app.events import Material, Solved, solve
from zilzal.core.stage import Associator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """A block that is to be closed soon, to be worked out meanwhile; of nothing but itself.

    Args:
        number: of the block.
        material: of its events.
        used: identifiers of picks of earlier sources.
        configuration: of the locator.
        associator: settled.
    """

    number: int
    material: Material
    used: frozenset[str]
    configuration: Configuration
    associator: Associator

    @property
    def what(self) -> tuple[object, ...]:
        """All that its sources depend on."""
        return tuple(self.material.picks), self.used, self.material.stations

    def solve(self) -> list[Solved]:
        """All of its sources."""
        return solve(self.number, self.material, self.used, self.configuration, self.associator)
