"""The classical picker: band-passed recursive STA/LTA, onsets by the information criterion.

P is triggered and timed on the vertical, S sought on the horizontals after it; detections are
the intervals in which channels are triggered together. It is the baseline that networks are
measured against, and needs no training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64

import zilzal
from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Phase, Pick, Provenance
from zilzal.core.stage import Picked
from zilzal.core.waveform import Window
from zilzal.detect.coincidence import Coincidence, CoincidenceState
from zilzal.pick.classical import OnsetRules, PhaseOnset, find_p, find_s, score_of
from zilzal.pick.measure import AFTER_S, BEFORE_S, cut_around, measure
from zilzal.pick.segment import Clock, Follower, Piece, close, follow, rounds
from zilzal.signal.filter import bandpass, start_filter, step_filter
from zilzal.signal.prepare import even_pieces
from zilzal.signal.trigger import Interval, StaLta, StaLtaState, hold, start_sta_lta, step_sta_lta

_ROUND_SAMPLES = 1 << 15
_SAME_ONSET_S = 1.0
"""A trigger whose P would lie so close to an S already found is that S on the vertical."""
_PROVENANCE = Provenance(method="stalta", version=zilzal.__version__)


class _Tail(NamedTuple):
    """Samples that triggers to come may still need.

    Args:
        first: number of the first.
        counts: as recorded.
        filtered: band-passed.
        present: which were recorded.
    """

    first: int
    counts: Float32[Array, "component sample"]
    filtered: Float32[Array, "component sample"]
    present: Bool[Array, "component sample"]

    @property
    def end(self) -> int:
        return self.first + self.counts.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """What is carried along one gap-free segment of a sensor."""

    clock: Clock
    offset: Float32[Array, " component"]
    was_present: Bool[Array, " component"]
    filter: Float64[Array, "section component 2"]
    sta_lta: StaLtaState
    coincidence: CoincidenceState
    is_triggered: bool = False
    triggers: tuple[int, ...] = ()
    last_onset: int | None = None
    tail: _Tail


class _Sensor(NamedTuple):
    follower: Follower
    segment: _Segment | None


class _Onset(NamedTuple):
    phase: Phase
    onset: PhaseOnset


StaLtaPickerState = Mapping[SensorId, _Sensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaLtaPicker:
    """Picks phases and detects events without a network.

    The probability of its picks is a mapped signal-to-noise ratio, see `classical.score_of`: it
    ranks picks, but is not calibrated.

    Args:
        low_hz: lower corner of the causal Butterworth band-pass.
        high_hz: upper corner; left out for records of too low a rate.
        order: of the band-pass.
        sta_lta: memories of the averages.
        on: STA/LTA (of energy) at which a channel is triggered.
        off: below which it is no longer.
        minimum_channels: of a sensor that must be triggered at once for a detection.
        minimum_detection_s: shorter detections are dropped.
        minimum_score: picks below are dropped.
        rules: for the onsets.

    Raises:
        ConfigError: an option is out of range.
    """

    low_hz: float = 2.0
    high_hz: float = 20.0
    order: int = 2
    sta_lta: StaLta = field(default_factory=StaLta)
    on: float = 6.0
    off: float = 2.0
    minimum_channels: int = 2
    minimum_detection_s: float = 0.5
    minimum_score: float = 0.3
    rules: OnsetRules = field(default_factory=OnsetRules)

    def __post_init__(self) -> None:
        if not 0 < self.low_hz < self.high_hz or not 1 <= self.order <= 8:
            raise ConfigError(
                f"need 0 < low_hz < high_hz and order 1 to 8, not {self.low_hz}, "
                f"{self.high_hz}, {self.order}"
            )
        if not 0 < self.off <= self.on or self.minimum_channels < 1:
            raise ConfigError(
                f"need 0 < off <= on and at least 1 channel, not {self.off}, {self.on}, "
                f"{self.minimum_channels}"
            )

    def start(self) -> StaLtaPickerState:
        """No data yet."""
        return {}

    def step(
        self, state: StaLtaPickerState, windows: Sequence[Window]
    ) -> tuple[StaLtaPickerState, Picked]:
        """Take more data in; hand out what has become final."""
        sensors = dict(state)
        picks: list[Pick] = []
        detections: list[Detection] = []
        for dealt in rounds(windows, longest_samples=_ROUND_SAMPLES):
            for window in dealt:
                follower, segment = sensors.get(window.sensor_id, (None, None))
                follower, pieces = follow(follower, window)
                segment, told = self._take(window.sensor_id, segment, pieces)
                sensors[window.sensor_id] = _Sensor(follower, segment)
                picks += told.picks
                detections += told.detections
        return sensors, _in_order(picks, detections)

    def finish(self, state: StaLtaPickerState) -> Picked:
        """No more data will come; hand out the rest."""
        picks: list[Pick] = []
        detections: list[Detection] = []
        for sensor_id, (follower, segment) in state.items():
            _, told = self._take(sensor_id, segment, close(follower, 3))
            picks += told.picks
            detections += told.detections
        return _in_order(picks, detections)

    @property
    def _coincidence(self) -> Coincidence:
        return Coincidence(on=self.on, off=self.off, minimum_channels=self.minimum_channels)

    def _sections(self, sampling_rate: float) -> Float64[Array, "section 6"]:
        return bandpass(self.low_hz, self.high_hz, order=self.order, sampling_rate=sampling_rate)

    def _take(
        self, sensor_id: SensorId, segment: _Segment | None, pieces: Sequence[Piece]
    ) -> tuple[_Segment | None, Picked]:
        """Follow the pieces of one sensor."""
        picks: list[Pick] = []
        detections: list[Detection] = []
        for piece in pieces:
            if piece.begins or segment is None:
                segment = self._begin(piece)
            segment, intervals = self._listen(segment, piece)
            segment, onsets = self._read(segment, ends=piece.ends)
            picks += [_pick(sensor_id, segment, each) for each in onsets]
            if piece.ends:
                intervals += self._coincidence.finish(segment.coincidence, segment.tail.end)
            detections += self._detections(sensor_id, segment.clock, intervals)
            segment = None if piece.ends else self._forget(segment)
        return segment, Picked(tuple(picks), tuple(detections))

    def _begin(self, piece: Piece) -> _Segment:
        n_components = len(piece.samples)
        nothing = piece.samples[:, :0]
        return _Segment(
            clock=piece.clock,
            offset=np.zeros(n_components, np.float32),
            was_present=np.zeros(n_components, bool),
            filter=start_filter(self._sections(piece.clock.sampling_rate), n_components),
            sta_lta=start_sta_lta(n_components),
            coincidence=self._coincidence.start(n_components),
            tail=_Tail(piece.first_number, nothing, nothing, piece.present[:, :0]),
        )

    def _listen(self, segment: _Segment, piece: Piece) -> tuple[_Segment, list[Interval]]:
        """Filter, and see where channels are triggered."""
        segment = replace(segment, clock=piece.clock)
        filtered: list[Float32[Array, "component sample"]] = []
        ratios: list[Float64[Array, "component sample"]] = []
        for first, end in even_pieces(piece.present) if piece.samples.shape[1] else []:
            mask = piece.present[:, first]
            segment = _restart(segment, mask, piece.samples[:, first])
            segment, part, ratio = self._average(segment, piece.samples[:, first:end], mask)
            filtered.append(part)
            ratios.append(ratio)
        if not ratios:
            return segment, []
        ratio = np.concatenate(ratios, axis=1)
        coincidence, intervals = self._coincidence.step(
            segment.coincidence, ratio, piece.present, piece.first_number
        )
        segment = self._trigger(segment, ratio, piece)
        tail = _Tail(
            segment.tail.first,
            np.concatenate((segment.tail.counts, piece.samples), axis=1),
            np.concatenate((segment.tail.filtered, *filtered), axis=1),
            np.concatenate((segment.tail.present, piece.present), axis=1),
        )
        return replace(segment, coincidence=coincidence, tail=tail), intervals

    def _average(
        self,
        segment: _Segment,
        samples: Float32[Array, "component sample"],
        mask: Bool[Array, " component"],
    ) -> tuple[_Segment, Float32[Array, "component sample"], Float64[Array, "component sample"]]:
        """Band-pass and STA/LTA where the same components are present throughout."""
        rate = segment.clock.sampling_rate
        centred = np.where(mask[:, None], samples - segment.offset[:, None], np.float32(0))
        at_end, filtered = step_filter(self._sections(rate), segment.filter, centred)
        sta_lta, ratio = step_sta_lta(self.sta_lta, segment.sta_lta, np.square(filtered), rate)
        segment = replace(segment, filter=at_end, sta_lta=sta_lta)
        return segment, filtered.astype(np.float32), ratio

    def _trigger(
        self, segment: _Segment, ratio: Float64[Array, "component sample"], piece: Piece
    ) -> _Segment:
        """Note where the vertical becomes triggered; a horizontal where there is none."""
        first_there = np.argmax(piece.present, axis=0)[None]
        vertical = np.take_along_axis(ratio, first_there, axis=0)[0]
        active = hold(segment.is_triggered, vertical, on=self.on, off=self.off)
        rises = np.flatnonzero(active & ~np.concatenate(([segment.is_triggered], active[:-1])))
        return replace(
            segment,
            is_triggered=bool(active[-1]),
            triggers=(*segment.triggers, *(rises + piece.first_number).tolist()),
        )

    @property
    def _horizon_s(self) -> float:
        """So much must have come after a trigger before it is read."""
        return self.rules.maximum_s_minus_p_s + AFTER_S + 1.0

    def _read(self, segment: _Segment, *, ends: bool) -> tuple[_Segment, list[_Onset]]:
        """Time the triggers after which enough has come."""
        horizon = round(self._horizon_s * segment.clock.sampling_rate)
        onsets: list[_Onset] = []
        for number in segment.triggers:
            if not ends and number + horizon > segment.tail.end:
                break
            found = self._onsets(segment, number, number + horizon)
            if found:
                last = max(each.onset.place for each in found)
                segment = replace(segment, last_onset=last)
            onsets += found
            segment = replace(segment, triggers=segment.triggers[1:])
        return segment, onsets

    def _onsets(self, segment: _Segment, trigger: int, end: int) -> list[_Onset]:
        """P and S of a trigger, their places counted from the epoch."""
        tail, rate = segment.tail, segment.clock.sampling_rate
        # The same samples whatever else the tail still holds.
        first = max(trigger - round((BEFORE_S + 2.0) * rate), tail.first)
        cut = slice(first - tail.first, end - tail.first)
        filtered, present = tail.filtered[:, cut], tail.present[:, cut]
        vertical = filtered[int(np.argmax(present[:, trigger - first]))]
        p = find_p(self.rules, vertical, trigger - first, rate)
        if p is None or p.score < self.minimum_score:
            return []
        last = segment.last_onset
        if last is not None and first + p.place <= last + round(_SAME_ONSET_S * rate):
            return []
        onsets = [_Onset(Phase.P, p._replace(place=first + p.place))]
        if present[1:, p.place :].any():
            s = find_s(self.rules, filtered[1:], p.place, rate)
            if s is not None and s.score >= self.minimum_score:
                onsets.append(_Onset(Phase.S, s._replace(place=first + s.place)))
        return onsets

    def _detections(
        self, sensor_id: SensorId, clock: Clock, intervals: Sequence[Interval]
    ) -> list[Detection]:
        shortest = self.minimum_detection_s * clock.sampling_rate
        return [
            Detection(
                sensor_id=sensor_id,
                start=clock.time_of(each.first),
                end=clock.time_of(each.end),
                probability=score_of(self.rules, max(each.highest, 0.0) ** 0.5),
                provenance=_PROVENANCE,
            )
            for each in intervals
            if each.end - each.first >= shortest
        ]

    def _forget(self, segment: _Segment) -> _Segment:
        """Drop samples that no trigger can need any more."""
        tail, rate = segment.tail, segment.clock.sampling_rate
        earliest = segment.triggers[0] if segment.triggers else tail.end
        first = max(earliest - round((BEFORE_S + 3.0) * rate), tail.first)
        used = first - tail.first
        rest = _Tail(
            first,
            tail.counts[:, used:].copy(),
            tail.filtered[:, used:].copy(),
            tail.present[:, used:].copy(),
        )
        return replace(segment, tail=rest)


def _restart(
    segment: _Segment,
    mask: Bool[Array, " component"],
    samples: Float32[Array, " component"],
) -> _Segment:
    """Forget the past of components that come or go."""
    changed = mask != segment.was_present
    if not changed.any():
        return segment
    return replace(
        segment,
        offset=np.where(changed, samples, segment.offset),
        filter=np.where(changed[None, :, None], 0.0, segment.filter),
        sta_lta=StaLtaState(*(np.where(changed, 0.0, row) for row in segment.sta_lta)),
        was_present=mask,
    )


def _pick(sensor_id: SensorId, segment: _Segment, found: _Onset) -> Pick:
    phase, onset = found
    tail, clock = segment.tail, segment.clock
    cut = cut_around(tail.counts, tail.present, onset.place - tail.first, clock.sampling_rate)
    (measured,) = measure([cut], [phase])
    return Pick(
        channel_id=sensor_id.channel_id(measured.component),
        phase=phase,
        time=clock.time_of(onset.place),
        probability=onset.score,
        uncertainty_s=onset.uncertainty_s,
        amplitude_counts=measured.amplitude_counts,
        snr=measured.snr,
        onset=measured.onset,
        polarity=measured.polarity,
        provenance=_PROVENANCE,
    )


def _in_order(picks: Sequence[Pick], detections: Sequence[Detection]) -> Picked:
    return Picked(
        tuple(sorted(picks, key=lambda p: (p.channel_id.sensor_id, p.time, p.phase))),
        tuple(sorted(detections, key=lambda d: (d.sensor_id, d.start))),
    )
