"""Events over HTTP: what the run found, as the store has it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from tests.app.short import Ran
from tests.web.conftest import Served
from zilzal.core.event import Origin
from zilzal.core.time import Time


def test_page_of_events_is_what_the_run_found(console: Served, short_run: Ran):
    page = console.get("/api/events", order="oldest")
    assert page["total"] == len(short_run.events) == 2
    for line, event in zip(page["items"], short_run.events, strict=True):
        assert (line["id"], line["time"]) == (event.id, str(event.time))
        assert isinstance(event.origin, Origin)
        assert line["latitude"] == event.origin.latitude
        assert line["depth_km"] == pytest.approx(event.origin.depth_m / 1000)
        assert line["evaluation_mode"] == "automatic"


def test_pages_do_not_overlap_and_the_newest_comes_first(console: Served):
    first = console.get("/api/events", limit=1)["items"]
    second = console.get("/api/events", limit=1, offset=1)["items"]
    assert first[0]["time"] > second[0]["time"]
    assert console.get("/api/events", limit=1, offset=2) == {"total": 2, "items": []}


def test_limits_limit(console: Served, short_run: Ran):
    early, late = short_run.events
    assert isinstance(early.origin, Origin)
    middle = str(Time((early.time.ns + late.time.ns) // 2))
    circle = {"latitude": early.origin.latitude, "longitude": early.origin.longitude}

    def ids(**query):
        return [line["id"] for line in console.get("/api/events", **query)["items"]]

    assert ids(end=middle) == [early.id]
    assert ids(start=middle) == [late.id]
    assert ids(**circle, max_radius_km=1) == [early.id]
    assert ids(min_magnitude=9) == []
    assert ids(status="manual") == []
    assert ids(text=late.id[-6:]) == [late.id]
    assert ids(min_latitude=80) == []
    assert ids(type="quarry blast") == []


@pytest.mark.parametrize(
    "query",
    [
        {"start": "yesterday"}, {"limit": 0}, {"limit": 100_000}, {"latitude": 91}, {"foo": 1},
        {"latitude": 1}, {"min_magnitude": "x"}, {"start": "9999-01-01"}, {"type": "party"},
    ],
)  # fmt: skip
def test_wrong_limit_is_a_problem_that_names_it(console: Served, query):
    found = console.get("/api/events", 422, **query)
    assert found["status"] == 422
    assert found["title"]
    assert next(iter(query)) in found["detail"]
    answer = console.client.get("/api/events", params=query)
    assert answer.headers["content-type"] == "application/problem+json"


def test_points_say_what_the_lines_say(console: Served):
    lines = console.get("/api/events", order="oldest")["items"]
    points = console.get("/api/events/points")
    assert points["total"] == 2
    assert points["id"] == [line["id"] for line in lines]
    assert points["latitude"] == pytest.approx([line["latitude"] for line in lines], abs=1e-5)
    times = [Time.parse(line["time"]).unix_s for line in lines]
    assert points["time_unix_s"] == pytest.approx(times, abs=1e-3)


def test_statistics_count_and_say_why_there_is_no_slope(console: Served):
    found = console.get("/api/events/statistics")
    assert (found["total"], sum(c["count"] for c in found["counts"])) == (2, 2)
    assert found["counts"][-1]["cumulative"] == 2
    assert found["magnitudes"][0]["cumulative"] == 2
    assert found["completeness"] is None
    assert "at least 20" in found["completeness_reason"]


def test_slope_of_many_magnitudes_is_that_of_the_law():
    from zilzal.app.display.statistics import describe
    from zilzal.io.store import EventColumns

    rng = np.random.default_rng(1)
    sizes = np.round(1.0 + rng.exponential(1 / (0.9 * np.log(10)), 4_000), 1)
    n = len(sizes)
    found = describe(
        EventColumns(
            id=["e"] * n, time_ns=range(n), latitude=[0.0] * n, longitude=[0.0] * n,
            depth_m=[0.0] * n, magnitude=sizes.tolist(), event_type=["earthquake"] * n,
            evaluation_mode=["automatic"] * n, quality=["A"] * n,
        )
    )  # fmt: skip
    assert found.fit is not None
    assert abs(found.fit.b - 0.9) < 4 * found.fit.b_uncertainty < 0.15
    assert found.magnitudes[0][2] == n


def test_event_comes_whole(console: Served, short_run: Ran):
    event = short_run.events[0]
    found = console.get(f"/api/events/{event.id}")
    assert isinstance(event.origin, Origin)
    assert [p["id"] for p in found["picks"]] == [p.id for p in event.picks]
    arrivals = found["origin"]["arrivals"]
    assert len(arrivals) == len(event.origin.arrivals)
    for arrival in arrivals:
        away_s = Time.parse(arrival["observed_time"]) - Time.parse(arrival["predicted_time"])
        assert away_s == pytest.approx(arrival["residual_s"], abs=3e-6)
    assert found["magnitudes"][0]["n_stations"] == len(
        [s for s in found["magnitudes"][0]["stations"] if not s["reason"]]
    )
    kind = found["classification"]
    assert sum(kind["probabilities"].values()) == pytest.approx(1)
    picked = {str(p.channel_id.station_id) for p in event.picks}
    assert {line["station"] for line in kind["station_types"]} == picked
    for line in kind["station_types"]:
        assert (line["weight"] > 0) == (not line["reason"]) == bool(line["probabilities"])
        assert set(line["probabilities"]) <= set(kind["probabilities"])
    assert (
        found["origin"]["ellipse"]["semi_major_km"] >= found["origin"]["ellipse"]["semi_minor_km"]
    )


def test_versions_are_told_and_given(console: Served, short_run: Ran):
    event = short_run.events[0]
    found = console.get(f"/api/events/{event.id}/versions")
    assert found["total"] == 1
    assert found["items"][0]["changes"] == [f"{len(event.picks)} picks", "located"]
    assert console.get(f"/api/events/{event.id}/versions/1")["version"] == 1
    assert "version 2" in console.get(f"/api/events/{event.id}/versions/2", 404)["detail"]


@pytest.mark.parametrize(
    "path", ["/api/events/none", "/api/events/none/versions", "/api/events/none/section", "/api/x"]
)
def test_what_is_not_there_is_not_found(console: Served, path):
    assert console.get(path, 404)["status"] == 404


def test_export_gives_each_format(console: Served, short_run: Ran):
    def export(name):
        return console.client.get("/api/events/export", params={"format": name})

    rows = list(csv.DictReader(io.StringIO(export("csv").text)))
    assert [row["event_id"] for row in rows] == [event.id for event in short_run.events]
    assert export("csv").text == (short_run.output / "catalogue.csv").read_text()
    features = json.loads(export("geojson").text)["features"]
    assert {f["id"] for f in features} == {e.id for e in short_run.events}
    assert export("quakeml").text.count("<event ") == 2
    assert export("text").text.startswith("#EventID|Time|")
    assert "SeisComP" in export("scml").text or "seiscomp" in export("scml").text
    assert len(export("zmap").text.splitlines()) == 2
    assert len(list(csv.reader(io.StringIO(export("arrivals").text)))) > 10
    assert "attachment" in export("csv").headers["content-disposition"]


def test_every_format_can_be_asked_for():
    from typing import get_args

    from zilzal.web.api.export import FORMATS, FormatName

    assert set(get_args(FormatName)) == set(FORMATS)


def test_section_has_stations_by_distance_with_predictions(console: Served, short_run: Ran):
    event = short_run.events[1]
    found = console.get(f"/api/events/{event.id}/section", points=400)
    away = [line["distance_km"] for line in found["items"]]
    assert away == sorted(away)
    assert found["total"] == 6
    assert isinstance(event.origin, Origin)
    for line in found["items"]:
        assert set(line["predicted"]) == {"P", "S"}
        for pick in line["picks"]:
            predicted = Time.parse(line["predicted"][pick["phase"]])
            residual_s = Time.parse(pick["time"]) - predicted
            # The location's tables are interpolated, the section's times are not.
            assert residual_s == pytest.approx(line["residuals_s"][pick["id"]], abs=0.02)
        assert sum(len(s["samples"] or s["minimum"]) for s in line["segments"]) <= 800
