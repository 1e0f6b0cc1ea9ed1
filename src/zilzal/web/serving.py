"""Running the server until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zilzal.app.display.holdings import Holdings, Places, open_holdings
from zilzal.core.errors import ConfigError
from zilzal.web.access.gate import Access

if TYPE_CHECKING:
    import uvicorn

logger = logging.getLogger(__name__)

DEFAULT_PORT = 8_223
_GRACE_S = 2
"""Requests that are not done are cut off so long after the server was told to stop."""
_BACKLOG = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where the server listens, and how it is guarded.

    Args:
        host: address to listen at.
        port: 0 takes a free one.
        access: who may do what.
        audit: file of the log of who did what; None is audit.jsonl beside the store.
        certificate: PEM file for TLS; None speaks plain HTTP.
        key: PEM file of the certificate's key.
        title: of the page.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    access: Access = field(default_factory=Access)
    audit: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    title: str = "zilzal"

    def __post_init__(self) -> None:
        if is_loopback(self.host):
            return
        if self.access.analyst is not None:
            raise ConfigError(
                f"--analyst lets everyone judge events who reaches {self.host}; listen at "
                "127.0.0.1, or make accounts with zilzal serve accounts add"
            )

    @property
    def is_secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    place: str | Path,
    given: Places,
    options: ServeOptions,
    *,
    listener: socket.socket | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the results at a place until SIGINT or SIGTERM.

    Args:
        place: folder of a run or a monitor, its store, or a database's URL.
        given: where waveforms and stations lie, if the store does not know.
        options: of the server.
        listener: from `listen`, in the place of the options' address.
        ready: called with the page's address once it can be asked.

    Raises:
        ZilzalError: there is nothing to serve, or the address cannot be had.
    """
    with (
        open_holdings(place, given) as held,
        listener or listen(options.host, options.port) as listening,
    ):
        server = _server(held, options, audit=options.audit or _audit_beside(place))
        if listener is None:  # Beside a command there is what it has made so far.
            _tell_what_lacks(held)
        if ready is not None:
            ready(_address(listening, options))
        with _stopped_quietly(server):
            server.run(sockets=[listening])


def _server(held: Holdings, options: ServeOptions, audit: Path | None) -> uvicorn.Server:
    import uvicorn

    from zilzal.web.server import create_app

    access = replace(options.access, hosts=(*options.access.hosts, *_names(options.host)))
    app = create_app(
        held, access, audit_path=audit, title=options.title, is_secure=options.is_secure
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Who a visitor is, the gate tells; nothing that a header claims is believed.
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=options.certificate and str(options.certificate),
            ssl_keyfile=options.key and str(options.key),
        )
    )
    app.state.is_stopping = lambda: server.should_exit
    return server


def _address(listener: socket.socket, options: ServeOptions) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if options.is_secure else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


@contextmanager
def _stopped_quietly(server: uvicorn.Server) -> Iterator[None]:
    """A signal to stop is heard at any time, and only stops the server.

    The server hears signals itself while it runs, and then has them take their former course,
    which would be to kill the process before the store is closed.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    log = logging.getLogger("uvicorn.error")
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    log.addFilter(_is_news)
    try:
        yield
    finally:
        log.removeFilter(_is_news)
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log should be seen.

    Requests that are cut off when it stops are told in one line, without each one's place in the
    code.
    """
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        return False
    if isinstance(record.msg, str) and record.msg.startswith("Cancel %s running task"):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg = f"%s requests were not done {_GRACE_S} s after the stop, and were cut off"
    return True


def _tell_what_lacks(held: Holdings) -> None:
    """Say what cannot be shown, and what would mend it."""
    if not held.inventory.channels:
        logger.warning("no inventory is known: stations have no places; give --inventory")
    if not held.waveforms.channel_ids():
        logger.warning("no waveforms are known: no traces are shown; give --waveforms")


def _names(host: str) -> tuple[str, ...]:
    """What requests may call a server by that listens at an address."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - the user's own choice
        return ()
    return (f"[{host}]" if ":" in host else host.lower(),)


def _audit_beside(place: str | Path) -> Path | None:
    if "://" in str(place):
        return None
    path = Path(place)
    return (path if path.is_dir() else path.parent) / "audit.jsonl"


def listen(host: str, port: int) -> socket.socket:
    """A socket at which requests queue up from now on.

    Args:
        host: address, or name of one.
        port: 0 takes a free one.

    Raises:
        ConfigError: the address cannot be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        cure = "listen at an address of this machine, as 127.0.0.1 or 0.0.0.0"
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            cure = "give another port"
        raise ConfigError(f"cannot serve at {host}, port {port}: {error}; {cure}") from error
    return listener
