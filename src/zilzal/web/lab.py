"""The lab: a page on which descents race over a surface, served to this machine alone.

`answer` is the whole server as a function from a request to a response; the rest is sockets. The
page shows and asks; every number on it comes from `zilzal.learn`.

    GET  /               the page, with /lab.css and /lab.js
    GET  /api/lab        what can be chosen, and the lessons
    GET  /api/surface    values on a grid:  ?name=bowl&condition=100&points=121
    POST /api/race       paths of up to eight descents, see `lab_race`
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from zilzal.core.errors import ConfigError
from zilzal.web.lab_race import describe_choices, describe_surface, run_race

logger = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
LARGEST_BODY = 64 * 1024
IDLE_S = 20.0
"""After which a silent connection is closed."""

PAGES = {
    "/": ("lab.html", "text/html; charset=utf-8"),
    "/lab.css": ("lab.css", "text/css; charset=utf-8"),
    "/lab.js": ("lab.js", "text/javascript; charset=utf-8"),
}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every response: nothing from elsewhere, and nobody else may frame or read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a browser asks.

    Args:
        method: GET, HEAD or POST.
        target: path and query.
        headers: with names in lower case.
        body: of a POST.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What it gets.

    Args:
        status: of HTTP.
        kind: content type.
        body: the content.
    """

    status: HTTPStatus
    kind: str = "application/json"
    body: bytes


def answer(request: Request, port: int) -> Response:
    """The response to a request that came in on a port.

    Only requests that name this machine as their host are served, so that a page from elsewhere
    whose name is made to point here cannot read anything.
    """
    names = {f"{name}:{port}" for name in (ADDRESS, "localhost")}
    if request.headers.get("host") not in names:
        return _refuse(HTTPStatus.FORBIDDEN, "this page is for this machine; use its own address")
    origin = request.headers.get("origin")
    if origin is not None and origin.removeprefix("http://") not in names:
        return _refuse(HTTPStatus.FORBIDDEN, f"requests from {origin} are not served")
    parts = urlsplit(request.target)
    try:
        if request.method == "POST":
            return _post(parts.path, request)
        return _get(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))
    except ConfigError as error:
        return _refuse(HTTPStatus.BAD_REQUEST, str(error))


def _get(path: str, query: Mapping[str, str]) -> Response:
    if path in PAGES:
        name, kind = PAGES[path]
        return Response(status=HTTPStatus.OK, kind=kind, body=_page(name))
    if path == "/api/lab":
        return _json(describe_choices())
    if path == "/api/surface":
        return _json(describe_surface(query))
    if path == "/api/race":
        return _refuse(HTTPStatus.METHOD_NOT_ALLOWED, "a race is asked for with POST")
    return _refuse(HTTPStatus.NOT_FOUND, f"there is no {path}")


def _post(path: str, request: Request) -> Response:
    if path != "/api/race":
        return _refuse(HTTPStatus.NOT_FOUND, f"nothing takes a POST at {path}")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json")
    try:
        wanted = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the body is not JSON: {error}") from error
    return _json(run_race(wanted))


def _json(value: object) -> Response:
    body = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return Response(status=HTTPStatus.OK, body=body.encode())


def _refuse(status: HTTPStatus, why: str) -> Response:
    return Response(status=status, body=json.dumps({"error": why}).encode())


@lru_cache
def _page(name: str) -> bytes:
    return resources.files("zilzal.web").joinpath("static", name).read_bytes()


class _Handler(BaseHTTPRequestHandler):
    """Bytes to `Request` and `Response` to bytes."""

    protocol_version = "HTTP/1.1"
    server_version = "zilzal"
    sys_version = ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        self._respond(b"")

    do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(
                _refuse(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"Content-Length is {length!r}; it must be at most {LARGEST_BODY}",
                )
            )
            return
        self._respond(self.rfile.read(int(length)))

    def _respond(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, target=self.path, headers=headers, body=body)
        self._send(answer(request, cast("ThreadingHTTPServer", self.server).server_port))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        logger.debug(format, *args)


@contextmanager
def laboratory(port: int = 0) -> Iterator[str]:
    """Serve the lab on this machine while the context lasts.

    Args:
        port: 0 takes a free one.

    Yields:
        The address of the page.

    Raises:
        ConfigError: the port is taken or not allowed.
    """
    try:
        server = ThreadingHTTPServer((ADDRESS, port), _Handler)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"cannot serve on port {port}: {error}; give another one") from error
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{ADDRESS}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
