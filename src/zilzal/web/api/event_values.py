"""Events, magnitudes and types as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence

from zilzal.core.event import (
    Classification,
    Event,
    EventType,
    Magnitude,
    Origin,
    StationClassification,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.pick import EvaluationMode
from zilzal.io.store import EventSummary, VersionStamp
from zilzal.web.api.origin_values import (
    DetectionAnswer,
    Maker,
    OriginAnswer,
    PickAnswer,
    finite_km,
)
from zilzal.web.api.values import Answer, Instant, finite


class EventLine(Answer):
    """A line of a list of events: the current version at a glance."""

    id: str
    version: int
    time: Instant
    latitude: float | None
    longitude: float | None
    depth_km: float | None
    magnitude: float | None
    magnitude_type: str | None
    event_type: EventType
    evaluation_mode: EvaluationMode
    quality: str | None
    written: Instant

    @classmethod
    def of(cls, summary: EventSummary) -> EventLine:
        """From the store's own."""
        return cls(
            id=summary.id,
            version=summary.version,
            time=summary.time,
            latitude=summary.latitude,
            longitude=summary.longitude,
            depth_km=finite_km(summary.depth_m),
            magnitude=summary.magnitude,
            magnitude_type=summary.magnitude_type,
            event_type=summary.event_type,
            evaluation_mode=summary.evaluation_mode,
            quality=summary.quality,
            written=summary.written,
        )


class StationMagnitudeAnswer(Answer):
    """The magnitude that one station gives; `reason` says why it was not used."""

    channel: str
    station: str
    magnitude: float | None
    type: str
    amplitude_m: float | None
    period_s: float | None
    hypocentral_distance_km: float | None
    snr: float | None
    residual: float | None
    reason: str

    @classmethod
    def of(cls, value: StationMagnitude) -> StationMagnitudeAnswer:
        """From the core's own."""
        return cls(
            channel=str(value.channel_id),
            station=str(value.channel_id.station_id),
            magnitude=finite(value.magnitude),
            type=value.type,
            amplitude_m=finite(value.amplitude_m),
            period_s=finite(value.period_s),
            hypocentral_distance_km=finite_km(value.distance_m),
            snr=finite(value.snr),
            residual=finite(value.residual),
            reason=value.reason,
        )


class MagnitudeAnswer(Answer):
    """The network's magnitude with all station values."""

    id: str
    magnitude: float | None
    type: str
    uncertainty: float | None
    n_stations: int
    reason: str
    evaluation_mode: EvaluationMode
    stations: list[StationMagnitudeAnswer]
    provenance: Maker

    @classmethod
    def of(cls, value: Magnitude) -> MagnitudeAnswer:
        """From the core's own."""
        return cls(
            id=value.id,
            magnitude=finite(value.magnitude),
            type=value.type,
            uncertainty=finite(value.uncertainty),
            n_stations=value.n_stations,
            reason=value.reason,
            evaluation_mode=value.evaluation_mode,
            stations=[StationMagnitudeAnswer.of(s) for s in value.station_magnitudes],
            provenance=Maker.of(value.provenance),
        )


class StationTypeAnswer(Answer):
    """What a model says of one station's record.

    `weight` is the share of it that counts in the event's probabilities; where it is 0, `reason`
    says why, and there are no probabilities.
    """

    station: str
    model: str
    probabilities: dict[str, float]
    weight: float
    reason: str

    @classmethod
    def of(cls, value: StationClassification) -> StationTypeAnswer:
        """From the core's own."""
        return cls(
            station=str(value.station_id),
            model=value.model,
            probabilities=dict(value.probabilities),
            weight=value.weight,
            reason=value.reason,
        )


class ClassificationAnswer(Answer):
    """What kind of event, with the probabilities of all classes, and station by station.

    There are no stations where the method does not look at them one by one, and in events that
    were stored before that was kept.
    """

    event_type: EventType
    label: str
    probability: float | None
    probabilities: dict[str, float]
    station_types: list[StationTypeAnswer]
    reason: str
    provenance: Maker

    @classmethod
    def of(cls, value: Classification) -> ClassificationAnswer:
        """From the core's own."""
        return cls(
            event_type=value.event_type,
            label=value.label,
            probability=finite(value.probability),
            probabilities=dict(value.probabilities),
            station_types=[StationTypeAnswer.of(s) for s in value.station_classifications],
            reason=value.reason,
            provenance=Maker.of(value.provenance),
        )


class EventAnswer(Answer):
    """All that is known of an event as of one version.

    `origin` is null where it could not be located; then `unlocated_reason` says why. The
    preferred magnitude is the first with a value. `author` is empty for the machine.
    """

    id: str
    version: int
    current_version: int
    written: Instant
    author: str
    evaluation_mode: EvaluationMode
    time: Instant
    event_type: EventType
    comment: str
    origin: OriginAnswer | None
    unlocated_reason: str
    magnitudes: list[MagnitudeAnswer]
    classification: ClassificationAnswer | None
    picks: list[PickAnswer]
    detections: list[DetectionAnswer]

    @classmethod
    def of(cls, event: Event, stamps: Sequence[VersionStamp]) -> EventAnswer:
        """From the core's own, with the stamps of all its versions.

        A version that is not stored, as of a preview, has the last one's time.
        """
        stamp = next((s for s in stamps if s.version == event.version), stamps[-1])
        kind, origin = event.classification, event.origin
        return cls(
            id=event.id,
            version=event.version,
            current_version=stamps[-1].version,
            written=stamp.written,
            author=event.author,
            evaluation_mode=event.evaluation_mode,
            time=event.time,
            event_type=event.event_type,
            comment=event.comment,
            origin=OriginAnswer.of(origin, event.picks) if isinstance(origin, Origin) else None,
            unlocated_reason=origin.reason if isinstance(origin, Unlocated) else "",
            magnitudes=[MagnitudeAnswer.of(m) for m in event.magnitudes],
            classification=kind and ClassificationAnswer.of(kind),
            picks=[PickAnswer.of(p) for p in event.picks],
            detections=[DetectionAnswer.of(d) for d in event.detections],
        )
