"""The lab over HTTP, as its page uses it."""

from __future__ import annotations

import http.client
import json
import re
from importlib import resources
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zilzal.core.errors import ConfigError
from zilzal.learn.choices import LENGTHS, TITLES, Choice
from zilzal.learn.descent import follow
from zilzal.learn.functions import SURFACES, bowl, saddle
from zilzal.web.lab import LARGEST_BODY, laboratory
from zilzal.web.lab_lessons import LESSONS
from zilzal.web.lab_race import LIMITS, run_race

RACER = {"rule": "gradient_descent", "rate": 0.01}


@pytest.fixture(scope="module")
def address():
    with laboratory() as found:
        yield urlsplit(found)


def call(address, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if payload is not None else {}
        connection.request(method, path, payload, {**sent, **(headers or {})})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def ask(address, path):
    response, body = call(address, "GET", path)
    assert response.status == 200, body
    return json.loads(body)


def race(address, **wanted):
    response, body = call(address, "POST", "/api/race", wanted)
    return response.status, json.loads(body)


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/lab.css", "text/css"), ("/lab.js", "text/javascript")]
)
def test_page_and_its_parts_are_served(address, path, kind):
    response, body = call(address, "GET", path)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith(kind)
    assert len(body) > 1000


def test_every_response_carries_a_strict_policy(address):
    for method, path in (("GET", "/"), ("GET", "/nothing"), ("POST", "/api/race")):
        response, _ = call(address, method, path, b"x" if method == "POST" else None)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_page_asks_for_nothing_from_elsewhere_and_has_nothing_inline():
    folder = resources.files("zilzal.web").joinpath("static")
    for name in ("lab.html", "lab.css", "lab.js"):
        text = folder.joinpath(name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|//cdn|@import|url\(", text), name
    page = folder.joinpath("lab.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    script = folder.joinpath("lab.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", script)


def test_head_gives_headers_alone(address):
    response, body = call(address, "HEAD", "/")
    assert response.status == 200
    assert int(response.headers["Content-Length"]) > 1000
    assert body == b""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8222", "127.0.0.1:1"])
def test_other_names_for_this_machine_are_refused(address, host):
    response, _ = call(address, "GET", "/api/lab", headers={"Host": host})
    assert response.status == 403


def test_requests_that_other_pages_send_are_refused(address):
    wanted = {"surface": "bowl", "racers": [RACER]}
    headers = {"Origin": "http://evil.example"}
    response, _ = call(address, "POST", "/api/race", wanted, headers)
    assert response.status == 403
    headers = {"Content-Type": "text/plain"}
    response, _ = call(address, "POST", "/api/race", wanted, headers)
    assert response.status == 415


def test_path_of_a_race_is_that_of_the_engine(address):
    status, found = race(
        address, surface="bowl", condition=25, start=[-1.5, 0.5], steps=40,
        racers=[{"rule": "momentum", "rate": 0.02, "momentum": 0.8}],
    )  # fmt: skip
    assert status == 200
    choice = Choice(rule="momentum", rate=0.02, momentum=0.8, steps=40)
    path = follow(choice.descent(), bowl(condition=25), np.array([-1.5, 0.5]), steps=40)
    # Seven digits are sent.
    np.testing.assert_allclose(found["racers"][0]["points"], path.points, rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(found["racers"][0]["values"], path.values, rtol=1e-6, atol=1e-300)


def test_surface_is_row_by_row_from_the_lowest_second_coordinate(address):
    found = ask(address, "/api/surface?name=saddle&points=21")
    values = np.array(found["values"]).reshape(21, 21)
    axis = np.linspace(-found["half_width"], found["half_width"], 21)
    expected = saddle().value(np.array([axis[3], axis[17]]))
    assert values[17, 3] == pytest.approx(expected, rel=1e-5)


def test_shape_of_the_bowl_is_its_condition_number(address):
    low, high = ask(address, "/api/surface?name=bowl&condition=40&points=21")["curvatures"]
    assert high / low == pytest.approx(40, rel=1e-5)


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_runs_and_shows_something(address, name):
    status, found = race(address, **LESSONS[name]["race"])
    assert status == 200, found
    for racer in found["racers"]:
        assert len(racer["points"]) > 5
        assert racer["ending"] != "diverged"


def test_lessons_teach_what_they_say(address):
    def endings(name):
        return race(address, **LESSONS[name]["race"])[1]["racers"]

    plain, *others = endings("conditioning")
    assert plain["ending"] == "on the way"
    assert [racer["ending"] for racer in others[:2]] == ["arrived", "arrived"]
    fixed, cooled = endings("cooling")
    late = slice(-25, None)
    assert np.mean(cooled["values"][late]) < 0.1 * np.mean(fixed["values"][late])
    plain, ball, _ = endings("minima")
    assert (plain["minimum"], ball["minimum"]) == (1, 0)
    thrown, *clipped = endings("cliff")
    assert np.abs(thrown["points"]).max() > 4
    assert all(np.abs(racer["points"]).max() < 2 for racer in clipped)


def test_divergence_is_an_answer_not_an_error(address):
    status, found = race(address, surface="bowl", racers=[{**RACER, "rate": 1.0}])
    assert status == 200
    assert found["racers"][0]["ending"] == "diverged"
    assert np.isfinite(found["racers"][0]["points"]).all()


def test_same_seed_gives_the_same_noise_and_another_does_not(address):
    def points(seed):
        wanted = {"surface": "bowl", "noise": 1.0, "seed": seed, "racers": [RACER]}
        return race(address, **wanted)[1]["racers"][0]["points"]

    assert points(1) == points(1) != points(2)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({}, "surface"),
        ({"surface": "volcano", "racers": [RACER]}, "unknown surface 'volcano'"),
        ({"surface": ["bowl"], "racers": [RACER]}, "unknown surface"),
        ({"surface": "bowl"}, "racers must be a list of 1 to 8"),
        ({"surface": "bowl", "racers": [RACER] * 9}, "racers must be a list of 1 to 8"),
        ({"surface": "bowl", "racers": ["x"]}, "racer 1 must be a JSON object"),
        ({"surface": "bowl", "racers": [{"rule": "luck"}]}, "unknown rule 'luck'"),
        ({"surface": "bowl", "racers": [{"length": "long"}]}, "unknown length 'long'"),
        ({"surface": "bowl", "racers": [{"rate": 0}]}, "rate is 0"),
        ({"surface": "bowl", "racers": [{"rate": "0.1"}]}, "rate is '0.1'"),
        ({"surface": "bowl", "racers": [{"rate": True}]}, "rate is True"),
        ({"surface": "bowl", "racers": [{"momentum": 1}]}, "momentum is 1"),
        ({"surface": "bowl", "racers": [{"clip_norm": -1}]}, "clip_norm is -1"),
        ({"surface": "bowl", "racers": [{"clip_norm": 1, "clip_value": 1}]}, "choose one"),
        ({"surface": "bowl", "racers": [{"speed": 1}]}, "a racer has 'speed'"),
        ({"surface": "bowl", "racers": [RACER], "steps": 2001}, "steps is 2001"),
        ({"surface": "bowl", "racers": [RACER], "steps": 1.5}, "whole number"),
        ({"surface": "bowl", "racers": [RACER], "start": [1]}, "two numbers"),
        ({"surface": "bowl", "racers": [RACER], "start": [1, 1e9]}, "start is 1000000000.0"),
        ({"surface": "bowl", "racers": [RACER], "condition": 0.5}, "condition is 0.5"),
        ({"surface": "bowl", "racers": [RACER], "noise": float("nan")}, "noise is nan"),
        ({"surface": "bowl", "racers": [RACER], "more": 1}, "the race has 'more'"),
        ([], "the race must be a JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 20_000, "not JSON"),
    ],
)
def test_what_is_wrong_with_a_race_is_said(address, wanted, says):
    response, body = call(address, "POST", "/api/race", wanted)
    assert response.status == 400
    assert says in json.loads(body)["error"]


@pytest.mark.parametrize(
    "query", ["", "name=x", "name=bowl&points=5", "name=bowl&points=ten", "name=bowl&condition=inf",
              "name=bowl&other=1"],
)  # fmt: skip
def test_wrong_query_of_a_surface_is_refused(address, query):
    response, body = call(address, "GET", f"/api/surface?{query}")
    assert response.status == 400
    assert json.loads(body)["error"]


def test_unknown_addresses_and_methods_are_refused(address):
    for method, path, status in (
        ("GET", "/../cli/main.py", 404),
        ("GET", "/lab.py", 404),
        ("GET", "/api/race", 405),
        ("POST", "/", 404),
        ("PUT", "/", 501),
    ):
        response, _ = call(address, method, path, {} if method != "GET" else None)
        assert response.status == status, path


def test_too_long_a_body_is_refused_unread(address):
    response, body = call(address, "POST", "/api/race", b" " * (LARGEST_BODY + 1))
    assert response.status == 413
    assert "at most" in json.loads(body)["error"]


def test_taken_port_is_said(address):
    with pytest.raises(ConfigError, match="give another one"), laboratory(address.port):
        pass


def inside(name):
    low, high = LIMITS[name]
    return st.floats(low, high, allow_nan=False)


RACERS = st.builds(
    lambda **racer: {name: value for name, value in racer.items() if value is not None},
    rule=st.sampled_from(sorted(TITLES)),
    length=st.sampled_from(LENGTHS),
    rate=st.none() | inside("rate"),
    momentum=st.none() | inside("momentum"),
    clip_norm=st.none() | inside("clip_norm"),
)
RACES = st.fixed_dictionaries(
    {
        "surface": st.sampled_from(sorted(SURFACES)),
        "condition": inside("condition"),
        "start": st.lists(inside("start"), min_size=2, max_size=2),
        "steps": st.integers(1, 40),
        "noise": st.sampled_from([0.0, 1.0, 100.0]),
        "racers": st.lists(RACERS, min_size=1, max_size=2),
    }
)


@given(RACES)
@settings(max_examples=150, deadline=None)
def test_every_race_within_the_limits_has_an_answer_in_finite_numbers(wanted):
    found = run_race(wanted)
    json.dumps(found, allow_nan=False)
    for racer in found["racers"]:
        assert 1 <= len(racer["points"]) == len(racer["values"]) <= wanted["steps"] + 1
        assert np.isfinite(racer["points"]).all()


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    ANY
    | st.builds(
        lambda key, value: {"surface": "bowl", "racers": [{}], key: value},
        st.sampled_from(["surface", "racers", "start", "steps", "seed", "noise"]),
        ANY,
    )
)
@settings(max_examples=200, deadline=None)
def test_nonsense_is_refused_with_a_reason_or_answered(wanted):
    try:
        found = run_race(wanted)
    except ConfigError as error:
        found = {"error": str(error)}
    assert json.dumps(found, allow_nan=False) != '{"error": ""}'
