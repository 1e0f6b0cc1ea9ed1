"""How long work on sets tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable

Told = Callable[[str, int, int, str], None]
"""Called with a stage, the steps done, the steps in all, and what is at hand."""


def unheard(stage: str, done: int, total: int, note: str) -> None:
    """Nobody listens."""
