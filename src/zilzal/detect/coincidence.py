"""Detection by coincidence: several channels of a sensor are triggered at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from zilzal.core.arrays import Array
from zilzal.signal.trigger import Interval, IntervalState, finish_intervals, hold, step_intervals


class CoincidenceState(NamedTuple):
    """Which channels are triggered, and the open interval."""

    active: tuple[bool, ...]
    interval: IntervalState = IntervalState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidence:
    """Intervals in which enough channels of one sensor are triggered.

    Args:
        on: a channel is triggered from where its characteristic function reaches this.
        off: until it falls below this.
        minimum_channels: that must be triggered at once; where fewer are recorded, all of them.

    Raises:
        ValueError: a value is out of range.
    """

    on: float = 6.0
    off: float = 2.0
    minimum_channels: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.off <= self.on or self.minimum_channels < 1:
            raise ValueError(
                f"need 0 < off <= on and at least 1 channel, not {self.off}, {self.on}, "
                f"{self.minimum_channels}"
            )

    def start(self, n_components: int) -> CoincidenceState:
        """Nothing is triggered."""
        return CoincidenceState((False,) * n_components)

    def step(
        self,
        state: CoincidenceState,
        characteristic: Float[Array, "component sample"],
        present: Bool[Array, "component sample"],
        first_number: int,
    ) -> tuple[CoincidenceState, list[Interval]]:
        """Intervals that have ended within these samples.

        Args:
            state: from the step before.
            characteristic: for instance STA/LTA; absent samples trigger nothing.
            present: which samples were recorded.
            first_number: of the first sample.
        """
        if characteristic.shape[1] == 0:
            return state, []
        curves = np.where(present, characteristic, 0.0)
        active = np.stack(
            [
                hold(was_active, curve, on=self.on, off=self.off)
                for was_active, curve in zip(state.active, curves, strict=True)
            ]
        )
        needed = np.clip(present.sum(axis=0), 1, self.minimum_channels)
        together = active.sum(axis=0) >= needed
        interval, closed = step_intervals(
            state.interval, together, curves.max(axis=0), first_number
        )
        return CoincidenceState(tuple(map(bool, active[:, -1])), interval), closed

    def finish(self, state: CoincidenceState, end_number: int) -> list[Interval]:
        """The interval that was open when the data ended."""
        return finish_intervals(state.interval, end_number)
