"""Scenarios are read strictly, and networks made from them hold what they say."""

import numpy as np
import pytest

from tests.synth.conftest import START, event, make_scenario
from zilzal.core.errors import ConfigError
from zilzal.core.event import EventType
from zilzal.core.pick import Phase
from zilzal.evaluate.completeness import fit_magnitudes
from zilzal.synth.network import build_network
from zilzal.synth.scenario import (
    NetworkPlan,
    PlannedFault,
    Seismicity,
    Site,
    demo_scenario,
    parse_scenario,
)
from zilzal.travel import built_in, first_arrivals

MINIMAL = """
name = "tiny"
seed = 1
start = "2024-01-01T00:00:00Z"
duration_s = 60
latitude = 47
longitude = 12
"""


def test_six_lines_are_a_scenario():
    scenario = parse_scenario(MINIMAL)
    assert scenario.network.n_stations == 12
    assert scenario.end - scenario.start == 60


def test_all_problems_are_told_at_once():
    text = MINIMAL.replace("seed = 1", "sead = 1") + "[noise]\nloud = 1\n[[events]]\nafter_s = 3\n"
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)
    for word in ("sead", "loud", "magnitude"):
        assert word in str(caught.value)


def test_bad_toml_is_a_configuration_error():
    with pytest.raises(ConfigError, match="TOML"):
        parse_scenario("name = ")


@pytest.mark.parametrize(
    "changes",
    [
        {"events": (event(1, kind="landslide"),)},
        {"faults": (PlannedFault(kind="gap", station="nowhere", after_s=1),)},
        {"faults": (PlannedFault(kind="fire", station="S01", after_s=1),)},
        {"sites": (Site(code="A", east_m=0, north_m=0, band="XX"),)},
    ],
)
def test_unknown_words_are_configuration_errors(changes):
    with pytest.raises(ConfigError, match="known are"):
        build_network(make_scenario(**changes))


def test_demo_holds_what_its_page_says():
    network = build_network(demo_scenario())
    assert len(network.stations) == 12
    sizes = [e.magnitude for e in network.events]
    assert (min(sizes), max(sizes)) == (0.9, 3.4)
    assert [e.event_type for e in network.events].count(EventType.QUARRY_BLAST) == 1
    assert {str(f.kind) for f in network.faults} >= {"gap", "dead", "zero", "clock", "spike"}


def test_arrivals_are_the_travel_times_and_the_stations_delays(small):
    model = built_in("hadley-kanamori")
    for arrival in small.arrivals:
        station = small.station(arrival.station_id)
        source = next(e for e in small.events if e.id == arrival.event_id)
        ray = first_arrivals(
            model, arrival.phase, elevation_m=station.station.elevation_m,
            distance_m=arrival.distance_m, depth_m=source.depth_m,
        )  # fmt: skip
        delay = station.delay_s * (1 if arrival.phase is Phase.P else 3**0.5)
        assert arrival.time - source.time == pytest.approx(float(ray.time_s) + delay, abs=1e-6)


def test_wrong_clock_shows_in_stamped_times_only_while_it_is_wrong(small):
    late = {a.stamped_time - a.time for a in small.arrivals if str(a.station_id) == "SY.A"}
    # The second event arrives between 90 and 120 s, the first before.
    assert late == {0.0, 0.75}
    assert all(a.stamped_time == a.time for a in small.arrivals if str(a.station_id) != "SY.A")


def test_stations_cover_the_aperture(small):
    network = build_network(make_scenario(network=NetworkPlan(n_stations=40, aperture_m=80_000)))
    east = np.array([(s.station.longitude - 12) * 76_000 for s in network.stations])
    north = np.array([(s.station.latitude - 47) * 111_000 for s in network.stations])
    radius = np.hypot(east, north)
    assert 36_000 < radius.max() < 44_000
    # Even cover: a quarter of the stations within half of the radius.
    assert 7 <= (radius < 20_000).sum() <= 13


def test_drawn_magnitudes_have_the_slope_that_was_asked_for():
    plan = Seismicity(rate_per_hour=1_500, b_value=1.2, smallest=0.95, largest=6.0)
    network = build_network(
        make_scenario(seismicity=plan, duration_s=3_600.0, network=NetworkPlan(n_stations=1))
    )
    sizes = np.array([e.magnitude for e in network.events])
    assert len(sizes) == pytest.approx(1_500, abs=4 * 1_500**0.5)
    fit = fit_magnitudes(sizes, 1.0)
    assert fit.b == pytest.approx(1.2, abs=4 * fit.b_uncertainty)


def test_inventory_describes_the_sensors(small):
    channels = {str(c.channel_id): c for c in small.inventory.channels}
    assert len(channels) == 9
    assert channels["SY.B..EH2"].azimuth_deg == 125
    assert channels["SY.B..EHZ"].dip_deg == -90
    assert channels["SY.C..HNE"].sampling_rate == 50
    assert channels["SY.A..HHZ"].response.sensitivity == pytest.approx(6.29e8, rel=1e-3)


def test_same_scenario_gives_the_same_network():
    a, b = (build_network(make_scenario(events=(event(3),))) for _ in range(2))
    assert a.arrivals == b.arrivals
    assert a.inventory.channels == b.inventory.channels
    other = build_network(make_scenario(seed=6, events=(event(3),)))
    assert other.arrivals != a.arrivals
    assert a.events[0].time == START + 3
