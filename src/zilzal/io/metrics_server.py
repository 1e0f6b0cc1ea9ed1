"""A page of numbers over HTTP, for Prometheus and for whoever asks whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from zilzal.core.errors import ConfigError

REQUEST_S = 10.0
_LARGEST_BYTES = 8_192
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def serving_metrics(address: str, pages: dict[str, Callable[[], str]]) -> AsyncGenerator[int]:
    """Answer GET requests while the block runs; gives the port.

    Args:
        address: "host:port"; port 0 takes any that is free.
        pages: what each path says, asked anew each time.

    Raises:
        ConfigError: it is not an address, or the port is taken.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"[live] metrics is {address!r}; write host:port")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(request, pages))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, host, int(port), limit=_LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(f"[live] metrics: cannot listen at {address}: {error}") from error
    async with server:
        yield server.sockets[0].getsockname()[1]


def _answer(request: bytes, pages: dict[str, Callable[[], str]]) -> bytes:
    method, _, rest = request.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method not in ("GET", "HEAD"):
        status, text = "405 Method Not Allowed", "only GET\n"
    elif path not in pages:
        status, text = "404 Not Found", f"there are {', '.join(pages)}\n"
    else:
        status, text = "200 OK", pages[path]()
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)
