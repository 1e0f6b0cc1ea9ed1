"""Synthetic networks written as an operator would meet them: an archive, an inventory, a truth."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from zilzal.core.errors import ConfigError
from zilzal.core.units import km
from zilzal.io.inventory import write_inventory
from zilzal.io.sds_writer import write_sds
from zilzal.io.table_file import fixed, write_table
from zilzal.synth.network import SyntheticNetwork, build_network
from zilzal.synth.record import SyntheticRecords
from zilzal.synth.scenario import Scenario, demo_scenario, parse_scenario
from zilzal.synth.visibility import VisibleArrival, visible_arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """Where a synthetic network was written.

    Args:
        network: with its truth.
        waveforms: SDS root.
        inventory: StationXML file.
        catalogue: the truth as `catalogue.csv`.
        arrivals: the truth as `arrivals.csv`.
    """

    network: SyntheticNetwork
    waveforms: Path
    inventory: Path
    catalogue: Path
    arrivals: Path


def read_scenario(path: Path | None) -> Scenario:
    """A scenario from a TOML file; None is the one that comes with the package.

    Raises:
        ConfigError: the file cannot be read, or is wrong; all that is, at once.
    """
    if path is None:
        return demo_scenario()
    try:
        scenario = parse_scenario(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the scenario {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    problems = _wrong_types(scenario) or _out_of_range(scenario)
    if problems:
        raise ConfigError(f"the scenario {path}: {'; '.join(problems)}")
    return scenario


def _wrong_types(scenario: Scenario) -> list[str]:
    try:
        TypeAdapter(Scenario).validate_python(asdict(scenario))
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, fault['loc']))} is {fault['input']!r}: {fault['msg']}"
            for fault in error.errors()
        ]
    return []


def _out_of_range(scenario: Scenario) -> list[str]:
    ranges = {
        "duration_s": (scenario.duration_s > 0, "seconds above 0"),
        "sampling_rate": (scenario.sampling_rate > 0, "samples per second above 0"),
        "latitude": (-90 <= scenario.latitude <= 90, "degrees from -90 to 90"),
        "longitude": (-180 <= scenario.longitude <= 180, "degrees from -180 to 180"),
    }
    return [
        f"{name} is {getattr(scenario, name)}; give {wanted}"
        for name, (is_right, wanted) in ranges.items()
        if not is_right
    ]


def make_synthetic(scenario: Scenario, folder: Path) -> Synthetic:
    """Generate a network's records and write them with the truth.

    What the same scenario left in the folder is used again.

    Raises:
        ConfigError: the folder holds the waveforms of something else.
    """
    network = build_network(scenario)
    made = Synthetic(
        network=network,
        waveforms=folder / "waveforms",
        inventory=folder / "inventory.xml",
        catalogue=folder / "truth-catalogue.csv",
        arrivals=folder / "truth-arrivals.csv",
    )
    mark, said = folder / "scenario.txt", f"{scenario!r}\n"
    if made.waveforms.exists():
        if mark.exists() and mark.read_text(encoding="utf-8") == said:
            return made
        raise ConfigError(
            f"{made.waveforms} holds other waveforms; give another folder, or remove it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_inventory(network.inventory, made.inventory)
    write_truth(made, visible_arrivals(network))
    unfinished = folder / "waveforms.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    write_sds(SyntheticRecords(network).traces(), unfinished)
    mark.write_text(said, encoding="utf-8")
    unfinished.rename(made.waveforms)
    return made


def write_truth(made: Synthetic, arrivals: list[VisibleArrival]) -> None:
    """Write what is true of a network, in the columns of our own tables."""
    write_table(
        made.catalogue,
        (
            "event_id",
            "time",
            "latitude",
            "longitude",
            "depth_km",
            "magnitude",
            "magnitude_type",
            "event_type",
        ),
        (
            (
                event.id,
                str(event.time),
                fixed(event.latitude, 5),
                fixed(event.longitude, 5),
                fixed(km(event.depth_m), 3),
                fixed(event.magnitude, 2),
                "ML",
                str(event.event_type),
            )
            for event in made.network.events
        ),
    )
    write_table(
        made.arrivals,
        ("event_id", "network", "station", "phase", "time", "snr", "is_recorded"),
        (
            (
                seen.arrival.event_id,
                seen.arrival.station_id.network,
                seen.arrival.station_id.station,
                str(seen.arrival.phase),
                str(seen.arrival.time),
                fixed(seen.snr, 2),
                str(seen.is_recorded).lower(),
            )
            for seen in arrivals
        ),
    )
