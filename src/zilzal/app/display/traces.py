"""Traces as they are drawn: in a unit, filtered, and no finer than a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Float64

from zilzal.core.arrays import Array
from zilzal.core.errors import InventoryError, RangeError
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.stage import Waveforms
from zilzal.core.station import GroundMotion, Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.signal.filter import bandpass, highpass, lowpass, start_filter, step_filter
from zilzal.signal.response import Restitution, restitute

LEAD_S = 30.0
"""Read before what is shown, so that filters have settled."""
LONGEST_S = 90_000.0
"""Of counts at a time: a day and an hour."""
LONGEST_RESTITUTED_S = 7_200.0
"""Of ground motion, which is computed in one piece."""
_LOWEST_HZ = 0.05
"""Below, dividing by a response shows little but noise."""


class Unit(StrEnum):
    """What the samples of a trace are."""

    COUNTS = "counts"
    DISPLACEMENT = "m"
    VELOCITY = "m/s"
    ACCELERATION = "m/s**2"

    @property
    def motion(self) -> GroundMotion | None:
        """The ground motion; None for counts."""
        return None if self is Unit.COUNTS else GroundMotion(self.value.upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How traces are looked at.

    Args:
        low_hz: corner of a high-pass; None does without.
        high_hz: corner of a low-pass; None does without.
        unit: of the samples.
        points: of each trace, at most about so many; more samples become an envelope.

    Raises:
        RangeError: the corners do not rise from above 0.
    """

    low_hz: float | None = None
    high_hz: float | None = None
    unit: Unit = Unit.COUNTS
    points: int = 2_000

    def __post_init__(self) -> None:
        low_hz, high_hz = self.low_hz, self.high_hz
        if (low_hz is not None and not low_hz > 0) or (high_hz is not None and not high_hz > 0):
            raise RangeError(f"corners of {low_hz} and {high_hz} Hz; give frequencies above 0")
        if low_hz is not None and high_hz is not None and low_hz >= high_hz:
            raise RangeError(f"corners of {low_hz} and {high_hz} Hz do not rise")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A gap-free piece: samples, or the least and largest of each step.

    Args:
        start: of the first sample or step.
        step_s: from one to the next.
        minimum: the samples, or the least of each step.
        maximum: None for samples; the largest of each step.
    """

    start: Time
    step_s: float
    minimum: Float64[Array, " point"]
    maximum: Float64[Array, " point"] | None = None


def read_view(
    channel_id: ChannelId,
    span: tuple[Time, Time],
    view: View,
    waveforms: Waveforms,
    inventory: Inventory,
) -> list[Segment]:
    """A channel between two instants, as it is looked at.

    Raises:
        InventoryError: ground motion is wanted of a channel without a usable response.
        RangeError: the span is empty or too long.
    """
    start, end = span
    check_span(span, LONGEST_S if view.unit is Unit.COUNTS else LONGEST_RESTITUTED_S)
    pieces = waveforms.read(channel_id, start - LEAD_S, end)
    shown = (_cut(_worked(piece, view, inventory), start) for piece in pieces)
    kept = [piece for piece in shown if len(piece.samples)]
    total = sum(len(piece.samples) for piece in kept)
    return [_segment(piece, max(1, -(-total // max(view.points, 1)))) for piece in kept]


def check_span(span: tuple[Time, Time], longest_s: float) -> None:
    """Refuse what is empty or too long to be shown at once.

    Raises:
        RangeError: it is.
    """
    length_s = span[1] - span[0]
    if not 0 < length_s <= longest_s:
        raise RangeError(
            f"from {span[0]} to {span[1]} is {length_s:g} s; give more than 0 and at most "
            f"{longest_s:g} s"
        )


def channels_of(sensor: SensorId, waveforms: Waveforms) -> tuple[ChannelId, ...]:
    """A sensor's channels that have been recorded: the vertical first, then as named."""
    mine = [c for c in waveforms.channel_ids() if c.sensor_id == sensor]
    return tuple(sorted(mine, key=lambda c: (c.component != "Z", c)))


def _worked(trace: Trace, view: View, inventory: Inventory) -> Trace:
    """In its unit, then filtered."""
    samples = np.asarray(trace.samples, float)
    if view.unit.motion is not None:
        samples = _ground_motion(trace, view, inventory)
    sections = _sections(view, trace.sampling_rate)
    if sections is not None:
        # The filter starts at rest: an offset would ring.
        offset = samples[:1]
        filtered = step_filter(sections, start_filter(sections, 1), (samples - offset)[None])
        samples = filtered[1][0]
    elif view.unit is not Unit.COUNTS:
        samples = samples - samples.mean()
    return replace(trace, samples=samples)


def _ground_motion(trace: Trace, view: View, inventory: Inventory) -> Float64[Array, " sample"]:
    motion = view.unit.motion
    assert motion is not None
    channel = inventory.channel(trace.channel_id, trace.start)
    if channel is None or channel.response is None:
        raise InventoryError(
            f"{trace.channel_id} has no usable response at {trace.start}; look at it in counts, "
            "or give an inventory with responses"
        )
    low_hz = max(view.low_hz or _LOWEST_HZ, _LOWEST_HZ)
    nyquist_hz = trace.sampling_rate / 2
    low_hz = min(low_hz, nyquist_hz / 4)
    corners = (low_hz / 2, low_hz, 0.8 * nyquist_hz, 0.95 * nyquist_hz)
    how = Restitution(corners_hz=corners)
    return restitute(trace.samples, trace.sampling_rate, channel.response, motion, how=how)


def _sections(view: View, sampling_rate: float) -> Float64[Array, "section 6"] | None:
    """The filter's, with corners that the rate allows; None for no filter."""
    highest_hz = 0.45 * sampling_rate
    low_hz = None if view.low_hz is None else min(view.low_hz, 0.9 * highest_hz)
    high_hz = None if view.high_hz is None or view.high_hz >= highest_hz else view.high_hz
    if low_hz is not None and high_hz is not None:
        return bandpass(low_hz, high_hz, order=3, sampling_rate=sampling_rate)
    if low_hz is not None:
        return highpass(low_hz, order=3, sampling_rate=sampling_rate)
    if high_hz is not None:
        return lowpass(high_hz, order=3, sampling_rate=sampling_rate)
    return None


def _cut(trace: Trace, start: Time) -> Trace:
    skipped = max(0, int(np.ceil((start - trace.start) * trace.sampling_rate - 1e-3)))
    return replace(
        trace, start=trace.start + skipped / trace.sampling_rate, samples=trace.samples[skipped:]
    )


def _segment(trace: Trace, step: int) -> Segment:
    """Samples where there are few enough; else an envelope of `step` samples a point."""
    rate = trace.sampling_rate
    if step == 1:
        return Segment(start=trace.start, step_s=1 / rate, minimum=trace.samples)
    lowest, highest = envelope(trace.samples, step)
    return Segment(start=trace.start, step_s=step / rate, minimum=lowest, maximum=highest)


def envelope(
    samples: Float64[Array, " sample"], step: int
) -> tuple[Float64[Array, " point"], Float64[Array, " point"]]:
    """Least and largest of each `step` samples; the last step may be shorter."""
    edges = np.arange(0, len(samples), step)
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def sensors_of(waveforms: Waveforms) -> Sequence[SensorId]:
    """All sensors that have been recorded, in order."""
    return sorted({c.sensor_id for c in waveforms.channel_ids()})
