"""A realistic network, sources in it, and picks with known errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zilzal.core.event import Association
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.locate.shared import SharedError
from zilzal.travel import EarthModel, built_in, first_arrivals

ORIGIN_TIME = Time.parse("2024-03-01T12:00:00Z")
CENTRE = (35.7, -117.5)
MAKER = Provenance(method="synthetic", version="0")


@dataclass(frozen=True)
class Source:
    latitude: float
    longitude: float
    depth_m: float
    time: Time = ORIGIN_TIME


def scattered_stations(
    count: int = 22, *, seed: int = 3, radius_m: float = 60_000.0, elevation_m: float = 1_800.0
) -> list[Station]:
    generator = np.random.default_rng(seed)
    stations = []
    for number in range(count):
        distance = radius_m * np.sqrt(generator.uniform(0.01, 1))
        angle = generator.uniform(0, 2 * np.pi)
        place = displace(*CENTRE, distance * np.sin(angle), distance * np.cos(angle))
        name = StationId("XX", f"S{number:02d}")
        stations.append(Station(name, *place, float(generator.uniform(0, elevation_m))))
    return stations


def pick_at(
    station: Station,
    phase: Phase,
    time: Time,
    *,
    uncertainty_s: float = 0.05,
    probability: float = 0.9,
) -> Pick:
    channel = ChannelId(
        station.station_id.network,
        station.station_id.station,
        "",
        "HHZ" if phase is Phase.P else "HHN",
    )
    return Pick(
        channel_id=channel, phase=phase, time=time, probability=probability,
        uncertainty_s=uncertainty_s, provenance=MAKER,
    )  # fmt: skip


def travel_s(source: Source, stations: Sequence[Station], phase: Phase, model: EarthModel):
    places = np.array([(s.latitude, s.longitude, s.elevation_m) for s in stations]).T
    return first_arrivals(
        model, phase, elevation_m=places[2],
        distance_m=distance_m(source.latitude, source.longitude, places[0], places[1]),
        depth_m=np.full(len(stations), source.depth_m),
    ).time_s  # fmt: skip


def associate(picks: Sequence[Pick], source: Source | None = None) -> Association:
    at = source or Source(*CENTRE, 8_000.0)
    return Association(
        picks=tuple(sorted(picks, key=lambda p: p.time)), time=at.time, latitude=at.latitude,
        longitude=at.longitude, depth_m=at.depth_m, provenance=MAKER,
    )  # fmt: skip


def make_picks(
    source: Source,
    stations: Sequence[Station],
    generator: np.random.Generator,
    *,
    model: str = "hadley-kanamori",
    uncertainty_s: float = 0.05,
    model_error_s: float = 0.0,
    model_error_share: float = 0.0,
    degrees_of_freedom: float | None = None,
    s_share: float = 0.7,
    shared: SharedError | None = None,
) -> list[Pick]:
    """Picks with errors of the stated scales, normal or Student's t, and those of the earth."""
    picks = []
    times_s = [travel_s(source, stations, phase, built_in(model)) for phase in Phase]
    wrong_s = np.zeros((len(times_s), len(stations)))
    if shared is not None:
        at = [np.tile(axis, len(times_s)) for axis in
              np.array([(s.latitude, s.longitude) for s in stations]).T]  # fmt: skip
        apart_m = distance_m(at[0], at[1], at[0][:, None], at[1][:, None])
        errors = shared.covariance_s2(np.concatenate(times_s), apart_m)
        drawn = generator.multivariate_normal(np.zeros(len(errors)), errors, method="eigh")
        wrong_s = drawn.reshape(wrong_s.shape)
    for phase, of_phase_s, off_s in zip(Phase, times_s, wrong_s, strict=True):
        for station, time_s, earth_s in zip(stations, of_phase_s, off_s, strict=True):
            if phase is Phase.S and generator.uniform() > s_share:
                continue
            scale = np.sqrt(uncertainty_s**2 + model_error_s**2 + (model_error_share * time_s) ** 2)
            error = (
                generator.standard_normal()
                if degrees_of_freedom is None
                else generator.standard_t(degrees_of_freedom)
            )
            time = source.time + float(time_s + scale * error + earth_s)
            picks.append(pick_at(station, phase, time, uncertainty_s=uncertainty_s))
    return picks


def random_source(generator: np.random.Generator, *, radius_m: float = 35_000.0) -> Source:
    distance = radius_m * np.sqrt(generator.uniform())
    angle = generator.uniform(0, 2 * np.pi)
    place = displace(*CENTRE, distance * np.sin(angle), distance * np.cos(angle))
    return Source(*place, float(generator.uniform(2_000, 15_000)))


def offset_m(origin, source: Source) -> np.ndarray:
    """East, north, depth of an origin from its source [m]."""
    east = (
        np.radians(origin.longitude - source.longitude)
        * 6_378_137
        * np.cos(np.radians(source.latitude))
    )
    north = np.radians(origin.latitude - source.latitude) * 6_360_000
    return np.array([east, north, origin.depth_m - source.depth_m])
