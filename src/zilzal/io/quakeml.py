"""QuakeML 1.2, both ways, through ObsPy; what we write comes back to us bit by bit.

Others read what QuakeML has elements for: picks with uncertainty, onset and polarity, arrivals
with residuals and weights, the preferred origin with uncertainties and quality, magnitudes with
their station magnitudes and amplitudes, the type of the event. The rest (probabilities, the full
covariance, detections, reasons, provenance) stands in comments, see `quakeml_notes`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from zilzal.core.catalogue import Catalogue
from zilzal.core.errors import DataError, FormatError
from zilzal.core.event import Event
from zilzal.io.quakeml_in import QuakeMLReader
from zilzal.io.quakeml_notes import uri_of
from zilzal.io.quakeml_out import QuakeMLWriter
from zilzal.io.table_file import whole_file

logger = logging.getLogger(__name__)

__all__ = [
    "QuakeMLReader",
    "QuakeMLWriter",
    "quakeml",
    "read_quakeml",
    "to_obspy",
    "write_quakeml",
]


def to_obspy(events: Iterable[Event], writer: QuakeMLWriter | None = None) -> Any:
    """An `obspy.core.event.Catalog` of the events."""
    from obspy.core.event import Catalog

    writer = writer or QuakeMLWriter()
    found = [writer.event(event) for event in events]
    return Catalog(events=found, resource_id=uri_of("catalogue", writer.authority))


def quakeml(events: Iterable[Event], writer: QuakeMLWriter | None = None) -> bytes:
    """A QuakeML document of the events.

    Raises:
        ValueError: the writer's authority cannot be part of an identifier.
    """
    buffer = BytesIO()
    to_obspy(events, writer).write(buffer, format="QUAKEML")
    return buffer.getvalue()


def write_quakeml(path: Path, events: Iterable[Event], writer: QuakeMLWriter | None = None) -> None:
    """Write a QuakeML file, whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    document = quakeml(events, writer)
    with whole_file(path) as file:
        file.write(document)


def read_quakeml(path: Path, reader: QuakeMLReader | None = None) -> Catalogue:
    """Read a QuakeML file, ours or another.

    Events without any time are left out, and a warning says how many.

    Raises:
        DataError: the file cannot be read.
        FormatError: it is not QuakeML.
    """
    try:
        found = _parse(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error
    except FormatError as error:
        raise FormatError(f"{path} is not QuakeML: {error}") from error
    reader = reader or QuakeMLReader()
    events = []
    for event in found:
        try:
            events.append(reader.event(event))
        except FormatError as error:
            logger.debug("%s", error)
    if len(events) < len(found):
        logger.warning("%s: %d events have no time", path, len(found) - len(events))
    return Catalogue.of(events)


def _parse(document: bytes) -> Any:
    """An `obspy.core.event.Catalog`."""
    from lxml.etree import QName, XMLSyntaxError, fromstring
    from obspy import read_events

    try:
        root = fromstring(document)
    except XMLSyntaxError as error:
        raise FormatError(str(error)) from error
    if not [child for child in root if QName(child).localname == "eventParameters"]:
        raise FormatError("its root has no eventParameters")
    try:
        return read_events(BytesIO(document), format="QUAKEML")
    except (ValueError, TypeError) as error:
        raise FormatError(str(error)) from error
