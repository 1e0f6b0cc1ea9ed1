"""Reading stations from files of any kind, one or many."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from zilzal.core.errors import InventoryError
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time
from zilzal.io.station_csv import is_station_csv, read_station_csv, write_station_csv
from zilzal.io.stationxml import read_stationxml, write_stationxml

logger = logging.getLogger(__name__)


def read_inventory(paths: Path | str | Iterable[Path | str]) -> Inventory:
    """Read stations from StationXML, CSV (see `station_csv`), or what else ObsPy knows.

    Of a folder, the StationXML files and the tables of stations in it are read and the rest is
    passed over. Where two files describe the same channel from the same instant on, the one read
    later counts.

    Raises:
        FileNotFoundError: a path does not exist.
        FormatError: a file is not what its content claims.
        InventoryError: no channels were found.
    """
    given = [Path(p) for p in ([paths] if isinstance(paths, Path | str) else paths)]
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            files += [p for p in sorted(path.rglob("*")) if p.is_file() and _describes_stations(p)]
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"{path}: no such file or folder")
    epochs: dict[tuple[ChannelId, Time | None], Channel] = {}
    for path in files:
        for channel in _read(path).channels:
            before = epochs.setdefault((channel.channel_id, channel.start), channel)
            if before != channel:
                logger.warning("%s describes %s anew; that counts", path, channel.channel_id)
                epochs[channel.channel_id, channel.start] = channel
    if not epochs:
        raise InventoryError(f"no stations in {', '.join(map(str, given))}")
    return Inventory.of(epochs.values())


def write_inventory(inventory: Inventory, path: Path) -> None:
    """Write CSV if the name ends so, else StationXML."""
    write = write_station_csv if path.suffix.lower() == ".csv" else write_stationxml
    write(inventory, path)


def _read(path: Path) -> Inventory:
    if path.suffix.lower() == ".csv" or is_station_csv(path):
        return read_station_csv(path)
    return read_stationxml(path)


def _describes_stations(path: Path) -> bool:
    """Whether a file in a folder is one that holds stations, by its first bytes."""
    if path.name.startswith("."):
        return False
    if path.suffix.lower() == ".csv":
        return is_station_csv(path)
    if path.suffix.lower() not in (".xml", ".stationxml"):
        return False
    with path.open("rb") as file:
        return b"FDSNStationXML" in file.read(4_096)
