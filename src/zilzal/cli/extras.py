"""Modules that come with an extra, asked for before any work."""

from __future__ import annotations

from importlib.util import find_spec

from zilzal.core.errors import ConfigError


def need(*modules: str, work: str, extra: str = "train") -> None:
    """Raise ConfigError where a module that some work needs is not installed."""
    absent = [name for name in modules if find_spec(name) is None]
    if absent:
        raise ConfigError(
            f'{work} needs {", ".join(absent)}; install them with pip install "zilzal[{extra}]"'
        )
