"""Core values as rows and back, exactly, but for the sign of zero, which SQLite drops."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from zilzal.core.event import (
    Arrival,
    Classification,
    Ellipse,
    EventType,
    Magnitude,
    Origin,
    StationClassification,
    StationMagnitude,
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
from zilzal.io.store.schema import Row

Found = Mapping[Any, Any]
"""A row that was read."""


def digest_of(values: Iterable[object]) -> int:
    """A signed 64-bit hash of plain values; the same on every host."""
    text = repr(tuple(values))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


def real(value: float | None) -> float | None:
    """A Python float without a sign on zero; None for None and NaN."""
    if value is None or value != value:
        return None
    return float(value) + 0.0


def required(value: float | None) -> float:
    """NaN for NULL, where the field cannot be None."""
    return math.nan if value is None else value


@lru_cache(maxsize=1024)
def provenance_row(provenance: Provenance) -> Row:
    """Of the table `provenance`; not to be changed, it is shared."""
    content = {
        "method": provenance.method,
        "version": provenance.version,
        "model": provenance.model,
        "configuration": provenance.configuration,
    }
    return {"digest": digest_of(content.values()), **content}


def provenance_of(row: Found) -> Provenance:
    """The inverse of `provenance_row`."""
    return Provenance(
        method=row["method"], version=row["version"], model=row["model"],
        configuration=row["configuration"],
    )  # fmt: skip


def channel_row(channel_id: ChannelId) -> Row:
    """The four columns of a channel's code."""
    return {
        "network": channel_id.network,
        "station": channel_id.station,
        "location": channel_id.location,
        "channel": channel_id.channel,
    }


def channel_of(row: Found) -> ChannelId:
    """The inverse of `channel_row`."""
    return ChannelId(row["network"], row["station"], row["location"], row["channel"])


def pick_row(pick: Pick) -> Row:
    """Of the table `pick`."""
    identifier, channel_id = pick.id, pick.channel_id
    # What the id is made of need not be hashed again.
    rest: Row = {
        "probability": real(pick.probability),
        "uncertainty_s": real(pick.uncertainty_s),
        "amplitude_counts": real(pick.amplitude_counts),
        "snr": real(pick.snr),
        "onset": pick.onset and pick.onset.value,
        "polarity": pick.polarity and pick.polarity.value,
        "evaluation_mode": pick.evaluation_mode.value,
        "provenance": provenance_row(pick.provenance)["digest"],
    }
    return {
        "digest": digest_of([identifier, *rest.values()]),
        "id": identifier,
        "network": channel_id.network,
        "station": channel_id.station,
        "location": channel_id.location,
        "channel": channel_id.channel,
        "phase": pick.phase.value,
        "time": pick.time.ns,
        **rest,
    }


def pick_of(row: Found, provenance: Provenance) -> Pick:
    """The inverse of `pick_row`."""
    return Pick(
        channel_id=channel_of(row),
        phase=Phase(row["phase"]),
        time=Time(row["time"]),
        probability=row["probability"],
        uncertainty_s=row["uncertainty_s"],
        amplitude_counts=row["amplitude_counts"],
        snr=row["snr"],
        onset=Onset(row["onset"]) if row["onset"] else None,
        polarity=Polarity(row["polarity"]) if row["polarity"] else None,
        evaluation_mode=EvaluationMode(row["evaluation_mode"]),
        provenance=provenance,
    )


def detection_row(detection: Detection) -> Row:
    """Of the table `detection`."""
    sensor_id = detection.sensor_id
    content: Row = {
        "id": detection.id,
        "network": sensor_id.network,
        "station": sensor_id.station,
        "location": sensor_id.location,
        "band": sensor_id.band,
        "start_time": detection.start.ns,
        "end_time": detection.end.ns,
        "probability": real(detection.probability),
        "provenance": provenance_row(detection.provenance)["digest"],
    }
    content["digest"] = digest_of(content.values())
    return content


def detection_of(row: Found, provenance: Provenance) -> Detection:
    """The inverse of `detection_row`."""
    return Detection(
        sensor_id=SensorId(row["network"], row["station"], row["location"], row["band"]),
        start=Time(row["start_time"]),
        end=Time(row["end_time"]),
        probability=row["probability"],
        provenance=provenance,
    )


