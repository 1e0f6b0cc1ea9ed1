"""Places of windows: at random, the same for the same event, and of noise where there is none."""

from itertools import pairwise

import numpy as np
import pytest

from tests.train.sets.made import SENSOR, START, STATION, event, pick
from zilzal.core.ids import SensorId
from zilzal.io.phases import Status
from zilzal.train.sets.arrivals import Label, StationArrivals
from zilzal.train.sets.plan import (
    Cutting,
    place_windows,
    plan_events,
    plan_noise,
    preferred,
    without,
)
from zilzal.train.sets.tally import Tally

CUTTING = Cutting(length_s=60.0, edge_s=3.0)


def labels(*after_s, name="a"):
    phases = ["P", "S"] * len(after_s)
    return [Label(pick(p, t), name) for p, t in zip(phases, after_s, strict=False)]


def arrivals(*some, busy=()):
    return StationArrivals(labels=tuple(some), unknown=(), busy=tuple(busy))


def hours(number):
    return {STATION: {SENSOR: [(START, START + 3_600.0 * number)]}}


def test_arrivals_lie_anywhere_between_the_edges():
    places = []
    for number in range(400):
        (start,) = place_windows(labels(100.0, 110.0, name=f"e{number}"), SENSOR, CUTTING)
        places.append(START + 100.0 - start)
    assert min(places) >= 3.0
    assert max(places) <= 60.0 - 3.0 - 10.0
    # Even: each tenth of the room has its share within four standard deviations.
    counts, _ = np.histogram(places, bins=10, range=(3.0, 47.0))
    assert np.abs(counts - 40).max() < 4 * np.sqrt(40 * 0.9)


def test_the_place_depends_on_event_sensor_and_seed_only():
    (start,) = place_windows(labels(100.0, 110.0), SENSOR, CUTTING)
    assert place_windows(labels(100.0, 110.0), SENSOR, CUTTING) == [start]
    assert place_windows(labels(100.0, 110.0, name="b"), SENSOR, CUTTING) != [start]
    other = SensorId("XX", "ALFA", "", "HN")
    assert place_windows(labels(100.0, 110.0), other, CUTTING) != [start]
    assert place_windows(labels(100.0, 110.0), SENSOR, Cutting(seed=1)) != [start]


def test_arrivals_too_far_apart_have_windows_of_their_own():
    first, second = place_windows(labels(100.0, 190.0), SENSOR, CUTTING)
    assert 3.0 <= START + 100.0 - first <= 57.0
    assert 3.0 <= START + 190.0 - second <= 57.0


def test_the_sensor_picked_on_is_cut_else_the_preferred_one():
    accelerometer = SensorId("XX", "ALFA", "", "HN")
    spans = [(START, START + 3_600.0)]
    recorded = {STATION: {SENSOR: spans, accelerometer: spans}}
    on_it = Label(pick("P", 100.0, channel="HNZ"), "a")
    nowhere = Label(pick("P", 200.0), "b")
    units = plan_events({STATION: arrivals(on_it, nowhere)}, recorded, CUTTING, Tally())
    assert {c.event_id: c.sensor_id for u in units for c in u.cuts} == {
        "a": accelerometer, "b": SENSOR,
    }  # fmt: skip
    every = Cutting(every_sensor=True)
    units = plan_events({STATION: arrivals(on_it)}, recorded, every, Tally())
    assert {unit.sensor_id for unit in units} == {SENSOR, accelerometer}


def test_bands_that_operation_never_chooses_can_be_cut():
    odd = SensorId("XX", "ALFA", "", "QQ")
    assert preferred([odd]) == odd
    assert preferred([odd, SENSOR]) == SENSOR


def test_events_without_samples_or_trust_are_counted():
    tally = Tally()
    late = Label(pick("P", 9_000.0), "late")
    doubtful = Label(pick("P", 100.0, weight=0.0), "doubtful")
    assert plan_events({STATION: arrivals(doubtful, late)}, hours(1), CUTTING, tally) == []
    assert tally.counts == {
        "event whose picks at a station all have weight 0": 1,
        "event at a station without samples then": 1,
    }


def test_noise_keeps_away_from_waves_and_from_other_windows():
    busy = [(START + 600.0, START + 1_200.0), (START + 2_000.0, START + 2_100.0)]
    some = [Label(pick("P", 300.0 + n), f"e{n}") for n in range(20)]
    around = plan_events({STATION: arrivals(*some)}, hours(1), CUTTING, Tally())
    here = {STATION: arrivals(*some, busy=busy)}
    units = plan_noise(here, hours(1), Cutting(noise=0.5), around, Tally())
    taken = [(c.start, c.start + 60.0) for u in around for c in u.cuts]
    windows = sorted((c.start, c.start + 60.0) for u in units for c in u.cuts)
    assert sum(unit.wanted for unit in units) == pytest.approx(20, abs=1)
    assert windows[0][0] >= START
    assert windows[-1][1] <= START + 3_600.0
    for start, end in windows:
        assert not any(a < end and start < b for a, b in [*busy, *taken])
    assert all(b <= c for (_, b), (c, _) in pairwise(windows))


def test_noise_that_cannot_be_had_is_counted():
    tally = Tally()
    some = [Label(pick("P", 300.0), f"e{n}") for n in range(100)]
    around = plan_events({STATION: arrivals(*some)}, hours(1), CUTTING, Tally())
    busy = [(START, START + 3_500.0)]
    units = plan_noise({STATION: arrivals(busy=busy)}, hours(1), Cutting(), around, tally)
    assert sum(unit.wanted for unit in units) <= 1
    assert tally.counts == {"noise window without a quiet place": 24}


def test_spans_are_cut_out_of_spans():
    t = [START + n for n in range(10)]
    assert without([(t[0], t[9])], [(t[0], t[1]), (t[3], t[4]), (t[8], t[9])]) == [
        (t[1], t[3]), (t[4], t[8]),
    ]  # fmt: skip
    assert without([(t[2], t[3])], [(t[0], t[9])]) == []
    assert without([(t[2], t[3])], []) == [(t[2], t[3])]


@pytest.mark.parametrize(
    "options", [{"edge_s": 30.0}, {"noise": 1.0}, {"noise": -0.1}, {"least_present": 0.0}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"give|below"):
        Cutting(**options)


def test_statuses_are_words_of_seisbench():
    assert {Status.of("manual"), Status.of(None)} == {"manual", "unknown"}
    assert event("x").source is None
