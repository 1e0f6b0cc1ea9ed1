"""Feeds of recent events as GeoJSON, at the paths and with the names of the USGS's."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response

from zilzal.io.store import EventQuery, Order
from zilzal.web.api.values import holdings_of
from zilzal.web.fdsn.event import feed

router = APIRouter(prefix="/feed/v1.0/summary", include_in_schema=False)

_SPANS_S = {"hour": 3_600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}
_LEAST = {"all": None, "1.0": 1.0, "2.5": 2.5, "4.5": 4.5}
MOST_EVENTS = 20_000

Least = Literal["all", "1.0", "2.5", "4.5"]
Span = Literal["hour", "day", "week", "month"]


@router.get("/{least}_{span}.geojson")
def recent(request: Request, least: Annotated[Least, Path()], span: Annotated[Span, Path()]):
    """Events of the last hour, day, week or month, the newest first."""
    held = holdings_of(request)
    wanted = EventQuery(
        start=held.now() - _SPANS_S[span],
        min_magnitude=_LEAST[least],
        catalogue_only=True,
        order=Order.NEWEST,
        limit=MOST_EVENTS,
    )
    events = sorted(held.store.events(wanted), key=lambda e: e.time, reverse=True)
    base = f"{str(request.base_url).rstrip('/')}/fdsnws/event/1"
    title = f"{'All' if least == 'all' else f'M {least} and larger'}, past {span}"
    return Response(feed(held, events, base, title), media_type="application/geo+json")
