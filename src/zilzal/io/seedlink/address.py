"""Where a SeedLink server is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zilzal
from zilzal.core.errors import ConfigError
from zilzal.io.seedlink.words import PORT, TLS_PORT

if TYPE_CHECKING:
    from seedlink_client import AsyncSeedLink

_FORM = re.compile(r"(?:seedlink://)?(\[[0-9A-Fa-f:.]+\]|[^\[\]:/\s]+)(?::(\d{1,5}))?/?")


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address.

    Args:
        host: name or number.
        port: 1 to 65535.
        is_tls: whether TLS is spoken there.
    """

    host: str
    port: int
    is_tls: bool

    @classmethod
    def parse(cls, text: str, *, tls: bool | None = None) -> Address:
        """Read "host", "host:port" or "[IPv6]:port".

        Args:
            text: the address; the port is 18000 if left out, 18500 with TLS.
            tls: None is on port 18500 only.

        Raises:
            ConfigError: it is not an address.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None or not 0 < int(match[2] or 1) < 2**16:
            raise ConfigError(f"not a SeedLink server: {text!r}; write host:port")
        port = int(match[2]) if match[2] else TLS_PORT if tls else PORT
        return cls(match[1].strip("[]"), port, port == TLS_PORT if tls is None else tls)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"seedlink://{host}:{self.port}"

    def client(
        self,
        *,
        protocol: int | None,
        is_verified: bool,
        timeout_s: float,
        keepalive_s: float | None = None,
    ) -> AsyncSeedLink:
        """A client that is not yet connected.

        Args:
            protocol: 3 or 4; None takes the highest that the server speaks.
            is_verified: the server's certificate must be good.
            timeout_s: longest time for connecting, for agreeing on streams, and for an answer.
            keepalive_s: after so long without a packet the server is asked for a sign of life.

        Raises:
            ConfigError: no such protocol.
        """
        from seedlink_client import AsyncSeedLink, Protocol

        if protocol not in (None, 3, 4):
            raise ConfigError(f"no SeedLink protocol {protocol}; give 3 or 4, or leave it out")
        return AsyncSeedLink(
            self.host,
            self.port,
            timeout=timeout_s,
            tls=self.is_tls,
            tls_noverify=not is_verified,
            protocol=None if protocol is None else Protocol(str(protocol)),
            keepalive=keepalive_s,
            idle_timeout=float("inf"),
            clientname="zilzal",
            clientversion=zilzal.__version__,
        )
