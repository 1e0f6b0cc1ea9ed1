"""Events as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence

from zilzal.core.event import (
    Arrival,
    Classification,
    Event,
    EventType,
    Magnitude,
    Origin,
    StationClassification,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.pick import (
    Detection,
    EvaluationMode,
    Onset,
    Phase,
    Pick,
    Polarity,
    Provenance,
)
from zilzal.core.units import km
from zilzal.io.store import EventSummary, VersionStamp
from zilzal.web.api.values import Answer, Instant, finite


def _km(length_m: float | None) -> float | None:
    known = finite(length_m)
    return None if known is None else km(known)


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
            depth_km=_km(summary.depth_m),
            magnitude=summary.magnitude,
            magnitude_type=summary.magnitude_type,
            event_type=summary.event_type,
            evaluation_mode=summary.evaluation_mode,
            quality=summary.quality,
            written=summary.written,
        )


class Maker(Answer):
    """What made a result: method, code, network or earth model, configuration."""

    method: str
    version: str
    model: str
    configuration: str

    @classmethod
    def of(cls, provenance: Provenance) -> Maker:
        """From the core's own."""
        return cls(
            method=provenance.method, version=provenance.version, model=provenance.model,
            configuration=provenance.configuration,
        )  # fmt: skip


class PickAnswer(Answer):
    """A pick; `channel` is network.station.location.channel, `sensor` is without the component."""

    id: str
    channel: str
    sensor: str
    station: str
    phase: Phase
    time: Instant
    probability: float | None
    uncertainty_s: float | None
    amplitude_counts: float | None
    snr: float | None
    onset: Onset | None
    polarity: Polarity | None
    evaluation_mode: EvaluationMode
    provenance: Maker

    @classmethod
    def of(cls, pick: Pick) -> PickAnswer:
        """From the core's own."""
        return cls(
            id=pick.id,
            channel=str(pick.channel_id),
            sensor=str(pick.channel_id.sensor_id),
            station=str(pick.channel_id.station_id),
            phase=pick.phase,
            time=pick.time,
            probability=finite(pick.probability),
            uncertainty_s=finite(pick.uncertainty_s),
            amplitude_counts=finite(pick.amplitude_counts),
            snr=finite(pick.snr),
            onset=pick.onset,
            polarity=pick.polarity,
            evaluation_mode=pick.evaluation_mode,
            provenance=Maker.of(pick.provenance),
        )


class ArrivalAnswer(Answer):
    """A pick tied to the origin; `predicted_time` is observed minus residual."""

    pick_id: str
    station: str
    phase: Phase
    observed_time: Instant | None
    predicted_time: Instant | None
    distance_km: float | None
    azimuth_deg: float | None
    takeoff_angle_deg: float | None
    residual_s: float | None
    weight: float | None
    correction_s: float | None

    @classmethod
    def of(cls, arrival: Arrival, picks: Sequence[Pick]) -> ArrivalAnswer:
        """From the core's own, with its pick's time."""
        pick = next((p for p in picks if p.id == arrival.pick_id), None)
        residual_s = finite(arrival.residual_s)
        predicted = None
        if pick is not None and residual_s is not None:
            predicted = pick.time - residual_s
        return cls(
            pick_id=arrival.pick_id,
            station=str(arrival.station_id),
            phase=arrival.phase,
            observed_time=pick and pick.time,
            predicted_time=predicted,
            distance_km=_km(arrival.distance_m),
            azimuth_deg=finite(arrival.azimuth_deg),
            takeoff_angle_deg=finite(arrival.takeoff_angle_deg),
            residual_s=residual_s,
            weight=finite(arrival.weight),
            correction_s=finite(arrival.correction_s),
        )


class EllipseAnswer(Answer):
    """A horizontal confidence ellipse; the azimuth is that of the longer axis."""

    semi_major_km: float | None
    semi_minor_km: float | None
    azimuth_deg: float | None
    level: float | None


class OriginAnswer(Answer):
    """Time and place of the source, with its uncertainties and arrivals."""

    id: str
    time: Instant
    time_uncertainty_s: float | None
    latitude: float
    longitude: float
    depth_km: float | None
    depth_uncertainty_km: float | None
    depth_fixed: bool
    ellipse: EllipseAnswer
    rms_s: float | None
    azimuthal_gap_deg: float | None
    nearest_station_km: float | None
    n_p: int
    n_s: int
    quality: str
    earth_model: str
    evaluation_mode: EvaluationMode
    arrivals: list[ArrivalAnswer]
    provenance: Maker

    @classmethod
    def of(cls, origin: Origin, picks: Sequence[Pick]) -> OriginAnswer:
        """From the core's own."""
        return cls(
            id=origin.id,
            time=origin.time,
            time_uncertainty_s=finite(origin.time_uncertainty_s),
            latitude=origin.latitude,
            longitude=origin.longitude,
            depth_km=_km(origin.depth_m),
            depth_uncertainty_km=_km(origin.depth_uncertainty_m),
            depth_fixed=origin.depth_fixed,
            ellipse=EllipseAnswer(
                semi_major_km=_km(origin.ellipse.semi_major_m),
                semi_minor_km=_km(origin.ellipse.semi_minor_m),
                azimuth_deg=finite(origin.ellipse.azimuth_deg),
                level=finite(origin.ellipse.level),
            ),
            rms_s=finite(origin.rms_s),
            azimuthal_gap_deg=finite(origin.azimuthal_gap_deg),
            nearest_station_km=_km(origin.nearest_station_m),
            n_p=origin.count(Phase.P),
            n_s=origin.count(Phase.S),
            quality=origin.quality,
            earth_model=origin.earth_model,
            evaluation_mode=origin.evaluation_mode,
            arrivals=[ArrivalAnswer.of(arrival, picks) for arrival in origin.arrivals],
            provenance=Maker.of(origin.provenance),
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
            hypocentral_distance_km=_km(value.distance_m),
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


class DetectionAnswer(Answer):
    """An interval of one sensor that may hold an event."""

    sensor: str
    start: Instant
    end: Instant
    probability: float | None

    @classmethod
    def of(cls, value: Detection) -> DetectionAnswer:
        """From the core's own."""
        return cls(
            sensor=str(value.sensor_id), start=value.start, end=value.end,
            probability=finite(value.probability),
        )  # fmt: skip


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
            event_type=kind.event_type if kind else EventType.NOT_REPORTED,
            comment=event.comment,
            origin=OriginAnswer.of(origin, event.picks) if isinstance(origin, Origin) else None,
            unlocated_reason=origin.reason if isinstance(origin, Unlocated) else "",
            magnitudes=[MagnitudeAnswer.of(m) for m in event.magnitudes],
            classification=kind and ClassificationAnswer.of(kind),
            picks=[PickAnswer.of(p) for p in event.picks],
            detections=[DetectionAnswer.of(d) for d in event.detections],
        )
