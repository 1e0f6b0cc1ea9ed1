"""Picking and detection with a network: prepare, cut windows, infer, overlap, read, measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

import zilzal
from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, SpecError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Phase, Pick, Polarity, Provenance
from zilzal.core.probability import Probabilities
from zilzal.core.stage import Picked
from zilzal.core.waveform import Window
from zilzal.infer.engine import EngineName, Model, load_model
from zilzal.infer.overlap import Curves, OverlapState
from zilzal.infer.packaged import find_model
from zilzal.infer.spec import ModelSpec
from zilzal.infer.windows import Cut as WindowCut
from zilzal.infer.windows import Cutting, cut_windows, join_outputs, start_windows
from zilzal.pick.measure import (
    AFTER_S,
    BEFORE_S,
    Cut,
    Measurement,
    cut_around,
    measure,
    reach_of,
)
from zilzal.pick.motion import MotionReader, motion_reader
from zilzal.pick.read import MOTIONS, Peak, ReaderState, Reading, start_reading, step_reading
from zilzal.pick.segment import Clock, Follower, Piece, close, follow, rounds
from zilzal.signal.prepare import (
    PreparationState,
    finish_preparation,
    start_preparation,
    step_preparation,
)
from zilzal.signal.stretches import Stretch, Stretches
from zilzal.signal.trigger import Interval

_ROUND_SAMPLES = 1 << 18
"""Longer windows are worked on in pieces of so many samples, which bounds the memory."""
_READ_LABELS = ("P", "S", "detection", *MOTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """What is carried along one gap-free segment of a sensor."""

    clock: Clock
    preparation: PreparationState
    end_number: int
    cutting: Cutting
    overlap: OverlapState
    reader: ReaderState
    counts: Stretches


class _Sensor(NamedTuple):
    follower: Follower
    segment: _Segment | None


class _Work(NamedTuple):
    """A segment's windows on their way through the network."""

    sensor_id: SensorId
    segment: _Segment
    cut: WindowCut
    ends: bool


