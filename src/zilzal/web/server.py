"""The console's server: the page, the API under it, and the FDSN's web services."""

from __future__ import annotations

import logging
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

import zilzal
from zilzal.app.display.curves import CurveShelf
from zilzal.app.display.holdings import Holdings
from zilzal.web.access.audit import Audit
from zilzal.web.access.gate import Access, Gate, admin, anybody, reader, viewer
from zilzal.web.access.headers import Guard
from zilzal.web.api import (
    audit,
    event,
    event_list,
    export,
    live,
    review,
    section,
    session,
    station_history,
    stations,
    waveforms,
)
from zilzal.web.api import problem as problems
from zilzal.web.fdsn import availability, dataselect, feed
from zilzal.web.fdsn import event as fdsn_event
from zilzal.web.fdsn import station as fdsn_station
from zilzal.web.fdsn.service import router_of
from zilzal.web.page import add_page

logger = logging.getLogger(__name__)

OPENAPI = "/api/openapi.json"


def create_app(
    held: Holdings,
    access: Access | None = None,
    *,
    audit_path: Path | None = None,
    title: str = "zilzal",
    is_secure: bool = False,
    page: Traversable | None = None,
) -> FastAPI:
    """The application.

    Args:
        held: what it shows.
        access: how it is guarded; only to be looked at, on this machine, if left out.
        audit_path: file of the log of who did what; None keeps it in the program's log.
        title: of the page.
        is_secure: whether the server speaks TLS.
        page: folder of the built page; the package's if left out.
    """
    access = access or Access()
    app = _bare()
    app.state.holdings = held
    app.state.curves = CurveShelf.of(held)
    app.state.gate = Gate(access, Audit(audit_path, held.now))
    app.state.title = title
    # Who runs it sets another, so that streams without end make way when it stops.
    app.state.is_stopping = lambda: False
    problems.install(app)
    reading = [Depends(reader)]
    for service in (fdsn_event, fdsn_station, dataselect, availability):
        app.include_router(router_of(service.SERVICE), dependencies=reading)
    app.include_router(feed.router, dependencies=reading)
    add_page(app, page or resources.files("zilzal.web").joinpath("static", "console"))
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
    app.add_middleware(Guard, hosts=access.hosts, is_secure=is_secure)
    return app


def describe_api() -> dict[str, Any]:
    """The OpenAPI description of all routes under /api."""
    return _bare().openapi()


def _bare() -> FastAPI:
    """The API alone, with nothing behind it yet."""
    app = FastAPI(
        title="zilzal",
        version=zilzal.__version__,
        description=_DESCRIPTION,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(_api())
    return app


_DESCRIPTION = """Earthquakes, stations and waveforms of a zilzal store.

Times are ISO 8601 in UTC with microseconds; names of quantities end in their unit. What goes
wrong is told as RFC 9457 problem details."""


def _api() -> APIRouter:
    """All routes under /api; the order matters where one path could be another's parameter."""
    api = APIRouter(prefix="/api", responses=problems.PROBLEMS)
    api.include_router(session.router, dependencies=[Depends(anybody)])
    looking = [Depends(viewer)]
    seen = event_list, export, event, section, waveforms, stations, station_history, live
    for resource in seen:
        api.include_router(resource.router, dependencies=looking)
    api.include_router(audit.router, dependencies=[Depends(admin)])
    # Its routes ask for an analyst themselves.
    api.include_router(review.router)
    return api
