"""What a synthetic network is to be, in a handful of lines of TOML.

All places are metres east and north of the centre, all times are seconds after the start.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from typing import Any

from zilzal.core.errors import ConfigError, FormatError
from zilzal.core.event import EventType
from zilzal.core.time import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A station placed by hand.

    Args:
        code: of the station.
        east_m: of the centre.
        north_m: of the centre.
        elevation_m: above sea level.
        band: HH or BH (broadband), EH or SH (1 Hz geophone), HN (accelerometer).
        components: of the sensor, as "ZNE", "Z12" or "Z".
        azimuth_deg: of the component N or 1, clockwise from north.
        sampling_rate: None takes the scenario's.
        noise_level: None draws it.
    """

    code: str
    east_m: float
    north_m: float
    elevation_m: float = 0.0
    band: str = "HH"
    components: str = "ZNE"
    azimuth_deg: float = 0.0
    sampling_rate: float | None = None
    noise_level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """Where stations stand if they are not placed by hand.

    Args:
        network: code.
        n_stations: how many.
        aperture_m: diameter of the disc that they are spread over, evenly but not on a grid.
        lowest_m: least elevation.
        highest_m: greatest elevation.
        site_spread: standard deviation of log10 of the stations' amplification.
        delay_spread_s: standard deviation of the stations' P delays; S delays are sqrt(3) times.
    """

    network: str = "SY"
    n_stations: int = 12
    aperture_m: float = 60_000.0
    lowest_m: float = 200.0
    highest_m: float = 900.0
    site_spread: float = 0.15
    delay_spread_s: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Seismicity:
    """Events drawn at random: Poisson in time, Gutenberg–Richter in magnitude.

    Args:
        rate_per_hour: of events of at least the smallest magnitude.
        b_value: slope.
        smallest: local magnitude.
        largest: local magnitude; the distribution is cut there.
        radius_m: of the disc of epicentres.
        shallowest_m: least depth.
        deepest_m: greatest depth.
        blast_share: share of the events in working hours (8 to 17 h local time) that are quarry
            blasts, at the surface.
    """

    rate_per_hour: float = 0.0
    b_value: float = 1.0
    smallest: float = 0.8
    largest: float = 4.0
    radius_m: float = 20_000.0
    shallowest_m: float = 2_000.0
    deepest_m: float = 14_000.0
    blast_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """An event set by hand.

    Args:
        after_s: origin time.
        east_m: of the centre.
        north_m: of the centre.
        depth_m: below sea level.
        magnitude: local.
        type: "earthquake" or "quarry blast".
    """

    after_s: float
    east_m: float
    north_m: float
    depth_m: float
    magnitude: float
    type: str = EventType.EARTHQUAKE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTeleseism:
    """Long waves of a distant earthquake, which cross the network as a plane wave.

    Args:
        after_s: arrival at the centre.
        azimuth_deg: that they travel to, clockwise from north.
        amplitude_m_per_s: largest ground velocity, about.
        apparent_velocity_m_per_s: along the surface.
    """

    after_s: float
    azimuth_deg: float = 60.0
    amplitude_m_per_s: float = 2e-6
    apparent_velocity_m_per_s: float = 15_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePlan:
    """What is there when nothing happens.

    Args:
        level: 0 is Peterson's low-noise model, 1 his high-noise model; between them in dB.
        level_spread: standard deviation of the stations' levels.
        cultural_db: how much louder than at night it is above 1 Hz in the afternoon.
        utc_offset_h: local time minus UTC.
        bursts_per_hour: footsteps, cars, machines: short noise above 4 Hz, at each station.
    """

    level: float = 0.45
    level_spread: float = 0.06
    cultural_db: float = 8.0
    utc_offset_h: float = 1.0
    bursts_per_hour: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """Faults drawn at random, each per station and hour.

    Args:
        gaps: of telemetry, 1 to 30 s, all components.
        spikes: single samples, one component.
        glitches: jumps of the sensor that decay over a minute, one component.
    """

    gaps: float = 0.0
    spikes: float = 0.0
    glitches: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault set by hand; see `synth.fault` for the kinds.

    Args:
        kind: gap, dead, zero, clock, spike or glitch.
        station: code.
        after_s: first instant.
        duration_s: how long.
        components: which, as "Z"; empty means all.
        value: seconds for clock, counts for spike and glitch.
    """

    kind: str
    station: str
    after_s: float
    duration_s: float = 0.0
    components: str = ""
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A synthetic network's plan.

    Args:
        name: for people.
        seed: of everything that is drawn.
        start: of the recording.
        duration_s: of the recording.
        latitude: of the centre.
        longitude: of the centre.
        sampling_rate: of sites that do not say their own.
        earth_model: name of the built-in model that waves travel in.
        network: stations drawn at random, unless `sites` has any.
        sites: stations set by hand.
        seismicity: events drawn at random.
        events: events set by hand.
        teleseisms: set by hand.
        noise: everywhere.
        fault_rates: drawn at random.
        faults: set by hand.
    """

    name: str
    seed: int
    start: Time
    duration_s: float
    latitude: float
    longitude: float
    sampling_rate: float = 100.0
    earth_model: str = "hadley-kanamori"
    network: NetworkPlan = NetworkPlan()
    sites: tuple[Site, ...] = ()
    seismicity: Seismicity = Seismicity()
    events: tuple[PlannedEvent, ...] = ()
    teleseisms: tuple[PlannedTeleseism, ...] = ()
    noise: NoisePlan = NoisePlan()
    fault_rates: FaultRates = FaultRates()
    faults: tuple[PlannedFault, ...] = ()

    @property
    def end(self) -> Time:
        """Of the recording, exclusive."""
        return self.start + self.duration_s


