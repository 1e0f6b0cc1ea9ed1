"""From picks to events: associate, locate, merge, measure, classify."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from zilzal.app.configuration import Configuration
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.errors import DataError
from zilzal.core.event import Association, Event, Magnitude, Origin, Unlocated
from zilzal.core.ids import StationId, derive_id
from zilzal.core.pick import Detection, Pick
from zilzal.core.stage import Evidence, Waveforms
from zilzal.core.station import Inventory, Station
from zilzal.locate.merge import merge_split

logger = logging.getLogger(__name__)

DETECTION_REACH_S = 2.0
"""A detection belongs to an arrival if it holds the pick, give or take so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What events are made of.

    Args:
        picks: of all stations.
        detections: of all stations.
        stations: with coordinates.
        inventory: with responses.
        waveforms: for magnitudes and types.
    """

    picks: Sequence[Pick]
    detections: Sequence[Detection]
    stations: Sequence[Station]
    inventory: Inventory
    waveforms: Waveforms


def make_events(
    material: Material, configuration: Configuration, report: Report = keep_quiet
) -> Iterator[Event]:
    """Events in order of time; those that cannot be located come with their reason."""
    report("associate", 0, 1, f"{len(material.picks)} picks")
    associations = configuration.associator.associate(material.picks, material.stations)
    report("associate", 1, 1, f"{len(associations)} groups")
    solutions: list[tuple[Association, Origin | Unlocated]] = []
    for number, association in enumerate(associations, 1):
        solutions.append((association, _locate(association, material, configuration)))
        report("locate", number, len(associations))
    merged = merge_split(solutions, configuration.locator, material.stations)
    by_station = _by_station(material.detections)
    for number, (association, origin) in enumerate(merged, 1):
        yield _complete(association, origin, material, configuration, by_station)
        report("measure", number, len(merged))


def event_id(association: Association) -> str:
    """Name of an event, from its first pick: two hosts with the same picks agree on it."""
    first = association.picks[0]
    stamp = f"{first.time.to_datetime():%Y%m%d%H%M%S}"
    return f"zz{stamp}{derive_id('event', first.id)[-4:]}"


def _locate(
    association: Association, material: Material, configuration: Configuration
) -> Origin | Unlocated:
    try:
        origin = configuration.locator.locate(association, material.stations)
    except DataError as error:
        logger.warning("event near %s not located: %s", association.time, error)
        return Unlocated(reason=str(error), time=association.time)
    if isinstance(origin, Origin):
        return replace(origin, provenance=_stamped(origin.provenance, configuration))
    return origin


def _complete(
    association: Association,
    origin: Origin | Unlocated,
    material: Material,
    configuration: Configuration,
    by_station: Mapping[StationId, Sequence[Detection]],
) -> Event:
    picks = association.picks
    detections = _overlapping(picks, by_station)
    magnitudes: tuple[Magnitude, ...] = ()
    if isinstance(origin, Origin):
        magnitude = configuration.magnitude.measure(
            origin, picks, material.waveforms, material.inventory
        )
        stamped = _stamped(magnitude.provenance, configuration)
        magnitudes = (replace(magnitude, provenance=stamped),)
    evidence = Evidence(
        origin=origin,
        picks=picks,
        detections=detections,
        magnitudes=magnitudes,
        waveforms=material.waveforms,
        inventory=material.inventory,
    )
    classification = configuration.classifier.classify(evidence)
    return Event(
        id=event_id(association),
        version=1,
        origin=origin,
        magnitudes=magnitudes,
        classification=replace(
            classification, provenance=_stamped(classification.provenance, configuration)
        ),
        picks=picks,
        detections=detections,
    )


def _stamped(provenance, configuration: Configuration):
    return replace(provenance, configuration=configuration.sha256)


def _by_station(detections: Sequence[Detection]) -> dict[StationId, list[Detection]]:
    groups: dict[StationId, list[Detection]] = {}
    for detection in detections:
        groups.setdefault(detection.sensor_id.station_id, []).append(detection)
    return groups


def _overlapping(
    picks: Sequence[Pick], by_station: Mapping[StationId, Sequence[Detection]]
) -> tuple[Detection, ...]:
    found = {
        detection.id: detection
        for pick in picks
        for detection in by_station.get(pick.channel_id.station_id, ())
        if detection.start - DETECTION_REACH_S <= pick.time < detection.end + DETECTION_REACH_S
    }
    return tuple(sorted(found.values(), key=lambda detection: (detection.start, detection.id)))
