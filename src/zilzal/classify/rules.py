"""Noise or event by rules that a person can follow; quarry blasts only where a site is stated.

Each criterion adds to the log-odds that the event is real: its full weight at a good value, as
much against at a poor one, in proportion between, nothing where it could not be measured. The
weights are judgement, not fitted; each is named and can be set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from types import MappingProxyType

import numpy as np

from zilzal import __version__
from zilzal.core.event import Classification, EventType, Magnitude, Origin, Unlocated
from zilzal.core.geo import coordinates, distance_m
from zilzal.core.ids import ChannelId, StationId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.stage import Evidence
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.core.units import km, metres

NOISE = "noise"
EARTHQUAKE = "earthquake"
BLAST = "quarry blast"

_TYPES = {
    NOISE: EventType.NOT_EXISTING,
    EARTHQUAKE: EventType.EARTHQUAKE,
    BLAST: EventType.QUARRY_BLAST,
}
_LIVE_SPAN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """How a measured value speaks for or against an event.

    Args:
        poor: value that speaks fully against it; may be larger than `good`.
        good: value that speaks fully for it.
        weight: natural logarithm of the odds that it adds at most.
    """

    poor: float
    good: float
    weight: float

    def log_odds(self, value: float) -> float:
        """What a value adds."""
        place = (value - self.poor) / (self.good - self.poor)
        return self.weight * (2 * min(max(place, 0.0), 1.0) - 1)


CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        # Picks of noise that agree by chance are few, uncertain, and scattered over the network.
        "stations": Criterion(poor=3, good=8, weight=1.5),
        "mean pick probability": Criterion(poor=0.3, good=0.7, weight=1.5),
        "share of stations with S": Criterion(poor=0.0, good=0.4, weight=1.0),
        "share of nearest stations with a pick": Criterion(poor=0.3, good=0.7, weight=2.0),
        "share of picks used by the locator": Criterion(poor=0.5, good=0.9, weight=1.0),
        "rms residual in s": Criterion(poor=1.0, good=0.4, weight=1.0),
        "share of amplitudes above noise": Criterion(poor=0.2, good=0.7, weight=1.0),
    }
)
"""The criteria and their defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastSite:
    """A quarry or mine, and when it blasts.

    Args:
        name: for the reason.
        latitude: of its middle.
        longitude: of its middle.
        radius_m: events whose 68 % ellipse may reach so near are suspected.
        start_hour: of the day, UTC, 0 to 24.
        end_hour: of the day, UTC; smaller than the start where midnight lies between.
        weekdays: 0 is Monday.
        maximum_depth_m: less one standard deviation the event must not be deeper.
        maximum_magnitude: larger events are no blasts.
        probability: that a real event which fits all this is a blast.
    """

    name: str
    latitude: float
    longitude: float
    radius_m: float
    start_hour: float
    end_hour: float
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    maximum_depth_m: float = 3_000.0
    maximum_magnitude: float = 3.0
    probability: float = 0.8

    def fits(self, origin: Origin, magnitudes: Sequence[Magnitude]) -> bool:
        """Whether an event may be one of this site's blasts."""
        away_m = float(distance_m(self.latitude, self.longitude, origin.latitude, origin.longitude))
        shallowest_m = origin.depth_m - origin.depth_uncertainty_m
        size = next((m.magnitude for m in magnitudes if m.magnitude is not None), None)
        return (
            away_m - origin.ellipse.semi_major_m <= self.radius_m
            and (origin.depth_fixed or shallowest_m <= self.maximum_depth_m)
            and (size is None or size <= self.maximum_magnitude)
            and self._blasts_at(origin.time)
        )

    def _blasts_at(self, time: Time) -> bool:
        moment = time.to_datetime()
        hour = moment.hour + moment.minute / 60 + moment.second / 3_600
        if self.start_hour <= self.end_hour:
            in_hours = self.start_hour <= hour < self.end_hour
        else:
            in_hours = hour >= self.start_hour or hour < self.end_hour
        return in_hours and moment.weekday() in self.weekdays


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleClassifier:
    """Noise, earthquake, or blast at a stated site, with probabilities that add up to one.

    `log-odds(real) = log-odds(prior) + sum of the criteria`. Where a blast site fits, the real
    event's probability is split between blast and earthquake by the site's own probability.

    Args:
        prior: probability that an associated and located event is real, before looking.
        unlocated_prior: the same where location failed.
        decision: the type is told where its probability reaches this; else "not reported".
        minimum_snr: from which an amplitude counts as above noise.
        coverage_speed_m_per_s: of P, to look for data at silent stations when it came.
        criteria: by name; defaults for those not given, weight 0 to leave one out.
        blast_sites: none means that no blast is ever suspected.
    """

    prior: float = 0.8
    unlocated_prior: float = 0.3
    decision: float = 0.7
    minimum_snr: float = 3.0
    coverage_speed_m_per_s: float = metres(6)
    criteria: Mapping[str, Criterion] = field(default_factory=dict[str, Criterion])
    blast_sites: tuple[BlastSite, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(self.criteria) - set(CRITERIA)
        if unknown:
            raise ValueError(f"no such criteria: {sorted(unknown)}; there are {list(CRITERIA)}")

    def classify(self, evidence: Evidence) -> Classification:
        """The most probable class, "not reported" where none is probable enough."""
        values = self._measure(evidence)
        criteria = {**CRITERIA, **self.criteria}
        terms = {name: criteria[name].log_odds(value) for name, value in values.items()}
        is_located = isinstance(evidence.origin, Origin)
        prior = self.prior if is_located else self.unlocated_prior
        real = 1 / (1 + exp(-log(prior / (1 - prior)) - sum(terms.values())))
        site = self._blast_site(evidence)
        blast = site.probability * real if site else 0.0
        probabilities = {EARTHQUAKE: real - blast, NOISE: 1 - real, BLAST: blast}
        label = max(probabilities, key=lambda name: probabilities[name])
        is_told = probabilities[label] >= self.decision
        return Classification(
            event_type=_TYPES[label] if is_told else EventType.NOT_REPORTED,
            label=label,
            probability=probabilities[label],
            probabilities=probabilities,
            reason=_reason(evidence.origin, values, terms, site),
            provenance=Provenance(method="rules", version=__version__),
        )

    def _blast_site(self, evidence: Evidence) -> BlastSite | None:
        origin = evidence.origin
        if isinstance(origin, Unlocated):
            return None
        fitting = [s for s in self.blast_sites if s.fits(origin, evidence.magnitudes)]
        return max(fitting, key=lambda site: site.probability, default=None)

    def _measure(self, evidence: Evidence) -> dict[str, float]:
        """The criteria that can be measured."""
        values: dict[str, float] = {}
        stations = {p.channel_id.station_id for p in evidence.picks}
        values["stations"] = len(stations)
        if evidence.picks:
            values["mean pick probability"] = float(
                np.mean([p.probability for p in evidence.picks])
            )
            values["share of stations with S"] = _share_with_s(evidence.picks, stations)
        if isinstance(evidence.origin, Origin):
            values |= self._measure_origin(evidence.origin, evidence, stations)
        return values

    def _measure_origin(
        self, origin: Origin, evidence: Evidence, stations: set[StationId]
    ) -> dict[str, float]:
        values = {"rms residual in s": origin.rms_s}
        if origin.arrivals:
            used = [a.weight > 0 for a in origin.arrivals]
            values["share of picks used by the locator"] = float(np.mean(used))
        near = self._nearest_share(origin, evidence, stations)
        if near is not None:
            values["share of nearest stations with a pick"] = near
        ratios = _signal_to_noise(evidence.magnitudes, stations)
        if ratios:
            share = float(np.mean([ratio >= self.minimum_snr for ratio in ratios]))
            values["share of amplitudes above noise"] = share
        return values

    def _nearest_share(
        self, origin: Origin, evidence: Evidence, picked: set[StationId]
    ) -> float | None:
        """Of as many nearest stations as have picks, those that do have one.

        A station that had no data when P came is passed over. None with fewer than three.
        """
        if len(picked) < 3:
            return None
        channels: dict[StationId, ChannelId] = {}
        for channel_id in evidence.waveforms.channel_ids():
            channels.setdefault(channel_id.station_id, channel_id)
        seen = 0
        looked = 0
        for station, away_m in _by_distance(origin, evidence.inventory):
            if looked == len(picked):
                break
            if station.station_id in picked:
                seen, looked = seen + 1, looked + 1
            elif station.station_id in channels:
                start = origin.time + away_m / self.coverage_speed_m_per_s
                pieces = evidence.waveforms.read(
                    channels[station.station_id], start, start + _LIVE_SPAN_S
                )
                looked += bool(pieces)
        return seen / looked if looked else None


def _share_with_s(picks: Sequence[Pick], stations: set[StationId]) -> float:
    with_s = {p.channel_id.station_id for p in picks if p.phase is Phase.S}
    return len(with_s) / len(stations)


def _by_distance(origin: Origin, inventory: Inventory) -> list[tuple[Station, float]]:
    """Stations alive at the origin time with their epicentral distance, nearest first."""
    stations = inventory.stations(origin.time)
    away_m = distance_m(origin.latitude, origin.longitude, *coordinates(stations))
    pairs = zip(stations, away_m.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (pair[1], pair[0].station_id))


def _signal_to_noise(magnitudes: Sequence[Magnitude], stations: set[StationId]) -> list[float]:
    """Of the stations with picks, on the first scale that measured any."""
    for magnitude in magnitudes:
        ratios = [
            s.snr
            for s in magnitude.station_magnitudes
            if s.snr is not None and s.channel_id.station_id in stations
        ]
        if ratios:
            return ratios
    return []


def _reason(
    origin: Origin | Unlocated,
    values: Mapping[str, float],
    terms: Mapping[str, float],
    site: BlastSite | None,
) -> str:
    """What told it, the strongest first."""
    parts: list[str] = []
    if isinstance(origin, Unlocated):
        parts.append(f"not located: {origin.reason}")
    if site:
        parts.append(f"fits blasts at {site.name} (within {km(site.radius_m):g} km)")
    ordered = sorted(terms, key=lambda name: -abs(terms[name]))
    for heading, sign in (("for an event", 1), ("against it", -1)):
        told = [f"{name} {values[name]:.3g}" for name in ordered if sign * terms[name] > 0]
        if told:
            parts.append(f"{heading}: {', '.join(told)}")
    return "; ".join(parts)
