"""The locator on sources that are known."""

from dataclasses import replace

import numpy as np
import pytest

from tests.locate.network import (
    CENTRE,
    ORIGIN_TIME,
    Source,
    associate,
    make_picks,
    offset_m,
    pick_at,
    random_source,
    scattered_stations,
)
from zilzal.core.event import Origin, Unlocated
from zilzal.core.geo import displace, distance_m
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase
from zilzal.core.stage import Locator, Preparing
from zilzal.core.station import Station
from zilzal.locate import GridLocator, StationCorrection

STATIONS = scattered_stations()
LOCATOR = GridLocator(earth_model="hadley-kanamori")
NOISE = {"model_error_s": 0.05, "model_error_share": 0.015}


def located(picks, stations=STATIONS, locator=LOCATOR) -> Origin:
    origin = locator.locate(associate(picks), stations)
    assert isinstance(origin, Origin), origin
    return origin


def test_locator_satisfies_the_protocol():
    assert isinstance(LOCATOR, Locator)


def test_exact_times_in_a_uniform_earth_give_the_exact_source():
    # Straight rays at 6 and 3.4641 km/s, by hand: a station above, and four around at 30 km.
    stations = [Station(StationId("XX", "UP"), *CENTRE, 500.0)]
    stations += [
        Station(StationId("XX", f"A{n}"), *displace(*CENTRE, 30e3 * x, 30e3 * y), 0.0)
        for n, (x, y) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)])
    ]
    times = {Phase.P: 6_000.0, Phase.S: 3_464.1}
    picks = []
    for phase, speed in times.items():
        for station, away_m, down_m in zip(
            stations, [0] + [30e3] * 4, [9.5e3] + [9e3] * 4, strict=True
        ):
            picks.append(pick_at(station, phase, ORIGIN_TIME + np.hypot(away_m, down_m) / speed))
    origin = located(picks, stations, GridLocator(earth_model="half-space"))
    error = offset_m(origin, Source(*CENTRE, 9_000.0))
    # The chart of `displace` is off by metres at 30 km, which is milliseconds.
    np.testing.assert_allclose(error, 0.0, atol=25.0)
    assert abs(origin.time - ORIGIN_TIME) < 0.005
    assert origin.rms_s < 0.005
    assert origin.nearest_station_m == pytest.approx(0.0, abs=25.0)
    assert (origin.count(Phase.P), origin.count(Phase.S)) == (5, 5)
    above = next(a for a in origin.arrivals if a.station_id == StationId("XX", "UP"))
    assert above.takeoff_angle_deg == pytest.approx(180.0, abs=0.5)
    assert origin.arrivals[0].station_id == StationId("XX", "UP")
    assert origin.azimuthal_gap_deg == pytest.approx(90.0, abs=45.0)


