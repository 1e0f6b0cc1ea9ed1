"""Picking and detection with a network: prepare, cut windows, infer, overlap, read, measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError, SpecError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Pick
from zilzal.core.probability import Probabilities
from zilzal.core.stage import Picked, Preview
from zilzal.core.waveform import Window
from zilzal.infer.engine import EngineName, Model, load_model
from zilzal.infer.newest import newest_samples
from zilzal.infer.packaged import find_model
from zilzal.infer.spec import ModelSpec
from zilzal.infer.windows import Cut as WindowCut
from zilzal.infer.windows import cut_windows, join_outputs, start_windows
from zilzal.pick.measure import AFTER_S, BEFORE_S
from zilzal.pick.motion import MotionReader, motion_reader
from zilzal.pick.preview import by_sensor, looks_at, settled_of
from zilzal.pick.read import MOTIONS, Reading, start_reading, step_reading
from zilzal.pick.segment import Follower, Piece, close, follow, rounds
from zilzal.pick.tell import Segment, Teller, made_by
from zilzal.signal.prepare import finish_preparation, start_preparation, step_preparation
from zilzal.signal.stretches import Stretch, Stretches

_ROUND_SAMPLES = 1 << 20
"""Longer windows are worked on in pieces of so many samples, which bounds the memory."""
_READ_LABELS = ("P", "S", "detection", *MOTIONS)


class _Sensor(NamedTuple):
    follower: Follower
    segment: Segment | None


class _Work(NamedTuple):
    """A segment's windows on their way through the network."""

    sensor_id: SensorId
    segment: Segment
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
            model's own; longer ones overlap less, shorter ones wait less. It changes no pick of a
            network whose reach is known.
        gated: run a network that has a gate only where the gate finds anything. False looks
            everywhere, at several times the cost: for thresholds far below the model's own.
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
    gated: bool = True
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
                segment, new_work = self._feed(model, window.sensor_id, segment, pieces)
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
            work += self._feed(model, sensor_id, segment, pieces)[1]
        for _ in self._run(model, work, collected):
            pass
        return collected.picked()

    def preview(
        self, state: NeuralState, before: Mapping[SensorId, Preview]
    ) -> dict[SensorId, Preview]:
        """What `finish` would give, very nearly: see `zilzal.pick.preview`."""
        model = self._load()
        length = newest_samples(model.spec)
        segments = {sensor: s.segment for sensor, s in sorted(state.items()) if s.segment}
        looks = [] if length is None else looks_at(model.spec, segments, before)
        rest = {sensor: state[sensor] for sensor in state.keys() - {look.sensor for look in looks}}
        found = {
            sensor: Preview(picks, settled_of(model.spec, segments.get(sensor)))
            for sensor, picks in by_sensor(rest, self.finish(rest).picks).items()
        }
        if looks:
            short, motions = self._load(length), self._motions()
            windows = [look.window for look in looks]
            outputs = short.predict_each([w.samples for w in windows], [w.present for w in windows])
            for look, output in zip(looks, outputs, strict=True):
                segment = look.segment
                reading = self._reading(model.spec, segment.preparation.sampling_rate)
                teller = Teller(short, look.sensor, segment, made_by(short), motions)
                found[look.sensor] = look.read(model.spec, reading, teller, output)
        return found

    def _load(self, window_samples: int | None = None) -> Model:
        return load_model(
            find_model(self.model),
            threads=self.threads,
            engine=self.engine,
            window_samples=window_samples or self.window_samples,
            gated=self.gated,
        )

    def _motions(self) -> MotionReader | None:
        return motion_reader(self.first_motions, self.motion_probability)

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
        model: Model,
        sensor_id: SensorId,
        segment: Segment | None,
        pieces: Sequence[Piece],
    ) -> tuple[Segment | None, list[_Work]]:
        """Prepare pieces and cut them into the network's windows."""
        work: list[_Work] = []
        for piece in pieces:
            if piece.begins or segment is None:
                segment = self._begin(model.spec, piece)
            segment, cut = _prepare(model, segment, piece)
            work.append(_Work(sensor_id, segment, cut, piece.ends))
            if piece.ends:
                segment = None
        return segment, work

    def _begin(self, spec: ModelSpec, piece: Piece) -> Segment:
        n_components = len(piece.samples)
        preparation = start_preparation(
            spec.preparation, piece.clock.sampling_rate, piece.first_number, n_components
        )
        number = preparation.number
        reading = self._reading(spec, preparation.sampling_rate)
        cutting, overlap = start_windows(spec, number, n_components)
        return Segment(
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
    ) -> list[tuple[SensorId, Segment | None]]:
        """Infer all windows of a round together, then finish each segment's share."""
        outputs = model.predict_each(
            [window for item in work for window in item.cut.windows],
            [mask for item in work for mask in item.cut.masks],
        )
        place = 0
        segments: list[tuple[SensorId, Segment | None]] = []
        motions = self._motions()
        for item in work:
            end = place + item.cut.length
            teller = Teller(model, item.sensor_id, item.segment, made_by(model), motions)
            segment = self._absorb(teller, item, outputs[place:end], collected)
            segments.append((item.sensor_id, None if item.ends else segment))
            place = end
        return segments

    def _absorb(
        self,
        teller: Teller,
        work: _Work,
        outputs: Sequence[Float32[Array, "label ..."]],
        collected: _Collected,
    ) -> Segment:
        """Overlap-add a segment's outputs and read picks and detections off them."""
        spec, segment = teller.model.spec, work.segment
        end_number = segment.end_number if work.ends else None
        overlap, curves = join_outputs(
            spec, segment.overlap, work.cut, outputs, end_number=end_number
        )
        reading = self._reading(spec, segment.preparation.sampling_rate)
        ready = None if work.ends else _measurable(segment)
        reader, peaks, intervals = step_reading(reading, segment.reader, curves, ready)
        collected.picks += teller.picks(peaks)
        shortest = self.minimum_detection_s * segment.preparation.sampling_rate
        collected.detections += [
            teller.detection(each) for each in intervals if each.end - each.first >= shortest
        ]
        if self.with_probabilities and curves.length:
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


def _prepare(model: Model, segment: Segment, piece: Piece) -> tuple[Segment, WindowCut]:
    """Prepare a piece's samples; hand out the windows that are complete."""
    how = model.spec.preparation
    preparation, prepared = step_preparation(how, segment.preparation, piece.samples, piece.present)
    if piece.ends:
        rest = finish_preparation(how, preparation)
        samples, present = (
            np.concatenate(pair, axis=1) for pair in zip(prepared, rest, strict=True)
        )
        prepared = samples, present
    cutting, cut = cut_windows(model, segment.cutting, *prepared, ends=piece.ends)
    moved = replace(
        segment,
        clock=piece.clock,
        preparation=preparation,
        end_number=segment.end_number + prepared[0].shape[1],
        cutting=cutting,
        counts=segment.counts.add(Stretch(piece.samples, piece.present)),
    )
    return moved, cut


def _measurable(segment: Segment) -> int:
    """Before this sample of the curves, onsets have all counts after them that they need."""
    ratio = segment.preparation.ratio
    after = round(AFTER_S * segment.clock.sampling_rate) + ratio.down // ratio.up + 2
    return (segment.counts.end - after) * ratio.up // ratio.down


def _forget(segment: Segment, frontier: int) -> Stretches:
    """Drop counts that no pick from the frontier on can need."""
    ratio = segment.preparation.ratio
    before = round(BEFORE_S * segment.clock.sampling_rate) + ratio.down // ratio.up + 2
    return segment.counts.since(frontier * ratio.down // ratio.up - before)
