"""From our events to ObsPy's."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from zilzal.core.event import (
    Arrival,
    Classification,
    Event,
    Magnitude,
    Origin,
    StationMagnitude,
    Unlocated,
)
from zilzal.core.ids import ChannelId
from zilzal.core.pick import Detection, EvaluationMode, Pick, Provenance
from zilzal.core.time import Time
from zilzal.core.units import arc_degrees
from zilzal.io.quakeml_notes import note, provenance_note, uri_of

_NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuakeMLWriter:
    """Names what it writes.

    Args:
        authority: first part of resource identifiers, as "local" or "org.gfz-potsdam.de".
        agency: who is responsible, "" for nobody.
    """

    authority: str = "local"
    agency: str = ""

    def event(self, event: Event) -> Any:
        """An `obspy.core.event.Event` that says all of it."""
        from obspy.core.event import Event as ObsPyEvent

        origin = event.origin if isinstance(event.origin, Origin) else None
        kind = event.classification
        known = event.evaluation_mode is EvaluationMode.MANUAL
        result = ObsPyEvent(
            resource_id=self._uri(event.id),
            event_type=kind.event_type.value if kind else None,
            event_type_certainty=("known" if known else "suspected") if kind else None,
            creation_info=self._creation(str(event.version), _printable(event.author) or None),
            comments=self._event_comments(event),
            picks=[self._pick(pick) for pick in event.picks],
            origins=[self._origin(origin)] if origin else [],
        )
        for magnitude in event.magnitudes:
            if magnitude.magnitude is not None:
                self._add_magnitude(result, magnitude)
        result.preferred_origin_id = origin and self._uri(origin.id)
        result.preferred_magnitude_id = event.magnitude and self._uri(event.magnitude.id)
        return result

    def _uri(self, identifier: str) -> str:
        return uri_of(identifier, self.authority)

    def _comments(self, content: dict[str, Any], *texts: str) -> list[Any]:
        from obspy.core.event import Comment

        plain = [_printable(text) for text in texts if text.strip()]
        return [Comment(text=text, force_resource_id=False) for text in [*plain, note(content)]]

    def _creation(self, version: str, author: str | None = None) -> Any:
        from obspy.core.event import CreationInfo

        return CreationInfo(agency_id=self.agency or None, author=author, version=version)

    def _made(self, provenance: Provenance) -> dict[str, Any]:
        return {
            "creation_info": self._creation(provenance.version, provenance.method),
            "method_id": self._uri(f"method/{provenance.method or 'unknown'}"),
        }

    def _event_comments(self, event: Event) -> list[Any]:
        content: dict[str, Any] = {
            "id": event.id,
            "version": event.version,
            "comment": event.comment,
            "author": event.author,
            "evaluation_mode": event.evaluation_mode,
            "classification": event.classification and _classification_note(event.classification),
            "detections": [_detection_note(detection) for detection in event.detections],
            "magnitudes": [magnitude.id for magnitude in event.magnitudes],
            "without_value": [
                {**_magnitude_note(m), "stations": list(map(_station_note, m.station_magnitudes))}
                for m in event.magnitudes if m.magnitude is None
            ],
        }  # fmt: skip
        if isinstance(event.origin, Unlocated):
            reason = event.origin.reason
            content["unlocated"] = {"reason": reason, "time_ns": event.time.ns}
            return self._comments(content, event.comment, f"not located: {reason}")
        return self._comments(content, event.comment)

    def _pick(self, pick: Pick) -> Any:
        from obspy.core.event import Pick as ObsPyPick
        from obspy.core.event import QuantityError

        content = {
            "time_ns": pick.time.ns,
            "probability": pick.probability,
            "amplitude_counts": pick.amplitude_counts,
            "snr": pick.snr,
            "provenance": provenance_note(pick.provenance),
        }
        return ObsPyPick(
            resource_id=self._uri(pick.id),
            time=_utc(pick.time),
            time_errors=QuantityError(uncertainty=_finite(pick.uncertainty_s)),
            waveform_id=_waveform_id(pick.channel_id),
            phase_hint=pick.phase.value,
            onset=pick.onset and pick.onset.value,
            polarity=pick.polarity and pick.polarity.value,
            evaluation_mode=pick.evaluation_mode.value,
            comments=self._comments(content),
            **self._made(pick.provenance),
        )

    def _origin(self, origin: Origin) -> Any:
        from obspy.core.event import Origin as ObsPyOrigin

        content = {
            "id": origin.id,
            "time_ns": origin.time.ns,
            "covariance": origin.covariance.tolist(),
            "level": origin.ellipse.level,
            "nearest_station_m": origin.nearest_station_m,
            "quality": origin.quality,
            "earth_model": origin.earth_model,
            "provenance": provenance_note(origin.provenance),
        }
        return ObsPyOrigin(
            resource_id=self._uri(origin.id),
            time=_utc(origin.time),
            latitude=float(origin.latitude),
            longitude=float(origin.longitude),
            depth=_finite(origin.depth_m),
            depth_type="operator assigned" if origin.depth_fixed else "from location",
            origin_uncertainty=_origin_uncertainty(origin),
            quality=_quality(origin),
            earth_model_id=self._uri(f"earthmodel/{origin.earth_model or 'unknown'}"),
            origin_type="hypocenter",
            evaluation_mode=origin.evaluation_mode.value,
            arrivals=[self._arrival(a, origin.id, n) for n, a in enumerate(origin.arrivals)],
            comments=self._comments(content),
            **_errors(origin),
            **self._made(origin.provenance),
        )

    def _arrival(self, arrival: Arrival, origin_id: str, number: int) -> Any:
        from obspy.core.event import Arrival as ObsPyArrival

        content = {
            "pick_id": arrival.pick_id,
            "station": [arrival.station_id.network, arrival.station_id.station],
            "distance_m": arrival.distance_m,
        }
        return ObsPyArrival(
            resource_id=f"{self._uri(origin_id)}/arrival/{number}",
            pick_id=self._uri(arrival.pick_id),
            phase=arrival.phase.value,
            distance=_finite(arc_degrees(arrival.distance_m)),
            azimuth=_finite(arrival.azimuth_deg),
            takeoff_angle=_finite(arrival.takeoff_angle_deg),
            time_residual=_finite(arrival.residual_s),
            time_weight=_finite(arrival.weight),
            time_correction=_finite(arrival.correction_s),
            comments=self._comments(content),
        )

    def _add_magnitude(self, result: Any, magnitude: Magnitude) -> None:
        from obspy.core.event import Magnitude as ObsPyMagnitude
        from obspy.core.event import QuantityError, StationMagnitudeContribution

        contributions = []
        without_value = []
        for number, station in enumerate(magnitude.station_magnitudes):
            if station.magnitude is None:
                without_value.append({"position": number, **_station_note(station)})
                continue
            uri = f"{self._uri(magnitude.id)}/station/{number}"
            self._add_station_magnitude(result, station, uri, magnitude.origin_id)
            contributions.append(StationMagnitudeContribution(
                station_magnitude_id=uri, residual=_finite(station.residual),
                weight=0.0 if station.reason else 1.0,
            ))  # fmt: skip
        content = {**_magnitude_note(magnitude), "without_value": without_value}
        result.magnitudes.append(ObsPyMagnitude(
            resource_id=self._uri(magnitude.id),
            mag=float(magnitude.magnitude or 0.0),
            mag_errors=QuantityError(uncertainty=_finite(magnitude.uncertainty)),
            magnitude_type=magnitude.type,
            origin_id=self._uri(magnitude.origin_id) if magnitude.origin_id else None,
            station_count=magnitude.n_stations,
            evaluation_mode=magnitude.evaluation_mode.value,
            station_magnitude_contributions=contributions,
            comments=self._comments(content, magnitude.reason),
            **self._made(magnitude.provenance),
        ))  # fmt: skip

    def _add_station_magnitude(
        self, result: Any, station: StationMagnitude, uri: str, origin_id: str
    ) -> None:
        from obspy.core.event import Amplitude
        from obspy.core.event import StationMagnitude as ObsPyStationMagnitude

        amplitude_uri = None
        if station.amplitude_m is not None:
            amplitude_uri = f"{uri}/amplitude"
            result.amplitudes.append(Amplitude(
                resource_id=amplitude_uri,
                generic_amplitude=float(station.amplitude_m),
                type=f"A{station.type}",
                category="point",
                unit="m",
                period=_finite(station.period_s),
                snr=_finite(station.snr),
                waveform_id=_waveform_id(station.channel_id),
                magnitude_hint=station.type,
            ))  # fmt: skip
        result.station_magnitudes.append(ObsPyStationMagnitude(
            resource_id=uri,
            origin_id=self._uri(origin_id) if origin_id else None,
            mag=float(station.magnitude or 0.0),
            station_magnitude_type=station.type,
            amplitude_id=amplitude_uri,
            waveform_id=_waveform_id(station.channel_id),
            comments=self._comments(_station_note(station), station.reason),
        ))  # fmt: skip


def _printable(text: str) -> str:
    """What XML can hold."""
    return _NOT_XML.sub(" ", text)


def _utc(time: Time) -> Any:
    from obspy import UTCDateTime

    return UTCDateTime(ns=time.ns)


def _finite(value: float | None) -> float | None:
    """QuakeML has no NaN and no infinity: such elements are left out."""
    return None if value is None or not math.isfinite(value) else float(value)


def _waveform_id(channel_id: ChannelId) -> Any:
    from obspy.core.event import WaveformStreamID

    return WaveformStreamID(
        network_code=channel_id.network, station_code=channel_id.station,
        location_code=channel_id.location, channel_code=channel_id.channel,
    )  # fmt: skip


def _errors(origin: Origin) -> dict[str, Any]:
    """Standard deviations of the coordinates; those of the angles in degrees."""
    from obspy.core.event import QuantityError

    variances = [float(v) for v in origin.covariance.diagonal()]
    east_m, north_m, depth_m, time_s = (v**0.5 if v >= 0 else math.nan for v in variances)
    shrink = max(math.cos(math.radians(origin.latitude)), 1e-9)
    uncertainties = {
        "longitude": arc_degrees(east_m) / shrink,
        "latitude": arc_degrees(north_m),
        "depth": depth_m,
        "time": time_s,
    }
    return {
        f"{name}_errors": QuantityError(uncertainty=_finite(value))
        for name, value in uncertainties.items()
    }


def _origin_uncertainty(origin: Origin) -> Any:
    from obspy.core.event import OriginUncertainty

    ellipse = origin.ellipse
    return OriginUncertainty(
        preferred_description="uncertainty ellipse",
        max_horizontal_uncertainty=_finite(ellipse.semi_major_m),
        min_horizontal_uncertainty=_finite(ellipse.semi_minor_m),
        azimuth_max_horizontal_uncertainty=_finite(ellipse.azimuth_deg),
        confidence_level=_finite(100 * ellipse.level),
    )


def _quality(origin: Origin) -> Any:
    from obspy.core.event import OriginQuality

    return OriginQuality(
        associated_phase_count=len(origin.arrivals),
        used_phase_count=sum(arrival.weight > 0 for arrival in origin.arrivals),
        associated_station_count=len({arrival.station_id for arrival in origin.arrivals}),
        used_station_count=len(origin.used_stations),
        standard_error=_finite(origin.rms_s),
        azimuthal_gap=_finite(origin.azimuthal_gap_deg),
        minimum_distance=_finite(arc_degrees(origin.nearest_station_m)),
    )


def _classification_note(classification: Classification) -> dict[str, Any]:
    return {
        "event_type": classification.event_type.value,
        "label": classification.label,
        "probability": classification.probability,
        "probabilities": dict(classification.probabilities),
        "stations": [
            {
                "station": str(value.station_id),
                "model": value.model,
                "probabilities": dict(value.probabilities),
                "weight": value.weight,
                "reason": value.reason,
            }
            for value in classification.station_classifications
        ],
        "reason": classification.reason,
        "provenance": provenance_note(classification.provenance),
    }


def _detection_note(detection: Detection) -> dict[str, Any]:
    return {
        "sensor": str(detection.sensor_id),
        "start_ns": detection.start.ns,
        "end_ns": detection.end.ns,
        "probability": detection.probability,
        "provenance": provenance_note(detection.provenance),
    }


def _magnitude_note(magnitude: Magnitude) -> dict[str, Any]:
    return {
        "id": magnitude.id,
        "origin_id": magnitude.origin_id,
        "type": magnitude.type,
        "uncertainty": magnitude.uncertainty,
        "reason": magnitude.reason,
        "evaluation_mode": magnitude.evaluation_mode.value,
        "provenance": provenance_note(magnitude.provenance),
    }


def _station_note(station: StationMagnitude) -> dict[str, Any]:
    return {
        "channel": str(station.channel_id),
        "magnitude": station.magnitude,
        "type": station.type,
        "amplitude_m": station.amplitude_m,
        "period_s": station.period_s,
        "distance_m": station.distance_m,
        "snr": station.snr,
        "residual": station.residual,
        "reason": station.reason,
    }
