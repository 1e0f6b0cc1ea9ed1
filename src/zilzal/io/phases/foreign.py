"""Events with picks from any format of ObsPy's."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

from zilzal.core.errors import FormatError
from zilzal.core.event import EventType
from zilzal.core.ids import StationId
from zilzal.core.pick import Polarity
from zilzal.core.time import Time
from zilzal.io.phases.names import phase_of
from zilzal.io.phases.reported import PhaseFault, ReportedEvent, ReportedPick, Status, stamp
from zilzal.io.quakeml_notes import exact_time, read_note
from zilzal.io.tables import CatalogueRow

logger = logging.getLogger(__name__)

_MADE_UP = re.compile(r"smi:local/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/event/)?")
"""What ObsPy makes up where a file gives no name, or a short one: another at each reading."""

_NAMED = ("QUAKEML", "SCML")
"""Formats whose files name every event in full."""

_NORDIC_WEIGHTS = {"0": 1.0, "1": 0.75, "2": 0.5, "3": 0.25, "4": 0.0, "9": 0.0}
"""SEISAN's manual: 0 is full weight, 4 is none; 9 says that the time is not absolute."""

_HEAD_BYTES = 4_096


def read_event_file(path: Path) -> tuple[list[ReportedEvent], list[PhaseFault]] | None:
    """The events of a file and what is wrong in it; None where ObsPy knows no such format.

    Left out are picks of other phases than P and S, rejected picks, and events that their file
    calls not existing.

    Raises:
        FormatError: it begins as such a format does, but cannot be read.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if b"\0" in head:
        return None  # all formats of events are text
    kind = _detect(path)
    if kind is None:
        if b"<eventParameters" in head:
            raise FormatError(f"{path}: begins as QuakeML, but is no whole XML document")
        return None
    from obspy import read_events

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            catalogue = read_events(str(path.resolve()), format=kind)
        except Exception as error:  # ObsPy's plug-ins raise what they like
            raise FormatError(f"{path}: damaged {kind} file ({error})") from error
    for warning in caught:
        logger.debug("%s: %s", path, warning.message)
    events: list[ReportedEvent] = []
    faults: list[PhaseFault] = []
    for number, event in enumerate(catalogue):
        if event.event_type == EventType.NOT_EXISTING:
            continue
        try:
            found = _event(event, path, kind)
        except (AttributeError, TypeError, ValueError, FormatError) as error:
            faults.append(PhaseFault(path, f"event {number + 1}: {error}"))
        else:
            events.append(found)
    return events, faults


def _detect(path: Path) -> str | None:
    """ObsPy's name of the format."""
    from obspy.core.util.base import ENTRY_POINTS
    from obspy.core.util.misc import buffered_load_entry_point

    for name, entry in ENTRY_POINTS["event"].items():
        group = f"obspy.plugin.event.{name}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if buffered_load_entry_point(entry.dist.name, group, "isFormat")(str(path)):
                    return str(name)
            except Exception as error:  # noqa: BLE001  a format's own test that fails is a no
                logger.debug("%s: test for %s failed (%s)", path, name, error)
    return None


def _event(event: Any, path: Path, kind: str) -> ReportedEvent:
    origin = event.preferred_origin() or next(iter(event.origins), None)
    arrivals = {
        arrival.pick_id.id: arrival
        for one in (*event.origins, *([origin] if origin else ()))
        for arrival in one.arrivals
        if arrival.pick_id
    }
    read = (_pick(pick, arrivals.get(pick.resource_id.id), kind) for pick in event.picks)
    picks = tuple(pick for pick in read if pick is not None)
    time = _origin_time(origin) or min((pick.time for pick in picks), default=None)
    if time is None:
        raise FormatError("it has neither an origin time nor a pick of P or S")
    event_id = read_note(event.comments).get("id") or event.resource_id.id
    if kind not in _NAMED:
        event_id = _MADE_UP.sub("", event_id) or f"{path.stem}_{stamp(time)}"
    return ReportedEvent(event_id=event_id, source=_source(event, origin, event_id), picks=picks)


def _origin_time(origin: Any) -> Time | None:
    if origin is None or origin.time is None:
        return None
    return exact_time(origin.time, read_note(origin.comments))


def _source(event: Any, origin: Any, event_id: str) -> CatalogueRow | None:
    time = _origin_time(origin)
    if time is None:
        return None
    latitude, longitude = _number(origin.latitude), _number(origin.longitude)
    located = latitude is not None and longitude is not None
    size = event.preferred_magnitude() or next(iter(event.magnitudes), None)
    return CatalogueRow(
        event_id=event_id,
        time=time,
        latitude=latitude if located else None,
        longitude=longitude if located else None,
        depth_m=_number(origin.depth),
        magnitude=None if size is None else _number(size.mag),
        magnitude_type=(size.magnitude_type or "") if size is not None else "",
        event_type=event.event_type or "",
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _pick(pick: Any, arrival: Any, kind: str) -> ReportedPick | None:
    """None where it is no usable pick of P or S."""
    phase = phase_of(pick.phase_hint or (arrival and arrival.phase))
    code = pick.waveform_id
    if phase is None or code is None or pick.evaluation_status == "rejected":
        return None
    errors = pick.time_errors
    uncertainty_s = None if errors is None else errors.uncertainty
    return ReportedPick(
        station_id=StationId((code.network_code or "").strip(), (code.station_code or "").strip()),
        location=(code.location_code or "").strip(),
        channel=(code.channel_code or "").strip(),
        phase=phase,
        time=exact_time(pick.time, read_note(pick.comments)),
        status=Status.of(pick.evaluation_mode),
        weight=_weight(pick, arrival, kind),
        # NonLinLoc writes -1 for what it does not know.
        uncertainty_s=uncertainty_s if uncertainty_s and uncertainty_s > 0 else None,
        polarity=Polarity(pick.polarity) if pick.polarity else None,
    )


def _weight(pick: Any, arrival: Any, kind: str) -> float | None:
    """What the pick's maker gave it: a digit in NORDIC, a share in HypoDD's phase files.

    A picker's own probability, as our QuakeML notes it, is one too.
    """
    if kind == "NORDIC":
        extra = pick.get("extra") or {}
        return _NORDIC_WEIGHTS.get(str(extra["nordic_pick_weight"]["value"])) if extra else 1.0
    if kind == "HYPODDPHA" and arrival is not None and arrival.time_weight is not None:
        return min(max(float(arrival.time_weight), 0.0), 1.0)
    probability = read_note(pick.comments).get("probability")
    if probability is None or pick.evaluation_mode == "manual":
        return None
    return float(probability)
