"""The end of records as they grow, for those who look on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zilzal.app.display.curves import CurveShelf
from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import Segment, View, channels_of, envelope, read_view
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time

FIRST_S = 120.0
"""Of waveforms at the beginning, as long as the page shows; a slower round leaves a hole."""
AHEAD_S = 60.0
"""A clock that is so much ahead of ours is still read."""


@dataclass(slots=True, eq=False)
class Tail:
    """The end of some sensors' records, piece by piece as they grow.

    Args:
        held: the waveforms.
        shelf: of the network's curves.
        sensors: which.
        view: how they are looked at.
        components: letters of those that are wanted; empty is all.
        step_s: of the envelopes that traces, and of the peaks that curves are given as; None
            gives every sample.
    """

    held: Holdings
    shelf: CurveShelf
    sensors: Sequence[SensorId]
    view: View
    components: frozenset[str] = frozenset()
    step_s: float | None = None
    _ends: dict[ChannelId, Time] = field(default_factory=dict[ChannelId, Time])
    _curve_ends: dict[SensorId, Time] = field(default_factory=dict[SensorId, Time])

    def grow(self) -> dict[ChannelId, list[Segment]]:
        """What was recorded since the last time, by channel."""
        grown: dict[ChannelId, list[Segment]] = {}
        for sensor in self.sensors:
            for channel in channels_of(sensor, self.held.waveforms):
                if self.components and channel.component not in self.components:
                    continue
                found = read_view(
                    channel, self._span(self._ends.get(channel)), self.view,
                    self.held.waveforms, self.held.inventory,
                )  # fmt: skip
                shown, end = in_steps(found, self.step_s)
                if end is not None:
                    grown[channel], self._ends[channel] = shown, end
        return grown

    def curves(self) -> list[Probabilities]:
        """What the network says of it, as far as it has seen enough."""
        found: list[Probabilities] = []
        for sensor in self.sensors:
            span = self._span(self._curve_ends.get(sensor))
            curves = self.shelf.curves(sensor, span, self.held)
            for number, curve in enumerate(curves, 1):
                shown = peaks(curve, self.step_s, is_growing=number == len(curves))
                if shown.values.shape[1]:
                    self._curve_ends[sensor] = shown.next_start
                    found.append(shown)
        return found

    def _span(self, end: Time | None) -> tuple[Time, Time]:
        """From where the last piece ended, if that is not long ago."""
        now = self.held.now()
        return max(end or now - FIRST_S, now - FIRST_S), now + AHEAD_S


def in_steps(
    segments: Sequence[Segment], step_s: float | None
) -> tuple[list[Segment], Time | None]:
    """Samples as envelopes, and where what comes next begins, to half a sample.

    Args:
        segments: of samples, in order of time; the last one is still growing.
        step_s: of the envelopes, to a sample; None leaves all samples.

    Returns:
        The envelopes, of the last segment's whole steps only, and their end; None for none.
    """
    shown: list[Segment] = []
    end: Time | None = None
    for number, segment in enumerate(segments, 1):
        step = _samples(step_s, segment.step_s)
        count = len(segment.minimum)
        if number == len(segments):
            count -= count % step
        if count:
            end = segment.start + (count - 0.5) * segment.step_s
            shown.append(segment if step == 1 else _coarser(segment, count, step))
    return shown, end


def _coarser(segment: Segment, count: int, step: int) -> Segment:
    upper = segment.minimum if segment.maximum is None else segment.maximum
    return Segment(
        start=segment.start,
        step_s=step * segment.step_s,
        minimum=envelope(segment.minimum[:count], step)[0],
        maximum=envelope(upper[:count], step)[1],
    )


def peaks(curves: Probabilities, step_s: float | None, *, is_growing: bool) -> Probabilities:
    """The largest value of each step, so that no peak is lost.

    Args:
        curves: of probability.
        step_s: to a sample; None leaves all samples.
        is_growing: whether what is left after the last whole step comes with what follows.
    """
    step = _samples(step_s, 1 / curves.sampling_rate)
    values = curves.values
    if step == 1:
        return curves
    if is_growing:
        values = values[:, : values.shape[1] // step * step]
    largest = values
    if values.shape[1]:
        largest = np.fmax.reduceat(values, np.arange(0, values.shape[1], step), axis=1)
    return replace(curves, sampling_rate=curves.sampling_rate / step, values=largest)


def _samples(step_s: float | None, sample_s: float) -> int:
    return 1 if step_s is None else max(1, round(step_s / sample_s))
