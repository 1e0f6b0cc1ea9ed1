"""How Wood–Anderson amplitudes fall with distance: laws that go both ways.

A law gives `-log10 A0(R)` so that `ML = log10(A) - log10 A0(R)`, with A from zero to peak in mm on
the record of a Wood–Anderson that magnifies 2080 times, and R the hypocentral distance. Papers
that write A as nm of a Wood–Anderson magnifying once (IASPEI) are brought to this form by
`log10(A in nm) = log10(A in mm) + log10(1e6 / 2080)`, 2.682.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.core.units import km, metres, mm
from zilzal.signal.response import WOOD_ANDERSON_GAIN

_NM_PER_MM = 1e6
_RECORD_MM_TO_GROUND_NM = log10(_NM_PER_MM / WOOD_ANDERSON_GAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttenuationLaw:
    """`-log10 A0(R) = a log10(R) + b R + c + d exp(-e R) + sum of t_n T_n(z)`, R in km.

    The exponential is a correction for short distances, the Chebyshev sum one for the shape of
    the curve: z goes from -1 to 1 as log10(R) goes from the shape's start to the maximum. Below
    that start a law with such a sum goes on, continuous, with the slope a_near in log10(R).

    Args:
        name: as configured.
        geometric: a.
        anelastic_per_km: b.
        constant: c, for mm on the record.
        near: d.
        near_per_km: e.
        chebyshev: t_1, t_2, ...
        chebyshev_from_m: the shape's start.
        near_geometric: a_near.
        minimum_m: hypocentral distance where the calibration starts.
        maximum_m: hypocentral distance where it ends.
        source: paper and equation.
    """

    name: str
    geometric: float
    anelastic_per_km: float
    constant: float
    near: float = 0.0
    near_per_km: float = 0.0
    chebyshev: tuple[float, ...] = ()
    chebyshev_from_m: float = 0.0
    near_geometric: float = 0.0
    minimum_m: float
    maximum_m: float
    source: str

    def covers(self, distance_m: float) -> bool:
        """Whether the law was calibrated at a hypocentral distance."""
        return self.minimum_m <= distance_m <= self.maximum_m

    def minus_log_a0(
        self, distance_m: Float[Array, "*station"] | float
    ) -> Float[Array, "*station"]:
        """`-log10 A0` at hypocentral distances above zero, calibrated there or not."""
        distance_km = np.asarray(distance_m, float) / metres(1)
        if not self.chebyshev:
            return self._smooth(distance_km)
        start_km, end_km = km(self.chebyshev_from_m), km(self.maximum_m)
        inside = np.clip(distance_km, start_km, end_km)
        place = 2 * np.log10(inside / start_km) / log10(end_km / start_km) - 1
        shape = np.polynomial.chebyshev.chebval(place, (0.0, *self.chebyshev))
        below = np.minimum(distance_km / start_km, 1)
        beyond = np.maximum(distance_km, start_km)
        return self._smooth(beyond) + shape + self.near_geometric * np.log10(below)

    def _smooth(self, distance_km: Float[Array, "*station"]) -> Float[Array, "*station"]:
        return (
            self.geometric * np.log10(distance_km)
            + self.anelastic_per_km * distance_km
            + self.constant
            + self.near * np.exp(-self.near_per_km * distance_km)
        )

    def magnitude(
        self,
        amplitude_m: Float[Array, "*station"] | float,
        distance_m: Float[Array, "*station"] | float,
    ) -> Float[Array, "*station"]:
        """Magnitudes of amplitudes, zero to peak on the record [m], without station corrections."""
        return np.log10(np.asarray(amplitude_m, float) * mm(1)) + self.minus_log_a0(distance_m)

    def amplitude_m(
        self,
        magnitude: Float[Array, "*station"] | float,
        distance_m: Float[Array, "*station"] | float,
    ) -> Float[Array, "*station"]:
        """Amplitudes on the record [m] of magnitudes; the inverse of `magnitude`."""
        exponent = np.asarray(magnitude, float) - self.minus_log_a0(distance_m)
        return 10**exponent / mm(1)


def _anchored(geometric: float, anelastic_per_km: float) -> float:
    """The constant that gives 3 at 100 km: Richter's definition, 1 mm there is ML 3."""
    return 3.0 - geometric * log10(100) - anelastic_per_km * 100


HUTTON_BOORE = AttenuationLaw(
    name="hutton-boore-1987",
    geometric=1.110,
    anelastic_per_km=0.00189,
    constant=_anchored(1.110, 0.00189),
    minimum_m=metres(10),
    maximum_m=metres(700),
    source="Hutton & Boore (1987), abstract, doi:10.1785/BSSA0770062074; southern California, "
    "and the standard of IASPEI (2013), equation 1",
)

BAKUN_JOYNER = AttenuationLaw(
    name="bakun-joyner-1984",
    geometric=1.000,
    anelastic_per_km=0.00301,
    constant=_anchored(1.000, 0.00301),
    # Epicentral distances up to 400 km were used; the least hypocentral one is not given.
    minimum_m=metres(1),
    maximum_m=metres(400),
    source="Bakun & Joyner (1984), Bull. Seism. Soc. Am. 74(5), 1827-1843; central California",
)

CISN = AttenuationLaw(
    name="cisn-2011",
    geometric=1.110,
    anelastic_per_km=0.00189,
    # The authors' program adds 0.0054, so that 100 km gives 3 again.
    constant=0.591 + 0.0054,
    chebyshev=(0.056, -0.031, -0.053, -0.080, -0.028, 0.015),
    chebyshev_from_m=metres(8),
    # The mean slope between 8 and 60 km, where the law gives 1.5429 and 2.6182.
    near_geometric=(2.6182 - 1.5429) / log10(60 / 8),
    minimum_m=metres(1),
    maximum_m=metres(500),
    source="Uhrhammer, Hellweg, Hutton, Lombard, Walters, Hauksson & Oppenheimer (2011), "
    "doi:10.1785/0120100106; all of California; goes with station adjustments",
)

LUCKETT = AttenuationLaw(
    name="luckett-2019",
    geometric=1.11,
    anelastic_per_km=0.00189,
    constant=-2.09 + _RECORD_MM_TO_GROUND_NM,
    near=-1.16,
    near_per_km=0.2,
    # Stations right above shallow events are what the exponential was fitted to.
    minimum_m=metres(1),
    maximum_m=metres(700),
    source="Luckett, Ottemöller, Butcher & Baptie (2019), abstract, Geophys. J. Int. 216(2), "
    "1145-1156, doi:10.1093/gji/ggy484; British Isles, the IASPEI standard with a term for less "
    "than some 15 km",
)

LAWS: Mapping[str, AttenuationLaw] = MappingProxyType(
    {law.name: law for law in (HUTTON_BOORE, BAKUN_JOYNER, CISN, LUCKETT)}
)
"""Built-in laws by name."""


def attenuation_law(name: str) -> AttenuationLaw:
    """A built-in law.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in LAWS:
        raise ConfigError(f"no attenuation law named {name!r}; built in are: {', '.join(LAWS)}")
    return LAWS[name]
