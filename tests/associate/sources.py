"""Networks and picks whose sources are known."""

from __future__ import annotations

import numpy as np

from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.travel import TravelTimeTables, load_model

TIMES = TravelTimeTables(model=load_model("ak135"))
MAKER = Provenance(method="truth", version="1")
START = Time.parse("2026-01-01")


def make_network(n: int = 12, radius_m: float = 40e3) -> list[Station]:
    generator = np.random.default_rng(7)
    places = generator.uniform(-radius_m, radius_m, (n, 2))
    return [
        Station(StationId("XX", f"S{i:02}"), *displace(36.0, -117.0, *place), 500.0)
        for i, place in enumerate(places)
    ]


def make_pick(station: Station, phase: Phase, time: Time) -> Pick:
    component = "HHZ" if phase is Phase.P else "HHN"
    code = station.station_id
    return Pick(
        channel_id=ChannelId(code.network, code.station, "", component),
        phase=phase,
        time=time,
        probability=0.9,
        uncertainty_s=0.05,
        provenance=MAKER,
    )


def picks_of(place, time, stations, generator):
    latitude, longitude, depth_m = place
    picks = []
    for phase in Phase:
        distance = distance_m(
            latitude, longitude, [s.latitude for s in stations], [s.longitude for s in stations]
        )
        travel = TIMES.times_s(phase, stations, distance[:, None], np.array([depth_m]))[:, 0]
        picks += [
            make_pick(station, phase, time + float(t + generator.normal(0, 0.05)))
            for station, t in zip(stations, travel, strict=True)
        ]
    return picks
