"""From a scenario to stations, events and arrivals: all but the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zilzal.core.errors import ConfigError
from zilzal.core.event import EventType
from zilzal.core.geo import azimuth_deg, coordinates, displace, distance_m
from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.pick import Phase, Polarity
from zilzal.core.station import Channel, Inventory, Response, Station
from zilzal.synth.fault import Fault, clock_error_s, plan_faults
from zilzal.synth.instrument import response_of
from zilzal.synth.noise import NoiseChannel, NoiseLevel
from zilzal.synth.path import Medium
from zilzal.synth.scenario import PlannedEvent, Scenario, Site
from zilzal.synth.seed import generator
from zilzal.synth.source import draw_mechanism, moment_of_local_magnitude, radiate
from zilzal.synth.truth import TrueArrival, TrueEvent
from zilzal.travel import built_in, first_arrivals

TYPES = (EventType.EARTHQUAKE, EventType.QUARRY_BLAST)
STRESS_DROP_SPREAD = 0.2
"""Standard deviation of log10 of the stress drops."""
KAPPA_SPREAD = 0.12
"""Standard deviation of log10 of the stations' kappas."""
WORK_H = (8, 17)
"""Local time in which blasts are fired."""
N_OCTAVES = 6
"""Of the sites' amplification; see `seismogram.BAND_CENTRES_HZ`."""
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticStation:
    """A station with what is under it.

    Args:
        station: its place.
        sensor_id: what stands there.
        components: of the sensor, in the order of its channels.
        azimuth_deg: of the component N or 1.
        sampling_rate: samples per second.
        response: of the sensor.
        amplification: by the site, in the octaves around 1, 2, 4, 8, 16 and 32 Hz.
        kappa_s: absorption of S under the site.
        delay_s: of P; positive is late.
        noise_level: between Peterson's models.
    """

    station: Station
    sensor_id: SensorId
    components: str
    azimuth_deg: float
    sampling_rate: float
    response: Response
    amplification: tuple[float, ...]
    kappa_s: float
    delay_s: float
    noise_level: float

    @property
    def channel_ids(self) -> tuple[ChannelId, ...]:
        """Its channels."""
        return tuple(self.sensor_id.channel_id(c) for c in self.components)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticNetwork:
    """A network, what happens to it, and when it is seen where.

    Args:
        scenario: what it was made from.
        medium: rock of the amplitudes.
        stations: in order of code.
        inventory: the same as any program reads it.
        events: in order of time.
        arrivals: by event, station, P before S; of all stations, visible or not.
        faults: in order of time.
    """

    scenario: Scenario
    medium: Medium
    stations: tuple[SyntheticStation, ...]
    inventory: Inventory
    events: tuple[TrueEvent, ...]
    arrivals: tuple[TrueArrival, ...]
    faults: tuple[Fault, ...]

    def station(self, station_id: StationId) -> SyntheticStation:
        """The station of a code; KeyError if there is none."""
        return {s.station.station_id: s for s in self.stations}[station_id]

    def arrivals_at(
        self, event_number: int, station_number: int
    ) -> tuple[TrueArrival, TrueArrival]:
        """P and S of an event at a station, by their numbers in `events` and `stations`."""
        start = 2 * (event_number * len(self.stations) + station_number)
        return self.arrivals[start], self.arrivals[start + 1]

    def noise_channel(self, channel_id: ChannelId) -> NoiseChannel:
        """What the noise of a channel depends on."""
        station, plan = self.station(channel_id.station_id), self.scenario.noise
        return NoiseChannel(
            seed=self.scenario.seed,
            name=str(channel_id),
            sampling_rate=station.sampling_rate,
            response=station.response,
            level=NoiseLevel(
                level=station.noise_level,
                horizontal_db=0.0 if channel_id.component == "Z" else 8.0,
                cultural_db=plan.cultural_db,
                utc_offset_h=plan.utc_offset_h,
            ),
        )


