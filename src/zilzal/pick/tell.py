"""What is carried along a segment on its way through a network, and picks made of its peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import zilzal
from zilzal.core.ids import SensorId
from zilzal.core.pick import Detection, Phase, Pick, Polarity, Provenance
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time
from zilzal.infer.engine import Model
from zilzal.infer.overlap import Curves, OverlapState
from zilzal.infer.windows import Cutting
from zilzal.pick.measure import Cut, Measurement, cut_around, measure, reach_of
from zilzal.pick.motion import MotionReader
from zilzal.pick.read import Peak, ReaderState
from zilzal.pick.segment import Clock
from zilzal.signal.prepare import PreparationState
from zilzal.signal.stretches import Stretches
from zilzal.signal.trigger import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What is carried along one gap-free segment of a sensor."""

    clock: Clock
    preparation: PreparationState
    end_number: int
    cutting: Cutting
    overlap: OverlapState
    reader: ReaderState
    counts: Stretches

    def time_of(self, number: int) -> Time:
        """Instant of a sample of the curves."""
        return self.clock.time_of(number, ratio=self.preparation.ratio)


class Teller(NamedTuple):
    """Puts what was read off a segment's curves into words."""

    model: Model
    sensor_id: SensorId
    segment: Segment
    provenance: Provenance
    motions: MotionReader | None

    def picks(self, peaks: Sequence[Peak]) -> list[Pick]:
        """Peaks of phases as picks, measured on the counts around them."""
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
        """An interval as a detection."""
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
        """The curves, for display."""
        clock, preparation = self.segment.clock, self.segment.preparation
        return Probabilities(
            sensor_id=self.sensor_id,
            start=clock.time_of(curves.first_number, ratio=preparation.ratio),
            sampling_rate=preparation.sampling_rate,
            labels=self.model.spec.labels,
            values=curves.values,
        )


def made_by(model: Model) -> Provenance:
    """What its picks say they were made by."""
    return Provenance(method="neural", version=zilzal.__version__, model=model.sha256)


def _polarity(peak: Peak, measured: Measurement) -> Polarity | None:
    """What the network says of the vertical; what was measured where it says nothing."""
    if peak.polarity is None or measured.component != "Z":
        return measured.polarity
    return peak.polarity
