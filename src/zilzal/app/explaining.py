"""Explanations from a finished run."""

from __future__ import annotations

from pathlib import Path

from zilzal.app.configuration import read_configuration
from zilzal.associate.bayes.associator import BayesAssociator
from zilzal.associate.explain import Explanation, explain_pick
from zilzal.associate.octree import OctreeAssociator
from zilzal.core.errors import ConfigError
from zilzal.core.event import Association, Event, Origin
from zilzal.core.ids import StationId
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.io.store import Store
from zilzal.travel import TravelTimeTables, load_model

NEAR_S = 30.0


def explain_near(run: Path, station: str, time: Time, inventory: Inventory) -> Explanation:
    """Explain the pick of a station nearest to a time.

    Args:
        run: folder of the run.
        station: as network.station.
        time: near the pick.
        inventory: of the network.

    Raises:
        ConfigError: there is no such pick, or the run's associator cannot be asked.
        StoreError: the run's store cannot be read.
    """
    settings = read_configuration(run / "zilzal.toml")
    associator = settings.associator
    if not isinstance(associator, OctreeAssociator | BayesAssociator):
        raise ConfigError("only runs of the associators bayes and pyocto can be explained")
    station_id = StationId(*station.split(".")) if station.count(".") == 1 else None
    if station_id is None:
        raise ConfigError(f"not a station: {station!r}; write network.station, as CI.CCC")
    key = settings.picking_sha256
    with Store.open(settings.store.place(run), create=False) as store:
        near = store.picks(time - NEAR_S, time + NEAR_S, station_id=station_id, configuration=key)
        if not near:
            raise ConfigError(f"{station} has no pick within {NEAR_S:g} s of {time}")
        pick = min(near, key=lambda p: abs(p.time - time))
        around = store.picks(time - 600, time + 600, configuration=key)
        events = [e for e in store.events() if abs(e.time - time) < 600]
    stations = inventory.stations(time)
    search = associator.plan(around, stations)
    return explain_pick(
        pick,
        [_association(event) for event in events if isinstance(event.origin, Origin)],
        stations,
        TravelTimeTables(
            model=load_model(associator.earth_model), max_distance_m=2 * search.reach_m
        ),
        tolerance_s=search.tolerance_s,
    )


def _association(event: Event) -> Association:
    """An event as the associator would have handed it on, at its final place."""
    origin = event.origin
    assert isinstance(origin, Origin)
    return Association(
        picks=event.picks,
        time=origin.time,
        latitude=origin.latitude,
        longitude=origin.longitude,
        depth_m=origin.depth_m,
        provenance=origin.provenance,
    )
