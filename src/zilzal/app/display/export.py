"""A selection of events as a file, in the formats that people ask for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zilzal.core.errors import RangeError
from zilzal.core.event import Event
from zilzal.core.time import Time
from zilzal.io.fdsn_text import event_text
from zilzal.io.geojson import geojson
from zilzal.io.quakeml import quakeml, to_obspy
from zilzal.io.store import EventQuery, Store
from zilzal.io.tables import write_arrivals, write_catalogue

MOST_EVENTS = 20_000
"""With all their parts in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A file format.

    Args:
        media_type: as HTTP names it.
        ending: of the file's name.
        write: events in order of time to the file's content.
    """

    media_type: str
    ending: str
    write: Callable[[Sequence[Event]], bytes]


def _filed(write: Callable[[Path, Sequence[Event]], None]) -> Callable[[Sequence[Event]], bytes]:
    """What a writer of files writes."""

    def written(events: Sequence[Event]) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events"
            write(path, events)
            return path.read_bytes()

    return written


def _through_obspy(name: str) -> Callable[[Sequence[Event]], bytes]:
    def write(path: Path, events: Sequence[Event]) -> None:
        to_obspy(events).write(str(path), format=name)

    return _filed(write)


def _geojson(events: Sequence[Event]) -> bytes:
    collection = geojson(
        events, written={}, generated=Time(0), title="zilzal", url="/fdsnws/event/1"
    )
    return json.dumps(collection, ensure_ascii=False).encode()


FORMATS: Mapping[str, Format] = {
    "csv": Format(media_type="text/csv", ending="csv", write=_filed(write_catalogue)),
    "arrivals": Format(media_type="text/csv", ending="csv", write=_filed(write_arrivals)),
    "quakeml": Format(media_type="application/xml", ending="xml", write=quakeml),
    "scml": Format(
        media_type="application/xml", ending="scml.xml", write=_through_obspy("SCML")
    ),
    "geojson": Format(media_type="application/geo+json", ending="geojson", write=_geojson),
    "text": Format(
        media_type="text/plain", ending="txt", write=lambda events: event_text(events).encode()
    ),
    "zmap": Format(media_type="text/plain", ending="zmap", write=_through_obspy("ZMAP")),
}  # fmt: skip
"""By name."""


def export_events(store: Store, query: EventQuery, name: str) -> bytes:
    """A selection as a file.

    Raises:
        RangeError: there are too many.
    """
    count = store.count(query)
    if count > MOST_EVENTS:
        raise RangeError(
            f"{count} events are selected; a file takes at most {MOST_EVENTS}: narrow the limits, "
            "or use the tables and the QuakeML in the folder of the run"
        )
    return FORMATS[name].write(store.events(query).events)
