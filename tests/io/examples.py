"""Made values of every core type, with awkward numbers, and a way to compare them whole."""

from __future__ import annotations

import dataclasses
import math
from enum import Enum
from typing import Any

import numpy as np

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
from zilzal.core.pick import Detection, Onset, Phase, Pick, Polarity, Provenance
from zilzal.core.time import Time

START = Time.parse("2019-07-07T08:02:17.180000001Z")
PICKER = Provenance(method="neural", version="0.1.0", model="ab" * 32, configuration="c" * 16)
LOCATOR = Provenance(method="layered", version="0.1.0", model="hadley-kanamori")
SCALE = Provenance(method="ml", version="0.1.0", model="hutton-boore-1987")
RULES = Provenance(method="rules", version="0.1.0")


def pick(number: int = 0, **changes: Any) -> Pick:
    """A pick with numbers that no decimal can write; S for odd numbers."""
    is_s = number % 2 == 1
    values: dict[str, Any] = {
        "channel_id": ChannelId("CI", f"S{number // 2:03d}", "" if number % 4 else "10",
                                "HHE" if is_s else "HHZ"),
        "phase": Phase.S if is_s else Phase.P,
        "time": Time(START.ns + 1_234_567_891 * (number + 1)),
        "probability": math.nextafter(0.7, 1),
        "uncertainty_s": 0.1 + 0.2,
        "amplitude_counts": 1e7 / 3,
        "snr": 2**0.5,
        "onset": None if is_s else Onset.IMPULSIVE,
        "polarity": None if is_s else Polarity.NEGATIVE,
        "provenance": PICKER,
    }  # fmt: skip
    return Pick(**{**values, **changes})


def detection(number: int = 0) -> Detection:
    return Detection(
        sensor_id=SensorId("CI", f"S{number:03d}", "", "HH"),
        start=START + number,
        end=START + (number + 30.000000001),
        probability=1 / 3,
        provenance=PICKER,
    )


def origin(picks: tuple[Pick, ...], **changes: Any) -> Origin:
    matrix = np.arange(16, dtype=float).reshape(4, 4) / 7
    values: dict[str, Any] = {
        "id": "origin/0123456789abcdef",
        "time": START,
        "latitude": 35.8585,
        "longitude": -117.6676667,
        "depth_m": 6_680.1,
        "covariance": matrix @ matrix.T + np.eye(4) / 3,
        "ellipse": Ellipse(semi_major_m=301.1, semi_minor_m=123.4, azimuth_deg=77.7, level=0.68),
        "arrivals": tuple(
            Arrival(
                pick_id=p.id,
                station_id=p.channel_id.station_id,
                phase=p.phase,
                distance_m=10_000 / 3 + n,
                azimuth_deg=100 / 3 + n,
                takeoff_angle_deg=None if n == 1 else 91.1,
                residual_s=(-1) ** n / 30,
                weight=1 / (n + 1),
                correction_s=0.01 * n,
            )
            for n, p in enumerate(picks)
        ),
        "rms_s": 0.1 / 3,
        "azimuthal_gap_deg": 77.1,
        "nearest_station_m": 3_333.3,
        "quality": "B",
        "depth_fixed": False,
        "earth_model": "hadley-kanamori",
        "provenance": LOCATOR,
    }
    return Origin(**{**values, **changes})


def magnitude(origin_id: str = "origin/0123456789abcdef", **changes: Any) -> Magnitude:
    stations = (
        StationMagnitude(
            channel_id=ChannelId("CI", "S000", "10", "HHE"), magnitude=2.6, type="ML",
            amplitude_m=1.1e-3 / 7, period_s=0.3, distance_m=12_345.6, snr=30.1, residual=0.01,
        ),
        StationMagnitude(
            channel_id=ChannelId("CI", "S001", "", "HNE"), magnitude=None, type="ML",
            amplitude_m=None, period_s=None, distance_m=22_345.6, snr=None, reason="clipped",
        ),
    )  # fmt: skip
    values: dict[str, Any] = {
        "id": "magnitude/0123456789abcdef", "origin_id": origin_id, "magnitude": 2.59,
        "type": "ML", "uncertainty": 0.1 / 3, "station_magnitudes": stations,
        "reason": "flat responses", "provenance": SCALE,
    }  # fmt: skip
    return Magnitude(**{**values, **changes})


def classification(**changes: Any) -> Classification:
    values: dict[str, Any] = {
        "event_type": EventType.QUARRY_BLAST, "label": "blast", "probability": 2 / 3,
        "probabilities": {"blast": 2 / 3, "earthquake": 1 / 3}, "reason": "daytime, shallow",
        "station_classifications": (
            StationClassification(
                station_id=StationId("CI", "A01"), model="kinds", weight=2 / 3,
                probabilities={"blast": 0.7, "earthquake": 0.3},
            ),
            StationClassification(
                station_id=StationId("CI", "Ä02"), model="kinds", probabilities={}, weight=0.0,
                reason="no record",
            ),
        ),
        "provenance": RULES,
    }  # fmt: skip
    return Classification(**{**values, **changes})


def event(number: int = 0, **changes: Any) -> Event:
    """An event with all there can be."""
    picks = tuple(pick(4 * number + n) for n in range(4))
    values: dict[str, Any] = {
        "id": f"event/{number:016x}",
        "version": 1,
        "origin": origin(picks, time=START + 60 * number, id=f"origin/{number:016x}"),
        "magnitudes": (
            magnitude(f"origin/{number:016x}"),
            magnitude(f"origin/{number:016x}", id="magnitude/none", magnitude=None,
                      uncertainty=None, type="Mw", station_magnitudes=(), reason="no spectra"),
        ),
        "classification": classification(),
        "picks": picks,
        "detections": (detection(number),),
        "comment": "felt in Ridgecrest – “strongly”",
    }  # fmt: skip
    return Event(**{**values, **changes})


def unlocated(number: int = 0, **changes: Any) -> Event:
    """An event without a place."""
    values: dict[str, Any] = {
        "origin": Unlocated(reason="three stations are too few", time=START),
        "magnitudes": (),
        "classification": None,
        "detections": (),
    }
    return event(number, **{**values, **changes})


def plain(value: Any) -> Any:
    """A value as nested tuples with floats as their bits, so that `==` compares all of it."""
    if isinstance(value, Enum | str | int | None):
        return value
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(plain(item) for item in value)
    names = [field.name for field in dataclasses.fields(value)]
    return (type(value).__name__, *((name, plain(getattr(value, name))) for name in names))


def station(pick_: Pick) -> StationId:
    return pick_.channel_id.station_id
