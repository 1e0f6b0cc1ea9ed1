"""Station terms: what the earth model gets wrong below and around each station."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from zilzal.core.event import Association, Origin
from zilzal.core.pick import Phase
from zilzal.core.station import Station
from zilzal.locate.grid import GridLocator
from zilzal.locate.observations import StationCorrection

PRIOR_COUNT = 5.0
"""A term of n residuals is shrunk by n / (n + this), so that few say little."""


def estimate_corrections(
    locator: GridLocator,
    associations: Sequence[Association],
    stations: Sequence[Station],
    *,
    iterations: int = 4,
    least_count: int = 5,
) -> tuple[StationCorrection, ...]:
    """Station terms from a set of events, which are located anew with each round's terms.

    A term is the running sum of the medians of a station's residuals, shrunk towards zero. The
    median of all terms is taken out: a constant is the same as a shift of all origin times.

    Args:
        locator: its own corrections are where the first round starts.
        associations: events that surround the stations well; tens at least.
        stations: of the network.
        iterations: rounds.
        least_count: a station and phase with fewer residuals gets no term.
    """
    terms = {(c.station, c.phase): c.correction_s for c in locator.corrections}
    for _ in range(iterations):
        current = replace(locator, corrections=_table(terms))
        located = [current.locate(association, stations) for association in associations]
        residuals = _residuals(origin for origin in located if isinstance(origin, Origin))
        for key, values in residuals.items():
            if len(values) >= least_count:
                share = len(values) / (len(values) + PRIOR_COUNT)
                terms[key] = terms.get(key, 0.0) + share * float(np.median(values))
        middle = float(np.median(list(terms.values()))) if terms else 0.0
        terms = {key: value - middle for key, value in terms.items()}
    return _table(terms)


def _table(terms: Mapping[tuple[str, Phase], float]) -> tuple[StationCorrection, ...]:
    return tuple(
        StationCorrection(station=station, phase=phase, correction_s=value)
        for (station, phase), value in sorted(terms.items())
    )


def _residuals(origins: Iterable[Origin]) -> dict[tuple[str, Phase], list[float]]:
    """Residuals of the arrivals that were used, by station and phase."""
    found: dict[tuple[str, Phase], list[float]] = {}
    for origin in origins:
        for arrival in origin.arrivals:
            if arrival.weight > 0:
                key = (str(arrival.station_id), arrival.phase)
                found.setdefault(key, []).append(arrival.residual_s)
    return found
