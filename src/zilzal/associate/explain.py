"""Why a pick is, or is not, part of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zilzal.core.event import Association
from zilzal.core.geo import distance_m
from zilzal.core.pick import Pick
from zilzal.core.stage import TravelTimes
from zilzal.core.station import Station
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A pick held against one event.

    Args:
        time: of the event.
        latitude: of the event.
        longitude: of the event.
        residual_s: observed minus predicted.
        verdict: "member", or why it was refused, for people.
    """

    time: Time
    latitude: float
    longitude: float
    residual_s: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All events that a pick could belong to, the nearest in time first, and the conclusion."""

    pick: Pick
    trials: tuple[Trial, ...]
    conclusion: str


def explain_pick(
    pick: Pick,
    associations: Sequence[Association],
    stations: Sequence[Station],
    travel_times: TravelTimes,
    *,
    tolerance_s: float,
    reach_s: float = 20.0,
) -> Explanation:
    """Hold a pick against every event whose predicted arrival is near it.

    Sees the result of the association, not its search: groups that never became events because
    they had too few picks are counted, not listed.

    Args:
        pick: the one in question.
        associations: that were made.
        stations: of the network.
        travel_times: that they were made with.
        tolerance_s: that they were made with.
        reach_s: residuals up to this are listed.
    """
    station = next((s for s in stations if s.station_id == pick.channel_id.station_id), None)
    if station is None:
        return Explanation(
            pick=pick, trials=(), conclusion=f"{pick.channel_id.station_id} has no coordinates"
        )
    trials: list[Trial] = []
    for association in associations:
        distance = distance_m(
            association.latitude, association.longitude, station.latitude, station.longitude
        )
        predicted_s = float(
            np.squeeze(
                travel_times.times_s(
                    pick.phase, [station], np.array([[distance]]), np.array([association.depth_m])
                )
            )
        )
        residual_s = (pick.time - association.time) - predicted_s
        member = any(other.id == pick.id for other in association.picks)
        if member or abs(residual_s) <= reach_s:
            trials.append(
                Trial(
                    time=association.time,
                    latitude=association.latitude,
                    longitude=association.longitude,
                    residual_s=residual_s,
                    verdict=_verdict(pick, association, residual_s, tolerance_s=tolerance_s),
                )
            )
    trials.sort(key=lambda trial: (trial.verdict != "member", abs(trial.residual_s)))
    return Explanation(pick=pick, trials=tuple(trials), conclusion=_conclude(trials))


def _verdict(pick: Pick, association: Association, residual_s: float, *, tolerance_s: float) -> str:
    if any(other.id == pick.id for other in association.picks):
        return "member"
    if abs(residual_s) > tolerance_s:
        return f"{residual_s:+.2f} s from the prediction; {tolerance_s:.2f} s are allowed"
    rival = next(
        (
            other
            for other in association.picks
            if other.channel_id.station_id == pick.channel_id.station_id
            and other.phase is pick.phase
        ),
        None,
    )
    if rival is not None:
        return f"the event has a {pick.phase} of this station already, at {rival.time}"
    return "it fits; it went to another event, or the search kept a better set of picks"


def _conclude(trials: Sequence[Trial]) -> str:
    if not trials:
        return (
            "no event predicts an arrival near it: too few picks at other stations agree with it "
            "to make one"
        )
    best = trials[0]
    if best.verdict == "member":
        return f"part of the event at {best.time}"
    return f"in no event; nearest is the one at {best.time}: {best.verdict}"