def build_network(scenario: Scenario, *, medium: Medium | None = None) -> SyntheticNetwork:
    """Draw what the scenario leaves open; the same scenario gives the same network.

    Raises:
        ConfigError: an event's type, a sensor's band, or a fault's kind or station is not known.
    """
    medium = medium or Medium()
    sites = scenario.sites or _draw_sites(scenario)
    stations = tuple(
        sorted(
            (_build_station(scenario, medium, site) for site in sites),
            key=lambda s: s.station.station_id,
        )
    )
    planned = sorted((*scenario.events, *_draw_events(scenario)), key=lambda e: e.after_s)
    events = tuple(_build_event(scenario, medium, plan, i) for i, plan in enumerate(planned))
    faults = plan_faults(scenario, [s.station.station_id for s in stations])
    arrivals = tuple(
        arrival for event in events for arrival in _arrivals_of(scenario, event, stations, faults)
    )
    return SyntheticNetwork(
        scenario=scenario,
        medium=medium,
        stations=stations,
        inventory=Inventory.of(c for s in stations for c in _channels(s)),
        events=events,
        arrivals=arrivals,
        faults=faults,
    )


def _draw_sites(scenario: Scenario) -> tuple[Site, ...]:
    """A sunflower's pattern, shaken: even cover without rows."""
    plan = scenario.network
    rng = generator(scenario.seed, "sites")
    spacing_m = plan.aperture_m / np.sqrt(plan.n_stations) / 2
    number = np.arange(plan.n_stations)
    radius_m = plan.aperture_m / 2 * np.sqrt((number + 0.5) / plan.n_stations)
    angle = number * GOLDEN_ANGLE + rng.uniform(0, 2 * np.pi)
    shake = rng.uniform(-0.3, 0.3, (2, plan.n_stations)) * spacing_m
    elevation_m = rng.uniform(plan.lowest_m, plan.highest_m, plan.n_stations)
    return tuple(
        Site(
            code=f"S{i + 1:02d}",
            east_m=float(radius_m[i] * np.sin(angle[i]) + shake[0, i]),
            north_m=float(radius_m[i] * np.cos(angle[i]) + shake[1, i]),
            elevation_m=float(np.round(elevation_m[i])),
        )
        for i in number
    )


def _build_station(scenario: Scenario, medium: Medium, site: Site) -> SyntheticStation:
    plan, noise = scenario.network, scenario.noise
    rng = generator(scenario.seed, "station", site.code)
    latitude, longitude = displace(scenario.latitude, scenario.longitude, site.east_m, site.north_m)
    level = float(np.clip(rng.normal(noise.level, noise.level_spread), 0, 1))
    return SyntheticStation(
        station=Station(StationId(plan.network, site.code), latitude, longitude, site.elevation_m),
        sensor_id=SensorId(plan.network, site.code, "", site.band),
        components=site.components,
        azimuth_deg=site.azimuth_deg,
        sampling_rate=site.sampling_rate or scenario.sampling_rate,
        response=response_of(site.band),
        amplification=_draw_amplification(rng, plan.site_spread),
        kappa_s=float(medium.kappa_s * 10 ** rng.normal(0, KAPPA_SPREAD)),
        delay_s=float(rng.normal(0, plan.delay_spread_s)),
        noise_level=level if site.noise_level is None else site.noise_level,
    )


def _draw_amplification(rng: np.random.Generator, spread: float) -> tuple[float, ...]:
    """Half of the variance is common to all octaves, half their own."""
    logarithm = rng.normal(0, spread, 1 + N_OCTAVES) / np.sqrt(2)
    return tuple(float(x) for x in 10 ** (logarithm[0] + logarithm[1:]))


def _channels(station: SyntheticStation) -> list[Channel]:
    # Azimuth beyond that of N or 1, and dip, by component letter.
    turn = {"Z": (0.0, -90.0), "N": (0.0, 0.0), "1": (0.0, 0.0), "E": (90.0, 0.0), "2": (90.0, 0.0)}
    return [
        Channel(
            channel_id=channel_id,
            latitude=station.station.latitude,
            longitude=station.station.longitude,
            elevation_m=station.station.elevation_m,
            azimuth_deg=0.0
            if channel_id.component == "Z"
            else (station.azimuth_deg + turn[channel_id.component][0]) % 360,
            dip_deg=turn[channel_id.component][1],
            sampling_rate=station.sampling_rate,
            response=station.response,
        )
        for channel_id in station.channel_ids
    ]


