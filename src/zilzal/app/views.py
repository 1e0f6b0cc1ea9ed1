"""Waveforms around an event, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zilzal.app.conditioning import Conditioning
from zilzal.app.configuration import read_configuration
from zilzal.core.event import Event, Origin
from zilzal.core.ids import SensorId, StationId
from zilzal.core.pick import Pick
from zilzal.core.probability import Probabilities
from zilzal.core.stage import Waveforms
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.filter import bandpass, start_filter, step_filter

BAND_HZ = (1.0, 20.0)
"""Local events stand out here; for drawing only."""
BEFORE_S = 8.0
LEAD_S = 30.0
"""Read before what is shown, so that filters and running norms have settled."""


def verticals_of(event: Event, waveforms: Waveforms) -> dict[StationId, list[Trace]]:
    """Band-passed verticals of the stations with arrivals, from before the origin to after S.

    Args:
        event: located.
        waveforms: to read from.
    """
    last = max(pick.time for pick in event.picks)
    start, end = event.time - BEFORE_S, last + 0.3 * (last - event.time) + 8
    sensors = {pick.channel_id.sensor_id for pick in event.picks}
    known = set(waveforms.channel_ids())
    found: dict[StationId, list[Trace]] = {}
    for sensor in sorted(sensors):
        vertical = sensor.channel_id("Z")
        if vertical in known:
            pieces = waveforms.read(vertical, start - LEAD_S, end)
            found[sensor.station_id] = [_shown(_filtered(p), start) for p in pieces]
    return found


def nearest_sensor(event: Event) -> SensorId | None:
    """The sensor of the arrival nearest to the source."""
    if not isinstance(event.origin, Origin) or not event.origin.arrivals:
        return None
    nearest = min(event.origin.arrivals, key=lambda a: a.distance_m)
    return next(p.channel_id.sensor_id for p in event.picks if p.id == nearest.pick_id)


def sensor_view(
    event: Event, sensor: SensorId, waveforms: Waveforms, inventory: Inventory | None
) -> tuple[Window, list[Pick], Probabilities | None]:
    """One sensor's components, its picks, and the packaged network's curves."""
    picks = [pick for pick in event.picks if pick.channel_id.sensor_id == sensor]
    first, last = min(p.time for p in picks), max(p.time for p in picks)
    start, end = first - BEFORE_S, last + max(12.0, 2 * (last - first))
    windows = read_windows(sensor, (start - LEAD_S, end), waveforms, inventory)
    window = max(windows, key=lambda w: w.length)
    picker = NeuralPicker(with_probabilities=True)
    state, picked = picker.step(picker.start(), [window])
    curves = [*picked.probabilities, *picker.finish(state).probabilities]
    joined = _join(curves)
    return _cut(window, start), picks, None if joined is None else _cut_curves(joined, start)


def read_windows(
    sensor: SensorId,
    span: tuple[Time, Time],
    waveforms: Waveforms,
    inventory: Inventory | None,
) -> list[Window]:
    """A sensor's windows in a span, conditioned as in operation."""
    channels = tuple(c for c in waveforms.channel_ids() if c.sensor_id == sensor)
    conditioning = Conditioning.of(
        sensor, channels, read_configuration().gaps, inventory=inventory, time=span[0]
    )
    traces = [trace for channel in channels for trace in waveforms.read(channel, *span)]
    state, windows, _ = conditioning.step(conditioning.start(), traces, span[1])
    return [*windows, *conditioning.finish(state)[0]]


def _filtered(trace: Trace) -> Trace:
    sections = bandpass(*BAND_HZ, order=3, sampling_rate=trace.sampling_rate)
    samples = np.asarray(trace.samples, float)[None]
    # The filter starts at rest: an offset would ring.
    _, filtered = step_filter(sections, start_filter(sections, 1), samples - samples[:, :1])
    return replace(trace, samples=filtered[0])


def _shown(trace: Trace, start: Time) -> Trace:
    skipped = max(0, int((start - trace.start) * trace.sampling_rate))
    return replace(
        trace,
        start=trace.start + skipped / trace.sampling_rate,
        samples=trace.samples[skipped:],
    )


def _cut(window: Window, start: Time) -> Window:
    skipped = max(0, int((start - window.start) * window.sampling_rate))
    return replace(
        window,
        start=window.start + skipped / window.sampling_rate,
        samples=window.samples[:, skipped:],
        present=window.present[:, skipped:],
    )


def _join(curves: Sequence[Probabilities]) -> Probabilities | None:
    if not curves:
        return None
    return replace(curves[0], values=np.concatenate([c.values for c in curves], axis=1))


def _cut_curves(curves: Probabilities, start: Time) -> Probabilities:
    skipped = max(0, int((start - curves.start) * curves.sampling_rate))
    return replace(
        curves,
        start=curves.start + skipped / curves.sampling_rate,
        values=curves.values[:, skipped:],
    )
