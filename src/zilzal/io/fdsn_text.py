"""The text formats of the FDSN's web services: lines of fields between bars."""

from __future__ import annotations

from collections.abc import Iterable

from zilzal.core.event import Event, Origin
from zilzal.core.units import km

EVENT_COLUMNS = (
    "EventID", "Time", "Latitude", "Longitude", "Depth/km", "Author", "Catalog", "Contributor",
    "ContributorID", "MagType", "Magnitude", "MagAuthor", "EventLocationName", "EventType",
)  # fmt: skip


def field(text: str) -> str:
    """A text that can stand between bars, on one line."""
    return " ".join(text.replace("|", "/").split())


def event_text(events: Iterable[Event]) -> str:
    """Events as fdsnws-event gives them for `format=text`; those without a place are left out.

    Source:
        FDSN Web Service Specifications, version 1.2, table of the event service's text format.
    """
    lines = [
        "|".join(_event_fields(event, event.origin))
        for event in events
        if isinstance(event.origin, Origin)
    ]
    return "\n".join(["#" + "|".join(EVENT_COLUMNS), *lines]) + "\n"


def _event_fields(event: Event, origin: Origin) -> list[str]:
    magnitude, kind = event.magnitude, event.classification
    author = event.author or origin.provenance.method
    return [
        event.id,
        str(origin.time).removesuffix("Z"),
        f"{origin.latitude:.6f}",
        f"{origin.longitude:.6f}",
        f"{km(origin.depth_m):.3f}",
        field(author),
        "zilzal",
        "zilzal",
        event.id,
        "" if magnitude is None else magnitude.type,
        "" if magnitude is None else f"{magnitude.magnitude:.2f}",
        "" if magnitude is None else field(magnitude.provenance.method),
        "",
        "" if kind is None else kind.event_type.value,
    ]
