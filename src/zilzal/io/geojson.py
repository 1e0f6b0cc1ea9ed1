"""Events as GeoJSON, with the properties that the USGS's feeds have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zilzal.core.event import Event, EventType, Magnitude, Origin
from zilzal.core.pick import EvaluationMode
from zilzal.core.time import Time
from zilzal.core.units import arc_degrees, km

_MS_PER_NS = 1e-6


def geojson(
    events: Iterable[Event], *, written: dict[str, Time], generated: Time, title: str, url: str
) -> dict[str, Any]:
    """A FeatureCollection; events without a place are left out.

    Args:
        events: in the order to be written.
        written: when the versions came, by event id.
        generated: now.
        title: of the collection.
        url: of the server's event service, without a slash at the end; of the features' details.

    Source:
        https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php for the names.
    """
    features = [
        _feature(event, event.origin, written.get(event.id), url)
        for event in events
        if isinstance(event.origin, Origin)
    ]
    metadata = {
        "generated": _ms(generated), "title": title, "status": 200, "api": "1.2",
        "count": len(features),
    }  # fmt: skip
    collection: dict[str, Any] = {
        "type": "FeatureCollection", "metadata": metadata, "features": features
    }  # fmt: skip
    if features:
        places = [feature["geometry"]["coordinates"] for feature in features]
        collection["bbox"] = [
            *(min(place[axis] for place in places) for axis in range(3)),
            *(max(place[axis] for place in places) for axis in range(3)),
        ]
    return collection


def _feature(event: Event, origin: Origin, written: Time | None, url: str) -> dict[str, Any]:
    magnitude, event_type = event.magnitude, event.event_type
    reviewed = event.evaluation_mode is EvaluationMode.MANUAL
    place = f"{abs(origin.latitude):.3f}°{'N' if origin.latitude >= 0 else 'S'} "
    place += f"{abs(origin.longitude):.3f}°{'E' if origin.longitude >= 0 else 'W'}"
    properties = {
        "mag": magnitude and magnitude.magnitude,
        "magType": magnitude and magnitude.type.lower(),
        "place": place,
        "time": _ms(origin.time),
        "updated": written and _ms(written),
        "url": f"{url}/query?eventid={event.id}",
        "detail": f"{url}/query?eventid={event.id}&format=geojson",
        "status": "reviewed" if reviewed else "automatic",
        "tsunami": 0,
        "sig": _significance(magnitude),
        "net": "zilzal",
        "code": event.id,
        "ids": f",{event.id},",
        "sources": ",zilzal,",
        "types": ",origin,phase-data,",
        "nst": len(origin.used_stations),
        "dmin": round(arc_degrees(origin.nearest_station_m), 4),
        "rms": round(origin.rms_s, 4),
        "gap": round(origin.azimuthal_gap_deg, 1),
        "type": event_type.value,
        "title": _title(magnitude, event_type, place),
    }
    coordinates = [
        round(origin.longitude, 6), round(origin.latitude, 6), round(km(origin.depth_m), 3)
    ]  # fmt: skip
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": coordinates},
        "id": event.id,
    }


def _ms(time: Time) -> int:
    return round(time.ns * _MS_PER_NS)


def _significance(magnitude: Magnitude | None) -> int:
    """The part of the USGS's 0 to 1000 that the magnitude gives: M^2 * 650 / 6.5^2."""
    value = max((magnitude and magnitude.magnitude) or 0.0, 0.0)
    return min(1_000, round(value**2 * 650 / 6.5**2))


def _title(magnitude: Magnitude | None, kind: EventType, place: str) -> str:
    size = "M ?" if magnitude is None else f"M {magnitude.magnitude:.1f}"
    named = (
        "" if kind in (EventType.EARTHQUAKE, EventType.NOT_REPORTED) else f"{kind.capitalize()} "
    )
    return f"{size} {named}- {place}"
