"""Picks, arrivals, origins and detections as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence

from zilzal.core.event import Arrival, Origin
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
from zilzal.web.api.values import Answer, Instant, finite


def finite_km(length_m: float | None) -> float | None:
    """A length in kilometres; None for what JSON cannot say."""
    known = finite(length_m)
    return None if known is None else km(known)


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
            distance_km=finite_km(arrival.distance_m),
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
            depth_km=finite_km(origin.depth_m),
            depth_uncertainty_km=finite_km(origin.depth_uncertainty_m),
            depth_fixed=origin.depth_fixed,
            ellipse=EllipseAnswer(
                semi_major_km=finite_km(origin.ellipse.semi_major_m),
                semi_minor_km=finite_km(origin.ellipse.semi_minor_m),
                azimuth_deg=finite(origin.ellipse.azimuth_deg),
                level=finite(origin.ellipse.level),
            ),
            rms_s=finite(origin.rms_s),
            azimuthal_gap_deg=finite(origin.azimuthal_gap_deg),
            nearest_station_km=finite_km(origin.nearest_station_m),
            n_p=origin.count(Phase.P),
            n_s=origin.count(Phase.S),
            quality=origin.quality,
            earth_model=origin.earth_model,
            evaluation_mode=origin.evaluation_mode,
            arrivals=[ArrivalAnswer.of(arrival, picks) for arrival in origin.arrivals],
            provenance=Maker.of(origin.provenance),
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
