"""What leaves the source: moment, spectrum, radiation pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array

RMS_RADIATION_P = float(np.sqrt(4 / 15))
RMS_RADIATION_S = float(np.sqrt(2 / 5))
"""Root mean square over all directions of a double couple's pattern.

Source: Boore & Boatwright (1984), doi:10.1785/BSSA0740051615.
"""
CORNER_RATIO = 1.5
"""P over S corner frequency: Madariaga (1976), doi:10.1785/BSSA0660030639, has 0.32 / 0.21."""


def moment_of_local_magnitude(magnitude: float) -> float:
    """Seismic moment [N m] of a local magnitude: log10 M0 = 1.2 ML + 10, above 3.33 1.5 ML + 9.

    Small events have a shallower slope, since their waves are shorter than what site and
    instrument pass.

    Source:
        Bakun (1984), doi:10.1785/BSSA0740020439, for central California, from dyne cm.
    """
    return float(10 ** max(1.2 * magnitude + 10, 1.5 * magnitude + 9))


def moment_magnitude(moment_n_m: float) -> float:
    """Mw = 2/3 (log10 M0 - 9.1).

    Source:
        Hanks & Kanamori (1979), doi:10.1029/JB084iB05p02348, with IASPEI's constant.
    """
    return float(2 / 3 * (np.log10(moment_n_m) - 9.1))


def corner_frequency_hz(
    moment_n_m: float, stress_drop_pa: float, s_velocity_m_per_s: float
) -> float:
    """Corner of the S spectrum: fc = 2.34 beta / (2 pi r), r^3 = 7 M0 / (16 stress drop).

    Source:
        Brune (1970), doi:10.1029/JB075i026p04997, with the correction of 1971; Eshelby (1957) for
        the radius.
    """
    radius_m = (7 * moment_n_m / (16 * stress_drop_pa)) ** (1 / 3)
    return float(2.34 * s_velocity_m_per_s / (2 * np.pi * radius_m))


def omega_square(
    frequency_hz: Float[Array, " frequency"], corner_hz: float
) -> Float[Array, " frequency"]:
    """Shape of the far-field displacement spectrum, 1 at low frequency.

    Source:
        Brune (1970), doi:10.1029/JB075i026p04997, equation 33 in its usual simple form.
    """
    return 1 / (1 + (frequency_hz / corner_hz) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """Orientation of a double couple, in the convention of Aki & Richards.

    Args:
        strike_deg: clockwise from north; the fault dips to its right.
        dip_deg: 0 to 90.
        rake_deg: -180 to 180; 90 is a thrust.
    """

    strike_deg: float
    dip_deg: float
    rake_deg: float


def draw_mechanism(rng: np.random.Generator) -> Mechanism:
    """A double couple of any orientation, all alike probable."""
    return Mechanism(
        strike_deg=float(rng.uniform(0, 360)),
        dip_deg=float(np.degrees(np.arccos(rng.uniform(0, 1)))),
        rake_deg=float(rng.uniform(-180, 180)),
    )


def radiate(
    mechanism: Mechanism, azimuth_deg: float, takeoff_deg: float
) -> tuple[float, float, float]:
    """Radiation patterns of P, SV and SH towards a direction.

    Args:
        mechanism: of the source.
        azimuth_deg: clockwise from north.
        takeoff_deg: 0 is down, 180 up.

    Returns:
        P positive away from the source; SV positive towards rising takeoff angle; SH positive
        towards rising azimuth.

    Source:
        Aki & Richards (2002), Quantitative seismology, equations 4.87 to 4.91: projections of
        the moment tensor, which is made of slip and normal.
    """
    strike, dip, rake = np.radians((mechanism.strike_deg, mechanism.dip_deg, mechanism.rake_deg))
    azimuth, takeoff = np.radians((azimuth_deg, takeoff_deg))
    # Axes: north, east, down.
    slip = np.array(
        [
            np.cos(rake) * np.cos(strike) + np.cos(dip) * np.sin(rake) * np.sin(strike),
            np.cos(rake) * np.sin(strike) - np.cos(dip) * np.sin(rake) * np.cos(strike),
            -np.sin(rake) * np.sin(dip),
        ]
    )
    normal = np.array([-np.sin(dip) * np.sin(strike), np.sin(dip) * np.cos(strike), -np.cos(dip)])
    tensor = np.outer(slip, normal) + np.outer(normal, slip)
    ray = np.array(
        [np.sin(takeoff) * np.cos(azimuth), np.sin(takeoff) * np.sin(azimuth), np.cos(takeoff)]
    )
    sv = np.array(
        [np.cos(takeoff) * np.cos(azimuth), np.cos(takeoff) * np.sin(azimuth), -np.sin(takeoff)]
    )
    sh = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    return float(ray @ tensor @ ray), float(sv @ tensor @ ray), float(sh @ tensor @ ray)
