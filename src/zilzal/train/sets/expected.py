"""When catalogued events must have been seen at a station, whether anyone picked them or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zilzal.core.geo import distance_m
from zilzal.core.pick import Phase
from zilzal.core.station import Station
from zilzal.core.time import Time
from zilzal.io.phases import ReportedEvent
from zilzal.travel import EarthModel, first_arrivals

UNKNOWN_DEPTH_M = 10_000.0
"""Taken for a source whose catalogue gives no depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """How predictions are made of origins, and how far they may be off.

    Args:
        model: the earth.
        reach_m: events further away (epicentral) are not expected to be seen.
        slack_s: that arrivals may be off by at any distance: the origin, the depth.
        slack_share: and this share of the travel time on top: the model.
    """

    model: EarthModel
    reach_m: float = 300_000.0
    slack_s: float = 1.5
    slack_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Expected:
    """First and last instant at which an event's P and S may have come to a station."""

    event_id: str
    p: tuple[Time, Time]
    s: tuple[Time, Time]

    def of(self, phase: Phase) -> tuple[Time, Time]:
        """The span of a phase."""
        return self.p if phase is Phase.P else self.s


def expected_arrivals(
    how: Expectation, events: Sequence[ReportedEvent], station: Station
) -> dict[str, Expected]:
    """What located events within reach must have brought to a station, by event."""
    placed = [(e.event_id, e.source) for e in events if e.source and e.source.latitude is not None]
    if not placed:
        return {}
    distances_m = distance_m(
        np.array([source.latitude for _, source in placed], float),
        np.array([source.longitude for _, source in placed], float),
        station.latitude,
        station.longitude,
    )
    reach_m = min(how.reach_m, how.model.max_distance_m)
    near = np.flatnonzero(distances_m <= reach_m)
    depths_m = np.array(
        [UNKNOWN_DEPTH_M if (d := placed[n][1].depth_m) is None else d for n in near], float
    )
    spans: dict[Phase, list[tuple[Time, Time]]] = {}
    for phase in Phase:
        times_s = first_arrivals(
            how.model, phase, elevation_m=station.elevation_m, distance_m=distances_m[near],
            depth_m=depths_m,
        ).time_s  # fmt: skip
        slack_s = how.slack_s + how.slack_share * times_s
        spans[phase] = [
            (placed[n][1].time + float(t - slack), placed[n][1].time + float(t + slack))
            for n, t, slack in zip(near, times_s, slack_s, strict=True)
        ]
    return {
        placed[n][0]: Expected(placed[n][0], p, s)
        for n, p, s in zip(near, spans[Phase.P], spans[Phase.S], strict=True)
    }
