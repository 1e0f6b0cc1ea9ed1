"""All that a console shows and works on: the store, and where waveforms and stations lie."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zilzal.app.configuration import Configuration, read_configuration
from zilzal.app.display.waveforms import SharedWaveforms, open_waveforms
from zilzal.app.events import LEARNED, instructed
from zilzal.core.errors import ConfigError, InventoryError, StoreError
from zilzal.core.ids import StationId
from zilzal.core.stage import LearningAssociator
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.io.clock import SystemClock
from zilzal.io.fdsn_station import StationMetadata
from zilzal.io.inventory import read_inventory
from zilzal.io.store import Store

logger = logging.getLogger(__name__)

_NOTE = "holdings"
"""Key of the store's note that says where waveforms and stations lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What there is to see of a run or a monitor.

    Args:
        store: of the results.
        configuration: that they were made with, as far as it is known.
        inventory: of the stations; empty where nobody said where it lies.
        inventory_paths: where it was read from.
        metadata: all that the inventory's files say, for the station service.
        waveforms: empty where nobody said where they lie.
        now: tells what time it is.
    """

    store: Store
    configuration: Configuration
    inventory: Inventory
    inventory_paths: tuple[Path, ...]
    metadata: StationMetadata
    waveforms: SharedWaveforms
    now: Callable[[], Time]

    def places(self, time: Time | None = None) -> dict[StationId, Station]:
        """Stations where they stand at an instant, by code; None takes all that ever stood."""
        return {s.station_id: s for s in self.inventory.stations(time)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things lie; empty where that is not known.

    Args:
        inventory: StationXML or CSV, files or folders.
        waveforms: files, folders, an SDS root.
    """

    inventory: tuple[Path, ...] = ()
    waveforms: tuple[Path, ...] = ()


def remember_places(store: Store, places: Places) -> None:
    """Note in a store where its waveforms and stations lie, for whoever looks at it later."""
    content = {
        "inventory": [str(path.resolve()) for path in places.inventory],
        "waveforms": [str(path.resolve()) for path in places.waveforms],
    }
    store.put_notes({_NOTE: content})


def find_places(store: Store, configuration: Configuration, folder: Path | None) -> Places:
    """Where things lie as the store, the settings and the folder of the results have it."""
    noted = store.notes(_NOTE).get(_NOTE)
    if noted is not None:
        content = noted[1]
        return Places(
            inventory=tuple(map(Path, content["inventory"])),
            waveforms=tuple(map(Path, content["waveforms"])),
        )
    inventory = tuple(map(Path, configuration.live.inventory))
    records = None if folder is None else folder / "records"
    return Places(
        inventory=inventory,
        waveforms=(records,) if records is not None and records.is_dir() else (),
    )


@contextmanager
def open_holdings(
    place: str | Path, given: Places = Places(), *, now: Callable[[], Time] | None = None
) -> Iterator[Holdings]:
    """Open what a run or a monitor left, or is still making.

    Args:
        place: folder of the results, its store, or a database's URL.
        given: places that count before those that the store knows.
        now: tells what time it is; the machine's clock if left out.

    Raises:
        StoreError: there is no store.
        ConfigError: a place does not hold what it should, or the settings cannot be read.
    """
    folder = _folder_of(place)
    configuration = _settings_in(folder)
    database = configuration.store.place(folder) if folder and folder == Path(place) else place
    with Store.open(database, create=False) as store:
        known = find_places(store, configuration, folder)
        inventory_paths = given.inventory or known.inventory
        waveform_paths = given.waveforms or known.waveforms
        yield Holdings(
            store=store,
            configuration=_taught(configuration, store),
            inventory=_stations(inventory_paths, is_given=bool(given.inventory)),
            inventory_paths=inventory_paths,
            metadata=StationMetadata(inventory_paths),
            waveforms=open_waveforms(
                waveform_paths, configuration.gaps, must_exist=bool(given.waveforms)
            ),
            now=now or SystemClock().now,
        )


def _folder_of(place: str | Path) -> Path | None:
    """The folder of the results; None for a database elsewhere."""
    if "://" in str(place):
        return None
    path = Path(place)
    if path.is_dir():
        if not (path / "zilzal.db").is_file() and not (path / "zilzal.toml").is_file():
            raise StoreError(
                f"{path} holds no results; name the folder of a run or a monitor, or make one "
                "with zilzal run or zilzal demo"
            )
        return path
    return path.parent


def _taught(configuration: Configuration, store: Store) -> Configuration:
    """With a locator that knows the station terms with which the events were located."""
    associator = configuration.associator
    learned = store.load_checkpoint(LEARNED, configuration.sha256)
    if learned is None or not isinstance(associator, LearningAssociator):
        return configuration
    return instructed(configuration, associator.remembering(learned.decode()))


def _settings_in(folder: Path | None) -> Configuration:
    path = None if folder is None else folder / "zilzal.toml"
    return read_configuration(path if path is not None and path.is_file() else None)


def _stations(paths: Sequence[Path], *, is_given: bool) -> Inventory:
    if not paths:
        return Inventory(())
    try:
        return read_inventory(paths)
    except (OSError, InventoryError) as error:
        if is_given:
            raise ConfigError(f"cannot read the stations: {error}") from error
        logger.warning("no stations: %s; give --inventory", error)
        return Inventory(())
