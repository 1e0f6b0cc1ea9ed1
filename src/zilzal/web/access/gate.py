"""Who a visitor is, and whether a request may pass."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request

from zilzal.web.access.accounts import is_right, read_accounts
from zilzal.web.access.audit import Audit
from zilzal.web.access.limits import FailureLimit
from zilzal.web.access.roles import Role, Visitor
from zilzal.web.refusal import Refused

COOKIE = "zilzal_session"
TOKEN = "x-csrf-token"  # noqa: S105 - a header's name
SESSION_S = 12 * 3_600.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a server is guarded.

    Args:
        accounts: file of accounts; None does without any.
        is_public: whether one who has not logged in may look although there are accounts.
        analyst: name of the one person that every visitor is taken for, who may judge events; on
            the loopback address only. None for nobody.
        proxy_header: header in which a reverse proxy names the account it has checked; None
            believes no header.
        proxies: addresses that this header is believed from.
        hosts: names that a request may call this server by, without the port.
    """

    accounts: Path | None = None
    is_public: bool = False
    analyst: str | None = None
    proxy_header: str | None = None
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    csrf_token: str
    until_s: float


@dataclass(slots=True, eq=False)
class Gate:
    """The guard of one server; sessions are forgotten when it stops.

    Args:
        access: its orders.
        audit: told of log-ins.
        monotonic_s: tells how time passes.
    """

    access: Access
    audit: Audit
    monotonic_s: Callable[[], float] = time.monotonic
    _limit: FailureLimit = field(default_factory=FailureLimit)
    _sessions: dict[str, _Session] = field(default_factory=dict[str, _Session])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def has_login(self) -> bool:
        """Whether one can log in here."""
        return self.access.accounts is not None

    def visitor(self, request: Request) -> Visitor:
        """Who makes a request, as far as it shows."""
        access = self.access
        if access.analyst is not None:
            return Visitor(access.analyst, Role.ANALYST, self._token(access.analyst))
        named = self._named_by_proxy(request)
        if named is not None:
            return Visitor(named, self._role_of(named), self._token(named))
        session = self._session(request.cookies.get(COOKIE))
        if session is not None:
            return Visitor(session.name, self._role_of(session.name), session.csrf_token)
        open_to_all = access.is_public or (access.accounts is None and access.proxy_header is None)
        return Visitor("", Role.VIEWER if open_to_all else Role.NOBODY, self._token(""))

    def log_in(self, request: Request, name: str, password: str) -> tuple[Visitor, str]:
        """Check a password.

        Returns:
            The visitor, and the value of the cookie that stands for the session.

        Raises:
            Refused: it is wrong, too many were, or there are no accounts here.
        """
        if self.access.accounts is None:
            raise Refused(HTTPStatus.NOT_FOUND, "this server has no accounts")
        address = address_of(request)
        keys = (f"address {address}", f"name {name}")
        wait_s = self._limit.wait_s(keys, self.monotonic_s())
        if wait_s > 0:
            self.audit.note(name, address, "log in", outcome="too many failures")
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS, f"too many wrong passwords; wait {wait_s:.0f} s"
            )
        if not is_right(read_accounts(self.access.accounts).get(name), password):
            self._limit.note(keys, self.monotonic_s())
            self.audit.note(name, address, "log in", outcome="refused")
            raise Refused(HTTPStatus.UNAUTHORIZED, "the name or the password is wrong")
        self._limit.forget(keys)
        self.audit.note(name, address, "log in", outcome="done")
        cookie, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        session = _Session(name, token, self.monotonic_s() + SESSION_S)
        with self._lock:
            self._sessions = {k: s for k, s in self._sessions.items() if self._is_alive(s)}
            self._sessions[_digest(cookie)] = session
        return Visitor(name, self._role_of(name), token), cookie

    def log_out(self, request: Request) -> Visitor:
        """End the session of a request; who the visitor is without it."""
        cookie = request.cookies.get(COOKIE)
        session = self._session(cookie)
        if cookie is not None and session is not None:
            with self._lock:
                self._sessions.pop(_digest(cookie), None)
            self.audit.note(session.name, address_of(request), "log out")
        return self.visitor(request)

    def check(self, request: Request, needed: Role, *, is_reading: bool = False) -> Visitor:
        """Let a request pass.

        Args:
            request: it.
            needed: the least role.
            is_reading: whether it changes nothing, whatever its method is.

        Raises:
            Refused: the visitor may not do this, or the request may be another site's.
        """
        visitor = self.visitor(request)
        if request.method not in SAFE and not is_reading:
            self._check_origin(request, visitor)
        if visitor.role.may(needed):
            return visitor
        if visitor.role is Role.NOBODY or (not visitor.name and self.has_login):
            raise Refused(HTTPStatus.UNAUTHORIZED, "log in first")
        raise Refused(HTTPStatus.FORBIDDEN, f"this needs the role {needed}; you are {visitor.role}")

    def _check_origin(self, request: Request, visitor: Visitor) -> None:
        """Another site's page cannot read the token, and a browser names its origin."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise Refused(HTTPStatus.FORBIDDEN, "the request comes from another site's page")
        given = request.headers.get(TOKEN, "")
        if not hmac.compare_digest(given.encode(), visitor.csrf_token.encode()):
            raise Refused(
                HTTPStatus.FORBIDDEN, "the header X-CSRF-Token lacks what GET /api/session gives"
            )

    def _named_by_proxy(self, request: Request) -> str | None:
        header = self.access.proxy_header
        if header is None or not _is_among(address_of(request), self.access.proxies):
            return None
        return request.headers.get(header) or None

    def _role_of(self, name: str) -> Role:
        """Of an account as it is now; who was taken out of the file is nobody at once."""
        if self.access.accounts is None:
            return Role.VIEWER
        account = read_accounts(self.access.accounts).get(name)
        if account is not None:
            return account.role
        return Role.VIEWER if self.access.proxy_header else Role.NOBODY

    def _session(self, cookie: str | None) -> _Session | None:
        if cookie is None:
            return None
        with self._lock:
            session = self._sessions.get(_digest(cookie))
        return session if session is not None and self._is_alive(session) else None

    def _is_alive(self, session: _Session) -> bool:
        return self.monotonic_s() < session.until_s

    def _token(self, name: str) -> str:
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()


def _digest(cookie: str) -> str:
    """What is kept of a cookie: a copy of the memory opens no session."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)


def address_of(request: Request) -> str:
    """Where a request comes from; what a header claims is not believed."""
    return request.client.host if request.client is not None else ""


def gate_of(request: Request) -> Gate:
    """The server's guard."""
    return request.app.state.gate


def visitor_of(request: Request) -> Visitor:
    """Who makes a request."""
    return gate_of(request).visitor(request)


def viewer(request: Request) -> Visitor:
    """Whoever may look; a dependency of routes."""
    return gate_of(request).check(request, Role.VIEWER)


def reader(request: Request) -> Visitor:
    """Whoever may look, with a POST that changes nothing; a dependency of routes."""
    return gate_of(request).check(request, Role.VIEWER, is_reading=True)


def analyst(request: Request) -> Visitor:
    """Whoever may judge; a dependency of routes."""
    return gate_of(request).check(request, Role.ANALYST)


def admin(request: Request) -> Visitor:
    """Whoever may do all; a dependency of routes."""
    return gate_of(request).check(request, Role.ADMIN)


def anybody(request: Request) -> Visitor:
    """Also one who has not logged in; a dependency of routes."""
    return gate_of(request).check(request, Role.NOBODY)
