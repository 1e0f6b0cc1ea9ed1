"""Events with their picks, from catalogue and phase files of any kind."""

from zilzal.io.phases.names import phase_of
from zilzal.io.phases.read import read_phases
from zilzal.io.phases.reported import (
    PhaseFault,
    Phases,
    ReportedEvent,
    ReportedPick,
    Status,
    clusters,
)

__all__ = [
    "PhaseFault", "Phases", "ReportedEvent", "ReportedPick", "Status", "clusters", "phase_of",
    "read_phases",
]  # fmt: skip