def arrival_row(arrival: Arrival) -> Row:
    """Of the table `arrival`, without the origin."""
    return {
        "pick_id": arrival.pick_id,
        "network": arrival.station_id.network,
        "station": arrival.station_id.station,
        "phase": arrival.phase.value,
        "distance_m": real(arrival.distance_m),
        "azimuth_deg": real(arrival.azimuth_deg),
        "takeoff_angle_deg": real(arrival.takeoff_angle_deg),
        "residual_s": real(arrival.residual_s),
        "weight": real(arrival.weight),
        "correction_s": real(arrival.correction_s),
    }


def arrival_of(row: Found) -> Arrival:
    """The inverse of `arrival_row`."""
    return Arrival(
        pick_id=row["pick_id"],
        station_id=StationId(row["network"], row["station"]),
        phase=Phase(row["phase"]),
        distance_m=required(row["distance_m"]),
        azimuth_deg=required(row["azimuth_deg"]),
        takeoff_angle_deg=row["takeoff_angle_deg"],
        residual_s=required(row["residual_s"]),
        weight=required(row["weight"]),
        correction_s=required(row["correction_s"]),
    )


def origin_rows(origin: Origin) -> tuple[Row, list[Row]]:
    """Of the tables `origin` and `arrival`.

    Raises:
        ValueError: the covariance is not 4 by 4.
    """
    covariance = np.ascontiguousarray(origin.covariance, "<f8")
    if covariance.shape != (4, 4):
        raise ValueError(f"covariance of shape {covariance.shape}; expected (4, 4)")
    content: Row = {
        "id": origin.id,
        "time": origin.time.ns,
        "latitude": real(origin.latitude),
        "longitude": real(origin.longitude),
        "depth_m": real(origin.depth_m),
        "covariance": covariance.tobytes(),
        "semi_major_m": real(origin.ellipse.semi_major_m),
        "semi_minor_m": real(origin.ellipse.semi_minor_m),
        "ellipse_azimuth_deg": real(origin.ellipse.azimuth_deg),
        "ellipse_level": real(origin.ellipse.level),
        "rms_s": real(origin.rms_s),
        "azimuthal_gap_deg": real(origin.azimuthal_gap_deg),
        "nearest_station_m": real(origin.nearest_station_m),
        "quality": origin.quality,
        "depth_fixed": bool(origin.depth_fixed),
        "earth_model": origin.earth_model,
        "evaluation_mode": origin.evaluation_mode.value,
        "provenance": provenance_row(origin.provenance)["digest"],
    }
    arrivals = [arrival_row(arrival) for arrival in origin.arrivals]
    digest = digest_of([*content.values(), *(tuple(row.values()) for row in arrivals)])
    return {**content, "digest": digest}, [
        {**row, "origin": digest, "position": position} for position, row in enumerate(arrivals)
    ]


def origin_of(row: Found, arrivals: Iterable[Found], provenance: Provenance) -> Origin:
    """The inverse of `origin_rows`."""
    return Origin(
        id=row["id"],
        time=Time(row["time"]),
        latitude=row["latitude"],
        longitude=row["longitude"],
        depth_m=required(row["depth_m"]),
        covariance=np.frombuffer(row["covariance"], "<f8").reshape(4, 4).astype(float),
        ellipse=Ellipse(
            semi_major_m=required(row["semi_major_m"]),
            semi_minor_m=required(row["semi_minor_m"]),
            azimuth_deg=required(row["ellipse_azimuth_deg"]),
            level=required(row["ellipse_level"]),
        ),
        arrivals=tuple(map(arrival_of, arrivals)),
        rms_s=required(row["rms_s"]),
        azimuthal_gap_deg=required(row["azimuthal_gap_deg"]),
        nearest_station_m=required(row["nearest_station_m"]),
        quality=row["quality"],
        depth_fixed=row["depth_fixed"],
        earth_model=row["earth_model"],
        evaluation_mode=EvaluationMode(row["evaluation_mode"]),
        provenance=provenance,
    )


