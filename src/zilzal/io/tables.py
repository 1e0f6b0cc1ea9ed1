"""Results as CSV files for people: `picks.csv`, `catalogue.csv`, `arrivals.csv`, `coverage.csv`.

Times are ISO 8601 in UTC with microseconds; numbers have more decimals than was measured, but
not every bit: that is what the store and QuakeML are for. A cell is empty where there is
nothing to say. Writing what was read gives the same file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from zilzal.core.coverage import CoverageHour, Reason
from zilzal.core.event import Arrival, Event, Magnitude, Origin
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import EvaluationMode, Onset, Phase, Pick, Polarity, Provenance
from zilzal.core.time import Time
from zilzal.core.units import km, metres
from zilzal.io.table_file import Line, fixed, read_table, significant, write_table

PICK_COLUMNS = (
    "network", "station", "location", "channel", "phase", "time", "probability", "uncertainty_s",
    "amplitude_counts", "snr", "onset", "polarity", "evaluation_mode", "method", "model",
    "event_id",
)  # fmt: skip

CATALOGUE_COLUMNS = (
    "event_id", "time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type",
    "event_type", "n_p", "n_s", "version", "semi_major_km", "semi_minor_km",
    "ellipse_azimuth_deg", "depth_uncertainty_km", "time_uncertainty_s", "rms_s",
    "azimuthal_gap_deg", "nearest_station_km", "quality", "depth_fixed",
    "magnitude_uncertainty", "n_magnitude_stations", "event_type_probability", "earth_model",
    "evaluation_mode",
)  # fmt: skip

ARRIVAL_COLUMNS = (
    "event_id", "pick_id", "network", "station", "phase", "distance_km", "azimuth_deg",
    "takeoff_angle_deg", "residual_s", "weight", "correction_s",
)  # fmt: skip

COVERAGE_COLUMNS = (
    "network", "station", "location", "channel", "hour", *(f"{reason}_s" for reason in Reason)
)  # fmt: skip


def write_picks(
    path: Path, picks: Iterable[Pick], event_ids: Mapping[str, str] | None = None
) -> None:
    """Write `picks.csv`.

    Args:
        path: of the file.
        picks: in the order to be written.
        event_ids: of the events that picks belong to, by pick id.

    Raises:
        StoreError: the file cannot be written.
    """
    ids = event_ids or {}
    write_table(path, PICK_COLUMNS, (_pick_cells(pick, ids) for pick in picks))


def _pick_cells(pick: Pick, event_ids: Mapping[str, str]) -> Sequence[str]:
    return (
        *_codes(pick.channel_id), pick.phase, str(pick.time), significant(pick.probability),
        fixed(pick.uncertainty_s, 4), significant(pick.amplitude_counts), significant(pick.snr),
        pick.onset or "", pick.polarity or "", pick.evaluation_mode, pick.provenance.method,
        pick.provenance.model, event_ids.get(pick.id, ""),
    )  # fmt: skip


def read_picks(path: Path) -> Iterator[tuple[Pick, str]]:
    """Read `picks.csv`: each pick with the id of its event, or "".

    Times are to the microsecond, so a pick's own id may differ from that before writing. The
    columns from amplitude on may be missing.

    Raises:
        DataError: the file cannot be read.
        FormatError: a cell is wrong; the message says which.
    """
    for line in read_table(path, PICK_COLUMNS[:8]):
        yield _pick(line), line.text("event_id")


def _pick(line: Line) -> Pick:
    mode = line.choice_or_none("evaluation_mode", EvaluationMode)
    return Pick(
        channel_id=_channel_id(line),
        phase=line.choice("phase", Phase),
        time=line.time("time"),
        probability=line.real("probability", low=0, high=1),
        uncertainty_s=line.real("uncertainty_s"),
        amplitude_counts=line.real_or_none("amplitude_counts"),
        snr=line.real_or_none("snr"),
        onset=line.choice_or_none("onset", Onset),
        polarity=line.choice_or_none("polarity", Polarity),
        evaluation_mode=mode or EvaluationMode.AUTOMATIC,
        provenance=Provenance(
            method=line.text("method"), version="", model=line.text("model")
        ),
    )  # fmt: skip


def _codes(channel_id: ChannelId) -> tuple[str, str, str, str]:
    return (channel_id.network, channel_id.station, channel_id.location, channel_id.channel)


def _channel_id(line: Line) -> ChannelId:
    for column in ("station", "channel"):
        if not line.text(column):
            raise line.fault(column, "a code")
    return ChannelId(*(line.text(c) for c in ("network", "station", "location", "channel")))


def write_catalogue(path: Path, events: Iterable[Event]) -> None:
    """Write `catalogue.csv`; what was not located has a time and no place.

    Raises:
        StoreError: the file cannot be written.
    """
    write_table(path, CATALOGUE_COLUMNS, map(_event_cells, events))


def _event_cells(event: Event) -> Sequence[str]:
    kind = event.classification
    cells = {
        "event_id": event.id,
        "time": str(event.time),
        "event_type": event.event_type,
        "event_type_probability": significant(kind.probability) if kind else "",
        "version": str(event.version),
        "evaluation_mode": event.evaluation_mode,
    }
    if isinstance(event.origin, Origin):
        cells |= _place_cells(event.origin)
    if event.magnitude is not None:
        cells |= _magnitude_cells(event.magnitude)
    return [cells.get(column, "") for column in CATALOGUE_COLUMNS]


def _place_cells(origin: Origin) -> dict[str, str]:
    return {
        "latitude": fixed(origin.latitude, 6),
        "longitude": fixed(origin.longitude, 6),
        "depth_km": fixed(km(origin.depth_m), 4),
        "n_p": str(origin.count(Phase.P)),
        "n_s": str(origin.count(Phase.S)),
        "semi_major_km": fixed(km(origin.ellipse.semi_major_m), 4),
        "semi_minor_km": fixed(km(origin.ellipse.semi_minor_m), 4),
        "ellipse_azimuth_deg": fixed(origin.ellipse.azimuth_deg, 1),
        "depth_uncertainty_km": fixed(km(origin.depth_uncertainty_m), 4),
        "time_uncertainty_s": fixed(origin.time_uncertainty_s, 4),
        "rms_s": fixed(origin.rms_s, 4),
        "azimuthal_gap_deg": fixed(origin.azimuthal_gap_deg, 1),
        "nearest_station_km": fixed(km(origin.nearest_station_m), 4),
        "quality": origin.quality,
        "depth_fixed": "yes" if origin.depth_fixed else "no",
        "earth_model": origin.earth_model,
    }


def _magnitude_cells(magnitude: Magnitude) -> dict[str, str]:
    return {
        "magnitude": fixed(magnitude.magnitude, 3),
        "magnitude_type": magnitude.type,
        "magnitude_uncertainty": fixed(magnitude.uncertainty, 3),
        "n_magnitude_stations": str(magnitude.n_stations),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """What every catalogue in a table says of an event.

    Args:
        event_id: as the catalogue's maker calls it.
        time: of the origin.
        latitude: WGS84; None where not located.
        longitude: WGS84; None where not located.
        depth_m: below sea level; None where not given.
        magnitude: None where not given.
        magnitude_type: as written there, "" where not given.
        event_type: as written there, "" where not given.
    """

    event_id: str
    time: Time
    latitude: float | None
    longitude: float | None
    depth_m: float | None
    magnitude: float | None
    magnitude_type: str = ""
    event_type: str = ""


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """Read `catalogue.csv`, ours or another with at least event_id, time, latitude, longitude.

    Raises:
        DataError: the file cannot be read.
        FormatError: a cell is wrong; the message says which.
    """
    return [_catalogue_row(line) for line in read_table(path, ("event_id", *_PLACE))]


_PLACE = ("time", "latitude", "longitude")


def _catalogue_row(line: Line) -> CatalogueRow:
    located = bool(line.text("latitude") or line.text("longitude"))
    depth_km = line.real_or_none("depth_km")
    return CatalogueRow(
        event_id=line.text("event_id"),
        time=line.time("time"),
        latitude=line.real("latitude", low=-90, high=90) if located else None,
        longitude=line.real("longitude", low=-180, high=360) if located else None,
        depth_m=None if depth_km is None else metres(depth_km),
        magnitude=line.real_or_none("magnitude"),
        magnitude_type=line.text("magnitude_type"),
        event_type=line.text("event_type"),
    )


def write_arrivals(path: Path, events: Iterable[Event]) -> None:
    """Write `arrivals.csv` of the located events.

    Raises:
        StoreError: the file cannot be written.
    """
    located = ((e.id, e.origin.arrivals) for e in events if isinstance(e.origin, Origin))
    write_table(
        path,
        ARRIVAL_COLUMNS,
        (_arrival_cells(event_id, arrival) for event_id, some in located for arrival in some),
    )


def _arrival_cells(event_id: str, arrival: Arrival) -> Sequence[str]:
    station_id = arrival.station_id
    return (
        event_id, arrival.pick_id, station_id.network, station_id.station, arrival.phase,
        fixed(km(arrival.distance_m), 4), fixed(arrival.azimuth_deg, 2),
        fixed(arrival.takeoff_angle_deg, 2), fixed(arrival.residual_s, 4),
        fixed(arrival.weight, 4), fixed(arrival.correction_s, 4),
    )  # fmt: skip


def read_arrivals(path: Path) -> Iterator[tuple[str, Arrival]]:
    """Read `arrivals.csv`: each arrival with the id of its event.

    Raises:
        DataError: the file cannot be read.
        FormatError: a cell is wrong; the message says which.
    """
    for line in read_table(path, ARRIVAL_COLUMNS):
        arrival = Arrival(
            pick_id=line.text("pick_id"),
            station_id=StationId(line.text("network"), line.text("station")),
            phase=line.choice("phase", Phase),
            distance_m=metres(line.real("distance_km", low=0)),
            azimuth_deg=line.real("azimuth_deg", low=0, high=360),
            takeoff_angle_deg=line.real_or_none("takeoff_angle_deg"),
            residual_s=line.real("residual_s"),
            weight=line.real("weight", low=0, high=1),
            correction_s=line.real("correction_s"),
        )
        yield line.text("event_id"), arrival


def write_coverage(path: Path, hours: Iterable[CoverageHour]) -> None:
    """Write `coverage.csv`: a line a channel and hour, a column of seconds a reason.

    Args:
        path: of the file.
        hours: in order of channel and hour, as `tally_hours` and `Store.coverage_hours` give.

    Raises:
        StoreError: the file cannot be written.
    """
    grouped = groupby(hours, key=lambda hour: (hour.channel_id, hour.hour))
    write_table(path, COVERAGE_COLUMNS, (_hour_cells(*key, some) for key, some in grouped))


def _hour_cells(
    channel_id: ChannelId, hour: Time, tallies: Iterable[CoverageHour]
) -> Sequence[str]:
    seconds = {tally.reason: tally.seconds for tally in tallies}
    cells = (fixed(seconds.get(reason, 0.0), 3) for reason in Reason)
    return (*_codes(channel_id), str(hour), *cells)


def read_coverage(path: Path) -> list[CoverageHour]:
    """Read `coverage.csv`; reasons without seconds are left out.

    Raises:
        DataError: the file cannot be read.
        FormatError: a cell is wrong; the message says which.
    """
    return [
        CoverageHour(_channel_id(line), line.time("hour"), reason, seconds)
        for line in read_table(path, COVERAGE_COLUMNS[:5])
        for reason in Reason
        if (seconds := line.real_or_none(f"{reason}_s") or math.nan) > 0
    ]
