"""How long work tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Report(Protocol):
    """Called with how much of a stage is done."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Take note.

        Args:
            stage: a word, as "pick".
            done: steps done.
            total: steps in all.
            note: what is at hand, for people.
        """
        ...


def keep_quiet(stage: str, done: int, total: int, note: str = "") -> None:
    """Listen to nothing."""
