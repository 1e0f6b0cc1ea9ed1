"""The largest swing of a channel's Wood–Anderson record, or why it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import InventoryError
from zilzal.core.ids import ChannelId
from zilzal.core.stage import Waveforms
from zilzal.core.station import Channel
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.magnitude.timing import Span, Windows
from zilzal.signal.response import Corners, Restitution, largest_swing, wood_anderson_record

CLIPPED = "clipped"
_FINE_RATE = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a channel gave.

    Args:
        channel_id: whose.
        amplitude_m: zero to peak on the record; None where it could not be read.
        period_s: of the swing.
        snr: amplitude over the largest amplitude of the noise.
        reason: why it could not be read; "" where it was.
        is_flat: whether only the sensitivity of the channel is known.
    """

    channel_id: ChannelId
    amplitude_m: float | None = None
    period_s: float | None = None
    snr: float | None = None
    reason: str = ""
    is_flat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMethod:
    """How a channel is read.

    Args:
        low_stop_hz: nothing below it is kept.
        low_pass_hz: all above it is kept, up to near the Nyquist frequency.
        minimum_noise_s: noise to judge the signal by, at least.
        limit_counts: full scale of the digitiser; samples within 2 % of it, or on it in rows,
            are clipped. None looks for flat tops only.
    """

    low_stop_hz: float = 0.05
    low_pass_hz: float = 0.1
    minimum_noise_s: float = 3.0
    limit_counts: float | None = 2.0**23

    def read(self, channel: Channel, windows: Windows, waveforms: Waveforms) -> Reading:
        """Read a channel once, noise and signal in one cut."""
        if channel.response is None:
            return Reading(channel_id=channel.channel_id, reason="no response")
        if windows.reason:
            return Reading(channel_id=channel.channel_id, reason=windows.reason)
        margin_s = _margin_s(windows)
        traces = waveforms.read(
            channel.channel_id, windows.noise.start - margin_s, windows.signal.end + margin_s
        )
        trace = _holding(traces, windows.signal)
        reason = self._reason_against(trace, windows)
        if trace is None or reason:
            return Reading(channel_id=channel.channel_id, reason=reason)
        return self._measure(trace, channel, windows, margin_s)

    def _reason_against(self, trace: Trace | None, windows: Windows) -> str:
        if trace is None:
            return "no data or a gap between P and the end of the signal"
        noise = _cut(trace.samples, trace, windows.noise)
        signal = _cut(trace.samples, trace, windows.signal)
        if len(noise) < self.minimum_noise_s * trace.sampling_rate:
            return "no data or a gap before P"
        if not np.all(np.isfinite(trace.samples)):
            return "samples that are not numbers"
        if np.all(signal == signal[0]):
            return "dead channel"
        return CLIPPED if is_clipped(signal, self.limit_counts) else ""

    def _measure(
        self, trace: Trace, channel: Channel, windows: Windows, margin_s: float
    ) -> Reading:
        assert channel.response is not None
        fine = max(1, round(_FINE_RATE / trace.sampling_rate))
        how = Restitution(
            corners_hz=self._corners(trace.sampling_rate),
            taper=min(margin_s / trace.duration_s, 0.5),
            oversampling=fine,
        )
        try:
            record = wood_anderson_record(
                trace.samples, trace.sampling_rate, channel.response, how=how
            )
        except InventoryError as error:
            return Reading(channel_id=channel.channel_id, reason=f"unusable response: {error}")
        swing = largest_swing(_cut(record, trace, windows.signal, fine), fine * trace.sampling_rate)
        noise = float(np.max(np.abs(_cut(record, trace, windows.noise, fine))))
        return Reading(
            channel_id=channel.channel_id,
            amplitude_m=swing.amplitude,
            period_s=swing.period_s,
            snr=swing.amplitude / noise if noise > 0 else np.inf,
            is_flat=channel.response.is_flat,
        )

    def _corners(self, sampling_rate: float) -> Corners:
        nyquist_hz = sampling_rate / 2
        return (self.low_stop_hz, self.low_pass_hz, 0.85 * nyquist_hz, 0.95 * nyquist_hz)


def is_clipped(samples: Shaped[Array, " sample"], limit_counts: float | None) -> bool:
    """Whether a signal ran into a limit.

    Either its top is flat: three or more equal extreme samples, entered or left by a step that
    a smooth top would not show. Or it comes within 2 % of the digitiser's full scale, as a
    filtered digitiser does that overshoots (a digitiser of more bits goes on beyond that).
    """
    for sign in (1, -1):
        if _is_flat_topped(sign * np.asarray(samples, np.float64)):
            return True
    peak = float(np.max(np.abs(samples)))
    return limit_counts is not None and abs(peak / limit_counts - 1) <= 0.02


_FLAT_RUN = 3
_FLAT_STEP = 0.005
_FLAT_LEAST_COUNTS = 1_000.0


def _is_flat_topped(samples: Float64[Array, " sample"]) -> bool:
    """Weak signals have equal samples at their tops anyway; they are not asked."""
    top = float(samples.max())
    scale = top - float(np.median(samples))
    if scale < _FLAT_LEAST_COUNTS:
        return False
    at_top = np.concatenate(([False], samples == top, [False]))
    edges = np.flatnonzero(np.diff(at_top.astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        around = samples[max(start - 1, 0) : end + 1]
        if end - start >= _FLAT_RUN and top - around.min() > _FLAT_STEP * scale:
            return True
    return False


def _margin_s(windows: Windows) -> float:
    """Length read on either side for the taper: a twentieth."""
    return 0.05 * (windows.signal.end - windows.noise.start)


def _holding(traces: Sequence[Trace], span: Span) -> Trace | None:
    """The piece that holds the whole span, to the sample."""
    for trace in traces:
        sample_s = 1 / trace.sampling_rate
        if trace.start - sample_s <= span.start and span.end <= trace.next_start + sample_s:
            return trace
    return None


def _cut(
    samples: Shaped[Array, " sample"], trace: Trace, span: Span, fine: int = 1
) -> Shaped[Array, " sample"]:
    """The part of a span that a trace, or a record of it with finer samples, holds."""

    def number(time: Time) -> int:
        return max(0, round((time - trace.start) * trace.sampling_rate * fine))

    return samples[number(span.start) : number(span.end)]
