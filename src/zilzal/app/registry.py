"""Replaceable parts by name, from entry points; ours are registered the same way as anyone's."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from zilzal.core.errors import PluginError

GROUPS = ("pickers", "associators", "locators", "magnitudes", "classifiers", "sources", "alerts")
"""Kinds of parts; the entry-point group of each is "zilzal." and the kind."""


def available(kind: str) -> dict[str, EntryPoint]:
    """The parts of a kind by name, in order of name.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in GROUPS:
        raise ValueError(f"no such kind of part: {kind!r}; it is one of {', '.join(GROUPS)}")
    found = {point.name: point for point in entry_points(group=f"zilzal.{kind}")}
    return dict(sorted(found.items()))


def load(kind: str, name: str) -> type:
    """The class of a part: a frozen dataclass whose fields are its options.

    Raises:
        PluginError: it is not installed, or cannot be imported.
    """
    parts = available(kind)
    if name not in parts:
        raise PluginError(
            f"no part named {name!r} among {kind}; installed are: {', '.join(parts) or 'none'}"
        )
    try:
        return parts[name].load()
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"the part {name!r} of {kind} ({parts[name].value}) cannot be loaded: {error}"
        ) from error
