"""Who looks: the session, its role, and what this server can do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

import zilzal
from zilzal.app.display.holdings import Holdings
from zilzal.app.live.status import read_status
from zilzal.web.access.gate import COOKIE, SESSION_S, gate_of, visitor_of
from zilzal.web.access.roles import Role, Visitor
from zilzal.web.api.export import FORMATS
from zilzal.web.api.values import Answer, Asked, Held

router = APIRouter(prefix="/session", tags=["session"])


class Features(Answer):
    """What this server can do for this visitor.

    `login` says whether there are accounts; `review` whether the visitor may judge events.
    """

    login: bool
    review: bool
    stations: bool
    waveforms: bool
    live: bool
    export_formats: list[str]


class Session(Answer):
    """The visitor; `name` is empty for one who has not logged in.

    `csrf_token` goes into the header X-CSRF-Token of every POST and DELETE.
    """

    name: str
    role: Role
    csrf_token: str
    version: str
    title: str
    features: Features


class Credentials(Asked):
    """A name and a password."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=1_000)]


@router.get("")
def session(request: Request, held: Held) -> Session:
    """Who the visitor is, and what may be done."""
    return _answer(request, visitor_of(request), held)


@router.post("")
def log_in(request: Request, response: Response, held: Held, given: Credentials) -> Session:
    """Log in with an account of this server; the session lives in a cookie for twelve hours."""
    visitor, cookie = gate_of(request).log_in(request, given.name, given.password)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_S),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _answer(request, visitor, held)


@router.delete("")
def log_out(request: Request, response: Response, held: Held) -> Session:
    """Log out; the session is gone, also for whoever has a copy of its cookie."""
    visitor = gate_of(request).log_out(request)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return _answer(request, visitor, held)


def _answer(request: Request, visitor: Visitor, held: Holdings) -> Session:
    gate, status = gate_of(request), read_status(held.store, held.now())
    features = Features(
        login=gate.has_login,
        review=visitor.role.may(Role.ANALYST),
        stations=bool(held.inventory.channels),
        waveforms=bool(held.waveforms.channel_ids()),
        live=status is not None and status.is_running,
        export_formats=sorted(FORMATS),
    )
    return Session(
        name=visitor.name,
        role=visitor.role,
        csrf_token=visitor.csrf_token,
        version=zilzal.__version__,
        title=request.app.state.title,
        features=features,
    )
