"""What was left out and why, counted, with a few examples: one bad record never stops the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_MOST_EXAMPLES = 3


@dataclass(slots=True)
class Tally:
    """Counts by reason, in the order in which the reasons came up.

    Args:
        counts: by reason.
        examples: some of what they were, by reason.
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, example: str, *, count: int = 1) -> None:
        """Count something."""
        self.counts[reason] = self.counts.get(reason, 0) + count
        known = self.examples.setdefault(reason, [])
        if len(known) < _MOST_EXAMPLES and example:
            known.append(example)

    def take(self, others: Iterable[Mapping[str, Any]]) -> None:
        """Add what `as_notes` gave of another."""
        for other in others:
            self.counts[other["reason"]] = self.counts.get(other["reason"], 0) + other["count"]
            known = self.examples.setdefault(other["reason"], [])
            known += other["examples"][: _MOST_EXAMPLES - len(known)]

    def as_notes(self) -> list[dict[str, Any]]:
        """For `dataset.json`."""
        return [
            {"reason": reason, "count": count, "examples": list(self.examples.get(reason, ()))}
            for reason, count in self.counts.items()
        ]
