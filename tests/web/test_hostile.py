"""Requests that mean no good: what every parameter may be given, and what no client would send."""

from __future__ import annotations

import socket
from urllib.parse import quote

import httpx
import pytest

from tests.web.conftest import Served

WORDS = ("' OR 1=1 --", "x\x00y", "9" * 400, "NaN", "\r\nX-Evil: 1", "../../etc/passwd")
REQUIRED = {
    "start": "2024-03-05T11:58:00Z", "end": "2024-03-05T11:58:10Z", "day": "2024-03-05",
    "sensor": "SY.S01..HH", "channel": "SY.S01..HHZ", "format": "csv",
}  # fmt: skip


def lookups(console: Served):
    """Every parameter of every route that gives something: its path, its own and all others."""
    for path, methods in console.get("/api/openapi.json")["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", ()):
            others = methods["get"]["parameters"]
            # A stream without end is asked for nothing here.
            if path != "/api/live" and parameter["in"] != "header":
                yield path, parameter, others


@pytest.mark.parametrize("word", WORDS)
def test_no_parameter_takes_hostile_words_for_more_than_words(console: Served, word: str):
    for path, parameter, others in lookups(console):
        query, address = {}, path
        for other in others:
            value = word if other is parameter else REQUIRED.get(other["name"], "1")
            if other["in"] == "path":
                address = address.replace(f"{{{other['name']}}}", quote(value, safe=""))
            elif other["in"] == "query" and (other is parameter or other.get("required")):
                query[other["name"]] = value
        answer = console.client.get(address, params=query)
        told = f"{path} {parameter['name']}: {answer.status_code} {answer.text[:200]}"
        assert answer.status_code < 500, told
        assert "x-evil" not in answer.headers, told
    assert console.get("/api/events")["total"] == 2


SENT = {
    "long header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"a" * 200_000), 400),
    "another host": (b"GET /api/session HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 400),
    "no host": (b"GET /api/session HTTP/1.1\r\nHost:\r\n\r\n", 421),
    "a path of elsewhere": (b"GET http://evil/api/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "negative length": (
        b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400,
    ),
    "great length": (
        b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n", 413,
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "other method": (b"TRACE /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
}  # fmt: skip


@pytest.mark.parametrize("name", SENT)
def test_what_no_client_would_send_is_refused(console: Served, name: str):
    sent, status = SENT[name]
    with socket.create_connection(("127.0.0.1", httpx.URL(console.address).port)) as raw:
        raw.sendall(sent)
        answer = raw.recv(65_536)
    assert answer.split()[1] == str(status).encode(), answer[:200]
    assert console.get("/api/session")["role"] == "viewer"
