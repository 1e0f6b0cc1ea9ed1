"""What a network says about each sample."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.ids import SensorId
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probabilities:
    """Curves of probability along time for one sensor.

    Args:
        sensor_id: whose.
        start: instant of the first sample.
        sampling_rate: samples per second.
        labels: names of the rows: "P", "S", "detection", or what the model file says.
        values: in [0, 1]; NaN where nothing was analysed.
    """

    sensor_id: SensorId
    start: Time
    sampling_rate: float
    labels: tuple[str, ...]
    values: Float32[Array, "label sample"]

    @property
    def next_start(self) -> Time:
        """Where the next sample would be: the end, exclusive."""
        return self.start + self.values.shape[1] / self.sampling_rate
