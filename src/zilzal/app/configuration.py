"""One TOML file: its tables are the stages, its keys the fields of their dataclasses."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import tomli_w
from pydantic import TypeAdapter, ValidationError

from zilzal.app import registry
from zilzal.app.live_options import LiveOptions
from zilzal.core.alert import AlertSink
from zilzal.core.errors import ConfigError, PluginError, ZilzalError
from zilzal.core.stage import Associator, Classifier, Locator, MagnitudeScale, PacketSource, Picker
from zilzal.io.store import configuration_hash
from zilzal.signal.choice import PREFERENCE
from zilzal.signal.continuity import GapPolicy
from zilzal.travel import load_model

PARTS = {
    "picker": ("pickers", "neural"),
    "associator": ("associators", "bayes"),
    "locator": ("locators", "grid"),
    "magnitude": ("magnitudes", "ML"),
    "classifier": ("classifiers", "learned"),
}
"""Tables that choose a replaceable part with `use`: its kind, and the name used by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorOptions:
    """Which sensor of a station is used where it has several.

    Args:
        preference: band and instrument codes, the best first; sensors of other codes come last.
            Velocity before acceleration, and fast broadband first.
    """

    preference: tuple[str, ...] = PREFERENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class EarthOptions:
    """The earth that all stages believe in.

    Args:
        model: name of a built-in model, or path of a TOML or CSV file; see `zilzal.travel`.
    """

    model: str = "ak135"

    def __post_init__(self) -> None:
        load_model(self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How an archive is worked through; results do not depend on it.

    Args:
        workers: processes that pick side by side, each with one thread; 0 is one for each core.
        chunk_h: hours of a sensor that are read at a time; memory grows with it.
        cluster: where workers are: empty is this machine's processes, "local" a Dask cluster on
            it, or the address of a Dask scheduler, as tcp://host:8786.
        timeout_s: a job of another process, as the picks of `chunk_h`, that takes longer is ended.
        attempts: at a job, before its time is told as failed.
    """

    workers: int = 0
    chunk_h: float = 24.0
    cluster: str = ""
    timeout_s: float = 1_800.0
    attempts: int = 3

    def __post_init__(self) -> None:
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s is {self.timeout_s}; give seconds above 0")
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; give 1 or more")
        if self.workers < 0:
            raise ValueError(f"workers is {self.workers}; give 0 or more")
        if not 0 < self.chunk_h <= 240:
            raise ValueError(f"chunk_h is {self.chunk_h}; give hours above 0, at most 240")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Where results are kept; they do not depend on it.

    Args:
        url: of a database, as postgresql://user@host/database; empty is the file zilzal.db in the
            folder of the results. Passwords belong into PostgreSQL's own password file.
    """

    url: str = ""

    def place(self, output: Path) -> str | Path:
        """What to open for the results in a folder."""
        return self.url or output / "zilzal.db"


PLAIN: dict[str, type] = {
    "sensors": SensorOptions,
    "gaps": GapPolicy,
    "earth": EarthOptions,
    "run": RunOptions,
    "store": StoreOptions,
    "live": LiveOptions,
}
"""Tables that are options of what cannot be replaced."""

LISTS = {"sources": ("sources", "seedlink"), "alerts": ("alerts", "webhook")}
"""Tables that may come many times, each choosing a part with `use`: kind, and default name."""

PICKING = ("sensors", "gaps", "picker")
"""Tables that can change a pick; the others work on picks."""
HANDLING = ("run", "store", "live", *LISTS)
"""Tables that cannot change a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All settings, checked, with the parts that they make."""

    sensors: SensorOptions
    gaps: GapPolicy
    earth: EarthOptions
    run: RunOptions
    store: StoreOptions
    live: LiveOptions
    sources: tuple[PacketSource, ...]
    alerts: tuple[AlertSink, ...]
    picker: Picker
    associator: Associator
    locator: Locator
    magnitude: MagnitudeScale
    classifier: Classifier
    tables: Mapping[str, Any] = field(repr=False)

    def to_toml(self, *, results_only: bool = False, picking: bool = False) -> str:
        """The effective configuration: every setting with the value in force.

        Args:
            results_only: leave out what cannot change a result.
            picking: only what can change a pick.
        """
        kept = [n for n in self.tables if not results_only or n not in HANDLING]
        names = PICKING if picking else kept
        return tomli_w.dumps({name: self.tables[name] for name in names})

    @property
    def sha256(self) -> str:
        """Hash of all settings that can change a result, as the store knows it."""
        return configuration_hash(self.to_toml(results_only=True))

    @property
    def picking_sha256(self) -> str:
        """Hash of the settings that can change a pick."""
        return configuration_hash(self.to_toml(picking=True))


def read_configuration(
    path: Path | None = None, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Configuration:
    """Read a configuration file, with changes from the command line on top.

    Args:
        path: TOML file; None for the defaults alone.
        changes: by table and key.

    Raises:
        ConfigError: all that is wrong, at once.
    """
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not TOML: {error}") from error
    for name, table in (changes or {}).items():
        before = given.get(name, {})
        if isinstance(before, Mapping):
            given[name] = {**before, **table}
    return _build(given, str(path or "the defaults"))


def _build(given: Mapping[str, Any], where: str) -> Configuration:
    problems: list[str] = []
    built: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for name in LISTS:
        built[name], tables[name] = _make_list(name, given.get(name, []), problems)
    given = {name: table for name, table in given.items() if name not in LISTS}
    for name in given:
        if name not in PLAIN and name not in PARTS:
            problems.append(_unknown(f"table [{name}]", name, [*PLAIN, *PARTS, *LISTS]))
        elif not isinstance(given[name], Mapping):
            problems.append(f"{name} is not a table; write [{name}] above its keys")
    given = {name: table for name, table in given.items() if isinstance(table, Mapping)}
    for name, kind in PLAIN.items():
        built[name], tables[name] = _make(kind, name, dict(given.get(name, {})), problems)
    earth_model = given.get("earth", {}).get(
        "model", EarthOptions.__dataclass_fields__["model"].default
    )
    for name, choice in PARTS.items():
        built[name], tables[name] = _make_part(
            name, dict(given.get(name, {})), earth_model, problems, choice
        )
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"{len(problems)} problem(s) in the configuration ({where}):\n{listed}")
    return Configuration(**built, tables=tables)


def _make_list(
    name: str, given: Any, problems: list[str]
) -> tuple[tuple[Any, ...], list[dict[str, Any]]]:
    """As `_make_part`, of each table of an array of them."""
    if not isinstance(given, list) or not all(isinstance(t, Mapping) for t in given):  # pyright: ignore[reportUnknownVariableType]
        problems.append(f"{name} is not an array of tables; write [[{name}]] above each one's keys")
        return (), []
    tables: list[Mapping[str, Any]] = given  # pyright: ignore[reportUnknownVariableType]
    made = [
        _make_part(f"{name} {number}", dict(table), None, problems, LISTS[name])
        for number, table in enumerate(tables, 1)
    ]
    return tuple(part for part, _ in made), [table for _, table in made]


def _make_part(
    name: str,
    options: dict[str, Any],
    earth_model: Any,
    problems: list[str],
    choice: tuple[str, str],
) -> tuple[Any, dict[str, Any]]:
    """As `_make`, of the replaceable part that `use` names."""
    kind, default = choice
    use = options.pop("use", default)
    if not isinstance(use, str):
        problems.append(f"[{name}] use = {use!r}: give a name, as a string")
        return None, {}
    try:
        part = registry.load(kind, use)
    except PluginError as error:
        problems.append(f"[{name}] use: {error}")
        return None, {}
    # The earth is said once; a part may still name its own.
    if "earth_model" in {f.name for f in dataclasses.fields(part)}:
        options.setdefault("earth_model", earth_model)
    made, table = _make(part, name, options, problems)
    # What only follows [earth] is not written down: it would stay behind when [earth] changes.
    if "earth_model" in table and table["earth_model"] == earth_model:
        del table["earth_model"]
    return made, {"use": use, **table}


def _make(
    kind: type, name: str, options: dict[str, Any], problems: list[str]
) -> tuple[Any, dict[str, Any]]:
    """An instance with its options as a TOML table; what is wrong is added to `problems`."""
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    hints = get_type_hints(kind)
    before = len(problems)
    problems.extend(
        _unknown(f"[{name}] {key}", key, list(fields)) for key in options.keys() - fields.keys()
    )
    values: dict[str, Any] = {}
    for key in options.keys() & fields.keys():
        try:
            values[key] = TypeAdapter(hints[key]).validate_python(options[key])
        except ValidationError as error:
            problem = error.errors()[0]
            problems.append(f"[{name}] {key} = {options[key]!r}: {problem['msg']}")
    if len(problems) > before:
        return None, {}
    try:
        instance = kind(**values)
    except (ValueError, TypeError, ZilzalError) as error:
        problems.append(f"[{name}] {error}")
        return None, {}
    return instance, _as_table(instance)


def _as_table(instance: Any) -> dict[str, Any]:
    """The fields of a dataclass as TOML can hold them; None, which TOML lacks, is left out."""
    values = {f.name: getattr(instance, f.name) for f in dataclasses.fields(instance) if f.init}
    return {name: _as_toml(value) for name, value in values.items() if value is not None}


def _as_toml(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _as_table(value)
    if isinstance(value, Mapping):
        return {str(key): _as_toml(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [_as_toml(entry) for entry in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
    return f"{what} is not known{hint}"
