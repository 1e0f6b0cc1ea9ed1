"""A station's day on one sheet, as a drum would have drawn it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import View, read_view
from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId
from zilzal.core.time import NS_PER_S, Time

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Rows of a helicorder.

    Args:
        start: midnight.
        row_s: length of a row.
        minimum: least of each point; NaN where nothing was recorded.
        maximum: largest of each point.
    """

    start: Time
    row_s: float
    minimum: Float64[Array, "row point"]
    maximum: Float64[Array, "row point"]

    @property
    def starts(self) -> list[Time]:
        """Of the rows."""
        return [self.start + n * self.row_s for n in range(len(self.minimum))]

    @property
    def scale(self) -> float:
        """Half the height that nearly all points stay within; 1 where nothing was recorded."""
        heights = (self.maximum - self.minimum)[np.isfinite(self.minimum)]
        return float(np.percentile(heights, 95) / 2) or 1.0 if len(heights) else 1.0


def helicorder(
    channel_id: ChannelId, day: Time, held: Holdings, *, row_s: float = 900.0, points: int = 900
) -> Sheet:
    """A channel's day in rows, high-passed so that slow drift does not fill the sheet.

    Args:
        channel_id: which.
        day: any instant of it.
        held: the waveforms.
        row_s: length of a row; a whole part of a day.
        points: of a row.
    """
    midnight = Time(day.ns - day.ns % round(DAY_S * NS_PER_S))
    rows = round(DAY_S / row_s)
    lowest = np.full(rows * points, np.inf)
    highest = np.full(rows * points, -np.inf)
    # Twice as fine, so that a step of the envelope falls into one point or its neighbour.
    view = View(low_hz=0.5, points=2 * rows * points)
    step_s = row_s / points
    for segment in read_view(
        channel_id, (midnight, midnight + DAY_S), view, held.waveforms, held.inventory
    ):
        offset_s = segment.start - midnight + segment.step_s * np.arange(len(segment.minimum))
        numbers = np.clip((offset_s / step_s).astype(int), 0, len(lowest) - 1)
        upper = segment.minimum if segment.maximum is None else segment.maximum
        np.minimum.at(lowest, numbers, segment.minimum)
        np.maximum.at(highest, numbers, upper)
    missing = ~np.isfinite(lowest)
    lowest[missing] = highest[missing] = np.nan
    return Sheet(
        start=midnight,
        row_s=row_s,
        minimum=lowest.reshape(rows, points),
        maximum=highest.reshape(rows, points),
    )
