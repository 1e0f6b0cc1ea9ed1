"""A request that is not answered, and why; told in the way of whoever was asked."""

from __future__ import annotations

from http import HTTPStatus


class Refused(Exception):
    """A request that cannot be answered, with its status.

    Args:
        status: of HTTP.
        detail: what was wrong, and what to do.
    """

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def not_found(what: str) -> Refused:
    """There is no such thing."""
    return Refused(HTTPStatus.NOT_FOUND, f"there is no {what}")
