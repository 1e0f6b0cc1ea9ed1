"""A selection of events as a file."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from zilzal.app.display.export import FORMATS, export_events
from zilzal.web.api.event_filter import EventFilter
from zilzal.web.api.values import Held

router = APIRouter(prefix="/events", tags=["events"])

FormatName = Literal["csv", "arrivals", "quakeml", "scml", "geojson", "text", "zmap"]
"""Of `FORMATS`; a test holds the two together."""


class ExportFilter(EventFilter):
    """The selection, and the format of the file."""

    format: FormatName = "csv"


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {f.media_type: {} for f in FORMATS.values()}}},
)
def export(held: Held, wanted: Annotated[ExportFilter, Query()]) -> Response:
    """A selection of events as a file; at most 20,000."""
    chosen = FORMATS[wanted.format]
    content = export_events(held.store, wanted.query(), wanted.format)
    disposition = f'attachment; filename="events.{chosen.ending}"'
    headers = {"Content-Disposition": disposition}
    return Response(content, media_type=chosen.media_type, headers=headers)