NeuralState = Mapping[SensorId, _Sensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuralPicker:
    """Picks phases and detects events with a network from an ONNX file.

    Args:
        model: path of the file, or the name of a packaged network.
        thresholds: on the network's output by label ("P", "S", "detection", and "positive" and
            "negative" for first motions); those not named are the model's own.
        separation_s: two picks of a phase are at least so far apart, if the model's are separated.
        release_share: a detection lasts until the curve falls below so much of its threshold; so
            does an excursion, of which models from elsewhere give one pick.
        minimum_detection_s: shorter ones are dropped.
        with_probabilities: also hand out the curves, for display.
        engine: that runs the network.
        threads: of the engine; one per process scales best.
        window_samples: length of the network's windows where it should be another than the
            model's own; longer ones overlap less, shorter ones need less memory and wait less.
        first_motions: name or path of the small network that reads them, or "rule" for the first
            swing that stands out of the noise; of a picking network with curves of first motions
            these count instead.
        motion_probability: from which that network tells a first motion.

    Raises:
        ConfigError: an option is out of range.
    """

    model: str = "zilzal"
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    separation_s: float = 0.5
    release_share: float = 0.5
    minimum_detection_s: float = 0.5
    with_probabilities: bool = False
    engine: EngineName = "onnxruntime"
    threads: int = 1
    window_samples: int | None = None
    first_motions: str = "first-motion"
    motion_probability: float = 0.8

    def __post_init__(self) -> None:
        for label, threshold in self.thresholds.items():
            if label not in _READ_LABELS or not 0 < threshold <= 1:
                raise ConfigError(
                    f"threshold {label} = {threshold}: labels are {_READ_LABELS}, "
                    "values lie in (0, 1]"
                )
        if not self.separation_s > 0 or not 0 < self.release_share <= 1:
            raise ConfigError(
                f"separation_s = {self.separation_s} must be above 0 and release_share = "
                f"{self.release_share} in (0, 1]"
            )
        if not 0.5 <= self.motion_probability < 1:
            raise ConfigError(
                f"motion_probability = {self.motion_probability} must be 0.5 to below 1"
            )

    def start(self) -> NeuralState:
        """No data yet.

        Raises:
            ModelError: the network cannot be loaded.
            SpecError: it is not one for picking, or lacks a threshold or an uncertainty.
        """
        self._check(self._load().spec)
        motion_reader(self.first_motions, self.motion_probability)
        return {}

    def step(self, state: NeuralState, windows: Sequence[Window]) -> tuple[NeuralState, Picked]:
        """Take more data in; hand out what has become final."""
        model = self._load()
        sensors = dict(state)
        collected = _Collected()
        for dealt in rounds(windows, longest_samples=_ROUND_SAMPLES):
            work: list[_Work] = []
            for window in dealt:
                follower, segment = sensors.get(window.sensor_id, (None, None))
                follower, pieces = follow(follower, window)
                segment, new_work = self._feed(model.spec, window.sensor_id, segment, pieces)
                sensors[window.sensor_id] = _Sensor(follower, segment)
                work += new_work
            for sensor_id, segment in self._run(model, work, collected):
                sensors[sensor_id] = sensors[sensor_id]._replace(segment=segment)
        return sensors, collected.picked()

    def finish(self, state: NeuralState) -> Picked:
        """No more data will come; hand out the rest."""
        model = self._load()
        collected = _Collected()
        work: list[_Work] = []
        for sensor_id, (follower, segment) in sorted(state.items()):
            pieces = close(follower, 3)
            work += self._feed(model.spec, sensor_id, segment, pieces)[1]
        for _ in self._run(model, work, collected):
            pass
        return collected.picked()

    def _load(self) -> Model:
        return load_model(
            find_model(self.model),
            threads=self.threads,
            engine=self.engine,
            window_samples=self.window_samples,
        )

    def _check(self, spec: ModelSpec) -> None:
        if spec.task != "pick":
            raise SpecError(f"{spec.name!r} is a network to {spec.task}, not to pick")
        thresholds = {**spec.thresholds, **self.thresholds}
        read = [label for label in spec.labels if label in _READ_LABELS]
        if missing := [label for label in read if label not in thresholds]:
            raise SpecError(f"{spec.name!r} has no thresholds for {missing}; give them")
        phases = [label for label in read if label in ("P", "S")]
        if not phases or (missing := [p for p in phases if p not in spec.uncertainty]):
            raise SpecError(f"{spec.name!r}: labels {spec.labels} need P or S with uncertainties")

    def _reading(self, spec: ModelSpec, sampling_rate: float) -> Reading:
        return Reading(
            labels=spec.labels,
            thresholds={**spec.thresholds, **self.thresholds},
            release_share=self.release_share,
            separation_samples=max(round(self.separation_s * sampling_rate), 1),
            peaks=spec.peaks,
        )

    def _feed(
        self,
        spec: ModelSpec,
        sensor_id: SensorId,
        segment: _Segment | None,
        pieces: Sequence[Piece],
    ) -> tuple[_Segment | None, list[_Work]]:
        """Prepare pieces and cut them into the network's windows."""
        work: list[_Work] = []
        for piece in pieces:
            if piece.begins or segment is None:
                segment = self._begin(spec, piece)
            segment, cut = _prepare(spec, segment, piece)
            work.append(_Work(sensor_id, segment, cut, piece.ends))
            if piece.ends:
                segment = None
        return segment, work

    def _begin(self, spec: ModelSpec, piece: Piece) -> _Segment:
        n_components = len(piece.samples)
        preparation = start_preparation(
            spec.preparation, piece.clock.sampling_rate, piece.first_number, n_components
        )
        number = preparation.number
        reading = self._reading(spec, preparation.sampling_rate)
        cutting, overlap = start_windows(spec, number, n_components)
        return _Segment(
            clock=piece.clock,
            preparation=preparation,
            end_number=number,
            cutting=cutting,
            overlap=overlap,
            reader=start_reading(reading, overlap.number),
            counts=Stretches.none(piece.first_number, n_components),
        )

    def _run(
        self, model: Model, work: Sequence[_Work], collected: _Collected
    ) -> list[tuple[SensorId, _Segment | None]]:
        """Infer all windows of a round together, then finish each segment's share."""
        outputs = model.predict_each(
            [window for item in work for window in item.cut.windows],
            [mask for item in work for mask in item.cut.masks],
        )
        motions = motion_reader(self.first_motions, self.motion_probability)
        place = 0
        segments: list[tuple[SensorId, _Segment | None]] = []
        for item in work:
            end = place + item.cut.length
            segment = self._absorb(model, motions, item, outputs[place:end], collected)
            segments.append((item.sensor_id, None if item.ends else segment))
            place = end
        return segments

    def _absorb(
        self,
        model: Model,
        motions: MotionReader | None,
        work: _Work,
        outputs: Sequence[Float32[Array, "label ..."]],
        collected: _Collected,
    ) -> _Segment:
        """Overlap-add a segment's outputs and read picks and detections off them."""
        spec, segment = model.spec, work.segment
        end_number = segment.end_number if work.ends else None
        overlap, curves = join_outputs(
            spec, segment.overlap, work.cut, outputs, end_number=end_number
        )
        reading = self._reading(spec, segment.preparation.sampling_rate)
        ready = None if work.ends else _measurable(segment)
        reader, peaks, intervals = step_reading(reading, segment.reader, curves, ready)
        made_by = Provenance(method="neural", version=zilzal.__version__, model=model.sha256)
        teller = _Teller(model, work.sensor_id, segment, made_by, motions)
        collected.picks += teller.picks(peaks)
        shortest = self.minimum_detection_s * segment.preparation.sampling_rate
        collected.detections += [
            teller.detection(each) for each in intervals if each.end - each.first >= shortest
        ]
        if self.with_probabilities and curves.values.shape[1]:
            collected.probabilities.append(teller.probabilities(curves))
        counts = _forget(segment, reader.frontier)
        return replace(segment, overlap=overlap, reader=reader, counts=counts)


class _Collected:
    """What a step hands out, gathered over its rounds."""

    def __init__(self) -> None:
        self.picks: list[Pick] = []
        self.detections: list[Detection] = []
        self.probabilities: list[Probabilities] = []

    def picked(self) -> Picked:
        return Picked(
            tuple(sorted(self.picks, key=lambda p: (p.channel_id.sensor_id, p.time, p.phase))),
            tuple(sorted(self.detections, key=lambda d: (d.sensor_id, d.start))),
            tuple(sorted(self.probabilities, key=lambda p: (p.sensor_id, p.start))),
        )


class _Teller(NamedTuple):
    """Puts what was read off a segment's curves into words."""

    model: Model
    sensor_id: SensorId
    segment: _Segment
    provenance: Provenance
    motions: MotionReader | None

    def picks(self, peaks: Sequence[Peak]) -> list[Pick]:
        phases = [Phase(peak.label) for peak in peaks]
        cuts = [self._cut(peak) for peak in peaks]
        measured = measure(cuts, phases, motions=self.motions)
        return list(map(self._pick, peaks, phases, measured))

    def _cut(self, peak: Peak) -> Cut:
        ratio, rate = self.segment.preparation.ratio, self.segment.clock.sampling_rate
        place, rest = divmod(peak.number * ratio.down, ratio.up)
        onset = place + math.floor((rest + peak.fraction * ratio.down) / ratio.up + 0.5)
        counts, (first, end) = self.segment.counts, reach_of(onset, rate)
        return cut_around(*counts.cut(first, end), onset - max(first, counts.first), rate)

    def _pick(self, peak: Peak, phase: Phase, measured: Measurement) -> Pick:
        segment, spec = self.segment, self.model.spec
        probability = min(max(spec.calibrate(peak.label, peak.height), 0.0), 1.0)
        return Pick(
            channel_id=self.sensor_id.channel_id(measured.component),
            phase=phase,
            time=segment.clock.time_of(peak.number, peak.fraction, segment.preparation.ratio),
            probability=probability,
            uncertainty_s=spec.uncertainty_s(peak.label, probability),
            amplitude_counts=measured.amplitude_counts,
            snr=measured.snr,
            onset=measured.onset,
            polarity=_polarity(peak, measured),
            provenance=self.provenance,
        )

    def detection(self, interval: Interval) -> Detection:
        clock, ratio = self.segment.clock, self.segment.preparation.ratio
        probability = self.model.spec.calibrate("detection", interval.highest)
        return Detection(
            sensor_id=self.sensor_id,
            start=clock.time_of(interval.first, ratio=ratio),
            end=clock.time_of(interval.end, ratio=ratio),
            probability=min(max(probability, 0.0), 1.0),
            provenance=self.provenance,
        )

    def probabilities(self, curves: Curves) -> Probabilities:
        clock, preparation = self.segment.clock, self.segment.preparation
        return Probabilities(
            sensor_id=self.sensor_id,
            start=clock.time_of(curves.first_number, ratio=preparation.ratio),
            sampling_rate=preparation.sampling_rate,
            labels=self.model.spec.labels,
            values=curves.values,
        )


def _polarity(peak: Peak, measured: Measurement) -> Polarity | None:
    """What the network says of the vertical; what was measured where it says nothing."""
    if peak.polarity is None or measured.component != "Z":
        return measured.polarity
    return peak.polarity


def _prepare(spec: ModelSpec, segment: _Segment, piece: Piece) -> tuple[_Segment, WindowCut]:
    """Prepare a piece's samples; hand out the windows that are complete."""
    preparation, prepared = step_preparation(
        spec.preparation, segment.preparation, piece.samples, piece.present
    )
    if piece.ends:
        rest = finish_preparation(spec.preparation, preparation)
        samples, present = (
            np.concatenate(pair, axis=1) for pair in zip(prepared, rest, strict=True)
        )
        prepared = samples, present
    cutting, cut = cut_windows(spec, segment.cutting, *prepared, ends=piece.ends)
    moved = replace(
        segment,
        clock=piece.clock,
        preparation=preparation,
        end_number=segment.end_number + prepared[0].shape[1],
        cutting=cutting,
        counts=segment.counts.add(Stretch(piece.samples, piece.present)),
    )
    return moved, cut


def _measurable(segment: _Segment) -> int:
    """Before this sample of the curves, onsets have all counts after them that they need."""
    ratio = segment.preparation.ratio
    after = round(AFTER_S * segment.clock.sampling_rate) + ratio.down // ratio.up + 2
    return (segment.counts.end - after) * ratio.up // ratio.down


def _forget(segment: _Segment, frontier: int) -> Stretches:
    """Drop counts that no pick from the frontier on can need."""
    ratio = segment.preparation.ratio
    before = round(BEFORE_S * segment.clock.sampling_rate) + ratio.down // ratio.up + 2
    return segment.counts.since(frontier * ratio.down // ratio.up - before)
