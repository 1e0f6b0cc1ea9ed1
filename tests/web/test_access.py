"""Who may do what: log-ins, roles, tokens, other sites, other names, hostile words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.short import Ran
from tests.web.conftest import Served, serving
from zilzal.app.display.holdings import Places
from zilzal.core.errors import ConfigError
from zilzal.web.access.accounts import add_account, is_right, read_accounts, remove_account
from zilzal.web.access.gate import Access
from zilzal.web.access.limits import MOST_FAILURES, WITHIN_S, FailureLimit
from zilzal.web.access.roles import Role
from zilzal.web.serving import ServeOptions

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "accounts.toml"
    for name, role in (("vera", Role.VIEWER), ("anna", Role.ANALYST), ("ada", Role.ADMIN)):
        add_account(path, name, PASSWORD, role)
    return path


@pytest.fixture
def guarded(short_run: Ran, places: Places, accounts: Path, tmp_path: Path) -> Iterator[Served]:
    """A console with accounts, on a store of its own."""
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    with serving(folder, places, Access(accounts=accounts)) as served:
        yield served


def log_in(served: Served, name: str, password: str = PASSWORD, expected: int = 200) -> dict:
    return served.post("/api/session", {"name": name, "password": password}, expected)


def confirm(served: Served, expected: int = 200) -> dict:
    events = served.get("/api/events", catalogue=False)["items"]
    path = f"/api/events/{events[0]['id']}/review"
    body = {"base_version": events[0]["version"], "actions": [{"kind": "confirm"}]}
    return served.post(path, body, expected)


def test_file_of_accounts_has_no_password_and_is_its_owners(accounts: Path):
    text = accounts.read_text()
    assert PASSWORD not in text
    assert text.count("$argon2id$") == 3
    assert accounts.stat().st_mode & 0o077 == 0
    found = read_accounts(accounts)
    assert is_right(found["anna"], PASSWORD)
    assert not is_right(found["anna"], PASSWORD + "x")
    assert not is_right(None, PASSWORD)


def test_accounts_are_changed_and_taken_away(tmp_path: Path):
    path = tmp_path / "a.toml"
    add_account(path, "anna", PASSWORD, Role.VIEWER)
    add_account(path, "anna", "another one, longer", Role.ADMIN)
    assert read_accounts(path)["anna"].role is Role.ADMIN
    remove_account(path, "anna")
    assert read_accounts(path) == {}
    with pytest.raises(ConfigError, match="no account"):
        remove_account(path, "anna")
    for name, password in (("", PASSWORD), (" anna", PASSWORD), ("a\nb", PASSWORD), ("b", "short")):
        with pytest.raises(ConfigError):
            add_account(path, name, password, Role.VIEWER)
    path.write_text("accounts = 3")
    with pytest.raises(ConfigError, match="not a file of accounts"):
        read_accounts(path)


def test_nobody_looks_without_an_account(guarded: Served):
    assert guarded.get("/api/session")["role"] == "nobody"
    for path in (
        "/api/events",
        "/api/live",
        "/fdsnws/event/1/query",
        "/feed/v1.0/summary/all_day.geojson",
    ):
        assert guarded.client.get(path).status_code == 401
    assert guarded.client.get("/").status_code == 200


def test_viewer_looks_and_analyst_judges(guarded: Served):
    session = log_in(guarded, "vera")
    assert (session["name"], session["role"], session["features"]["review"]) == (
        "vera", "viewer", False,
    )  # fmt: skip
    assert guarded.get("/api/events")["total"] == 2
    assert "analyst" in confirm(guarded, 403)["detail"]
    log_in(guarded, "anna")
    assert confirm(guarded)["event"]["author"] == "anna"
    guarded.get("/api/audit", 403)
    log_in(guarded, "ada")
    actions = [line["action"] for line in guarded.get("/api/audit")["items"]]
    assert actions[:3] == ["log in", "review", "log in"]


def test_session_cookie_is_out_of_reach_and_ends(guarded: Served):
    token = guarded.get("/api/session")["csrf_token"]
    answer = guarded.client.post(
        "/api/session", json={"name": "vera", "password": PASSWORD}, headers={"X-CSRF-Token": token}
    )
    cookie = answer.headers["set-cookie"]
    for flag in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert flag in cookie
    assert "Secure" not in cookie
    kept = dict(guarded.client.cookies)
    guarded.post("/api/session", None, method="DELETE")
    with httpx.Client(base_url=guarded.address, cookies=kept) as thief:
        assert thief.get("/api/events").status_code == 401


def test_account_that_is_taken_away_is_nobody_at_once(guarded: Served, accounts: Path):
    add_account(accounts, "temp", PASSWORD, Role.VIEWER)
    log_in(guarded, "temp")
    assert guarded.client.get("/api/events").status_code == 200
    remove_account(accounts, "temp")
    assert guarded.client.get("/api/events").status_code == 401


def test_guessing_is_stopped_and_logged(guarded: Served):
    for _ in range(MOST_FAILURES):
        log_in(guarded, "vera", "wrong password", 401)
    told = log_in(guarded, "vera", PASSWORD, 429)
    assert "wait" in told["detail"]
    lines = [json.loads(x) for x in (guarded.folder / "audit.jsonl").read_text().splitlines()]
    assert [x["outcome"] for x in lines] == ["refused"] * MOST_FAILURES + ["too many failures"]
    assert PASSWORD not in (guarded.folder / "audit.jsonl").read_text()


def test_limit_forgets_with_time():
    limit, keys = FailureLimit(), ("name a", "address b")
    for n in range(MOST_FAILURES):
        assert limit.wait_s(keys, float(n)) == 0
        limit.note(keys, float(n))
    assert limit.wait_s(("name a",), 10.0) == WITHIN_S - 10
    assert limit.wait_s(("name other",), 10.0) == 0
    assert limit.wait_s(keys, WITHIN_S + 1) == 0


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-CSRF-Token": "guess"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_other_sites_cannot_act_for_a_visitor(desk: Served, headers):
    if "Origin" in headers:
        headers = {**headers, "X-CSRF-Token": desk.get("/api/session")["csrf_token"]}
    event = desk.get("/api/events")["items"][0]
    body = {"base_version": 1, "actions": [{"kind": "reject"}]}
    answer = desk.client.post(f"/api/events/{event['id']}/review", json=body, headers=headers)
    assert answer.status_code == 403
    assert desk.get("/api/events")["total"] == 2


def test_looking_only_is_the_default(console: Served):
    assert console.get("/api/session")["role"] == "viewer"
    confirm(console, 403)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_server_called_by_another_name_does_not_answer(console: Served, host):
    answer = console.client.get("/api/events", headers={"Host": host})
    assert answer.status_code == 421


def test_every_answer_carries_a_strict_policy(console: Served):
    for path in ("/", "/api/events", "/api/none", "/fdsnws/event/1/query?x=1", "/none.js"):
        headers = console.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_long_bodies_are_refused(desk: Served):
    answer = desk.client.post("/api/events/merge", content=b"x" * 300_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/server.py",
        "/%00", "/static/console/index.html", "//etc/passwd", "/assets/..\\..\\x.py",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_page(console: Served, path):
    answer = console.client.get(path)
    assert "root:" not in answer.text
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert answer.headers["content-type"].startswith("text/html")


HOSTILE = ["<script>alert(1)</script>", "'; DROP TABLE event; --", '" onload="x', "${7*7}{{7*7}}",
           "..\\..\\", "\u202etxt", "a|b\nc|d", "&lt;b&gt;"]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(desk: Served, words):
    event = desk.get("/api/events")["items"][0]
    body = {"base_version": 1, "actions": [{"kind": "comment", "text": words}]}
    desk.post(f"/api/events/{event['id']}/review", body)
    assert desk.get(f"/api/events/{event['id']}")["comment"] == words
    found = desk.get("/api/events", text=words)
    assert [line["id"] for line in found["items"]] == [event["id"]]
    answer = desk.client.get(f"/api/events/{event['id']}")
    assert answer.headers["content-type"] == "application/json"
    xml = desk.client.get("/fdsnws/event/1/query", params={"eventid": event["id"]}).content
    from lxml import etree

    assert etree.fromstring(xml) is not None
    lines = desk.client.get("/fdsnws/event/1/query", params={"format": "text"}).text.splitlines()
    assert all(line.count("|") == 13 for line in lines)


@pytest.mark.parametrize(
    "code", ["../../etc.x", "A.<script>", "A.'; DROP TABLE pick; --", "A.%", "."]
)
def test_hostile_codes_find_nothing(console: Served, code):
    for tail in ("", "/picks"):
        answer = console.client.get(f"/api/stations/{httpx.URL(code).raw_path.decode()}{tail}")
        assert answer.status_code in (200, 404, 422)
    span = {"start": "2024-03-05T12:00:00Z", "end": "2024-03-05T12:00:10Z"}
    assert console.client.get("/api/waveforms", params={"sensor": code, **span}).status_code in (
        404,
        422,
    )


def test_proxy_is_believed_from_its_own_address_only(
    short_run: Ran, places: Places, accounts: Path
):
    believed = Access(proxy_header="X-Remote-User", accounts=accounts)
    with serving(short_run.output, places, believed) as served:
        named = served.client.get("/api/session", headers={"X-Remote-User": "anna"}).json()
        assert (named["name"], named["role"]) == ("anna", "analyst")
        other = served.client.get("/api/session", headers={"X-Remote-User": "guest"}).json()
        assert (other["name"], other["role"]) == ("guest", "viewer")
        assert served.get("/api/session")["role"] == "nobody"
    elsewhere = Access(proxy_header="X-Remote-User", accounts=accounts, proxies=("10.0.0.0/8",))
    with serving(short_run.output, places, elsewhere) as served:
        named = served.client.get("/api/session", headers={"X-Remote-User": "anna"}).json()
        assert (named["name"], named["role"]) == ("", "nobody")


def test_one_analyst_for_all_is_for_this_machine_only():
    with pytest.raises(ConfigError, match="--analyst"):
        ServeOptions(host="0.0.0.0", access=Access(analyst="mina"))
    assert ServeOptions(host="::1", access=Access(analyst="mina")).port
