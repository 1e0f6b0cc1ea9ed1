"""From counts to ground motion, and from ground motion to the record of a Wood–Anderson.

All of it happens in the frequency domain on one gap-free cut. Time is s = i 2 pi f, so that a
derivative is a factor s. Amplitudes are SI: metres of ground, metres on the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float, Float64, Shaped

from zilzal.core.arrays import Array
from zilzal.core.errors import InventoryError
from zilzal.core.station import GroundMotion, Response

WOOD_ANDERSON_GAIN = 2080.0
"""Static magnification, as measured (2080 +- 60) and not as the maker wrote it (2800).

Source: Uhrhammer & Collins (1990), doi:10.1785/BSSA0800030702; taken over by IASPEI (2013).
"""

WOOD_ANDERSON_POLES = (-5.49779 + 5.60886j, -5.49779 - 5.60886j)
"""[rad/s]: a free period of 0.8 s and 0.7 of critical damping; with two zeros at the origin.

Source: IASPEI (2013), Summary of magnitude working group recommendations, section 2.2.
"""

_Transfer = Callable[[Float[Array, " frequency"]], Complex128[Array, " frequency"]]

Corners = tuple[float, float, float, float]
"""Four frequencies [Hz]: nothing passes outside the first and last, all between the middle two."""

_DERIVATIVES = {
    GroundMotion.DISPLACEMENT: 0,
    GroundMotion.VELOCITY: 1,
    GroundMotion.ACCELERATION: 2,
}


def evaluate(
    response: Response, frequency_hz: Float[Array, " frequency"]
) -> Complex128[Array, " frequency"]:
    """Transfer function: counts per unit of the response's own kind of ground motion.

    Raises:
        InventoryError: the response cannot be scaled to its sensitivity.
    """
    if response.is_flat:
        return np.full(len(frequency_hz), response.sensitivity, np.complex128)
    at_reference = _poles_zeros(response, np.array([response.frequency_hz]))[0]
    if at_reference == 0 or not np.isfinite(at_reference):
        raise InventoryError(
            f"the response has a pole or zero at its reference frequency {response.frequency_hz} Hz"
        )
    scale = response.sensitivity / abs(at_reference)
    return scale * _poles_zeros(response, frequency_hz)


def _poles_zeros(
    response: Response, frequency_hz: Float[Array, " frequency"]
) -> Complex128[Array, " frequency"]:
    s = 2j * np.pi * np.asarray(frequency_hz, float)
    transfer = np.ones(len(s), np.complex128)
    for zero in response.zeros:
        transfer *= s - zero
    for pole in response.poles:
        transfer /= s - pole
    return transfer


def wood_anderson(frequency_hz: Float[Array, " frequency"]) -> Complex128[Array, " frequency"]:
    """Transfer function of the standard Wood–Anderson: metres on the record per metre of ground."""
    s = 2j * np.pi * np.asarray(frequency_hz, float)
    pole, conjugate = WOOD_ANDERSON_POLES
    return WOOD_ANDERSON_GAIN * s**2 / ((s - pole) * (s - conjugate))


def cosine_band(
    frequency_hz: Float[Array, " frequency"], corners_hz: Corners
) -> Float64[Array, " frequency"]:
    """Weights of a band with cosine flanks: 0 outside the corners, 1 between the middle two.

    Raises:
        ValueError: the corners do not rise.
    """
    low_stop, low_pass, high_pass, high_stop = corners_hz
    if not 0 <= low_stop < low_pass <= high_pass < high_stop:
        raise ValueError(f"corners must rise from 0 or more: {corners_hz} Hz")
    frequency_hz = np.asarray(frequency_hz, float)
    rise = np.clip((frequency_hz - low_stop) / (low_pass - low_stop), 0, 1)
    fall = np.clip((high_stop - frequency_hz) / (high_stop - high_pass), 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


def cosine_ends(length: int, share: float) -> Float64[Array, " sample"]:
    """Weights that rise and fall as half cosines over a share of the length at each end."""
    place = np.minimum(np.arange(length), np.arange(length)[::-1]) / max(length - 1, 1)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(place / share, 0, 1)) if share > 0 else place * 0 + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Restitution:
    """How ground motion is recovered from counts.

    Args:
        corners_hz: the band kept; None keeps all but zero frequency.
        water_level_db: floor under the modulus of the channel's response, down from its largest
            value; None is no floor. Rarely needed with a band.
        taper: share of the cut that is faded in, and out, before the transform.
        oversampling: whole factor by which the result has more samples, band-limited.
    """

    corners_hz: Corners | None = None
    water_level_db: float | None = None
    taper: float = 0.05
    oversampling: int = 1


def restitute(
    samples: Shaped[Array, " sample"],
    sampling_rate: float,
    response: Response,
    motion: GroundMotion,
    *,
    how: Restitution = Restitution(),
) -> Float64[Array, " sample"]:
    """Ground motion of a cut, its mean removed.

    Args:
        samples: counts.
        sampling_rate: of the samples.
        response: of the channel.
        motion: what to return, in metres and seconds.
        how: band, water level, taper.
    """

    def wanted(frequency_hz: Float[Array, " frequency"]) -> Complex128[Array, " frequency"]:
        return (2j * np.pi * frequency_hz) ** _DERIVATIVES[motion]

    return _transform(samples, sampling_rate, response, wanted, how)


def wood_anderson_record(
    samples: Shaped[Array, " sample"],
    sampling_rate: float,
    response: Response,
    *,
    how: Restitution = Restitution(),
) -> Float64[Array, " sample"]:
    """What a standard Wood–Anderson would have written [m on the record].

    Its response falls with the square of the frequency, which holds down what dividing by a
    seismometer's or accelerometer's response lifts; a band is needed only against long-period
    noise and for sensors of short period.

    Source:
        IASPEI (2013), Summary of magnitude working group recommendations.
    """
    return _transform(samples, sampling_rate, response, wood_anderson, how)


def _transform(
    samples: Shaped[Array, " sample"],
    sampling_rate: float,
    response: Response,
    wanted: _Transfer,
    how: Restitution,
) -> Float64[Array, " sample"]:
    """Divide by the response, multiply by `wanted` (a function of frequency, per displacement)."""
    counts = np.asarray(samples, np.float64)
    counts = (counts - counts.mean()) * cosine_ends(len(counts), how.taper)
    # Twice the length keeps the filters' tails from wrapping around onto the start.
    length = _fast_length(2 * len(counts))
    frequency_hz = np.fft.rfftfreq(length, 1 / sampling_rate)
    divisor = _floored(evaluate(response, frequency_hz), how.water_level_db)
    divisor *= (2j * np.pi * frequency_hz) ** _DERIVATIVES[response.ground_motion]
    factor = np.zeros_like(divisor)
    # At zero frequency every seismometer is blind.
    factor[1:] = wanted(frequency_hz[1:]) / divisor[1:]
    if how.corners_hz is not None:
        factor *= cosine_band(frequency_hz, how.corners_hz)
    spectrum = np.fft.rfft(counts, length) * factor
    fine = how.oversampling
    if fine > 1 and length % 2 == 0:
        # Above the old Nyquist frequency its bin stands for two.
        spectrum[-1] /= 2
    return fine * np.fft.irfft(spectrum, fine * length)[: fine * len(counts)]


def _fast_length(least: int) -> int:
    """The next length of the form 2^n, 3 2^n or 5 2^n, for which transforms are quick."""
    return min(m * 2 ** max(0, (-(-least // m) - 1).bit_length()) for m in (1, 3, 5))


def _floored(
    divisor: Complex128[Array, " frequency"], water_level_db: float | None
) -> Complex128[Array, " frequency"]:
    """Moduli below the water level raised to it; phases kept."""
    if water_level_db is None:
        return divisor
    modulus = np.abs(divisor)
    level = modulus.max() * 10 ** (-water_level_db / 20)
    phase = np.where(modulus > 0, divisor / np.maximum(modulus, np.finfo(float).tiny), 1)
    return np.where(modulus < level, level * phase, divisor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The largest swing of a record.

    Args:
        amplitude: from zero to the peak, positive, in the record's unit.
        period_s: twice the time between the zero crossings around the peak; None where the
            record does not cross on both sides.
        number: of the peak's sample.
    """

    amplitude: float
    period_s: float | None
    number: int


def largest_swing(record: Float[Array, " sample"], sampling_rate: float) -> Swing:
    """Amplitude and period of the largest swing; zero crossings are interpolated.

    Raises:
        ValueError: the record is empty.
    """
    record = np.asarray(record, float)
    if not len(record):
        raise ValueError("the record is empty; cut it so that it holds at least a sample")
    number = int(np.argmax(np.abs(record)))
    outside = np.flatnonzero(record * np.sign(record[number]) <= 0)
    left, right = outside[outside < number], outside[outside > number]
    period_s = None
    if len(left) and len(right):
        start = _crossing(record, int(left[-1]))
        end = _crossing(record, int(right[0]) - 1)
        period_s = 2 * (end - start) / sampling_rate
    return Swing(amplitude=float(abs(record[number])), period_s=period_s, number=number)


def _crossing(record: Float[Array, " sample"], number: int) -> float:
    """Where the line from a sample to the next is zero, in samples."""
    before, after = float(record[number]), float(record[number + 1])
    return number + before / (before - after)
