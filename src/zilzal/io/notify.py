"""Telling systemd how a service stands; nothing happens where it was not started by systemd."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notifier:
    """The service manager's socket.

    Args:
        address: of the socket, a path or "@" and an abstract name; "" tells nobody.
        watchdog_s: a sign of life is expected so often; None where none is.
    """

    address: str = ""
    watchdog_s: float | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """As systemd says in the environment.

        Source:
            sd_notify(3) and sd_watchdog_enabled(3): NOTIFY_SOCKET and WATCHDOG_USEC.
        """
        span_us = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(span_us) / 1e6 if span_us.isdecimal() else None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    def tell(self, *states: str) -> None:
        """Send lines such as READY=1 or STATUS=...; a manager that is gone is no error of ours."""
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto("\n".join(states).encode(), address)
            except OSError:
                return
