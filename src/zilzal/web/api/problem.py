"""What went wrong, as RFC 9457 problem details: of the API, in one shape."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from zilzal.core.errors import ConfigError, DataError, ModelError, StaleVersion, StoreError
from zilzal.web.api.values import Answer
from zilzal.web.refusal import Refused

logger = logging.getLogger(__name__)

KIND = "application/problem+json"


class Problem(Answer):
    """Why a request was not answered.

    Args:
        title: what kind of problem.
        detail: what was wrong with this request, and what to do.
        status: of HTTP.
    """

    title: str
    detail: str
    status: int


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    title = HTTPStatus(status).phrase
    content = {"title": title, "detail": detail, "status": int(status)}
    return JSONResponse(content, status, media_type=KIND, headers=headers)


_STATUS = {
    StaleVersion: HTTPStatus.CONFLICT,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    DataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConfigError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ModelError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {KIND: {}}, "description": HTTPStatus(status).phrase}
    for status in (400, 401, 403, 404, 409, 413, 422, 429, 503)
}
"""Of every route's description."""


def install(app: FastAPI) -> None:
    """Answer errors as problems."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        return problem(error.status, error.detail)

    async def ours(_: Request, error: Exception) -> JSONResponse:
        status = next(s for kind, s in _STATUS.items() if isinstance(error, kind))
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            logger.error("%s", error)
        return problem(status, str(error))

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        told = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(told))

    async def plain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    app.add_exception_handler(Refused, refused)
    for kind in _STATUS:
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
