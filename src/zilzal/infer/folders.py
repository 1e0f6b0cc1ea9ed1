"""Where a user's own networks and what is kept for speed lie, by the platform's custom."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_model_folder() -> Path:
    """Of the user's own networks; it need not exist.

    `$XDG_DATA_HOME` or `~/.local/share`, `~/Library/Application Support` on macOS,
    `%LOCALAPPDATA%` on Windows; below it `zilzal/models`.
    """
    return _base("XDG_DATA_HOME", ".local/share", "Library/Application Support") / "models"


def user_cache_folder() -> Path:
    """Of what can be made again; it need not exist. As above, `$XDG_CACHE_HOME`, `~/.cache`."""
    return _base("XDG_CACHE_HOME", ".cache", "Library/Caches") / "cache"


def _base(variable: str, below_home: str, on_macos: str) -> Path:
    if sys.platform == "win32":
        named, usual = os.environ.get("LOCALAPPDATA"), "AppData/Local"
    elif sys.platform == "darwin":
        named, usual = None, on_macos
    else:
        named, usual = os.environ.get(variable), below_home
    # The custom has relative paths ignored.
    if named and Path(named).is_absolute():
        return Path(named) / "zilzal"
    return Path.home() / usual / "zilzal"
