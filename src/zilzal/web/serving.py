"""Running the server until it is told to stop."""

from __future__ import annotations

import ipaddress
import logging
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

from zilzal.app.display.holdings import Holdings, Places, open_holdings
from zilzal.core.errors import ConfigError
from zilzal.web.access.gate import Access

logger = logging.getLogger(__name__)

DEFAULT_PORT = 8_223
_GRACE_S = 2
"""Open streams are cut off so long after the server was told to stop."""


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


def serve(place: str | Path, given: Places, options: ServeOptions, ready=None) -> None:
    """Serve the results at a place until SIGINT or SIGTERM.

    Args:
        place: folder of a run or a monitor, its store, or a database's URL.
        given: where waveforms and stations lie, if the store does not know.
        options: of the server.
        ready: called with the page's address once it can be asked.

    Raises:
        ZilzalError: there is nothing to serve, or the address cannot be had.
    """
    import uvicorn

    from zilzal.web.server import create_app

    with open_holdings(place, given) as held, _listening(options) as listener:
        address = listener.getsockname()
        access = replace(options.access, hosts=(*options.access.hosts, *_names(options.host)))
        app = create_app(
            held, access, audit_path=options.audit or _audit_beside(place), title=options.title,
            is_secure=options.is_secure,
        )  # fmt: skip
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
        _tell_what_lacks(held)
        if ready is not None:
            scheme = "https" if options.is_secure else "http"
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            ready(f"{scheme}://{host}:{address[1]}/")
        server.run(sockets=[listener])


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


def _listening(options: ServeOptions) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigError(
            f"cannot serve at {options.host}, port {options.port}: {error}; give another --port"
        ) from error
    return listener
