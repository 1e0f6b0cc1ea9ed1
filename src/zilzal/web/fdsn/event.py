"""fdsnws-event 1.2: events as QuakeML, text, or GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from fastapi import Response

from zilzal.app.display.holdings import Holdings
from zilzal.core.event import Event, EventType, Origin
from zilzal.core.time import Time
from zilzal.core.units import metres
from zilzal.io.fdsn_text import event_text
from zilzal.io.geojson import geojson
from zilzal.io.quakeml import quakeml
from zilzal.io.store import EventQuery, Order
from zilzal.web.fdsn import parameters as take
from zilzal.web.fdsn.parameters import Given, check_ring, check_times
from zilzal.web.fdsn.service import Method, Service
from zilzal.web.refusal import Refused

MOST_EVENTS = 20_000
_ORDERS = {
    "time": Order.NEWEST,
    "time-asc": Order.OLDEST,
    "magnitude": Order.LARGEST,
    "magnitude-asc": Order.SMALLEST,
}
_CATALOGUE = "zilzal"

PARAMETERS = (
    take.time("starttime", "start"),
    take.time("endtime", "end"),
    take.real("minlatitude", "minlat", low=-90, high=90),
    take.real("maxlatitude", "maxlat", low=-90, high=90),
    take.real("minlongitude", "minlon", low=-180, high=180),
    take.real("maxlongitude", "maxlon", low=-180, high=180),
    take.real("latitude", "lat", low=-90, high=90),
    take.real("longitude", "lon", low=-180, high=180),
    take.real("minradius", low=0, high=180),
    take.real("maxradius", low=0, high=180),
    take.real("mindepth"),
    take.real("maxdepth"),
    take.real("minmagnitude", "minmag"),
    take.real("maxmagnitude", "maxmag"),
    take.Parameter(name="magnitudetype", alias="magtype"),
    take.Parameter(name="eventtype"),
    take.flag("includeallorigins"),
    take.flag("includeallmagnitudes"),
    take.flag("includearrivals"),
    take.Parameter(name="eventid"),
    take.whole("limit", low=1, high=MOST_EVENTS),
    take.whole("offset", low=1, default=1),
    take.choice("orderby", *_ORDERS),
    take.Parameter(name="catalog"),
    take.Parameter(name="contributor"),
    take.time("updatedafter"),
    take.choice("format", "xml", "text", "geojson"),
    take.nodata(),
)


def query(held: Holdings, given: Given, base: str) -> Response | None:
    """Events of a selection, or one by its id.

    Raises:
        Refused: the selection is wrong, or too large.
    """
    check_ring(given)
    check_times(given)
    others = {given["catalog"], given["contributor"]} - {None, _CATALOGUE}
    if others:
        return None
    wanted = _selection(given)
    events = _one(held, given["eventid"]) if given["eventid"] else _many(held, wanted)
    if not events:
        return None
    if given["format"] == "text":
        return Response(event_text(events), media_type="text/plain")
    if given["format"] == "geojson":
        content = feed(held, events, base, "Events")
        return Response(content, media_type="application/geo+json")
    trimmed = [_trimmed(event, given) for event in events]
    return Response(quakeml(trimmed), media_type="application/xml")


def feed(held: Holdings, events: Sequence[Event], base: str, title: str) -> bytes:
    """Events as a GeoJSON document, an event alone as the USGS gives details."""
    written = {event.id: held.store.stamps(event.id)[-1].written for event in events}
    content = geojson(events, written=written, generated=held.now(), title=title, url=base)
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def _selection(given: Given) -> EventQuery:
    min_km, max_km = given["mindepth"], given["maxdepth"]
    return EventQuery(
        start=given["starttime"],
        # The specification's end is inclusive, the store's is not.
        end=None if given["endtime"] is None else Time(given["endtime"].ns + 1),
        south=given["minlatitude"],
        north=given["maxlatitude"],
        west=given["minlongitude"],
        east=given["maxlongitude"],
        latitude=given["latitude"],
        longitude=given["longitude"],
        min_radius_deg=given["minradius"],
        max_radius_deg=given["maxradius"],
        min_depth_m=None if min_km is None else metres(min_km),
        max_depth_m=None if max_km is None else metres(max_km),
        min_magnitude=given["minmagnitude"],
        max_magnitude=given["maxmagnitude"],
        magnitude_types=(given["magnitudetype"],) if given["magnitudetype"] else (),
        event_types=_types(given["eventtype"]),
        written_since=given["updatedafter"],
        catalogue_only=True,
        order=_ORDERS[given["orderby"]],
        limit=given["limit"],
        offset=given["offset"] - 1,
    )


def _types(text: str | None) -> tuple[EventType, ...]:
    if text is None:
        return ()
    known = {kind.value: kind for kind in EventType}
    wanted = [word.strip().lower() for word in text.split(",")]
    for word in wanted:
        if word not in known:
            raise take.bad_request(f"eventtype={word!r}: give some of {', '.join(known)}")
    return tuple(known[word] for word in wanted)


def _one(held: Holdings, event_id: str) -> list[Event]:
    event = held.store.event(event_id)
    return [event] if event is not None and isinstance(event.origin, Origin) else []


def _many(held: Holdings, wanted: EventQuery) -> list[Event]:
    count = held.store.count(wanted)
    if min(count, wanted.limit or count) > MOST_EVENTS:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{count} events are selected; narrow the selection, or give limit and offset",
        )
    lines = held.store.summaries(wanted)
    events = {event.id: event for event in held.store.events(wanted)}
    return [events[line.id] for line in lines if line.id in events]


def _trimmed(event: Event, given: Given) -> Event:
    """Without what was not asked for."""
    magnitudes = event.magnitudes
    if not given["includeallmagnitudes"]:
        magnitudes = tuple(m for m in magnitudes if m is event.magnitude)
    if given["includearrivals"] or not isinstance(event.origin, Origin):
        return replace(event, magnitudes=magnitudes)
    bare = [replace(m, station_magnitudes=()) for m in magnitudes]
    kind = event.classification
    return replace(
        event,
        magnitudes=tuple(bare),
        origin=replace(event.origin, arrivals=()),
        classification=kind and replace(kind, station_classifications=()),
        picks=(),
        detections=(),
    )


def _listed(name: str, entry: str) -> tuple[str, str]:
    content = f"<{name}><{entry}>{_CATALOGUE}</{entry}></{name}>"
    return "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n'


SERVICE = Service(
    name="event",
    version="1.2.0",
    methods={"query": Method(parameters=PARAMETERS, answer=query)},
    texts={
        "catalogs": _listed("Catalogs", "Catalog"),
        "contributors": _listed("Contributors", "Contributor"),
    },
)
