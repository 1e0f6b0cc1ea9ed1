"""Conversions between the SI values inside and the units that people read; nowhere else."""

METRES_PER_KM = 1_000.0
METRES_PER_DEGREE = 111_194.93
"""Length of one degree of arc on a sphere of 6371 km radius [m]."""


def km(metres: float) -> float:
    """Kilometres of metres."""
    return metres / METRES_PER_KM


def metres(km: float) -> float:
    """Metres of kilometres."""
    return km * METRES_PER_KM


def arc_degrees(metres: float) -> float:
    """Degrees of arc of a distance along the surface."""
    return metres / METRES_PER_DEGREE


def mm(metres: float) -> float:
    """Millimetres of metres."""
    return metres * 1_000.0
