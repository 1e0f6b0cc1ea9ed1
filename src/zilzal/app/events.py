"""From picks to events, block by block along time: associate, locate, merge, measure, classify."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from zilzal.app.blocks import MEMORY, BlockGrid
from zilzal.app.configuration import Configuration
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.errors import DataError
from zilzal.core.event import Association, Event, Magnitude, Origin, Unlocated
from zilzal.core.ids import StationId, derive_id
from zilzal.core.pick import Detection, Pick, in_order
from zilzal.core.stage import (
    Associator,
    Evidence,
    LearningAssociator,
    RecentAssociator,
    SettledAssociator,
    Waveforms,
)
from zilzal.core.station import Inventory, Station
from zilzal.core.time import NS_PER_S, Time
from zilzal.locate.grid import GridLocator
from zilzal.locate.merge import merge_split
from zilzal.locate.observations import StationCorrection

logger = logging.getLogger(__name__)

LESSON, LEARNED = "associator.json", "learned"
"""What the associator learned: a file among a run's results, a checkpoint in its store."""
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


Solved = tuple[Association, Origin | Unlocated]


def find_sources(
    material: Material,
    configuration: Configuration,
    associator: Associator,
    report: Report = keep_quiet,
) -> Iterator[Solved]:
    """Sources block by block; those that cannot be located come with their reason.

    Args:
        material: picks and stations.
        configuration: of the locator.
        associator: that has learned what it learns, see `settle`.
        report: told of progress.
    """
    grid = BlockGrid.of(material.stations)
    sources: dict[int, list[Solved]] = {}
    numbers = grid.numbers(pick.time for pick in material.picks)
    picks = in_order(material.picks)
    found = 0
    for done, number in enumerate(numbers, 1):
        inside = replace(material, picks=grid.reached(number, picks))
        used = used_before(number, sources)
        sources[number] = solve(number, inside, used, configuration, associator, report)
        found += len(sources[number])
        report("associate", done, len(numbers), f"{found} sources")
        yield from sources[number]


def used_before(number: int, sources: Mapping[int, Sequence[Solved]]) -> frozenset[str]:
    """Identifiers of the picks that a block must leave to the sources of the blocks before it."""
    return frozenset(
        pick.id
        for earlier in range(number - MEMORY, number)
        for association, _ in sources.get(earlier, ())
        for pick in association.picks
    )


def settle(
    associator: Associator, picks: Sequence[Pick], stations: Sequence[Station]
) -> Associator:
    """The associator with what it learns, once, from all these picks.

    An associator that has nothing to learn is what it was.
    """
    if isinstance(associator, LearningAssociator):
        return associator.settled(picks, stations)
    return associator


def instructed(configuration: Configuration, associator: Associator) -> Configuration:
    """The configuration with a locator that knows the station terms that an associator learned.

    A locator of another earth, or with corrections of its own, is left as it is.
    """
    locator = configuration.locator
    if not isinstance(associator, SettledAssociator) or not isinstance(locator, GridLocator):
        return configuration
    if locator.corrections or locator.earth_model != associator.earth_model:
        return configuration
    corrections = tuple(
        StationCorrection(station=station, phase=phase, correction_s=term_s)
        for (station, phase), term_s in sorted(associator.terms_s().items())
    )
    return replace(configuration, locator=replace(locator, corrections=corrections))


def solve(
    number: int,
    material: Material,
    used: frozenset[str],
    configuration: Configuration,
    associator: Associator,
    report: Report = keep_quiet,
    *,
    since: Time | None = None,
) -> list[Solved]:
    """The sources of one block, associated, located and merged; of nothing but its arguments.

    Args:
        number: of the block.
        material: picks that the block can reach; others do no harm but take time.
        used: identifiers of picks that belong to sources of earlier blocks.
        configuration: of the locator.
        associator: settled.
        report: told of progress.
        since: only sources from this instant on; None for all. Where the associator can, it
            looks for no others.
    """
    grid = BlockGrid.of(material.stations)
    configuration = instructed(configuration, associator)
    picks = [pick for pick in grid.reached(number, material.picks) if pick.id not in used]
    if since is not None and isinstance(associator, RecentAssociator):
        associations = associator.associate_since(picks, material.stations, since)
    else:
        associations = associator.associate(picks, material.stations)
    solutions: list[Solved] = []
    for done, association in enumerate(associations, 1):
        solutions.append((association, locate(association, material.stations, configuration)))
        report("locate", done, len(associations))
    merged = merge_split(solutions, configuration.locator, material.stations)
    start = since or Time(0)
    return [s for s in merged if grid.accepts(number, s[1].time) and s[1].time >= start]


def complete(
    solved: Sequence[Solved],
    material: Material,
    configuration: Configuration,
    report: Report = keep_quiet,
) -> Iterator[Event]:
    """Measure and classify sources."""
    by_station = _by_station(material.detections)
    for done, (association, origin) in enumerate(solved, 1):
        yield _complete(association, origin, material, configuration, by_station)
        report("measure", done, len(solved))


ID_CELL_S = 0.5
"""Two picks of a phase are at least so far apart, so that no two first picks share a cell."""


def event_id(picks: Sequence[Pick]) -> str:
    """Name of an event: the second, station, phase and half second of its first pick.

    A function of the picks alone, so that all who have the same picks name their events alike.

    Args:
        picks: of the event, in order of time.
    """
    first = picks[0]
    cell = first.time.ns // round(ID_CELL_S * NS_PER_S)
    stamp = f"{first.time.to_datetime():%Y%m%d%H%M%S}"
    name = derive_id("event", first.channel_id.station_id, first.phase, cell)
    return f"zz{stamp}{name[-4:]}"


def locate(
    association: Association, stations: Sequence[Station], configuration: Configuration
) -> Origin | Unlocated:
    """The origin of picks that share a source, or why there is none."""
    try:
        origin = configuration.locator.locate(association, stations)
    except DataError as error:
        logger.warning("event near %s not located: %s", association.time, error)
        return Unlocated(reason=str(error), time=association.time)
    if isinstance(origin, Origin):
        return replace(origin, provenance=_stamped(origin.provenance, configuration))
    return origin


def measure(
    origin: Origin,
    picks: Sequence[Pick],
    waveforms: Waveforms,
    inventory: Inventory,
    configuration: Configuration,
) -> Magnitude:
    """The magnitude of an origin, with the configuration that made it."""
    magnitude = configuration.magnitude.measure(origin, picks, waveforms, inventory)
    return replace(magnitude, provenance=_stamped(magnitude.provenance, configuration))


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
        magnitudes = (
            measure(origin, picks, material.waveforms, material.inventory, configuration),
        )
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
        id=event_id(picks),
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