def _draw_events(scenario: Scenario) -> list[PlannedEvent]:
    plan = scenario.seismicity
    rng = generator(scenario.seed, "seismicity")
    n = int(rng.poisson(plan.rate_per_hour * scenario.duration_s / 3_600))
    # Gutenberg–Richter cut at the largest magnitude, by inversion.
    kept = 1 - 10 ** (-plan.b_value * (plan.largest - plan.smallest))
    magnitude = plan.smallest - np.log10(1 - rng.random(n) * kept) / plan.b_value
    after_s = rng.uniform(0, scenario.duration_s, n)
    radius_m = plan.radius_m * np.sqrt(rng.random(n))
    angle = rng.uniform(0, 2 * np.pi, n)
    depth_m = rng.uniform(plan.shallowest_m, plan.deepest_m, n)
    hour = (scenario.start.ns / 3.6e12 + after_s / 3_600 + scenario.noise.utc_offset_h) % 24
    at_work = (hour >= WORK_H[0]) & (hour < WORK_H[1])
    is_blast = at_work & (rng.random(n) < plan.blast_share)
    return [
        PlannedEvent(
            after_s=float(after_s[i]),
            east_m=float(radius_m[i] * np.sin(angle[i])),
            north_m=float(radius_m[i] * np.cos(angle[i])),
            depth_m=0.0 if is_blast[i] else float(depth_m[i]),
            magnitude=float(magnitude[i]),
            type=TYPES[int(is_blast[i])].value,
        )
        for i in range(n)
    ]


def _build_event(scenario: Scenario, medium: Medium, plan: PlannedEvent, number: int) -> TrueEvent:
    if plan.type not in TYPES:
        raise ConfigError(f"no event of type {plan.type!r}; known are {[*map(str, TYPES)]}")
    rng = generator(scenario.seed, "event", number)
    latitude, longitude = displace(scenario.latitude, scenario.longitude, plan.east_m, plan.north_m)
    event_type = EventType(plan.type)
    return TrueEvent(
        id=f"true-{number + 1:04d}",
        time=scenario.start + plan.after_s,
        latitude=latitude,
        longitude=longitude,
        depth_m=plan.depth_m,
        magnitude=plan.magnitude,
        event_type=event_type,
        moment_n_m=moment_of_local_magnitude(plan.magnitude),
        stress_drop_pa=float(medium.stress_drop_pa * 10 ** rng.normal(0, STRESS_DROP_SPREAD)),
        mechanism=draw_mechanism(rng) if event_type is EventType.EARTHQUAKE else None,
    )


def _arrivals_of(
    scenario: Scenario,
    event: TrueEvent,
    stations: tuple[SyntheticStation, ...],
    faults: tuple[Fault, ...],
) -> list[TrueArrival]:
    places = [s.station for s in stations]
    latitude, longitude = coordinates(places)
    apart_m = distance_m(event.latitude, event.longitude, latitude, longitude)
    azimuth = azimuth_deg(event.latitude, event.longitude, latitude, longitude)
    rays = {
        phase: first_arrivals(
            built_in(scenario.earth_model),
            phase,
            elevation_m=np.array([p.elevation_m for p in places]),
            distance_m=apart_m,
            depth_m=event.depth_m,
        )
        for phase in Phase
    }
    arrivals: list[TrueArrival] = []
    for i, station in enumerate(stations):
        own = [f for f in faults if f.station_id == station.station.station_id]
        for phase in (Phase.P, Phase.S):
            late_s = station.delay_s * (1 if phase is Phase.P else np.sqrt(3))
            time = event.time + (float(rays[phase].time_s[i]) + late_s)
            takeoff = float(rays[phase].takeoff_angle_deg[i])
            arrivals.append(
                TrueArrival(
                    event_id=event.id,
                    station_id=station.station.station_id,
                    phase=phase,
                    time=time,
                    stamped_time=time + clock_error_s(own, time),
                    distance_m=float(apart_m[i]),
                    azimuth_deg=float(azimuth[i]),
                    takeoff_angle_deg=takeoff,
                    slowness_s_per_m=float(rays[phase].slowness_s_per_m[i]),
                    polarity=_polarity(event, float(azimuth[i]), takeoff)
                    if phase is Phase.P
                    else None,
                )
            )
    return arrivals


def _polarity(event: TrueEvent, azimuth: float, takeoff: float) -> Polarity:
    if event.mechanism is None:
        return Polarity.POSITIVE
    is_up = radiate(event.mechanism, azimuth, takeoff)[0] > 0
    return Polarity.POSITIVE if is_up else Polarity.NEGATIVE
