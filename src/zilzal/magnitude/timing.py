"""When P and S come to a station, and when the next event's waves end the reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zilzal.core.event import Origin
from zilzal.core.ids import StationId
from zilzal.core.pick import Phase, Pick
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time; `end` is exclusive."""

    start: Time
    end: Time

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What is read at a station.

    Args:
        noise: before P.
        signal: from P to the end of the strong shaking after S.
        reason: why it cannot be used; "" where it can.
    """

    noise: Span
    signal: Span
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How windows follow from an origin and picks.

    A picked P or S is taken as it is, and tells the other one by the ratio of speeds; without
    either both follow from constant speeds, and the windows keep a distance that grows with the
    travel time, because waves that dive to faster layers come earlier.

    Args:
        p_speed_m_per_s: along the straight ray, where nothing was picked.
        p_over_s_speed: ratio of the speeds.
        noise_s: length of the noise window.
        pick_guard_s: between noise and a picked P.
        guard_s: between noise and a predicted P, at least.
        guard_share: of the travel time, between noise and a predicted P.
        coda_s: the signal goes on for so long after S, at least.
        coda_share: and for so many times S minus P.
        near_s_s: another event's P ends the signal, and spoils it where it comes before S;
            one that comes within so much of S is taken for a second reading of S.
    """

    p_speed_m_per_s: float = 6_000.0
    p_over_s_speed: float = 1.73
    noise_s: float = 10.0
    pick_guard_s: float = 0.5
    guard_s: float = 1.0
    guard_share: float = 0.2
    coda_s: float = 5.0
    coda_share: float = 1.0
    near_s_s: float = 1.0

    def windows(self, origin: Origin, distance_m: float, picks: StationPicks) -> Windows:
        """Noise and signal at a station at a hypocentral distance."""
        p_s, s_s, is_picked = self._travel_s(origin.time, distance_m, picks)
        guard_s = self.pick_guard_s if is_picked else max(self.guard_s, self.guard_share * p_s)
        start = origin.time + (p_s - guard_s)
        end = origin.time + (s_s + max(self.coda_s, self.coda_share * (s_s - p_s)))
        after_s = [t - origin.time - s_s for t in picks.foreign_p]
        later = [origin.time + (s_s + t - self.pick_guard_s) for t in after_s if t > self.near_s_s]
        spoilt = any(p_s - s_s + self.pick_guard_s < t < -self.near_s_s for t in after_s)
        return Windows(
            noise=Span(start=start - self.noise_s, end=start),
            signal=Span(start=start, end=min([end, *later])),
            reason="another event's P before S" if spoilt else "",
        )

    def _travel_s(
        self, time: Time, distance_m: float, picks: StationPicks
    ) -> tuple[float, float, bool]:
        """Travel times of P and S, and whether they rest on a pick."""
        p_s = picks.p - time if picks.p else None
        s_s = picks.s - time if picks.s else None
        is_picked = p_s is not None or s_s is not None
        if p_s is None:
            p_s = distance_m / self.p_speed_m_per_s if s_s is None else s_s / self.p_over_s_speed
        if s_s is None:
            s_s = p_s * self.p_over_s_speed
        return p_s, max(s_s, p_s), is_picked


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPicks:
    """Times of a station's picks.

    Args:
        p: of the origin's P arrival.
        s: of the origin's S arrival.
        foreign_p: P picks that are no arrival of the origin.
    """

    p: Time | None = None
    s: Time | None = None
    foreign_p: tuple[Time, ...] = ()


def sort_picks(origin: Origin, picks: Sequence[Pick]) -> dict[StationId, StationPicks]:
    """Picks by station; an arrival that the locator gave no weight does not count as picked."""
    used = {a.pick_id: a.phase for a in origin.arrivals if a.weight > 0}
    known = {a.pick_id for a in origin.arrivals}
    times: dict[StationId, dict[Phase, Time]] = {}
    foreign: dict[StationId, list[Time]] = {}
    for pick in picks:
        station_id = pick.channel_id.station_id
        if pick.id in used:
            times.setdefault(station_id, {}).setdefault(used[pick.id], pick.time)
        elif pick.id not in known and pick.phase is Phase.P:
            foreign.setdefault(station_id, []).append(pick.time)
    return {
        station_id: StationPicks(
            p=times.get(station_id, {}).get(Phase.P),
            s=times.get(station_id, {}).get(Phase.S),
            foreign_p=tuple(sorted(foreign.get(station_id, ()))),
        )
        for station_id in times.keys() | foreign.keys()
    }
