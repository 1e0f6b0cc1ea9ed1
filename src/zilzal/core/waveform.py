"""Samples with their place in time."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float32, Shaped

from zilzal.core.arrays import Array
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.time import Time, sample_number

COMPONENTS = "ZNE"
"""Order of the component axis everywhere; Z12 and the like are put into it by the inventory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Gap-free samples of one channel.

    Args:
        channel_id: whose samples.
        start: instant of the first sample.
        sampling_rate: samples per second.
        samples: counts, int32 or float32 (float64 only where the source holds it).
    """

    channel_id: ChannelId
    start: Time
    sampling_rate: float
    samples: Shaped[Array, " sample"]

    @property
    def next_start(self) -> Time:
        """Where the next sample would be: the end, exclusive."""
        return self.start + len(self.samples) / self.sampling_rate

    @property
    def duration_s(self) -> float:
        """Number of samples over sampling rate."""
        return len(self.samples) / self.sampling_rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Samples of one sensor with a mask of what is present: a cut of fixed or of any length.

    Where `present` is False the sample is 0 and means nothing.

    Args:
        sensor_id: whose samples.
        start: instant of the first sample.
        sampling_rate: samples per second.
        samples: counts, or what the stage before made of them; components in the order ZNE.
        present: which samples were recorded; same shape.
    """

    sensor_id: SensorId
    start: Time
    sampling_rate: float
    samples: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]

    @property
    def length(self) -> int:
        """Number of samples of a component."""
        return self.samples.shape[1]

    @property
    def next_start(self) -> Time:
        """Where the next sample would be: the end, exclusive."""
        return self.start + self.length / self.sampling_rate

    @property
    def first_number(self) -> int:
        """Number of the first sample on the grid anchored at the epoch."""
        return sample_number(self.start, self.sampling_rate)
