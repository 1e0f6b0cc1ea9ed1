"""What people may do: look, judge, or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Each may do what the ones before it may."""

    NOBODY = "nobody"
    """Must log in first."""
    VIEWER = "viewer"
    """Looks."""
    ANALYST = "analyst"
    """Judges events."""
    ADMIN = "admin"
    """Reads the audit log too."""

    def may(self, needed: Role) -> bool:
        """Whether it is enough for what needs another one."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request.

    Args:
        name: of the account; empty for one who has none.
        role: what may be done.
        csrf_token: that must come with whatever changes something.
    """

    name: str
    role: Role
    csrf_token: str