def station_magnitude_row(value: StationMagnitude) -> Row:
    """Of the table `station_magnitude`, without the network's magnitude."""
    return {
        **channel_row(value.channel_id),
        "magnitude": real(value.magnitude),
        "type": value.type,
        "amplitude_m": real(value.amplitude_m),
        "period_s": real(value.period_s),
        "distance_m": real(value.distance_m),
        "snr": real(value.snr),
        "residual": real(value.residual),
        "reason": value.reason,
    }


def station_magnitude_of(row: Found) -> StationMagnitude:
    """The inverse of `station_magnitude_row`."""
    return StationMagnitude(
        channel_id=channel_of(row),
        magnitude=row["magnitude"],
        type=row["type"],
        amplitude_m=row["amplitude_m"],
        period_s=row["period_s"],
        distance_m=required(row["distance_m"]),
        snr=row["snr"],
        residual=row["residual"],
        reason=row["reason"],
    )


def magnitude_rows(magnitude: Magnitude) -> tuple[Row, list[Row]]:
    """Of the tables `magnitude` and `station_magnitude`."""
    content: Row = {
        "id": magnitude.id,
        "origin_id": magnitude.origin_id,
        "magnitude": real(magnitude.magnitude),
        "type": magnitude.type,
        "uncertainty": real(magnitude.uncertainty),
        "reason": magnitude.reason,
        "evaluation_mode": magnitude.evaluation_mode.value,
        "provenance": provenance_row(magnitude.provenance)["digest"],
    }
    stations = [station_magnitude_row(value) for value in magnitude.station_magnitudes]
    digest = digest_of([*content.values(), *(tuple(row.values()) for row in stations)])
    return {**content, "digest": digest}, [
        {**row, "network_magnitude": digest, "position": position}
        for position, row in enumerate(stations)
    ]


def magnitude_of(row: Found, stations: Iterable[Found], provenance: Provenance) -> Magnitude:
    """The inverse of `magnitude_rows`."""
    return Magnitude(
        id=row["id"],
        origin_id=row["origin_id"],
        magnitude=row["magnitude"],
        type=row["type"],
        uncertainty=row["uncertainty"],
        station_magnitudes=tuple(map(station_magnitude_of, stations)),
        reason=row["reason"],
        evaluation_mode=EvaluationMode(row["evaluation_mode"]),
        provenance=provenance,
    )


def _probabilities_text(probabilities: Mapping[str, float]) -> str:
    numbers = {name: float(p) for name, p in probabilities.items()}
    return json.dumps(numbers, ensure_ascii=False)


def station_classification_row(value: StationClassification) -> Row:
    """Of the table `station_classification`, without the event's classification."""
    return {
        "network": value.station_id.network,
        "station": value.station_id.station,
        "model": value.model,
        "probabilities": _probabilities_text(value.probabilities),
        "weight": real(value.weight),
        "reason": value.reason,
    }


def station_classification_of(row: Found) -> StationClassification:
    """The inverse of `station_classification_row`."""
    return StationClassification(
        station_id=StationId(row["network"], row["station"]),
        model=row["model"],
        probabilities=json.loads(row["probabilities"]),
        weight=row["weight"],
        reason=row["reason"],
    )


def classification_rows(classification: Classification) -> tuple[Row, list[Row]]:
    """Of the tables `classification` and `station_classification`."""
    content: Row = {
        "event_type": classification.event_type.value,
        "label": classification.label,
        "probability": real(classification.probability),
        "probabilities": _probabilities_text(classification.probabilities),
        "reason": classification.reason,
        "provenance": provenance_row(classification.provenance)["digest"],
    }
    stations = list(map(station_classification_row, classification.station_classifications))
    digest = digest_of([*content.values(), *(tuple(row.values()) for row in stations)])
    return {**content, "digest": digest}, [
        {**row, "classification": digest, "position": position}
        for position, row in enumerate(stations)
    ]


def classification_of(
    row: Found, stations: Iterable[Found], provenance: Provenance
) -> Classification:
    """The inverse of `classification_rows`."""
    return Classification(
        event_type=EventType(row["event_type"]),
        label=row["label"],
        probability=required(row["probability"]),
        probabilities=json.loads(row["probabilities"]),
        station_classifications=tuple(map(station_classification_of, stations)),
        reason=row["reason"],
        provenance=provenance,
    )
