"""Names of phases as catalogues write them."""

from __future__ import annotations

from zilzal.core.pick import Phase

_PHASES = {
    f"{phase}{branch}".lower(): phase for phase in Phase for branch in ("", "g", "n", "b", "*", "1")
}


def phase_of(name: str | None) -> Phase | None:
    """P or S for the names of their direct and head waves; None for any other (pP, Lg, AML)."""
    return _PHASES.get((name or "").strip().lower())
