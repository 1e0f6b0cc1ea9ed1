"""Dividing a piece's samples into what is handed out and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zilzal.core.coverage import Reason
from zilzal.signal.flaws import Flaws


@dataclass(frozen=True, slots=True)
class Shares:
    """How samples are divided: stretches to hand out and to leave out, up to `decided`."""

    good: list[tuple[int, int]]
    left_out: list[tuple[int, int, Reason]]
    decided: int
    is_open: bool
    """Whether the stretch that ends at `decided` is being handed out."""


def divide(length: int, flaws: Flaws, is_open: bool, shortest: int, *, final: bool) -> Shares:
    """Divide samples by their flaws; stretches that are not open yet need `shortest` samples."""
    good: list[tuple[int, int]] = []
    left_out = list(flaws.cuts)
    position = 0
    closed = [(first, end) for first, end, _ in flaws.cuts]
    for first, end in [*closed, (length, length)] if final else closed:
        if first > position:
            if is_open or first - position >= shortest:
                good.append((position, first))
            else:
                left_out.append((position, first, Reason.TOO_SHORT))
        position, is_open = end, False
    stop = length if final else flaws.settled
    if stop > position and (is_open or stop - position >= shortest):
        good.append((position, stop))
        return Shares(good, left_out, stop, is_open=True)
    return Shares(good, left_out, position, is_open=is_open)


def shade(
    stretch: tuple[int, int], clipped: Sequence[tuple[int, int]]
) -> list[tuple[int, int, Reason]]:
    """Divide a stretch into analysed and clipped parts."""
    position, end = stretch
    tiles: list[tuple[int, int, Reason]] = []
    for clip_first, clip_end in clipped:
        first, stop = max(clip_first, position), min(clip_end, end)
        if stop > first:
            if first > position:
                tiles.append((position, first, Reason.ANALYSED))
            tiles.append((first, stop, Reason.CLIPPED))
            position = stop
    if end > position:
        tiles.append((position, end, Reason.ANALYSED))
    return tiles
