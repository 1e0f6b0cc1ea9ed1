"""Interpolated times against exact ones."""

import numpy as np
import pytest

from zilzal.core.errors import RangeError
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase
from zilzal.core.stage import TravelTimes
from zilzal.core.station import Station
from zilzal.travel import TravelTimeTables, built_in, first_arrivals
from zilzal.travel.tables import _shelf


@pytest.fixture(scope="module")
def tables():
    return TravelTimeTables(model=built_in("hadley-kanamori"), max_distance_m=200_000)


@pytest.mark.parametrize(
    ("phase", "usual_s", "worst_s"), [(Phase.P, 0.002, 0.012), (Phase.S, 0.003, 0.02)]
)
def test_tables_are_within_milliseconds_of_exact_rays(tables, phase, usual_s, worst_s):
    generator = np.random.default_rng(11)
    elevation_m = generator.uniform(-300, 2_500, 8)
    distance_m = generator.uniform(0, 1, (8, 4_000)) ** 2 * 200_000
    depth_m = generator.uniform(-1_000, 50_000, 4_000)
    times_s = tables.times_at_s(phase, elevation_m, distance_m, depth_m)
    exact = first_arrivals(
        tables.model,
        phase,
        elevation_m=elevation_m[:, None],
        distance_m=distance_m,
        depth_m=depth_m,
    )
    error_s = np.abs(times_s - exact.time_s)
    assert np.quantile(error_s, 0.99) < usual_s
    assert error_s.max() < worst_s


def test_tables_satisfy_the_protocol(tables):
    assert isinstance(tables, TravelTimes)
    station = Station(StationId("XX", "A"), 0.0, 0.0, 0.0)
    times_s = tables.times_s(Phase.P, [station], np.array([[0.0]]), np.array([5_500.0]))
    assert times_s == pytest.approx(1.0, abs=1e-4)
    assert tables.name == "hadley-kanamori"


def test_what_a_table_holds_does_not_depend_on_what_was_asked_before():
    model = built_in("hadley-kanamori")
    generator = np.random.default_rng(12)
    elevation_m = np.array([500.0, 1_500.0, 505.0])
    distance_m = generator.uniform(0, 150_000, (3, 500))
    depth_m = generator.uniform(-1_000, 45_000, 500)

    def ask(reach_m: float, n: int) -> np.ndarray:
        tables = TravelTimeTables(model=model, max_distance_m=reach_m, max_depth_m=45_000)
        return tables.times_at_s(Phase.P, elevation_m[:n], distance_m[:n], depth_m)

    _shelf.cache_clear()
    once = ask(150_000, 3)
    _shelf.cache_clear()
    ask(150_000, 1)
    ask(400_000, 2)
    assert np.array_equal(ask(150_000, 3), once)
    assert np.array_equal(ask(400_000, 3), once)
    # All of them are one table, filled as far as was asked for.
    shelf = _shelf(model, Phase.P, 45_000, 500.0)
    assert len(shelf.row_of) == 2
    assert min(shelf.filled.values()) >= 800


def test_source_at_the_station_takes_no_time(tables):
    at = tables.times_at_s(Phase.P, np.array([1_000.0]), np.array([[0.0]]), np.array([-1_000.0]))
    assert at == pytest.approx(0.0, abs=1e-9)


def test_source_beside_the_station_is_as_exact_as_elsewhere(tables):
    distance_m, depth_m = (
        np.array([[10.0, 200.0, 0.0, 700.0]]),
        np.array([-990.0, -900.0, -500.0, 0.0]),
    )
    times_s = tables.times_at_s(Phase.P, np.array([1_000.0]), distance_m, depth_m)
    expected = np.hypot(distance_m, depth_m + 1_000) / 5_500
    np.testing.assert_allclose(times_s, expected, atol=1e-5)


def test_distance_and_depth_outside_the_table_are_refused(tables):
    zero = np.array([0.0])
    with pytest.raises(RangeError, match="200000 m"):
        tables.times_at_s(Phase.P, zero, np.array([[200_001.0]]), zero)
    for depth_m in (60_001.0, -6_001.0, np.nan):
        with pytest.raises(RangeError, match="depth"):
            tables.times_at_s(Phase.P, zero, np.array([[1.0]]), np.array([depth_m]))


def test_table_beyond_the_range_of_the_model_is_refused():
    with pytest.raises(RangeError, match="half-space"):
        TravelTimeTables(model=built_in("half-space"), max_distance_m=200_000)


def test_table_for_other_programs_is_exact(tables):
    table = tables.table(Phase.S, max_distance_m=100_000, max_depth_m=40_000, spacing_m=1_000)
    assert table.time_s.shape == (101, 41)
    assert (table.distance_m[-1], table.depth_m[-1]) == (100_000, 40_000)
    expected = first_arrivals(
        tables.model, Phase.S, elevation_m=0, distance_m=73_000.0, depth_m=12_000.0
    )
    assert table.time_s[73, 12] == pytest.approx(float(expected.time_s), abs=1e-9)


def test_order_of_stations_changes_nothing(tables):
    elevation_m = np.array([100.0, 1_700.0, -200.0])
    distance_m = np.array([[1e4, 2e4], [3e4, 4e4], [5e4, 6e4]])
    depth_m = np.array([3_000.0, 8_000.0])
    forward = tables.times_at_s(Phase.P, elevation_m, distance_m, depth_m)
    backward = tables.times_at_s(Phase.P, elevation_m[::-1], distance_m[::-1], depth_m)
    np.testing.assert_array_equal(forward, backward[::-1])
