"""Waveforms, what a network says of them, and their spectrograms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from zilzal.app.display.curves import CurveShelf
from zilzal.app.display.spectra import spectrograms
from zilzal.app.display.traces import Unit, View, channels_of, read_view
from zilzal.core.ids import ChannelId
from zilzal.core.probability import Probabilities
from zilzal.web.api.trace_values import SegmentAnswer, holed, numbers
from zilzal.web.api.values import Answer, Asked, Held, Instant, InstantText, parse_time, sensor_of
from zilzal.web.refusal import not_found

router = APIRouter(tags=["waveforms"])

Code = Annotated[str, Field(max_length=40)]


class Stretch(Asked):
    """A sensor (network.station.location.band, as CI.CCC..HH) between two instants."""

    sensor: Code
    start: InstantText
    end: InstantText


class WaveformFilter(Stretch):
    """How its traces are looked at."""

    low_hz: Annotated[float, Field(gt=0, le=1_000)] | None = None
    high_hz: Annotated[float, Field(gt=0, le=1_000)] | None = None
    units: Unit = Unit.COUNTS
    points: Annotated[int, Field(ge=100, le=20_000)] = 2_000


class ChannelStretch(Asked):
    """A channel (network.station.location.channel) between two instants."""

    channel: Code
    start: InstantText
    end: InstantText


class ChannelTrace(Answer):
    """One channel's gap-free pieces, in order of time."""

    channel: str
    component: str
    segments: list[SegmentAnswer]


class WaveformAnswer(Answer):
    """A sensor's channels, the vertical first."""

    sensor: str
    units: Unit
    start: Instant
    end: Instant
    channels: list[ChannelTrace]


class CurveSegment(Answer):
    """Probabilities by label; null where nothing was analysed."""

    start: Instant
    step_s: float
    values: dict[str, list[float | None]]

    @classmethod
    def of(cls, curves: Probabilities) -> CurveSegment:
        """From the core's own."""
        return cls(
            start=curves.start,
            step_s=1 / curves.sampling_rate,
            values={
                label: holed(values.round(4))
                for label, values in zip(curves.labels, curves.values, strict=True)
            },
        )


class ProbabilityAnswer(Answer):
    """What the network says along a sensor's record."""

    sensor: str
    model: str
    start: Instant
    end: Instant
    segments: list[CurveSegment]


class SpectrogramSegment(Answer):
    """Power [dB re counts^2/Hz], one row a frequency, one column each `step_s` from `start`."""

    start: Instant
    step_s: float
    frequency_hz: list[float]
    power_db: list[list[float]]


class SpectrogramAnswer(Answer):
    """A channel's spectrograms, one a gap-free piece."""

    channel: str
    start: Instant
    end: Instant
    segments: list[SpectrogramSegment]


@router.get("/waveforms")
def waveforms(held: Held, wanted: Annotated[WaveformFilter, Query()]) -> WaveformAnswer:
    """A sensor's traces: samples, or an envelope where there are more than `points`."""
    sensor = sensor_of(wanted.sensor)
    span = parse_time(wanted.start), parse_time(wanted.end)
    view = View(
        low_hz=wanted.low_hz, high_hz=wanted.high_hz, unit=wanted.units, points=wanted.points
    )
    channels = channels_of(sensor, held.waveforms)
    if not channels:
        raise not_found(f"recorded sensor {wanted.sensor}")
    traces = [
        ChannelTrace(
            channel=str(channel),
            component=channel.component,
            segments=[
                SegmentAnswer.of(segment)
                for segment in read_view(channel, span, view, held.waveforms, held.inventory)
            ],
        )
        for channel in channels
    ]
    return WaveformAnswer(
        sensor=str(sensor), units=view.unit, start=span[0], end=span[1], channels=traces
    )


@router.get("/probabilities")
def probabilities(
    request: Request, held: Held, wanted: Annotated[Stretch, Query()]
) -> ProbabilityAnswer:
    """Probabilities of P, S and an event along a sensor's record, computed when asked for."""
    sensor = sensor_of(wanted.sensor)
    span = parse_time(wanted.start), parse_time(wanted.end)
    if not channels_of(sensor, held.waveforms):
        raise not_found(f"recorded sensor {wanted.sensor}")
    shelf: CurveShelf = request.app.state.curves
    segments = [CurveSegment.of(curves) for curves in shelf.curves(sensor, span, held)]
    return ProbabilityAnswer(
        sensor=str(sensor),
        model=shelf.picker.model,
        start=span[0],
        end=span[1],
        segments=segments,
    )


@router.get("/spectrogram")
def spectrogram(held: Held, wanted: Annotated[ChannelStretch, Query()]) -> SpectrogramAnswer:
    """Power over time and frequency of a channel."""
    channel = ChannelId.parse(wanted.channel)
    span = parse_time(wanted.start), parse_time(wanted.end)
    if channel not in held.waveforms.channel_ids():
        raise not_found(f"recorded channel {wanted.channel}")
    segments = [
        SpectrogramSegment(
            start=found.start,
            step_s=found.step_s,
            frequency_hz=numbers(found.frequency_hz),
            power_db=[[round(v, 1) for v in row] for row in found.power_db.tolist()],
        )
        for found in spectrograms(channel, span, held)
    ]
    return SpectrogramAnswer(channel=str(channel), start=span[0], end=span[1], segments=segments)
