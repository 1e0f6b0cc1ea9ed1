"""A sensor's samples in a span, as they were recorded: on one time grid, in the order ZNE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import COMPONENTS, Trace
from zilzal.io.archive import Archive
from zilzal.signal.align import Grid, rotate
from zilzal.signal.arrivals import SLACK_SAMPLES
from zilzal.signal.orientation import Orientation, orient


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorWindow:
    """A cut of a sensor with what is known of its recording.

    Args:
        sensor_id: whose.
        start: instant of the first sample.
        sampling_rate: as recorded.
        samples: int32 where whole numbers were recorded and none were mixed; 0 where absent.
        present: which samples were recorded.
        channels: that ZNE were made of.
        notes: what was assumed or left out, for people.
    """

    sensor_id: SensorId
    start: Time
    sampling_rate: float
    samples: Shaped[Array, "3 sample"]
    present: Bool[Array, "3 sample"]
    channels: tuple[ChannelId, ...]
    notes: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    def number(self, time: Time) -> float:
        """Place of an instant, in samples from the first."""
        return (time - self.start) * self.sampling_rate

    @property
    def dead(self) -> str:
        """Components without a sample, or with all samples alike."""
        return "".join(
            letter
            for letter, row, there in zip(COMPONENTS, self.samples, self.present, strict=True)
            if not there.any() or np.ptp(row[there]) == 0
        )

    def missing_spans(self, component: str) -> list[tuple[int, int]]:
        """First and last sample of each gap in a component."""
        absent = ~self.present[COMPONENTS.index(component)]
        edges = np.flatnonzero(np.diff(absent, prepend=False, append=False))
        return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]

    def is_seen(self, time: Time, around_s: float) -> bool:
        """Whether any component was recorded all the time around an instant."""
        first, last = self.number(time - around_s), self.number(time + around_s)
        if last < 0 or first > self.length - 1:
            return False
        place = slice(max(0, int(first)), min(self.length, int(last) + 1))
        return bool(self.present[:, place].all(axis=1).any())


def read_window(
    archive: Archive, inventory: Inventory | None, sensor_id: SensorId, start: Time, length_s: float
) -> SensorWindow | None:
    """Cut a sensor's clean samples out of an archive, turned as in operation.

    The grid is the vertical's, or of what begins first where there is none; samples of the other
    components are put to their nearest place. Components of another rate are left out.

    Args:
        archive: its gap policy says what is clean.
        inventory: for directions; without it letters tell them.
        sensor_id: whose.
        start: of the span; the first sample is the first one at or after it.
        length_s: of the span, rounded to whole samples.

    Returns:
        None where nothing was recorded.
    """
    channels = [c for c in archive.channel_ids() if c.sensor_id == sensor_id]
    epochs = inventory.sensor(sensor_id, start) if inventory is not None else ()
    orientation = orient([c.component for c in channels], epochs)
    by_letter = {c.component: c for c in channels}
    chosen = [by_letter[letter] for letter in orientation.components]
    # A little more, so that the span's last sample is there wherever the grid lies.
    columns = [archive.read(channel, start, start + length_s + 1.0) for channel in chosen]
    heads = [pieces[0] for pieces in columns if pieces]
    if not heads:
        return None
    vertical = orientation.vertical
    first = columns[vertical][0] if vertical is not None and columns[vertical] else None
    anchor = first or min(heads, key=lambda piece: piece.start)
    grid = Grid(anchor.start.ns, anchor.sampling_rate)
    number = int(np.ceil(grid.place(start.ns) - SLACK_SAMPLES))
    length = round(length_s * anchor.sampling_rate)
    samples, present, others = _laid(columns, grid, number, length, orientation)
    if not present.any():
        return None
    told = [f"{channel} has another rate than {anchor.channel_id}" for channel in others]
    return SensorWindow(
        sensor_id=sensor_id,
        start=Time(grid.time_ns(number)),
        sampling_rate=anchor.sampling_rate,
        samples=samples,
        present=present,
        channels=tuple(chosen),
        notes=(*([orientation.note] if orientation.note else []), *told),
    )


def _laid(
    columns: Sequence[Sequence[Trace]],
    grid: Grid,
    number: int,
    length: int,
    orientation: Orientation,
) -> tuple[Shaped[Array, "3 sample"], Bool[Array, "3 sample"], list[ChannelId]]:
    """Pieces put on the grid from a sample on, turned; and channels of another rate."""
    pieces = [piece for column in columns for piece in column]
    kind = np.result_type(*(piece.samples.dtype for piece in pieces))
    if not orientation.is_exchange:
        kind = np.dtype(np.float64)
    samples = np.zeros((len(columns), length), kind)
    present = np.zeros(samples.shape, bool)
    others: dict[ChannelId, None] = {}
    for row, column in enumerate(columns):
        for piece in column:
            if not grid.fits(piece.sampling_rate):
                others.setdefault(piece.channel_id)
                continue
            first = grid.nearest(piece.start.ns) - number
            skipped = max(0, -first)
            count = min(len(piece.samples), length - first) - skipped
            if count > 0:
                place = slice(first + skipped, first + skipped + count)
                samples[row, place] = piece.samples[skipped : skipped + count]
                present[row, place] = True
    turned, is_there = rotate(samples, present, orientation)
    if not orientation.is_exchange:
        turned = turned.astype(np.float32)
    return turned, is_there, list(others)
