"""From the stations' values to the network's, and the stations' corrections from many events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from zilzal.core.arrays import Array
from zilzal.core.event import Magnitude
from zilzal.core.ids import StationId
from zilzal.core.spread import robust_sigma

HUBER_TUNING = 1.345
"""Scales beyond which a value's pull no longer grows: 95 % efficient on normal values.

Source: Huber (1981), Robust statistics, doi:10.1002/0471725250, section 4.
"""

STATION_SCATTER = 0.3
"""Standard deviation of a station's ML about the network's, without station corrections.

Hutton & Boore (1987, abstract) have 0.21 with corrections. Without, the Ridgecrest hour of
2019-07-07T08 has 0.3 to 0.4 among 20 stations.
"""

_LEAST_SCALE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustMean:
    """A Huber mean.

    Args:
        value: the mean.
        standard_error: of the value; None from fewer than two values.
    """

    value: float
    standard_error: float | None


def huber_mean(
    values: Float[Array, " station"], *, least_scale: float = _LEAST_SCALE
) -> RobustMean:
    """Mean in which far values pull no more than those at 1.345 scales.

    The scale is the median absolute deviation, held above `least_scale` so that a few values that
    happen to agree do not claim to be exact.

    Raises:
        ValueError: there are no values.

    Source:
        Huber (1981), sections 3.2 (the estimate) and 7.6 (its variance, with one parameter).
    """
    values = np.asarray(values, float)
    if not len(values):
        raise ValueError("a mean needs at least one value")
    centre = float(np.median(values))
    scale = max(robust_sigma(values), least_scale)
    for _ in range(50):
        pull = np.clip((values - centre) / scale, -HUBER_TUNING, HUBER_TUNING)
        free = np.mean(np.abs(values - centre) < HUBER_TUNING * scale)
        step = scale * float(np.mean(pull)) / max(float(free), 1 / len(values))
        centre += step
        if abs(step) < 1e-6 * scale:
            break
    return RobustMean(value=centre, standard_error=_standard_error(values, centre, scale))


def _standard_error(
    values: Float64[Array, " station"], centre: float, scale: float
) -> float | None:
    n = len(values)
    if n < 2:
        return None
    pull = np.clip((values - centre) / scale, -HUBER_TUNING, HUBER_TUNING)
    free = max(float(np.mean(np.abs(values - centre) < HUBER_TUNING * scale)), 1 / n)
    # Huber's correction for few values.
    correction = 1 + (1 - free) / (free * n)
    deviation = correction * scale / free * (float(np.sum(pull**2)) / (n - 1)) ** 0.5
    return max(deviation, _LEAST_SCALE) / n**0.5


def outliers(
    values: Float[Array, " station"], *, sigmas: float, least_scatter: float = STATION_SCATTER
) -> Bool[Array, " station"]:
    """Values further from the median than some robust standard deviations.

    Fewer than three values have no outliers: nobody could tell which is wrong.
    """
    values = np.asarray(values, float)
    if len(values) < 3:
        return np.zeros(len(values), bool)
    deviation = np.abs(values - np.median(values))
    return deviation > sigmas * max(robust_sigma(values), least_scatter)


def contradicted(
    values: Float[Array, " station"],
    limits: Float[Array, " station"],
    *,
    sigmas: float,
    scatter: float = STATION_SCATTER,
) -> Bool[Array, " station"]:
    """Values that are larger than what the nearer stations allow.

    Waves of another event elsewhere spoil the far stations, where the windows are long and that
    event may be near, before they spoil the near ones. So a value is held against the median of
    the nearer stations' limits, if there are three or more: a station that saw nothing above
    its noise has a limit too. The limit of a contradicted station does not count for others.

    Args:
        values: in order of distance; NaN where there is none.
        limits: the largest magnitude that each station's record leaves room for; NaN where the
            record cannot tell.
        sigmas: standard deviations by which a value must be larger.
        scatter: a station's standard deviation.
    """
    against = np.zeros(len(values), bool)
    nearer: list[float] = []
    for number, (value, limit) in enumerate(zip(values, limits, strict=True)):
        room = float(np.median(nearer)) + sigmas * scatter if len(nearer) >= 3 else np.inf
        against[number] = value > room
        if np.isfinite(limit) and limit <= room:
            nearer.append(float(limit))
    return against


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCorrection:
    """What is to be added to a station's magnitudes.

    Args:
        correction: the term.
        uncertainty: its standard error.
        n_events: it rests on.
    """

    correction: float
    uncertainty: float
    n_events: int


def estimate_corrections(
    magnitudes: Iterable[Magnitude], *, minimum_events: int = 5
) -> dict[StationId, StationCorrection]:
    """Station corrections that bring the stations together, adding up to zero.

    Every station magnitude is an event's term plus a station's; both are found in turn as Huber
    means until they stay. Station magnitudes with a reason against them are left out. They should
    have been measured without corrections, or the result is what to add to those.

    Args:
        magnitudes: of many events, on one scale.
        minimum_events: a station with fewer gets no correction.
    """
    rows = [
        (event, station.channel_id.station_id, station.magnitude)
        for event, magnitude in enumerate(magnitudes)
        for station in magnitude.station_magnitudes
        if station.magnitude is not None and not station.reason
    ]
    found: list[StationId] = sorted({row[1] for row in rows})
    kept = [s for s in found if sum(row[1] == s for row in rows) >= minimum_events]
    if not kept:
        return {}
    place = {station_id: number for number, station_id in enumerate(kept)}
    rows = [row for row in rows if row[1] in place]
    event = np.unique([row[0] for row in rows], return_inverse=True)[1]
    station = np.array([place[row[1]] for row in rows])
    residual = _station_terms(event, station, np.array([row[2] for row in rows]))
    return {
        station_id: StationCorrection(
            correction=-mean.value,
            uncertainty=mean.standard_error or 0.0,
            n_events=int(np.sum(station == number)),
        )
        for (station_id, number), mean in zip(place.items(), residual, strict=True)
    }


def _station_terms(
    event: Float[Array, " row"], station: Float[Array, " row"], values: Float64[Array, " row"]
) -> list[RobustMean]:
    """Station terms with mean zero, as Huber means of what the events' terms leave."""
    terms = np.zeros(int(station.max()) + 1)
    means: list[RobustMean] = []
    for _ in range(200):
        cleared = values - terms[station]
        sizes = np.array([huber_mean(cleared[event == e]).value for e in range(event.max() + 1)])
        left = values - sizes[event]
        means = [huber_mean(left[station == s]) for s in range(len(terms))]
        new = np.array([mean.value for mean in means])
        shift = float(new.mean())
        means = [RobustMean(value=m.value - shift, standard_error=m.standard_error) for m in means]
        if np.max(np.abs(new - shift - terms)) < 1e-4:
            break
        terms = new - shift
    return means
