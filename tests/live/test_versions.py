"""Which revisions of an event become versions: those that tell a person something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.live.test_identity import made
from zilzal.app.live.versions import MAGNITUDE_STEP, MOVED_SHARE, SMALL_S, Versions, matters
from zilzal.core.event import Event, Magnitude, Origin, Unlocated
from zilzal.core.geo import displace
from zilzal.core.pick import Provenance

STATIONS = "ABCDEFGHIJ"
BY = Provenance(method="test", version="1")


def sized(event: Event, size: float) -> Event:
    magnitude = Magnitude(
        id="magnitude/1",
        origin_id="origin/1",
        magnitude=size,
        type="ML",
        uncertainty=0.2,
        station_magnitudes=(),
        provenance=BY,
    )
    return replace(event, magnitudes=(magnitude,))


def moved(event: Event, *, east_m: float = 0.0, deeper_m: float = 0.0, later_s: float = 0.0):
    origin = event.origin
    assert isinstance(origin, Origin)
    latitude, longitude = displace(origin.latitude, origin.longitude, east_m, 0.0)
    return replace(event, origin=replace(
        origin, latitude=float(latitude), longitude=float(longitude),
        depth_m=origin.depth_m + deeper_m, time=origin.time + later_s,
    ))  # fmt: skip


def uncertain(event: Event) -> Event:
    """Its horizontal uncertainty is 1 km, that of depth 2 km, that of time 0.2 s."""
    origin = event.origin
    assert isinstance(origin, Origin)
    covariance = np.diag([1e6, 1e6, 4e6, 0.04])
    ellipse = replace(origin.ellipse, semi_major_m=1_000.0, semi_minor_m=1_000.0)
    return replace(
        event, origin=replace(origin, covariance=covariance, ellipse=ellipse, depth_fixed=False)
    )


BEFORE = uncertain(sized(made("a", STATIONS), 2.0))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, False),
        (moved(BEFORE, east_m=0.9e3 * MOVED_SHARE), False),
        (moved(BEFORE, east_m=1.1e3 * MOVED_SHARE), True),
        (moved(BEFORE, deeper_m=1.8e3 * MOVED_SHARE), False),
        (moved(BEFORE, deeper_m=2.2e3 * MOVED_SHARE), True),
        (moved(BEFORE, later_s=0.22 * MOVED_SHARE), True),
        (sized(BEFORE, 2.0 + 0.9 * MAGNITUDE_STEP), False),
        (sized(BEFORE, 2.0 - 1.1 * MAGNITUDE_STEP), True),
        (replace(BEFORE, magnitudes=()), True),
        (replace(BEFORE, picks=made("a", STATIONS + "KL").picks), False),
        (replace(BEFORE, picks=made("a", STATIONS + "KLM").picks), True),
        (replace(BEFORE, picks=made("a", "KL" + STATIONS[2:]).picks), True),
        (replace(BEFORE, picks=made("a", STATIONS, shift_s=0.05).picks), False),
        (replace(BEFORE, origin=Unlocated(reason="gone", time=BEFORE.time)), True),
    ],
)
def test_a_change_matters_by_the_stated_rule(after, expected):
    assert matters(BEFORE, after) is expected


def test_first_version_and_end_are_stored_at_once():
    versions = Versions(apart_s=3.0)
    assert versions.due([BEFORE], 0.0, all_of_them=False) == [BEFORE]
    gone = replace(BEFORE, origin=Unlocated(reason="it dissolved", time=BEFORE.time))
    assert versions.due([gone], 0.1, all_of_them=False) == [gone]
    assert versions.due([BEFORE], 0.2, all_of_them=False) == [BEFORE]


def test_what_matters_is_stored_when_versions_are_far_enough_apart():
    versions, larger = Versions(apart_s=3.0), sized(BEFORE, 2.5)
    versions.due([BEFORE], 0.0, all_of_them=False)
    assert versions.due([larger], 1.0, all_of_them=False) == []
    assert versions.due([], 2.9, all_of_them=False) == []
    assert versions.due([], 3.0, all_of_them=False) == [larger]
    assert versions.due([], 100.0, all_of_them=False) == []


def test_small_changes_are_stored_as_one_after_a_while_or_when_all_is():
    versions = Versions(apart_s=3.0)
    versions.due([BEFORE], 0.0, all_of_them=False)
    near = [moved(BEFORE, east_m=5.0 * k) for k in range(1, 60)]
    for after_s, event in enumerate(near, 1):
        assert versions.due([event], float(after_s), all_of_them=False) == []
    assert versions.due([], SMALL_S, all_of_them=False) == [near[-1]]
    assert versions.due([near[0]], SMALL_S + 1, all_of_them=False) == []
    assert versions.due([], SMALL_S + 2, all_of_them=True) == [near[0]]


def test_small_changes_that_add_up_matter():
    versions = Versions(apart_s=3.0)
    versions.due([BEFORE], 0.0, all_of_them=False)
    on_the_way = [moved(BEFORE, east_m=110.0 * k) for k in range(1, 13)]
    stored = [
        event
        for after_s, revised in enumerate(on_the_way, 1)
        for event in versions.due([revised], float(after_s), all_of_them=False)
    ]
    assert stored == [on_the_way[4], on_the_way[9]]


def test_an_event_that_grows_for_a_minute_has_few_versions():
    versions, stored = Versions(apart_s=3.0), 0
    everywhere = [chr(ord("A") + k) for k in range(40)]
    for after_s in range(60):
        grown = replace(BEFORE, picks=made("a", "".join(everywhere[: 8 + after_s // 2])).picks)
        stored += len(versions.due([grown], float(after_s), all_of_them=False))
    # 8 picks, then a fifth more each time: 10, 13, 16, 20, 25, 31.
    assert stored == 7
