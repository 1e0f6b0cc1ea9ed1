"""Catalogues are matched one to one and their differences measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.event import Ellipse, Event, Magnitude, Origin, Unlocated
from zilzal.core.geo import displace
from zilzal.core.pick import Provenance
from zilzal.core.time import Time
from zilzal.evaluate.catalogue import (
    CatalogueTolerance,
    Hypocentres,
    compare_catalogues,
    match_catalogues,
)

START_NS = Time.parse("2019-07-07T08:00:00").ns


def catalogue(rows):
    """Rows of (time after 08:00 [s], east [m], north [m], depth [m], magnitude)."""
    places = [displace(35.7, -117.5, row[1], row[2]) for row in rows]
    return Hypocentres(
        ids=tuple(str(i) for i in range(len(rows))),
        time_ns=np.array([START_NS + round(row[0] * 1e9) for row in rows], np.int64),
        latitude=np.array([p[0] for p in places]),
        longitude=np.array([p[1] for p in places]),
        depth_m=np.array([float(row[3]) for row in rows]),
        magnitude=np.array([float(row[4]) for row in rows]),
    )


def test_differences_have_known_values():
    truth = catalogue([(0, 0, 0, 8000, 2.0), (100, 5000, 0, 4000, 1.0), (200, 0, 9000, 6000, 3.0)])
    found = catalogue(
        [(0.5, 3000, 4000, 9000, 2.1), (99.9, 5000, 1000, 4500, np.nan), (500, 0, 0, 1000, 1.0)]
    )
    result = compare_catalogues(truth, found, np.random.default_rng(1))
    assert result.pairs.tolist() == [[0, 0], [1, 1]]
    assert result.missed.tolist() == [2]
    assert result.extra.tolist() == [2]
    # 5 km and 1 km; the tangent plane is good to a metre here.
    assert result.epicentral_m.median.value == pytest.approx(3000, abs=2)
    assert result.depth_m.median.value == pytest.approx(750)
    assert result.time_s.median.value == pytest.approx(0.2)
    assert result.time_s.median_absolute.value == pytest.approx(0.3)
    assert result.magnitude.count == 1
    assert result.magnitude.median.value == pytest.approx(0.1)
    assert result.recall.value == pytest.approx(2 / 3)


def test_event_split_in_two_matches_once():
    truth = catalogue([(0, 0, 0, 8000, 2.0)])
    halves = catalogue([(1.0, 0, 0, 8000, 2.0), (0.2, 0, 100, 8000, 2.0)])
    result = compare_catalogues(truth, halves, np.random.default_rng(1))
    assert result.pairs.tolist() == [[0, 1]]
    assert result.extra.tolist() == [0]


def test_optimal_matching_beats_nearest_first():
    # Nearest first would tie truth 1 to found 0 and leave truth 0 alone.
    truth = catalogue([(0, 0, 0, 8000, 2.0), (3, 0, 0, 8000, 2.0)])
    found = catalogue([(2, 0, 0, 8000, 2.0), (5.2, 0, 0, 8000, 2.0)])
    assert match_catalogues(truth, found).tolist() == [[0, 0], [1, 1]]


def test_too_far_in_space_or_time_is_no_match():
    truth = catalogue([(0, 0, 0, 8000, 2.0)])
    tolerance = CatalogueTolerance(time_s=2.0, distance_m=10_000)
    far, late = catalogue([(0, 10_100, 0, 8000, 2.0)]), catalogue([(2.1, 0, 0, 8000, 2.0)])
    assert len(match_catalogues(truth, far, tolerance=tolerance)) == 0
    assert len(match_catalogues(truth, late, tolerance=tolerance)) == 0


@pytest.mark.parametrize("n", [0, 3])
def test_empty_catalogues_compare(n):
    some = catalogue([(100 * i, 0, 0, 8000, 2.0) for i in range(n)])
    empty = catalogue([])
    result = compare_catalogues(some, empty, np.random.default_rng(1))
    assert len(result.pairs) == 0
    assert len(result.missed) == n
    assert np.isnan(result.epicentral_m.median.value)
    assert len(compare_catalogues(empty, some, np.random.default_rng(1)).extra) == n


@given(st.integers(0, 2**32 - 1))
def test_matching_ignores_order_and_counts_everybody_once(seed):
    rng = np.random.default_rng(seed)
    truth = [(rng.uniform(0, 40), *rng.uniform(-9e3, 9e3, 2), 8e3, 1.0) for _ in range(8)]
    found = [(rng.uniform(0, 40), *rng.uniform(-9e3, 9e3, 2), 8e3, 1.0) for _ in range(9)]
    order = rng.permutation(9)
    a = match_catalogues(catalogue(truth), catalogue(found))
    b = match_catalogues(catalogue(truth), catalogue([found[i] for i in order]))
    assert [[i, order[j]] for i, j in b] == a.tolist()
    assert len(np.unique(a[:, 0])) == len(np.unique(a[:, 1])) == len(a)


def test_catalogue_matches_itself_without_differences():
    rows = [(60 * i, 1000 * i, 0, 5000, 1 + 0.1 * i) for i in range(20)]
    result = compare_catalogues(catalogue(rows), catalogue(rows), np.random.default_rng(1))
    assert len(result.pairs) == 20
    assert result.epicentral_m.median.value == pytest.approx(0, abs=1e-6)
    assert result.magnitude.median_absolute.high == 0


def test_hypocentres_are_those_of_located_events():
    maker = Provenance(method="test", version="0")
    origin = Origin(
        id="o", time=Time(START_NS), latitude=35.7, longitude=-117.5, depth_m=8_000.0,
        covariance=np.eye(4), arrivals=(), rms_s=0.1, azimuthal_gap_deg=90.0,
        nearest_station_m=1e3, quality="A", depth_fixed=False, earth_model="none", provenance=maker,
        ellipse=Ellipse(semi_major_m=1.0, semi_minor_m=1.0, azimuth_deg=0.0, level=0.68),
    )  # fmt: skip
    magnitude = Magnitude(
        id="m", origin_id="o", magnitude=2.5, type="ML", uncertainty=0.1, station_magnitudes=(),
        provenance=maker,
    )  # fmt: skip
    events = [
        Event(id="a", version=1, origin=origin, magnitudes=(magnitude,)),
        Event(id="b", version=1, origin=Unlocated(reason="two picks", time=Time(START_NS))),
        Event(id="c", version=1, origin=origin),
    ]
    found = Hypocentres.of(events)
    assert found.ids == ("a", "c")
    assert found.time_ns.tolist() == [START_NS, START_NS]
    assert found.magnitude[0] == 2.5
    assert np.isnan(found.magnitude[1])
