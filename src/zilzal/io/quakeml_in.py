"""From ObsPy's events to ours, whether we wrote them or others did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zilzal.core.errors import FormatError
from zilzal.core.event import (
    Arrival,
    Classification,
    Ellipse,
    Event,
    EventType,
    Magnitude,
    Origin,
    StationClassification,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import (
    Detection,
    EvaluationMode,
    Onset,
    Phase,
    Pick,
    Polarity,
    Provenance,
)
from zilzal.core.time import Time
from zilzal.core.units import METRES_PER_DEGREE
from zilzal.io.phases.names import phase_of
from zilzal.io.quakeml_notes import exact, exact_time, is_note, provenance_of, read_note


@dataclass(frozen=True, slots=True, kw_only=True)
class QuakeMLReader:
    """Fills in what other programs' picks do not say.

    Args:
        probability: of a pick without one; 1 says that its maker was sure.
        uncertainty_s: of a pick without one.
    """

    probability: float = 1.0
    uncertainty_s: float = 0.1

    def event(self, event: Any) -> Event:
        """Read an `obspy.core.event.Event`; its preferred origin, all its magnitudes.

        Numbers that others leave out are NaN in an origin (depth, covariance, ellipse, rms, gap)
        and in an arrival.

        Raises:
            FormatError: there is neither an origin nor a pick, so no time.
        """
        ours = read_note(event.comments)
        picks = self._picks(event)
        source = event.preferred_origin() or (event.origins[0] if event.origins else None)
        origin = _origin(source, picks) if source else _unlocated(event, ours, picks)
        mode = ours.get("evaluation_mode") or (source and source.evaluation_mode)
        texts = [c.text for c in event.comments if c.text and not is_note(c)]
        version = ours.get("version") or getattr(event.creation_info, "version", None) or 1
        return Event(
            id=ours.get("id") or event.resource_id.id,
            version=int(version) if str(version).isdigit() else 1,
            origin=origin,
            magnitudes=_magnitudes(event, ours),
            classification=_classification(event, ours),
            picks=tuple(picks.values()),
            detections=tuple(map(_detection, ours.get("detections", ()))),
            evaluation_mode=_mode(mode),
            comment=ours.get("comment", "\n".join(texts)),
            author=ours.get("author", ""),
        )

    def _picks(self, event: Any) -> dict[str, Pick]:
        """Picks of P and S by resource identifier; hints come from arrivals where there is none."""
        phases = {a.pick_id.id: a.phase for o in event.origins for a in o.arrivals if a.pick_id}
        found = {}
        for pick in event.picks:
            uri = pick.resource_id.id
            phase = phase_of(pick.phase_hint or phases.get(uri))
            if phase is not None and pick.waveform_id is not None:
                found[uri] = self._pick(pick, phase)
        return found

    def _pick(self, pick: Any, phase: Phase) -> Pick:
        ours = read_note(pick.comments)
        uncertainty_s = pick.time_errors.uncertainty
        return Pick(
            channel_id=_channel_id(pick.waveform_id),
            phase=phase,
            time=exact_time(pick.time, ours),
            probability=float(ours.get("probability", self.probability)),
            uncertainty_s=self.uncertainty_s if uncertainty_s is None else uncertainty_s,
            amplitude_counts=ours.get("amplitude_counts"),
            snr=ours.get("snr"),
            onset=Onset(pick.onset) if pick.onset else None,
            polarity=Polarity(pick.polarity) if pick.polarity else None,
            evaluation_mode=_mode(pick.evaluation_mode),
            provenance=provenance_of(ours, pick.creation_info),
        )


def _mode(text: str | None) -> EvaluationMode:
    return EvaluationMode.MANUAL if text == "manual" else EvaluationMode.AUTOMATIC


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _channel_id(waveform_id: Any) -> ChannelId:
    return ChannelId(
        waveform_id.network_code or "", waveform_id.station_code or "",
        waveform_id.location_code or "", waveform_id.channel_code or "",
    )  # fmt: skip


def _unlocated(event: Any, ours: Mapping[str, Any], picks: Mapping[str, Pick]) -> Unlocated:
    if "unlocated" in ours:
        told = ours["unlocated"]
        return Unlocated(reason=told["reason"], time=Time(told["time_ns"]))
    if not picks:
        raise FormatError(
            f"event {event.resource_id.id} has neither an origin nor a pick of P or S; leave it out"
        )
    first = min(pick.time for pick in picks.values())
    return Unlocated(reason="its file gives no origin", time=first)


def _origin(origin: Any, picks: Mapping[str, Pick]) -> Origin:
    ours = read_note(origin.comments)
    quality = origin.quality
    nearest = quality.minimum_distance if quality else None
    model = origin.earth_model_id
    return Origin(
        id=ours.get("id") or origin.resource_id.id,
        time=exact_time(origin.time, ours),
        latitude=origin.latitude,
        longitude=origin.longitude,
        depth_m=_number(origin.depth),
        covariance=_covariance(origin, ours),
        ellipse=_ellipse(origin.origin_uncertainty, ours),
        arrivals=tuple(
            _arrival(arrival, phase, picks)
            for arrival in origin.arrivals
            if (phase := phase_of(arrival.phase)) is not None and arrival.pick_id is not None
        ),
        rms_s=_number(quality.standard_error if quality else None),
        azimuthal_gap_deg=_number(quality.azimuthal_gap if quality else None),
        nearest_station_m=exact(nearest, ours, "nearest_station_m", METRES_PER_DEGREE),
        quality=ours.get("quality", ""),
        depth_fixed=origin.depth_type == "operator assigned",
        earth_model=ours.get("earth_model", model.id if model else ""),
        evaluation_mode=_mode(origin.evaluation_mode),
        provenance=provenance_of(ours, origin.creation_info),
    )


def _covariance(origin: Any, ours: Mapping[str, Any]) -> Any:
    """Ours, or the variances that are given and NaN elsewhere."""
    if "covariance" in ours:
        return np.array([[float(value) for value in row] for row in ours["covariance"]])
    shrink = math.cos(math.radians(origin.latitude))
    deviations = (
        _number(origin.longitude_errors.uncertainty) * METRES_PER_DEGREE * shrink,
        _number(origin.latitude_errors.uncertainty) * METRES_PER_DEGREE,
        _number(origin.depth_errors.uncertainty),
        _number(origin.time_errors.uncertainty),
    )
    covariance = np.full((4, 4), np.nan)
    np.fill_diagonal(covariance, np.square(deviations))
    return covariance


def _ellipse(uncertainty: Any, ours: Mapping[str, Any]) -> Ellipse:
    if uncertainty is None:
        return Ellipse(
            semi_major_m=math.nan, semi_minor_m=math.nan, azimuth_deg=math.nan,
            level=_number(ours.get("level")),
        )  # fmt: skip
    circle = uncertainty.horizontal_uncertainty
    major = uncertainty.max_horizontal_uncertainty
    return Ellipse(
        semi_major_m=_number(circle if major is None else major),
        semi_minor_m=_number(circle if major is None else uncertainty.min_horizontal_uncertainty),
        azimuth_deg=_number(uncertainty.azimuth_max_horizontal_uncertainty),
        level=exact(uncertainty.confidence_level, ours, "level", 0.01),
    )


def _arrival(arrival: Any, phase: Phase, picks: Mapping[str, Pick]) -> Arrival:
    ours = read_note(arrival.comments)
    pick = picks.get(arrival.pick_id.id)
    station_id = pick.channel_id.station_id if pick else StationId("", "")
    return Arrival(
        pick_id=pick.id if pick else ours.get("pick_id", arrival.pick_id.id),
        station_id=StationId(*ours["station"]) if "station" in ours else station_id,
        phase=phase,
        distance_m=exact(arrival.distance, ours, "distance_m", METRES_PER_DEGREE),
        azimuth_deg=_number(arrival.azimuth),
        takeoff_angle_deg=arrival.takeoff_angle,
        residual_s=_number(arrival.time_residual),
        weight=_number(arrival.time_weight),
        correction_s=arrival.time_correction or 0.0,
    )


def _magnitudes(event: Any, ours: Mapping[str, Any]) -> tuple[Magnitude, ...]:
    """In our order, or the preferred one first."""
    found = [_magnitude(magnitude, event) for magnitude in event.magnitudes]
    for told in ours.get("without_value", ()):
        stations = tuple(_station_of_note(station) for station in told["stations"])
        found.append(_magnitude_of_note(told, None, told["uncertainty"], stations))
    order = {identifier: place for place, identifier in enumerate(ours.get("magnitudes", ()))}
    preferred = event.preferred_magnitude()
    first = preferred and (read_note(preferred.comments).get("id") or preferred.resource_id.id)
    return tuple(sorted(found, key=lambda m: (order.get(m.id, len(order)), m.id != first)))


def _magnitude(magnitude: Any, event: Any) -> Magnitude:
    ours = read_note(magnitude.comments)
    by_uri = {station.resource_id.id: station for station in event.station_magnitudes}
    amplitudes = {amplitude.resource_id.id: amplitude for amplitude in event.amplitudes}
    stations = [
        _station(by_uri[c.station_magnitude_id.id], c, amplitudes)
        for c in magnitude.station_magnitude_contributions
        if c.station_magnitude_id and c.station_magnitude_id.id in by_uri
    ]
    for told in ours.get("without_value", ()):
        stations.insert(told["position"], _station_of_note(told))
    uncertainty = magnitude.mag_errors.uncertainty
    if ours:
        return _magnitude_of_note(ours, magnitude.mag, uncertainty, tuple(stations))
    return Magnitude(
        id=magnitude.resource_id.id,
        origin_id=magnitude.origin_id.id if magnitude.origin_id else "",
        magnitude=magnitude.mag,
        type=magnitude.magnitude_type or "",
        uncertainty=uncertainty,
        station_magnitudes=tuple(stations),
        evaluation_mode=_mode(magnitude.evaluation_mode),
        provenance=provenance_of({}, magnitude.creation_info),
    )


def _magnitude_of_note(
    told: Mapping[str, Any], value: float | None, uncertainty: float | None,
    stations: tuple[StationMagnitude, ...],
) -> Magnitude:  # fmt: skip
    return Magnitude(
        id=told["id"],
        origin_id=told["origin_id"],
        magnitude=value,
        type=told["type"],
        uncertainty=uncertainty,
        station_magnitudes=stations,
        reason=told["reason"],
        evaluation_mode=_mode(told["evaluation_mode"]),
        provenance=Provenance(**told["provenance"]),
    )


def _station(station: Any, contribution: Any, amplitudes: Mapping[str, Any]) -> StationMagnitude:
    ours = read_note(station.comments)
    amplitude = amplitudes.get(station.amplitude_id.id) if station.amplitude_id else None
    metric = amplitude is not None and amplitude.unit == "m"
    unused = "weight 0" if contribution.weight == 0 else ""
    return StationMagnitude(
        channel_id=_channel_id(station.waveform_id)
        if station.waveform_id else ChannelId("", "", "", ""),
        magnitude=station.mag,
        type=station.station_magnitude_type or "",
        amplitude_m=amplitude.generic_amplitude if amplitude and metric else None,
        period_s=ours["period_s"] if ours else amplitude and amplitude.period,
        distance_m=_number(ours.get("distance_m")),
        snr=ours["snr"] if ours else amplitude and amplitude.snr,
        residual=contribution.residual,
        reason=ours.get("reason", unused),
    )  # fmt: skip


def _station_of_note(told: Mapping[str, Any]) -> StationMagnitude:
    return StationMagnitude(
        channel_id=ChannelId(*told["channel"].split(".")),
        magnitude=told["magnitude"],
        type=told["type"],
        amplitude_m=told["amplitude_m"],
        period_s=told["period_s"],
        distance_m=_number(told["distance_m"]),
        snr=told["snr"],
        residual=told["residual"],
        reason=told["reason"],
    )


def _classification(event: Any, ours: Mapping[str, Any]) -> Classification | None:
    told = ours.get("classification")
    if told and told["event_type"] == event.event_type:
        return Classification(
            event_type=EventType(told["event_type"]),
            label=told["label"],
            probability=_number(told["probability"]),
            probabilities=_probabilities(told),
            station_classifications=tuple(
                StationClassification(
                    station_id=StationId.parse(station["station"]),
                    model=station["model"],
                    probabilities=_probabilities(station),
                    weight=float(station["weight"]),
                    reason=station["reason"],
                )
                for station in told.get("stations", ())
            ),
            reason=told["reason"],
            provenance=Provenance(**told["provenance"]),
        )
    if not event.event_type:
        return None
    known = event.event_type in set(EventType)
    return Classification(
        event_type=EventType(event.event_type) if known else EventType.OTHER,
        label=event.event_type,
        probability=1.0,
        probabilities={event.event_type: 1.0},
        reason="as its file says",
        provenance=provenance_of({}, event.creation_info),
    )


def _probabilities(told: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(p) for name, p in told["probabilities"].items()}


def _detection(told: Mapping[str, Any]) -> Detection:
    return Detection(
        sensor_id=SensorId.parse(told["sensor"]),
        start=Time(told["start_ns"]),
        end=Time(told["end_ns"]),
        probability=_number(told["probability"]),
        provenance=Provenance(**told["provenance"]),
    )
