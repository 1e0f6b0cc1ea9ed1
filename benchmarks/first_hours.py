"""How strict an associator must be that has learned nothing: a monitor in its first hours.

Takes the picks of a run, looks for sources block by block as a monitor does that has learned
nothing, and counts those with at least so large log odds; then once more with each station's picks
shifted in time by its own amount, where whatever is found is chance.

    python benchmarks/first_hours.py RUN INVENTORY [--hours 24]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zilzal.app.blocks import BlockGrid
from zilzal.associate.bayes.associator import BayesAssociator, SettledAssociator
from zilzal.associate.null import shift_stations
from zilzal.core.pick import Pick, in_order
from zilzal.core.station import Station
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store

LEAST_ODDS = (0.0, 2.0, 4.0, 10.0)
SEEDS = (0, 1)
APART_S = 60.0
"""Two stations' picks are moved against each other by this or more."""


def main() -> None:
    """Print the counts as JSON."""
    arguments = _arguments()
    with Store.open(arguments.run / "zilzal.db", create=False) as store:
        picks = store.picks()
    picks = [pick for pick in picks if pick.time - picks[0].time < arguments.hours * 3_600]
    seen = {pick.channel_id.station_id for pick in picks}
    inventory = read_inventory(arguments.inventory)
    stations = [s for s in inventory.stations(picks[0].time) if s.station_id in seen]
    shifted = [
        shift_stations(picks, np.random.default_rng(seed), apart_s=APART_S) for seed in SEEDS
    ]
    counts = {
        str(least): {
            "found": _count(picks, stations, least),
            "by_chance": [_count(moved, stations, least) for moved in shifted],
        }
        for least in LEAST_ODDS
    }
    print(json.dumps({"picks": len(picks), "stations": len(stations), "least_odds": counts}))


def _count(picks: Sequence[Pick], stations: Sequence[Station], least_odds: float) -> int:
    """Sources that blocks accept."""
    associator = SettledAssociator(options=BayesAssociator(), least_odds=least_odds)
    grid, ordered = BlockGrid.of(stations), in_order(picks)
    return sum(
        grid.accepts(number, found.time)
        for number in grid.numbers(pick.time for pick in picks)
        for found in associator.associate(grid.reached(number, ordered), stations)
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder with the store of a run")
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--hours", type=float, default=24.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
