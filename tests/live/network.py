"""A small network played to a monitor, and what an archive's run makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.app.short import SCENARIO
from zilzal.app.archive import export, run_archive
from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.live.monitor import Monitor
from zilzal.app.synthetic import Synthetic, make_synthetic
from zilzal.core.stage import PacketSource
from zilzal.io.clock import SystemClock
from zilzal.io.inventory import read_inventory
from zilzal.io.playback_source import PlaybackSource
from zilzal.io.recorder import Recorder
from zilzal.io.store import Store
from zilzal.synth.scenario import parse_scenario

TABLES = ("picks.csv", "catalogue.csv", "arrivals.csv", "coverage.csv")


def settings(picker: str = "stalta", **live: Any) -> Configuration:
    """Settings that an archive's run and a monitor share; the strictness is set."""
    return read_configuration(
        changes={
            "picker": {"use": picker},
            "associator": {"min_picks": 6},
            "run": {"workers": 1},
            "live": {"tick_s": 0.0, "preliminary_s": 0.2, **live},
        }
    )


@dataclass(frozen=True)
class Played:
    """Tables that a run or a monitor left, by name."""

    tables: dict[str, str]
    output: Path


def make_short(folder: Path) -> Synthetic:
    """Two events at six stations, three minutes."""
    return make_synthetic(parse_scenario(SCENARIO), folder)


def run(made: Synthetic, output: Path, configuration: Configuration) -> Played:
    """Work the archive through."""
    inventory = read_inventory([made.inventory])
    run_archive([made.waveforms], inventory, output, configuration)
    return Played(read_tables(output), output)


def monitor_of(
    made: Synthetic, output: Path, configuration: Configuration, sources: Sequence[PacketSource],
    store: Store,
) -> Monitor:  # fmt: skip
    """A monitor of the network with everything in a folder."""
    return Monitor(
        configuration=configuration,
        inventory=read_inventory([made.inventory]),
        sources=sources,
        store=store,
        recorder=Recorder(output / "records", configuration.gaps),
        clock=SystemClock(),
    )


def play(
    made: Synthetic,
    output: Path,
    configuration: Configuration,
    sources: Sequence[PacketSource] | None = None,
) -> Played:
    """Play the archive, or other sources, to a monitor until they end."""
    output.mkdir(parents=True, exist_ok=True)
    sources = sources or [PlaybackSource(paths=(str(made.waveforms),))]
    with Store.open(output / "zilzal.db") as store:
        asyncio.run(monitor_of(made, output, configuration, sources, store).run())
    write_tables(output, configuration)
    return Played(read_tables(output), output)


def write_tables(output: Path, configuration: Configuration) -> None:
    """The tables of a monitor's store, as a run writes them."""
    with Store.open(output / "zilzal.db", create=False) as store:
        picks = store.picks(configuration=configuration.picking_sha256)
        export(store, output, picks, list(store.events()))


def read_tables(output: Path) -> dict[str, str]:
    """What the tables say."""
    return {name: (output / name).read_text(encoding="utf-8") for name in TABLES}
