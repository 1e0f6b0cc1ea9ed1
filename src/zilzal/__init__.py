"""Earthquake monitoring: from a packet of data to a located, typed event with a magnitude.

The names below are enough for a script; each is loaded when it is first asked for.

    import zilzal

    archive = zilzal.Archive.open("waveforms")
    stations = zilzal.read_inventory("stations.xml")
    summary = zilzal.run_archive(["waveforms"], stations, "out", zilzal.read_configuration())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zilzal.app.archive import pick_archive, run_archive
    from zilzal.app.configuration import read_configuration
    from zilzal.core.errors import ZilzalError
    from zilzal.core.time import Time
    from zilzal.io.archive import Archive
    from zilzal.io.inventory import read_inventory
    from zilzal.io.quakeml import read_quakeml, write_quakeml
    from zilzal.io.store import Store

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "Store",
    "Time",
    "ZilzalError",
    "pick_archive",
    "read_configuration",
    "read_inventory",
    "read_quakeml",
    "run_archive",
    "write_quakeml",
]

_ROOMS = {
    "Archive": "io.archive",
    "Store": "io.store",
    "Time": "core.time",
    "ZilzalError": "core.errors",
    "pick_archive": "app.archive",
    "read_configuration": "app.configuration",
    "read_inventory": "io.inventory",
    "read_quakeml": "io.quakeml",
    "run_archive": "app.archive",
    "write_quakeml": "io.quakeml",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'zilzal' has no attribute {name!r}")
    return getattr(import_module(f"zilzal.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
