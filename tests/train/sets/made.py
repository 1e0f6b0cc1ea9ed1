"""Small archives, catalogues and sets whose content is known."""

from __future__ import annotations

import numpy as np

from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import Phase
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.io.archive import Archive
from zilzal.io.phases import ReportedEvent, ReportedPick, Status
from zilzal.io.sds_writer import write_sds
from zilzal.io.tables import CatalogueRow
from zilzal.train.seisbench_writer import writing_set

START = Time.parse("2024-03-05T12:00:00Z")
SENSOR = SensorId("XX", "ALFA", "", "HH")
STATION = SENSOR.station_id


def counts(number, *, seed=0, largest=1_000):
    """Whole numbers without runs of zeros or of equal values."""
    return np.random.default_rng(seed).integers(-largest, largest, number, np.int32)


def trace(samples, component="Z", *, start=START, rate=100.0, sensor=SENSOR):
    return Trace(
        channel_id=sensor.channel_id(component), start=start, sampling_rate=rate, samples=samples
    )


def archive(folder, traces):
    write_sds(traces, folder)
    return Archive.open([folder])


def inventory(directions=None, *, sensor=SENSOR, place=(47.7, 12.8)):
    """Channels of one sensor, by component with azimuth and dip."""
    directions = directions or {"Z": (0.0, -90.0), "N": (0.0, 0.0), "E": (90.0, 0.0)}
    return Inventory.of(
        Channel(
            channel_id=ChannelId(sensor.network, sensor.station, sensor.location, sensor.band + c),
            latitude=place[0], longitude=place[1], elevation_m=500.0,
            azimuth_deg=azimuth, dip_deg=dip,
        )
        for c, (azimuth, dip) in directions.items()
    )  # fmt: skip


def pick(phase, after_s, *, station=STATION, status=Status.MANUAL, **more):
    if isinstance(station, str):
        station = StationId("XX", station)
    return ReportedPick(
        station_id=station, phase=Phase(phase), time=START + after_s, status=status, **more
    )


def event(name, after_s=None, picks=(), *, place=(47.75, 12.85), depth_m=8_000.0, **more):
    """An event with an origin so long after the start; None is without."""
    source = None
    if after_s is not None:
        source = CatalogueRow(
            event_id=name, time=START + after_s, latitude=place[0], longitude=place[1],
            depth_m=depth_m, magnitude=2.0, magnitude_type="ML", event_type="earthquake",
        )  # fmt: skip
    return ReportedEvent(event_id=name, source=source, picks=tuple(picks), **more)


def small_set(folder, rows, *, length=300, samples=None):
    """A set of rows that each have a waveform of their own, unless it is given."""
    with writing_set(folder, {}) as writer:
        for number, row in enumerate(rows):
            name = row.get("trace_name", f"t{number}")
            cells = {"trace_name": name, "trace_sampling_rate_hz": "100.0"}
            array = (samples or {}).get(name, counts(3 * length, seed=number).reshape(3, -1))
            writer.add({**cells, "trace_npts": str(array.shape[1]), **row}, array)
    return folder
