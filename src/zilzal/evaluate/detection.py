"""Detected intervals against the intervals of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zilzal.core.arrays import Array
from zilzal.evaluate.assignment import assign
from zilzal.evaluate.interval import Estimate, Resampling, bootstrap_ratio
from zilzal.evaluate.picks import Records

_Pairs = tuple[Int[Array, " pair"], Int[Array, " pair"], Float[Array, " pair"]]
"""Event, detection, and for how long they overlap."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spans:
    """Intervals in many records.

    Args:
        record: number of the record.
        start_s: in the record's own time.
        end_s: exclusive.
    """

    record: Int[Array, " span"]
    start_s: Float[Array, " span"]
    end_s: Float[Array, " span"]

    @property
    def length_s(self) -> Float[Array, " span"]:
        """From start to end."""
        return self.end_s - self.start_s

    def within(self, records: Records) -> Spans:
        """What of them lies in the scored spans of the records."""
        start = np.maximum(self.start_s, records.start_s[self.record])
        end = np.minimum(self.end_s, records.end_s[self.record])
        return Spans(record=self.record, start_s=start, end_s=end).where(end > start)

    def where(self, mask: Bool[Array, " span"]) -> Spans:
        """Those of the mask."""
        return Spans(record=self.record[mask], start_s=self.start_s[mask], end_s=self.end_s[mask])

    def of_records(self, mask: Bool[Array, " record"]) -> Spans:
        """Those in the records of a mask, whose records are numbered anew."""
        kept = self.where(mask[self.record])
        number = np.cumsum(mask) - 1
        return Spans(record=number[kept.record], start_s=kept.start_s, end_s=kept.end_s)

    def __len__(self) -> int:
        return len(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScore:
    """What a detector did with events and noise; intervals draw groups of records.

    Args:
        n_events: intervals of events in scored spans.
        n_found: of these, those that a detection overlaps, one to one.
        n_false: detections beside events, in records that hold any.
        f1: of events found one to one.
        precision: share of the detections in records with events that are an event's.
        recall: share of the events that were found.
        f1_time: of time, every instant being in an event or not, noise included.
        false_per_noise_hour: detections per hour of noise; NaN without noise.
    """

    n_events: int
    n_found: int
    n_false: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    f1_time: Estimate
    false_per_noise_hour: float


def score_detections(
    records: Records,
    events: Spans,
    detections: Spans,
    rng: np.random.Generator,
    *,
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> DetectionScore:
    """Score detections by event, one to one where they overlap, and by time."""
    events, detections = events.within(records), detections.within(records)
    event, detection, overlap_s = _overlaps(events, detections)
    is_found, is_right = _matched(events, detections, (event, detection, overlap_s))
    in_noise = records.is_noise[detections.record]
    found = records.by_group(events.record[is_found])
    missed = records.by_group(events.record[~is_found])
    false = records.by_group(detections.record[~is_right & ~in_noise])
    both_s = records.by_group(events.record[event], overlap_s)
    either_s = records.by_group(events.record, events.length_s)
    either_s += records.by_group(detections.record, detections.length_s)
    noise_hours = records.hours(records.is_noise)

    def share(above: Float[Array, " group"], below: Float[Array, " group"]) -> Estimate:
        return bootstrap_ratio(above, below, rng, resampling=resampling)

    return DetectionScore(
        n_events=len(events),
        n_found=int(is_found.sum()),
        n_false=int(false.sum()),
        precision=share(found, found + false),
        recall=share(found, found + missed),
        f1=share(2 * found, 2 * found + false + missed),
        f1_time=share(2 * both_s, either_s),
        false_per_noise_hour=float(in_noise.sum()) / noise_hours if noise_hours else np.nan,
    )


def _matched(
    events: Spans, detections: Spans, pairs: _Pairs
) -> tuple[Bool[Array, " event"], Bool[Array, " detection"]]:
    """Which events and detections belong together, one to one: where most of both is shared."""
    event, detection, overlap_s = pairs
    either_s = events.length_s[event] + detections.length_s[detection] - overlap_s
    chosen = assign(event, detection, 1 - overlap_s / either_s)
    is_found, is_right = np.zeros(len(events), bool), np.zeros(len(detections), bool)
    is_found[event[chosen]], is_right[detection[chosen]] = True, True
    return is_found, is_right


def _overlaps(events: Spans, detections: Spans) -> _Pairs:
    """Pairs of an event and a detection that overlap, and for how long."""
    order = np.argsort(detections.record, kind="stable")
    first = np.searchsorted(detections.record[order], events.record, side="left")
    last = np.searchsorted(detections.record[order], events.record, side="right")
    count = last - first
    event = np.repeat(np.arange(len(events)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    detection = order[np.repeat(first, count) + place]
    overlap_s = (
        np.minimum(events.end_s[event], detections.end_s[detection])
        - np.maximum(events.start_s[event], detections.start_s[detection])
    )  # fmt: skip
    real = overlap_s > 0
    return event[real], detection[real], overlap_s[real]
