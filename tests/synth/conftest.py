"""A small network that several tests look at."""

import pytest

from zilzal.core.time import Time
from zilzal.synth.network import build_network
from zilzal.synth.scenario import (
    NetworkPlan,
    NoisePlan,
    PlannedEvent,
    PlannedFault,
    PlannedTeleseism,
    Scenario,
    Site,
)

START = Time.parse("2024-03-05T10:00:00Z")


def event(after_s, *, east_m=0.0, north_m=0.0, depth_m=8_000.0, magnitude=2.0, kind="earthquake"):
    return PlannedEvent(
        after_s=after_s, east_m=east_m, north_m=north_m, depth_m=depth_m, magnitude=magnitude,
        type=kind,
    )  # fmt: skip


def make_scenario(**changes):
    values = {
        "name": "test", "seed": 5, "start": START, "duration_s": 180.0, "latitude": 47.0,
        "longitude": 12.0, "network": NetworkPlan(n_stations=6),
    } | changes  # fmt: skip
    return Scenario(**values)


@pytest.fixture(scope="session")
def small():
    """Three sites of different kinds, two events, a teleseism and every kind of fault."""
    sites = (
        Site(code="A", east_m=9_000, north_m=4_000, elevation_m=500),
        Site(code="B", east_m=-7_000, north_m=12_000, band="EH", components="Z12", azimuth_deg=35),
        Site(code="C", east_m=2_000, north_m=-15_000, band="HN", sampling_rate=50.0),
    )

    def fault(kind, station, after_s, duration_s=0.0, value=0.0, components=""):
        return PlannedFault(
            kind=kind, station=station, after_s=after_s, duration_s=duration_s, value=value,
            components=components,
        )  # fmt: skip

    return build_network(
        make_scenario(
            sites=sites,
            events=(event(30, magnitude=2.5), event(100, east_m=5_000, magnitude=1.5)),
            teleseisms=(PlannedTeleseism(after_s=20.0),),
            noise=NoisePlan(bursts_per_hour=60.0),
            faults=(
                fault("gap", "A", 60, 5.005),
                fault("clock", "A", 90, 30, value=0.75),
                fault("dead", "B", 120, 20),
                fault("zero", "C", 70, 10),
                fault("spike", "B", 80, value=5e5, components="1"),
                fault("glitch", "A", 150, value=2e5, components="N"),
            ),
        )
    )