_TABLES: Mapping[str, type] = {
    "network": NetworkPlan,
    "seismicity": Seismicity,
    "noise": NoisePlan,
    "fault_rates": FaultRates,
}
_LISTS: Mapping[str, type] = {
    "sites": Site,
    "events": PlannedEvent,
    "teleseisms": PlannedTeleseism,
    "faults": PlannedFault,
}


def parse_scenario(text: str) -> Scenario:
    """Read a scenario from TOML; tables and keys are named as the dataclasses' fields.

    Raises:
        ConfigError: TOML that cannot be read, or keys that are unknown or missing: all at once.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the scenario is not TOML: {error}") from error
    problems: list[str] = []
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key in _TABLES:
            values[key] = build_table(_TABLES[key], value, f"[{key}]", problems)
        elif key in _LISTS:
            values[key] = tuple(
                build_table(_LISTS[key], row, f"[[{key}]] {i}", problems)
                for i, row in enumerate(value, start=1)
            )
        else:
            values[key] = value
    try:
        if "start" in values:
            values["start"] = Time.parse(str(values["start"]))
    except FormatError as error:
        problems.append(f"start: {error}")
    scenario = build_table(Scenario, values, "the scenario", problems)
    if problems or scenario is None:
        raise ConfigError("; ".join(problems))
    return scenario


def build_table(kind: type, values: object, where: str, problems: list[str]) -> Any:
    """An instance of a dataclass from a table of TOML, or None after noting what is wrong.

    Args:
        kind: the dataclass.
        values: the table.
        where: what it is called in a message.
        problems: gets the messages.
    """
    if not isinstance(values, dict):
        problems.append(f"{where} is {values!r}, not a table")
        return None
    known = {field.name for field in fields(kind)}
    unknown = sorted(set(values) - known)
    problems.extend(f"{where} has no key {key!r}; known are {sorted(known)}" for key in unknown)
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(needed - set(values)):
        problems.append(f"{where} lacks {', '.join(missing)}")
        return None
    try:
        return kind(**{key: values[key] for key in known & set(values)})
    except (TypeError, ConfigError, FormatError) as error:
        problems.append(f"{where}: {error}")
        return None


def demo_scenario() -> Scenario:
    """The scenario that comes with the package."""
    return parse_scenario(resources.files("zilzal.synth").joinpath("demo.toml").read_text("utf-8"))
