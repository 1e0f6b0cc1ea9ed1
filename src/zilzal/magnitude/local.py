"""Local magnitude ML from simulated Wood–Anderson records, after the IASPEI standard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from zilzal import __version__
from zilzal.core.arrays import Array
from zilzal.core.event import Magnitude, Origin, StationMagnitude
from zilzal.core.geo import distance_m
from zilzal.core.ids import SensorId, StationId, derive_id
from zilzal.core.pick import Pick, Provenance
from zilzal.core.stage import Waveforms
from zilzal.core.station import Channel, Inventory
from zilzal.core.units import km, metres
from zilzal.magnitude.amplitude import CLIPPED, Reading, RecordMethod
from zilzal.magnitude.attenuation import AttenuationLaw, attenuation_law
from zilzal.magnitude.network import contradicted, huber_mean, outliers
from zilzal.magnitude.timing import StationPicks, Timing, sort_picks

_HORIZONTAL_DIP_DEG = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMagnitude:
    """`ML = log10(A) - log10 A0(R) + station correction`, then a robust mean over stations.

    A is the zero-to-peak amplitude of a Wood–Anderson record with gain 2080, and R the
    hypocentral distance. The two horizontals are measured on their own, and each is a datum.

    Args:
        law: name of a built-in attenuation law, or a law of one's own.
        horizontals: "mean" takes the mean of the two components' magnitudes, as the standard's
            independent data; "larger" takes the larger one, as some agencies do.
        station_corrections: to be added, by station code as "CI.CCC".
        below_range: what is done nearer than the law's range: "extrapolate" takes the formula
            as it stands and says so in the result; "reject" does not use such stations.
        maximum_distance_m: hypocentral; the law's own limit holds too.
        maximum_stations: the nearest so many are read, and all with an arrival.
        minimum_snr: amplitude over the largest amplitude of the noise before P.
        outlier_sigmas: robust standard deviations beyond which a station is left out.
        sensor_order: codes of band and instrument, best first; others come after these.
        timing: of the windows.
        record: how a channel is read.

    Raises:
        ConfigError: there is no law of that name.

    Source:
        IASPEI (2013), Summary of magnitude working group recommendations on standard procedures
        for determining earthquake magnitudes from digital data, section 1 (ML).
    """

    law: str | AttenuationLaw = "hutton-boore-1987"
    horizontals: Literal["mean", "larger"] = "mean"
    station_corrections: Mapping[str, float] = field(default_factory=dict[str, float])
    below_range: Literal["extrapolate", "reject"] = "extrapolate"
    maximum_distance_m: float = metres(700)
    maximum_stations: int = 60
    minimum_snr: float = 3.0
    outlier_sigmas: float = 3.0
    sensor_order: tuple[str, ...] = ("HH", "BH", "EH", "SH", "HN", "BN", "EN")
    timing: Timing = field(default_factory=Timing)
    record: RecordMethod = field(default_factory=RecordMethod)

    def __post_init__(self) -> None:
        _ = self.attenuation  # so that a wrong name is told before any work

    @property
    def type(self) -> str:
        """Name of the scale."""
        return "ML"

    @property
    def attenuation(self) -> AttenuationLaw:
        """The law itself.

        Raises:
            ConfigError: there is none of that name.
        """
        return attenuation_law(self.law) if isinstance(self.law, str) else self.law

    def measure(
        self, origin: Origin, picks: Sequence[Pick], waveforms: Waveforms, inventory: Inventory
    ) -> Magnitude:
        """The network's value with all station values, or a Magnitude with a reason.

        Stations without horizontals or without an entry in the inventory are not tried. Picks of
        other events may be among `picks`: they end the windows.
        """
        by_station = sort_picks(origin, picks)
        law = self.attenuation
        stations: list[_StationResult] = []
        for site in self._sites(origin, waveforms, inventory):
            station_picks = by_station.get(site.station_id, StationPicks())
            stations.append(self._station(origin, site, station_picks, waveforms))
        return self._network(origin, law, stations)

    def _sites(self, origin: Origin, waveforms: Waveforms, inventory: Inventory) -> list[_Site]:
        """Stations to read, nearest first."""
        sites = _horizontal_sites(origin, waveforms, inventory)
        limit_m = min(self.maximum_distance_m, self.attenuation.maximum_m)
        near = [site for site in sites if site.distance_m <= limit_m]
        arrived = {arrival.station_id for arrival in origin.arrivals}
        return [
            site
            for rank, site in enumerate(near)
            if rank < self.maximum_stations or site.station_id in arrived
        ]

    def _station(
        self, origin: Origin, site: _Site, picks: StationPicks, waveforms: Waveforms
    ) -> _StationResult:
        """The first sensor that can be read; else the first one's reason."""
        windows = self.timing.windows(origin, site.distance_m, picks)
        first: _StationResult | None = None
        for sensor_id in sorted(site.sensors, key=self._preference):
            readings = [
                self.record.read(channel, windows, waveforms) for channel in site.sensors[sensor_id]
            ]
            result = self._combine(site, readings)
            if not result.value.reason:
                return result
            first = first or result
        assert first is not None
        return first

    def _preference(self, sensor_id: SensorId) -> tuple[int, SensorId]:
        order = self.sensor_order
        rank = order.index(sensor_id.band) if sensor_id.band in order else len(order)
        return rank, sensor_id

    def _combine(self, site: _Site, readings: Sequence[Reading]) -> _StationResult:
        """One sensor's components to a station magnitude."""
        read = [r for r in readings if r.amplitude_m is not None]
        bad = next((r for r in readings if r.reason == CLIPPED), None)
        if bad is not None or not read:
            bad = bad or readings[0]
            value = _empty(bad, site.distance_m, self.type)
            return _StationResult(value=value, is_flat=False)
        largest = max(read, key=lambda r: r.amplitude_m or 0)
        used = read if self.horizontals == "mean" else [largest]
        amplitude_m = _geometric_mean(r.amplitude_m or 0 for r in used)
        snr = _geometric_mean(r.snr or 0 for r in used)
        value = replace(
            _empty(largest, site.distance_m, self.type),
            amplitude_m=amplitude_m,
            period_s=largest.period_s,
            snr=snr,
            reason=self._reason_against(snr, site.distance_m),
        )
        if not value.reason:
            value = replace(value, magnitude=self._limit(value))
        return _StationResult(value=value, is_flat=all(r.is_flat for r in used))

    def _reason_against(self, snr: float, distance_m: float) -> str:
        law = self.attenuation
        if snr < self.minimum_snr:
            return f"weak: {snr:.1f} times the noise, at least {self.minimum_snr:g} is needed"
        if self.below_range == "reject" and distance_m < law.minimum_m:
            return f"nearer than {km(law.minimum_m):g} km, where {law.name} starts"
        return ""

    def _limit(self, station: StationMagnitude) -> float:
        """The largest magnitude that a station's record leaves room for; NaN if it was not read."""
        if station.amplitude_m is None:
            return np.nan
        correction = self.station_corrections.get(str(station.channel_id.station_id), 0.0)
        return correction + float(
            self.attenuation.magnitude(station.amplitude_m, station.distance_m)
        )

    def _network(
        self, origin: Origin, law: AttenuationLaw, stations: Sequence[_StationResult]
    ) -> Magnitude:
        """The network's value of stations in order of distance."""
        values = np.array([_or_nan(r.value.magnitude) for r in stations])
        limits = np.array([self._limit(r.value) for r in stations])
        reasons = self._refusals(values, limits)
        kept = [n for n, why in enumerate(reasons) if not why and np.isfinite(values[n])]
        mean = huber_mean(values[kept]) if kept else None
        value = round(mean.value, 4) if mean else None
        used = [stations[n] for n in kept]
        return Magnitude(
            id=derive_id("magnitude", origin.id, self.type, law.name, value, len(kept)),
            origin_id=origin.id,
            magnitude=value,
            type=self.type,
            uncertainty=mean.standard_error if mean else None,
            station_magnitudes=tuple(
                _judge(r.value, why, mean.value if mean else None)
                for r, why in zip(stations, reasons, strict=True)
            ),
            reason=_caveats(used, law) if used else _why_none(stations, reasons),
            provenance=Provenance(method="local", version=__version__, model=law.name),
        )

    def _refusals(
        self, values: Float[Array, " station"], limits: Float[Array, " station"]
    ) -> list[str]:
        """Why station magnitudes are left out of the mean; "" for the others."""
        reasons = [""] * len(values)
        spoilt = contradicted(values, limits, sigmas=self.outlier_sigmas)
        for number in np.flatnonzero(spoilt):
            reasons[number] = "larger than nearer stations allow: another event's waves?"
        left = np.flatnonzero(np.isfinite(values) & ~spoilt)
        for number in left[outliers(values[left], sigmas=self.outlier_sigmas)]:
            reasons[number] = "outlier among the stations"
        return reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    station_id: StationId
    distance_m: float
    sensors: Mapping[SensorId, tuple[Channel, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StationResult:
    value: StationMagnitude
    is_flat: bool


def _horizontal_sites(origin: Origin, waveforms: Waveforms, inventory: Inventory) -> list[_Site]:
    """Stations with horizontals that have waveforms, nearest first."""
    channels: dict[StationId, list[Channel]] = {}
    for channel_id in waveforms.channel_ids():
        channel = inventory.channel(channel_id, origin.time)
        if channel is not None and _is_horizontal(channel):
            channels.setdefault(channel_id.station_id, []).append(channel)
    sites: list[_Site] = []
    for station_id, members in channels.items():
        sensors: dict[SensorId, tuple[Channel, ...]] = {}
        for channel in sorted(members, key=lambda c: c.channel_id):
            sensor_id = channel.channel_id.sensor_id
            sensors[sensor_id] = (*sensors.get(sensor_id, ()), channel)
        distance = hypocentral_m(origin, members[0])
        sites.append(_Site(station_id=station_id, distance_m=distance, sensors=sensors))
    return sorted(sites, key=lambda site: (site.distance_m, site.station_id))


def hypocentral_m(origin: Origin, channel: Channel) -> float:
    """Straight distance from the source to a sensor at its elevation [m]; not less than 100 m.

    The curvature of the earth is left out: below 0.1 % within 700 km.
    """
    flat_m = distance_m(origin.latitude, origin.longitude, channel.latitude, channel.longitude)
    height_m = origin.depth_m + channel.sensor_elevation_m
    return max(float(np.hypot(flat_m, height_m)), 100.0)


def _is_horizontal(channel: Channel) -> bool:
    if channel.dip_deg is not None:
        return abs(channel.dip_deg) <= _HORIZONTAL_DIP_DEG
    return channel.channel_id.component in "NE12"


def _geometric_mean(values: Iterable[float]) -> float:
    """As the mean of magnitudes is the logarithm of one."""
    listed = list(values)
    return float(np.prod(listed) ** (1 / len(listed)))


def _empty(reading: Reading, distance_m: float, type_: str) -> StationMagnitude:
    return StationMagnitude(
        channel_id=reading.channel_id,
        magnitude=None,
        type=type_,
        amplitude_m=None,
        period_s=None,
        distance_m=distance_m,
        snr=None,
        reason=reading.reason,
    )


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _judge(value: StationMagnitude, refusal: str, network: float | None) -> StationMagnitude:
    if value.magnitude is None:
        return value
    if refusal:
        return replace(value, reason=refusal)
    return replace(value, residual=None if network is None else value.magnitude - network)


def _caveats(kept: Sequence[_StationResult], law: AttenuationLaw) -> str:
    """What a reader of the value should know."""
    n = len(kept)
    flat = sum(r.is_flat for r in kept)
    near = sum(r.value.distance_m < law.minimum_m for r in kept)
    notes: list[str] = []
    if flat:
        notes.append(f"flat responses assumed at {flat} of {n} stations")
    if near:
        notes.append(
            f"{law.name} extrapolated below {km(law.minimum_m):g} km at {near} of {n} stations"
        )
    return "; ".join(notes)


def _why_none(stations: Sequence[_StationResult], refusals: Sequence[str]) -> str:
    if not stations:
        return "no station with horizontals, waveforms and an entry in the inventory in range"
    counts: dict[str, int] = {}
    for result, refusal in zip(stations, refusals, strict=True):
        short = (result.value.reason or refusal).split(":")[0]
        counts[short] = counts.get(short, 0) + 1
    return "no usable station: " + ", ".join(f"{short} ({n})" for short, n in counts.items())
