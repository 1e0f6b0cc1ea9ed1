"""How complete a catalogue is, and the slope of its magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zilzal.core.arrays import Array
from zilzal.core.errors import DataError

LOG10_E = float(np.log10(np.e))


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeDistribution:
    """log10 N(>= M) = a - b M above the magnitude of completeness.

    Args:
        completeness: lower edge of the fit.
        a: productivity over the catalogue's whole time.
        b: slope.
        b_uncertainty: standard deviation of b, Shi & Bolt.
        count: events at or above completeness.
    """

    completeness: float
    a: float
    b: float
    b_uncertainty: float
    count: int


def completeness_magnitude(
    magnitudes: Float[Array, " event"], *, bin_width: float = 0.1, correction: float = 0.2
) -> float:
    """Magnitude of completeness by maximum curvature: the fullest bin plus a correction.

    Args:
        magnitudes: NaN are left out.
        bin_width: of the histogram; bins are centred on its multiples.
        correction: the method is known to come out low.

    Raises:
        DataError: there are no magnitudes.

    Source:
        Wiemer & Wyss (2000), doi:10.1785/0119990114; the correction of 0.2 from Woessner &
        Wiemer (2005), doi:10.1785/0120040007.
    """
    numbers = _bin_numbers(magnitudes, bin_width)
    if len(numbers) == 0:
        raise DataError("no magnitudes to find the completeness of")
    value, count = np.unique(numbers, return_counts=True)
    return float(value[count.argmax()] * bin_width + correction)


def fit_magnitudes(
    magnitudes: Float[Array, " event"], completeness: float, *, bin_width: float = 0.1
) -> MagnitudeDistribution:
    """Most likely Gutenberg–Richter line of the magnitudes at and above completeness.

    b = log10(e) / (mean(M) - (Mc - bin_width / 2)); the half bin undoes the rounding.

    Raises:
        DataError: fewer than two distinct magnitudes are left.

    Source:
        Aki (1965), Bull. Earthq. Res. Inst. 43, 237; Utsu (1965) for the half bin; Shi & Bolt
        (1982), doi:10.1785/BSSA0720051677, for the uncertainty: ln(10) b^2 sqrt(sum (M - mean)^2
        / (n (n - 1))).
    """
    numbers = _bin_numbers(magnitudes, bin_width)
    first = np.ceil(np.round(completeness / bin_width, 6))
    kept = numbers[numbers >= first] * bin_width
    n = len(kept)
    if n < 2 or np.ptp(kept) == 0:
        raise DataError(f"{n} magnitudes at or above {completeness:.2f}; a slope needs two values")
    mean, edge = float(kept.mean()), float(first - 0.5) * bin_width
    b = LOG10_E / (mean - edge)
    spread = float(np.sqrt(((kept - mean) ** 2).sum() / (n * (n - 1))))
    return MagnitudeDistribution(
        completeness=completeness,
        a=float(np.log10(n) + b * edge),
        b=b,
        b_uncertainty=float(np.log(10)) * b**2 * spread,
        count=n,
    )


def _bin_numbers(magnitudes: Float[Array, " event"], bin_width: float) -> Float[Array, " event"]:
    known = magnitudes[np.isfinite(magnitudes)]
    # Rounded first, so that 0.25 / 0.1 does not fall either way by the last bit.
    return np.floor(np.round(known / bin_width, 6) + 0.5)
