"""Of every request and response: whose name is called, how much is sent, what a browser may do."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 256 * 1024

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Nothing from elsewhere, and nobody else may frame or read it."""
FRESH_PATHS = ("/api", "/fdsnws/", "/feed/")
"""What changes from one moment to the next, and is nobody's to keep."""


class Guard:
    """ASGI middleware: refuses strange hosts and long bodies, and adds the headers.

    Only requests that call this server by one of its names are served, so that a page from
    elsewhere whose name is made to point here can read nothing.

    Args:
        app: behind it.
        hosts: names without the port; "*" takes any.
        is_secure: whether the server speaks TLS, so that browsers are told to insist on it.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], *, is_secure: bool = False) -> None:
        self._app = app
        self._hosts = hosts
        self._headers = dict(HEADERS)
        if is_secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        if not self._is_ours(headers.get("host", "")):
            await _refuse(guarded, 421, "this server has another name; see --host-name")
            return
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            await _refuse(guarded, 413, f"a body may have {LARGEST_BODY} bytes")
            return
        await self._app(scope, _limited(receive), guarded)

    def _is_ours(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return "*" in self._hosts or name.lower() in self._hosts

    def _add(self, headers: MutableHeaders, path: str) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        if path.startswith(FRESH_PATHS):
            headers.setdefault("Cache-Control", "no-store")


def _limited(receive: Receive) -> Receive:
    """A body sent in pieces, without a length, is cut off where it becomes too long."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            return {"type": "http.disconnect"}
        return message

    return limited


_TITLES = {413: "Content Too Large", 421: "Misdirected Request"}


async def _refuse(send: Send, status: int, detail: str) -> None:
    content = {"title": _TITLES[status], "detail": detail, "status": status}
    body = json.dumps(content).encode()
    kind = (b"content-type", b"application/problem+json")
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [kind, length]})
    await send({"type": "http.response.body", "body": body})