def test_prepared_locator_has_no_table_to_fill(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a table is filled")

    # No other test has tables to this depth.
    locator = replace(LOCATOR, max_depth_m=41_234.0)
    assert isinstance(locator, Preparing)
    source = random_source(np.random.default_rng(1))
    picks = make_picks(source, STATIONS, np.random.default_rng(1), **NOISE)
    with monkeypatch.context() as patched:
        patched.setattr("zilzal.travel.tables.first_arrivals", refuse)
        with pytest.raises(AssertionError, match="a table is filled"):
            located(picks, locator=locator)
    steps = sum(1 for _ in locator.prepare(STATIONS))
    assert steps % len(STATIONS) == 0
    monkeypatch.setattr("zilzal.travel.tables.first_arrivals", refuse)
    located(picks, locator=locator)


def test_sources_are_found_to_a_few_hundred_metres_in_noise():
    generator = np.random.default_rng(5)
    errors = []
    for _ in range(30):
        source = random_source(generator)
        origin = located(make_picks(source, STATIONS, generator, **NOISE))
        errors.append([*np.abs(offset_m(origin, source)), abs(origin.time - source.time)])
    east_m, north_m, depth_m, time_s = np.median(errors, axis=0)
    # 0.07 to 0.2 s of noise at 6 km/s over the root of 38 picks is 100 to 200 m.
    assert max(east_m, north_m) < 250
    assert depth_m < 700
    assert time_s < 0.06


def test_station_elevations_matter():
    generator = np.random.default_rng(6)
    source = Source(*CENTRE, 5_000.0)
    picks = make_picks(source, STATIONS, generator, uncertainty_s=0.002)
    flattened = [replace(station, elevation_m=0.0) for station in STATIONS]
    with_m = abs(located(picks).depth_m - 5_000)
    without_m = abs(located(picks, flattened).depth_m - 5_000)
    assert with_m < 100 < without_m


def test_order_of_picks_and_stations_changes_nothing():
    generator = np.random.default_rng(7)
    picks = make_picks(random_source(generator), STATIONS, generator, **NOISE)
    one = located(picks)
    association = replace(
        associate(picks), picks=tuple(generator.permutation(np.array(picks, object)))
    )
    other = LOCATOR.locate(association, STATIONS[::-1])
    assert isinstance(other, Origin)
    assert (other.id, other.time, other.latitude, other.longitude, other.depth_m) == (
        one.id, one.time, one.latitude, one.longitude, one.depth_m,
    )  # fmt: skip
    np.testing.assert_array_equal(other.covariance, one.covariance)
    assert other.arrivals == one.arrivals


def test_shift_in_time_shifts_the_origin_time_only():
    generator = np.random.default_rng(8)
    picks = make_picks(random_source(generator), STATIONS, generator, **NOISE)
    one, other = located(picks), located([replace(p, time=p.time + 86_400.125) for p in picks])
    assert other.time - one.time == pytest.approx(86_400.125, abs=1e-8)
    assert (other.latitude, other.longitude, other.depth_m) == (
        one.latitude,
        one.longitude,
        one.depth_m,
    )


def test_date_line_is_no_border():
    generator = np.random.default_rng(9)
    source = Source(0.2, 179.98, 9_000.0)
    stations = []
    for number, station in enumerate(scattered_stations(12)):
        longitude = (station.longitude - CENTRE[1] + 180 + 180) % 360 - 180
        place = StationId("XX", f"D{number}")
        stations.append(
            Station(place, station.latitude - CENTRE[0], longitude, station.elevation_m)
        )
    origin = located(make_picks(source, stations, generator), stations)
    assert abs((origin.longitude - 179.98 + 180) % 360 - 180) < 0.01
    assert -180 <= origin.longitude < 180


def test_thirty_percent_of_wild_picks_do_no_harm():
    generator = np.random.default_rng(10)
    for _ in range(8):
        source = random_source(generator)
        picks = make_picks(source, STATIONS, generator, **NOISE)
        wild = set(generator.choice(len(picks), int(0.3 * len(picks)), replace=False).tolist())
        moved = {n: float(generator.choice([-1, 1]) * generator.uniform(2, 10)) for n in wild}
        picks = [replace(p, time=p.time + moved.get(n, 0.0)) for n, p in enumerate(picks)]
        origin = located(picks)
        east_m, north_m, _ = offset_m(origin, source)
        assert np.hypot(east_m, north_m) < 1_500
        unused = {a.pick_id for a in origin.arrivals if a.weight == 0}
        assert {picks[n].id for n in wild} <= unused
        assert len(unused) <= len(wild) + 3


def test_second_p_at_a_station_is_resolved_by_the_fit():
    generator = np.random.default_rng(11)
    source = random_source(generator)
    picks = make_picks(source, STATIONS, generator)
    # A false pick, more probable than the true one, 3 s late.
    false = replace(picks[0], time=picks[0].time + 3.0, probability=0.99)
    origin = located([*picks, false])
    ids = {arrival.pick_id: arrival.weight for arrival in origin.arrivals}
    assert ids[picks[0].id] > 0.1
    assert false.id not in ids
    assert origin.id == located(picks).id


def test_clean_duplicate_takes_the_more_probable():
    generator = np.random.default_rng(12)
    picks = make_picks(random_source(generator), STATIONS, generator)
    twin = replace(picks[0], time=picks[0].time + 0.004, probability=0.95)
    ids = {arrival.pick_id for arrival in located([*picks, twin]).arrivals}
    assert twin.id in ids
    assert picks[0].id not in ids


def test_sources_outside_the_network_are_honestly_uncertain():
    generator = np.random.default_rng(13)
    inside = located(make_picks(Source(*CENTRE, 8_000.0), STATIONS, generator, **NOISE))
    scores = []
    for _ in range(12):
        angle = generator.uniform(0, 2 * np.pi)
        place = displace(*CENTRE, 110e3 * np.sin(angle), 110e3 * np.cos(angle))
        source = Source(*place, 8_000.0)
        origin = located(make_picks(source, STATIONS, generator, **NOISE))
        assert origin.ellipse.semi_major_m > 2 * inside.ellipse.semi_major_m
        assert origin.azimuthal_gap_deg > 180
        assert origin.quality > inside.quality
        error = offset_m(origin, source)[:2]
        scores.append(error @ np.linalg.solve(origin.covariance[:2, :2], error))
    # 99.9 % of chi-square with two degrees is 13.8.
    assert max(scores) < 13.8


def test_three_stations_in_a_line_leave_both_sides_open():
    line = [
        Station(StationId("XX", f"L{n}"), *displace(*CENTRE, 0.0, 20e3 * (n - 1)), 0.0)
        for n in range(3)
    ]
    source = Source(*displace(*CENTRE, 25e3, 5e3), 8_000.0)
    picks = make_picks(source, line, np.random.default_rng(14), s_share=1.0)
    origin = located(picks, line)
    error = offset_m(origin, source)[:2]
    assert origin.ellipse.semi_major_m > 25e3
    assert origin.ellipse.azimuth_deg == pytest.approx(90.0, abs=10.0)
    assert error @ np.linalg.solve(origin.covariance[:2, :2], error) < 6
    assert origin.quality == "D"


def test_depth_is_fixed_where_the_picks_cannot_tell_it():
    far = [s for n, s in enumerate(scattered_stations(40, radius_m=160e3, seed=1)) if n % 2]
    source = Source(*CENTRE, 12_000.0)
    far = [s for s in far if distance_m(*CENTRE, s.latitude, s.longitude) > 90e3]
    picks = make_picks(source, far, np.random.default_rng(15), s_share=0.0, uncertainty_s=0.3)
    origin = located(picks, far)
    assert origin.depth_fixed
    assert origin.depth_m == LOCATOR.fixed_depth_m
    assert origin.depth_uncertainty_m > 8_000
    assert origin.quality in "CD"


def test_corrections_are_added_to_the_computed_times():
    generator = np.random.default_rng(16)
    source = Source(*CENTRE, 8_000.0)
    picks = make_picks(source, STATIONS, generator, uncertainty_s=0.01)
    late = [replace(p, time=p.time + 0.4) if p.channel_id.station == "S03" else p for p in picks]
    terms = tuple(StationCorrection(station="XX.S03", phase=p, correction_s=0.4) for p in Phase)
    corrected = located(late, locator=replace(LOCATOR, corrections=terms))
    plain = located(picks)
    np.testing.assert_allclose(offset_m(corrected, source), offset_m(plain, source), atol=5.0)
    arrivals = [a for a in corrected.arrivals if a.station_id.station == "S03"]
    assert all(a.correction_s == 0.4 and abs(a.residual_s) < 0.1 for a in arrivals)


def test_too_few_picks_or_stations_are_unlocated():
    picks = make_picks(Source(*CENTRE, 8_000.0), STATIONS, np.random.default_rng(17), s_share=1.0)
    for few, said in (
        (picks[:3], "3 picks of 3 stations"),
        ([p for p in picks if p.channel_id.station in ("S00", "S01")], "4 picks of 2 stations"),
        ([], "0 picks of 0 stations"),
    ):
        result = LOCATOR.locate(associate(few), STATIONS)
        assert isinstance(result, Unlocated)
        assert said in result.reason
        assert result.time == ORIGIN_TIME
    result = LOCATOR.locate(associate(picks), STATIONS[:2])
    assert isinstance(result, Unlocated)
    assert "of unknown stations" in result.reason


def test_picks_without_a_common_source_are_unlocated():
    generator = np.random.default_rng(18)
    picks = [pick_at(s, Phase.P, ORIGIN_TIME + float(generator.uniform(0, 60))) for s in STATIONS]
    result = LOCATOR.locate(associate(picks), STATIONS)
    assert isinstance(result, Unlocated)
    assert "fit one source" in result.reason or "edge" in result.reason


def test_source_beyond_the_searched_area_is_unlocated():
    source = Source(CENTRE[0] + 4.0, CENTRE[1], 8_000.0)
    picks = make_picks(source, STATIONS, np.random.default_rng(19), s_share=0.0)
    result = LOCATOR.locate(associate(picks), STATIONS)
    assert isinstance(result, Unlocated)
    assert "edge" in result.reason


def test_large_residuals_are_unlocated():
    generator = np.random.default_rng(20)
    picks = make_picks(Source(*CENTRE, 8_000.0), STATIONS, generator, uncertainty_s=1.5)
    result = replace(LOCATOR, max_rms_s=0.8).locate(associate(picks), STATIONS)
    assert isinstance(result, Unlocated)
    assert "rms" in result.reason


def test_source_below_the_searched_depths_is_unlocated():
    source = Source(*CENTRE, 30_000.0)
    picks = make_picks(source, STATIONS, np.random.default_rng(21), s_share=1.0)
    result = replace(LOCATOR, max_depth_m=20_000.0).locate(associate(picks), STATIONS)
    assert isinstance(result, Unlocated)
    assert "20 km" in result.reason


def test_stations_wider_than_the_earth_model_are_unlocated():
    stations = [replace(s, latitude=CENTRE[0] + 3 * (s.latitude - CENTRE[0])) for s in STATIONS]
    picks = [pick_at(station, Phase.P, ORIGIN_TIME) for station in stations]
    result = GridLocator(earth_model="half-space").locate(associate(picks), stations)
    assert isinstance(result, Unlocated)
    assert "half-space" in result.reason


def test_origin_says_what_made_it():
    origin = located(make_picks(Source(*CENTRE, 8_000.0), STATIONS, np.random.default_rng(22)))
    assert origin.provenance.method == "grid"
    assert origin.provenance.model == origin.earth_model == "hadley-kanamori"
    assert origin.ellipse.level == 0.68


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_stations": 2}, "min_stations"),
        ({"model_error_s": 0.0}, "model_error_s"),
        ({"outlier_weight": 1.0}, "outlier_weight"),
        ({"fixed_depth_m": 50_000.0}, "fixed_depth_m"),
    ],
)
def test_impossible_options_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        GridLocator(**options)
