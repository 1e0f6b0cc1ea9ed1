"""The log of who did what, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from zilzal.web.access.gate import gate_of
from zilzal.web.api.values import Answer, Asked

router = APIRouter(prefix="/audit", tags=["session"])


class AuditPage(Asked):
    """How many of the newest lines."""

    limit: Annotated[int, Field(ge=1, le=10_000)] = 200


class AuditAnswer(Answer):
    """Lines of the log, the newest first: time, who, address, action, and what about it."""

    total: int
    items: list[dict[str, Any]]


@router.get("")
def audit(request: Request, wanted: Annotated[AuditPage, Query()]) -> AuditAnswer:
    """The newest lines of the log."""
    lines = gate_of(request).audit.newest(wanted.limit)
    return AuditAnswer(total=len(lines), items=lines)
